/**
 * How noisy an estimator is: the variance of its gradient, with a confidence interval, as a whole, by cell, and by
 * step; of one sample where every sample has a gradient of its own, or of the mean of a batch.
 *
 * Per-sample gradients come from parameters with a batch axis (`Chain.perRow`, or a chain declared so): then each row
 * of a gradient is one sample's. Parameters that the batch shares have one gradient a batch: `measureBatches`.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import type { IO } from 'fp-ts/lib/IO.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../../lens/Lens.js'
import * as Build from '../../tensor/Build.js'
import type { Values } from '../../tensor/Program.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Target } from '../../tensor/Target.js'
import type { Exprs } from '../../tensor/Tree.js'
import type { Advantage } from '../Advantage.js'
import * as Cost from './Cost.js'
import * as C from '../Cover.js'
import type { Cover } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as Gradient from '../Gradient.js'
import type { EstimatorError, Estimate, Problem, Request } from '../Gradient.js'
import { trainedShapes } from '../program/Programs.js'
import { show } from '../StateValue.js'
import { moments, ofRows, rowsOf, type Matrix, type Spread } from './Spread.js'

export { byStep } from './ByStep.js'
export {
  moments,
  ofRows,
  ratio,
  rowsOf,
  tailIndex,
  type Matrix,
  type Moments,
  type Ranged,
  type Spread
} from './Spread.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A measured estimator: the spread of its gradient and of each part, of one sample (`batch` is 1) or of the mean of
 * `batch` samples, and what it costs. A sample takes `cost.networkEvaluations` of the network and `pullbacks` through
 * it.
 *
 * - `efficiency`: variance times the evaluations that it took, which is what a given budget of evaluations leaves of
 *   the variance, up to that budget.
 * - `efficiencyWithPullbacks`: variance times evaluations and pullbacks. A pullback costs one to two evaluations, so
 *   the truth is near the second; estimators that pull nothing back look worse than they are in the first. Less is
 *   better.
 * - `baseline`: what likelihood-ratio terms take off the return: a value of the state (leave-one-out then comes after it), `siblings`,
 *   else the advantage; `none` where nothing is taken off, or there are no such terms. `control`: a value of the state with
 *   its gradient put back in, or `none`.
 * - `along`: the slope of the mean gradient along a direction, where one was given. `seconds`: the least that a batch took, of those
 *   that were measured, where there was a clock.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measured {
  readonly estimator: Estimator
  readonly batch: number
  readonly gradient: Spread
  readonly parts: Readonly<Record<string, Spread>>
  readonly cost: Cost.Cost
  readonly pullbacks: number
  readonly peakBytes: number
  readonly efficiency: number
  readonly efficiencyWithPullbacks: number
  readonly baseline: string
  readonly control: string
  readonly along: Along | undefined
  readonly seconds?: number
}

/**
 * A number with its standard error: a slope, or a ratio of two.
 *
 * @category model
 * @since 0.1.0
 */
export interface Along {
  readonly value: number
  readonly error: number
}

/**
 * What else is measured: `along` a direction, by parameter path and without the copies of rows, the slope that the mean
 * gradient has; by a `clock`, which tells seconds, how long batches take.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly along?: Values
  readonly clock?: IO<number>
}

/**
 * Supplies the draws of a batch: the cover of an estimator's distribution, and everything else. Estimators that are
 * compared get the same noise from the same number (common random numbers).
 *
 * @category model
 * @since 0.1.0
 */
export interface Draws {
  readonly uniform: (batch: number) => number
  readonly request: (batch: number, cover: Cover) => Request
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/** What a part is called: half-order cells of a random start are one part. */
const partName = (cell: C.Cell): string => {
  switch (cell._tag) {
    case 'FirstOrder':
      return C.showCell(cell)
    case 'HalfOrder':
      return cell.shares === undefined ? `HO(${cell.to - cell.from + 1} steps)` : C.showCell(cell)
    case 'ZerothOrder':
      return `ZO(${cell.form}, ${cell.perturbation}, s = ${cell.radius})`
  }
}

/**
 * Measures the variance of one sample's gradient on some batches. Every trained parameter must have a batch axis;
 * draws should weight each row by 1. Left: parameters that the batch shares, by name, or what `Gradient.compile` or a
 * run finds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const measure = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Problem<P, S, Cd, R>,
  target: Target,
  draws: Draws,
  batches: number,
  options: Options = {}
): TE.TaskEither<EstimatorError, Measured> => {
  const shared = sharedOf(problem)
  return shared.length > 0
    ? TE.left({ _tag: 'NoBatchAxis', parameters: shared })
    : measured(problem, target, draws, { batches, batch: 1, ...options }, (gradient) => rowsOf(gradient, problem.batch))
}

/**
 * Measures the variance of the mean gradient of a batch, from several batches of independent draws: for parameters
 * that the batch shares, such as matrices and adapters. Rows are weighted by `1 / batch`, whatever the draws say.
 * Each batch is one sample of the spread, so an interval needs some dozens of them. Where the batch shares a
 * zeroth-order direction, the variance does not fall as `1 / batch`.
 * Left: the estimator does not fit the problem, or the target failed.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const measureBatches = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Problem<P, S, Cd, R>,
  target: Target,
  draws: Draws,
  batches: number,
  options: Options = {}
): TE.TaskEither<EstimatorError, Measured> => {
  const { averaged, meanOf } = means(problem)
  return measured(problem, target, averaged(draws), { batches, batch: problem.batch, ...options }, meanOf)
}

/** Draws of which each row has its part of a mean, and the mean of the rows that have a gradient of their own. */
const means = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Pick<Problem<P, S, Cd, R>, 'chain' | 'trained' | 'batch'>
): { readonly averaged: (draws: Draws) => Draws; readonly meanOf: (gradient: Values) => Matrix } => {
  const { batch } = problem
  const shared = new Set(sharedOf(problem))
  const weights = new Array<number>(batch).fill(1 / batch)
  return {
    averaged: (draws) => ({ ...draws, request: (i, cover) => ({ ...draws.request(i, cover), weights }) }),
    meanOf: (gradient) =>
      rowsOf(
        Object.fromEntries(
          Object.entries(gradient).map(([path, value]) => [
            path,
            shared.has(path) ? value : { shape: value.shape.slice(1), data: summed(value.data, batch) }
          ])
        ),
        1
      )
  }
}

/**
 * What a sample is: of `size` rows, from the draws of a batch, and the samples of its gradient. Each row is one where every trained
 * parameter has a batch axis; else the mean of the batch is.
 *
 * @category readings
 * @since 0.1.0
 */
export const sampling = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Pick<Problem<P, S, Cd, R>, 'chain' | 'trained' | 'batch'>
): {
  readonly size: number
  readonly drawn: (draws: Draws) => Draws
  readonly samplesOf: (gradient: Values) => Matrix
} => {
  const { averaged, meanOf } = means(problem)
  return isShared(problem)
    ? { size: problem.batch, drawn: averaged, samplesOf: meanOf }
    : { size: 1, drawn: (draws) => draws, samplesOf: (gradient) => rowsOf(gradient, problem.batch) }
}

/**
 * Measures sample by sample where every trained parameter has a batch axis, and means of batches where the batch shares
 * some. Left: the estimator does not fit the problem, or the target failed.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const measureAsTrained = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Problem<P, S, Cd, R>,
  target: Target,
  draws: Draws,
  batches: number,
  options: Options = {}
): TE.TaskEither<EstimatorError, Measured> =>
  (isShared(problem) ? measureBatches : measure)(problem, target, draws, batches, options)

/**
 * Does the batch share some trained parameter, so that a sample has no gradient of its own?
 *
 * @category readings
 * @since 0.1.0
 */
export const isShared = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Pick<Problem<P, S, Cd, R>, 'chain' | 'trained'>
): boolean => sharedOf(problem).length > 0

/** The trained parameters without a batch axis, by path. */
const sharedOf = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>({
  chain,
  trained
}: Pick<Problem<P, S, Cd, R>, 'chain' | 'trained'>): ReadonlyArray<string> =>
  trainedShapes(chain.parameters, trained).flatMap(([path, shape]) => (shape[0] === 'batch' ? [] : [path]))

/** The sum of the rows. */
const summed = (data: ArrayLike<number>, rows: number): Float64Array => {
  const width = data.length / rows
  const out = new Float64Array(width)
  for (let i = 0; i < data.length; i++) out[i % width] = (out[i % width] ?? 0) + (data[i] ?? 0)
  return out
}

const measured = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Problem<P, S, Cd, R>,
  target: Target,
  draws: Draws,
  { batches, batch, along, clock }: Options & { readonly batches: number; readonly batch: number },
  samplesOf: (gradient: Values) => Matrix
): TE.TaskEither<EstimatorError, Measured> =>
  Build.bracket(
    TE.fromEither(Gradient.compile(problem, target)),
    (gradients) =>
      pipe(
        C.range(0, batches - 1),
        RA.traverse(TE.ApplicativeSeq)((i) =>
          pipe(
            timed(clock)(() => gradients.run(draws.request(i, Est.draw(problem.estimator, draws.uniform(i))))),
            TE.map(
              ({ estimate: { gradient, terms }, seconds }): Sampled => ({
                seconds,
                whole: samplesOf(gradient),
                parts: terms.map((term) => [partName(term.cell), samplesOf(term.gradient)] as const)
              })
            )
          )
        ),
        TE.map((samples): Measured => {
          const gradient = ofRows(samples.map(({ whole }) => whole))
          const names = [...new Set(samples.flatMap(({ parts }) => parts.map(([name]) => name)))]
          const parts = names.map((name) => [name, ofRows(samples.flatMap((s) => merge(s.parts, name)))] as const)
          const { networkCalls } = problem.chain
          const cost = Cost.cost(problem.estimator, networkCalls, 0, problem.chain.lookahead)
          const pullbacks = networkCalls * cost.pullbackSteps
          const efficiency = gradient.variance * batch * cost.networkEvaluations
          return {
            estimator: problem.estimator,
            batch,
            gradient,
            parts: Object.fromEntries(parts),
            cost,
            pullbacks,
            peakBytes: Cost.peakActivationBytes(gradients).bytes,
            efficiency,
            efficiencyWithPullbacks: efficiency + gradient.variance * batch * pullbacks,
            ...looking(problem.estimator, problem.advantage),
            ...(clock === undefined ? {} : { seconds: Math.min(...samples.map(({ seconds }) => seconds)) }),
            along:
              along === undefined
                ? undefined
                : slope(
                    samples.map(({ whole }) => whole),
                    rowsOf(along, 1)
                  )
          }
        })
      ),
    (gradients) => gradients.dispose
  )

/** An estimate, and the seconds that it took. */
const timed =
  (clock: IO<number> = () => 0) =>
  (
    make: () => TE.TaskEither<EstimatorError, Estimate>
  ): TE.TaskEither<EstimatorError, { readonly estimate: Estimate; readonly seconds: number }> =>
    pipe(
      TE.fromIO<number, EstimatorError>(clock),
      TE.flatMap((before) =>
        pipe(
          make(),
          TE.bindTo('estimate'),
          TE.bind('after', () => TE.fromIO(clock)),
          TE.map(({ estimate, after }) => ({ estimate, seconds: after - before }))
        )
      )
    )

/** What likelihood-ratio terms look at, by name. */
const looking = (estimator: Estimator, advantage: Advantage): Pick<Measured, 'baseline' | 'control'> => {
  const cells = estimator.covers.flatMap(({ cover }) => cover.cells)
  const scored = cells.flatMap((cell) => (cell._tag === 'HalfOrder' ? [cell] : []))
  const weighed = scored.length > 0 || cells.some((cell) => cell._tag === 'ZerothOrder' && cell.form === 'onePoint')
  const baseline = scored.find((cell) => cell.baseline !== undefined)?.baseline
  const control = scored.find((cell) => cell.control !== undefined)?.control
  const plain = scored.some(({ siblings }) => siblings !== undefined) ? 'siblings' : weighed ? advantage.name : 'none'
  return {
    baseline: baseline === undefined ? plain : show(baseline),
    control: control === undefined ? 'none' : show(control)
  }
}

/** The mean product of some rows with a direction. */
const slope = (matrices: ReadonlyArray<Matrix>, { data: direction }: Matrix): Along => {
  const products = matrices.map(({ data, width }) => ({
    width: 1,
    data: Float64Array.from({ length: data.length / Math.max(width, 1) }, (_, row) =>
      direction.reduce((sum, d, i) => sum + d * (data[row * width + i] ?? 0), 0)
    )
  }))
  const { mean, standardError } = moments(products)
  return { value: mean[0] ?? Number.NaN, error: standardError[0] ?? Number.NaN }
}

/** What one batch gives: rows of the gradient, and of each cell's part of it. */
interface Sampled {
  readonly seconds: number
  readonly whole: Matrix
  readonly parts: ReadonlyArray<readonly [name: string, rows: Matrix]>
}

/** The parts of one name in one batch, added up row by row: cells of one kind are one part. */
const merge = (parts: ReadonlyArray<readonly [string, Matrix]>, name: string): ReadonlyArray<Matrix> => {
  const same = parts.flatMap(([part, matrix]) => (part === name ? [matrix] : []))
  const [first] = same
  return first === undefined
    ? []
    : [
        {
          width: first.width,
          data: first.data.map((_, i) => same.reduce((total, { data }) => total + (data[i] ?? 0), 0))
        }
      ]
}

/**
 * Measures several estimators of one problem on the same draws, sample by sample. Left: the first that can not be
 * measured.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compare = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Omit<Problem<P, S, Cd, R>, 'estimator'>,
  estimators: ReadonlyArray<Estimator>,
  target: Target,
  draws: Draws,
  batches: number
): TE.TaskEither<EstimatorError, ReadonlyArray<Measured>> =>
  pipe(
    estimators,
    RA.traverse(TE.ApplicativeSeq)((estimator) => measure({ ...problem, estimator }, target, draws, batches))
  )
