/**
 * Inner updates: how often the samples of one step are used, and in which shares.
 *
 * @since 0.1.0
 */
import type { Estimator } from '../../estimator/Estimator.js'
import * as Experience from '../../estimator/policy/Experience.js'
import type { Reuse } from '../../estimator/policy/Surrogate.js'
import * as Cost from '../../estimator/reading/Cost.js'
import * as Draw from '../../random/Draw.js'
import * as Key from '../../random/Key.js'

/**
 * `epochs` passes over the samples of a step, each in `minibatches` shares of their rows, in an order that is drawn anew for each pass,
 * with an update for each share; and how densities are read and ratios are bounded.
 *
 * @category model
 * @since 0.1.0
 */
export interface Inner extends Reuse {
  readonly epochs: number
  readonly minibatches: number
}

/**
 * How many updates a step makes.
 *
 * @category readings
 * @since 0.1.0
 */
export const updates = ({ epochs, minibatches }: Pick<Inner, 'epochs' | 'minibatches'>): number => epochs * minibatches

/**
 * Is this one update with the sample's own density? Then its ratio is 1, and an estimate is all that is needed.
 *
 * @category readings
 * @since 0.1.0
 */
export const isPlain = (inner: Pick<Inner, 'epochs' | 'minibatches' | 'density'>): boolean =>
  updates(inner) === 1 && inner.density === 'sum'

/**
 * How often a step of the chain evaluates the network, by itself and for its step rewards, and whether its clean predictions run the
 * rest of the chain.
 *
 * @category model
 * @since 0.1.0
 */
export interface Calls {
  readonly networkCalls: number
  readonly stepCalls: number
  readonly lookahead: boolean | undefined
}

/**
 * The expected cost of a step's samples and updates, per sample: beside that of the estimate, a run of each cell's segment to record its
 * mean, and another in each pass for its ratio.
 *
 * @category readings
 * @since 0.1.0
 */
export const cost = (
  estimator: Estimator,
  inner: Pick<Inner, 'epochs' | 'minibatches' | 'density'>,
  { networkCalls, stepCalls, lookahead }: Calls
): Pick<Cost.Cost, 'networkEvaluations' | 'pullbackSteps'> => {
  const whole = Cost.cost(estimator, networkCalls, stepCalls, lookahead)
  if (isPlain(inner)) return whole
  const { epochs } = inner
  const ratios = (1 + epochs) * networkCalls * whole.pullbackSteps
  // what an estimate differentiates, it does once; controls, which have no ratio, are not there
  const credit = (epochs - 1) * (networkCalls + stepCalls) * whole.pullbackSteps
  return {
    networkEvaluations: whole.networkEvaluations + ratios + credit,
    pullbackSteps: epochs * whole.pullbackSteps
  }
}

/**
 * The shares of an experience of `batch` rows in the order of their updates, from the key of the step. The mean over a pass is the
 * whole, in equal shares.
 *
 * @category drawing
 * @since 0.1.0
 */
export const shares =
  ({ epochs, minibatches }: Pick<Inner, 'epochs' | 'minibatches'>, batch: number, key: Key.Key) =>
  (experience: Experience.Experience): ReadonlyArray<Experience.Experience> => {
    const rows = Math.floor(batch / minibatches)
    return Array.from({ length: epochs }, (_, epoch) => {
      const order = Array.from(Draw.permutation(Key.foldIn(Key.foldInString(key, 'epoch'), epoch), batch))
      return Array.from({ length: minibatches }, (__, i) =>
        Experience.take(order.slice(i * rows, (i + 1) * rows), minibatches)(experience)
      )
    }).flat()
  }
