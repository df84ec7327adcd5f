/**
 * Does a gradient point where the objective rises? Its slope along a direction, against finite differences of the reward
 * along the same direction, on draws of their own.
 *
 * An estimator may be unbiased and still show another mean on any sample that can be had: where the reward jumps, or nearly
 * so, a pathwise gradient lives on rare samples (Metz et al., arXiv 2111.05803; Suh et al., arXiv 2202.00817). Its sample
 * variance is small then, and this is how it is found out.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { evolutionStrategies } from '../catalogue/EvolutionStrategies.js'
import * as Draw from '../../random/Draw.js'
import type { Key } from '../../random/Key.js'
import type { Params } from '../../lens/Lens.js'
import type { Values } from '../../tensor/Program.js'
import type { Batched, Shape } from '../../tensor/Shape.js'
import type { Target } from '../../tensor/Target.js'
import * as T from '../../tensor/Tensor.js'
import type { Exprs } from '../../tensor/Tree.js'
import { type CoverError, showError as showCover } from '../Cover.js'
import { type EstimatorError, type Problem, showError as showEstimator } from '../Problem.js'
import { trainedShapes } from '../program/Programs.js'
import { measureAsTrained, type Along, type Draws, type Measured } from './Variance.js'

// -------------------------------------------------------------------------------------
// directions
// -------------------------------------------------------------------------------------

/** The trained parameters by path, in order, without the copies that each row may have. */
const shapesOf = <P extends Params, S extends Batched, C extends Exprs, R extends Params>({
  chain,
  trained
}: Pick<Problem<P, S, C, R>, 'chain' | 'trained'>): ReadonlyArray<
  readonly [path: string, shape: ReadonlyArray<number>]
> =>
  trainedShapes(chain.parameters, trained)
    .map(([path, shape]) => [path, (shape[0] === 'batch' ? shape.slice(1) : shape).map(Number)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))

/**
 * The direction of length 1 of some numbers, those of the trained parameters side by side in the order of their paths, such
 * as the mean of a measured gradient: take it from draws that are used for nothing else. Where all are 0, it is that of
 * normals from the key.
 *
 * @category directions
 * @since 0.1.0
 */
export const direction = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Pick<Problem<P, S, C, R>, 'chain' | 'trained'>,
  numbers: ReadonlyArray<number>,
  key: Key
): Values => {
  const norm = T.norm(numbers)
  const given = norm > 0 ? numbers : Array.from(Draw.normal(key, [numbers.length]).data)
  const length = norm > 0 ? norm : T.norm(given)
  let at = 0
  return Object.fromEntries(
    shapesOf(problem).map(([path, shape]) => {
      const from = at
      at += T.size(shape)
      return [path, T.toFloat32(T.tabulate(shape, (i) => (given[from + i] ?? 0) / length))]
    })
  )
}

/** A copy for each row of the parameters that are declared so. */
const spread = (shape: Shape | undefined, batch: number, value: T.Tensor): T.Tensor => {
  if (shape?.[0] !== 'batch') return value
  const n = value.data.length
  const data = new Float32Array(batch * n)
  for (let row = 0; row < batch; row++) data.set(value.data, row * n)
  return { shape: [batch, ...value.shape], data }
}

// -------------------------------------------------------------------------------------
// slopes
// -------------------------------------------------------------------------------------

/**
 * How finite differences are taken: along which direction, on how many batches, and how far to either side. Where the
 * reward all but jumps, it must be so far that some samples jump.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly along: Values
  readonly distance: number
  readonly batches: number
}

/**
 * Why there is no slope: a length of the chain or a distance that are none, or what `Gradient.compile` or a run finds.
 *
 * @category model
 * @since 0.1.0
 */
export type SlopeError = { readonly _tag: 'NoDifference'; readonly error: CoverError } | EstimatorError

/**
 * The slope of the expected reward along a direction by central differences, on common random numbers. Its error is the
 * standard error, and a third of what the slope over twice the distance is off, which is about what is left of the
 * truncation. Each batch rolls out four times.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const differences = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Omit<Problem<P, S, C, R>, 'estimator'>,
  target: Target,
  draws: Draws,
  { along, distance, batches }: Options
): TE.TaskEither<SlopeError, Along> => {
  const shapes = new Map(trainedShapes(problem.chain.parameters, problem.trained))
  const xi = Object.fromEntries(
    Object.entries(along).map(([path, value]) => [path, spread(shapes.get(path), problem.batch, value)])
  )
  const fixed: Draws = { ...draws, request: (i, cover) => ({ ...draws.request(i, cover), xi }) }
  const over = (length: number): TE.TaskEither<SlopeError, Along> =>
    pipe(
      evolutionStrategies({ T: problem.chain.T, radius: length }),
      E.mapLeft((error): SlopeError => ({ _tag: 'NoDifference', error })),
      TE.fromEither,
      TE.flatMap((estimator) =>
        measureAsTrained<P, S, C, R>({ ...problem, estimator }, target, fixed, batches, { along })
      ),
      TE.map((measured) => measured.along ?? { value: Number.NaN, error: Number.NaN })
    )
  return pipe(
    over(distance),
    TE.bindTo('near'),
    TE.bind('far', () => over(2 * distance)),
    TE.map(({ near, far }) => ({
      value: near.value,
      error: Math.hypot(near.error, (far.value - near.value) / 3)
    }))
  )
}

/**
 * The slope of a measured gradient over that of finite differences, of other draws: errors to first order. Undefined where
 * no slope was measured.
 *
 * @category readings
 * @since 0.1.0
 */
export const ratio = ({ along }: Pick<Measured, 'along'>, differences: Along): Along | undefined => {
  if (along === undefined) return undefined
  const value = along.value / differences.value
  return { value, error: Math.hypot(along.error, value * differences.error) / Math.abs(differences.value) }
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * One line for a person: what is wrong and what to do.
 *
 * @category utils
 * @since 0.1.0
 */
export const showError = (error: SlopeError): string =>
  error._tag === 'NoDifference' ? showCover(error.error) : showEstimator(error)
