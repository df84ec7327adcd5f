/**
 * Losses of the forward process in a fine-tune: what a configuration has in the estimator's place.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { type ShareName, schedules } from '../../chain/Share.js'
import type { DocumentError } from '../../document/Document.js'
import type { Interpreter } from '../../estimator/Gradient.js'
import * as Forward from '../../estimator/neighbour/Forward.js'
import type { Model } from '../../network/Model.js'
import type { Target } from '../../tensor/Target.js'
import type { Config } from '../Config.js'
import { wrong } from '../config/Checks.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A loss of the forward process: its name, what it costs for a sample, and what `Finetune.compile` takes besides: an interpreter, and the share
 * of itself that the policy which samples keeps.
 *
 * @category model
 * @since 0.1.0
 */
export interface Forwards {
  readonly name: string
  readonly networkEvaluations: number
  readonly pullbackSteps: number
  readonly on: (target: Target) => { readonly interpreter: Interpreter; readonly trailing?: number }
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** Chains whose levels of noise are those of `chain.schedule`. */
const named: ReadonlyArray<string> = ['ddim', 'ddpm', 'consistency']

/** Of a clean prediction, as the error of the velocity: `1 / (1 - alphaBar)` of its square, in equal shares of the steps. */
const weightOf =
  (alphaBar: ReadonlyArray<number>, T: number) =>
  (t: number): number =>
    1 / (T * Math.max(1e-3, 1 - (alphaBar[t] ?? 0)))

/**
 * The forward loss of a configuration, undefined where it has none; `networkCalls` are those of a step of its chain. Left: a chain whose levels are not those of its schedule; a price of leaving the base, or samples that are used
 * again, which the loss has no place for.
 *
 * @category constructors
 * @since 0.1.0
 */
export const forwards = (
  {
    chain: { kind, schedule, T },
    forward: { loss, mix, trailing },
    kl,
    policy
  }: Pick<Config, 'chain' | 'forward' | 'kl' | 'policy'>,
  { levels: own }: Pick<Model, 'levels'>,
  networkCalls: number
): E.Either<DocumentError, Forwards | undefined> => {
  if (loss === 'none') return E.right(undefined)
  if (!named.includes(kind))
    return E.left(
      wrong(
        'forward.loss',
        "'none' on this chain, whose levels are its own",
        loss,
        `choose one of ${named.join(', ')} as chain.kind`
      )
    )
  if (kl.beta !== 0)
    return E.left(
      wrong('kl.beta', '0 under a loss of the forward process', String(kl.beta), 'set it, or choose an estimator')
    )
  if (policy.epochs * policy.minibatches !== 1)
    return E.left(
      wrong(
        'policy',
        'samples that are used once under a loss of the forward process',
        `${policy.epochs} epochs, ${policy.minibatches} minibatches`,
        'leave it out'
      )
    )
  const share: ShareName = schedule
  const levels = own === undefined ? schedules[share](T) : own(T)
  const weight = weightOf(levels.alphaBar, T)
  // a rollout, and at each step the prediction that is pulled back, beside that of the old parameters
  const [name, runs] = loss === 'weighted' ? ['advantage-weighted matching', 2] : ['Diffusion NFT', 3]
  return E.right({
    name,
    networkEvaluations: runs * T * networkCalls,
    pullbackSteps: T,
    on: (target) =>
      loss === 'weighted'
        ? { interpreter: Forward.interpreter({ schedule: levels, weight }, target) }
        : { interpreter: Forward.interpreter({ schedule: levels, weight, mix }, target), trailing }
  })
}
