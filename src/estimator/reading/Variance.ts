/**
 * How noisy an estimator is: the variance of its gradient, with a confidence interval, as a whole, by cell, and by
 * step; of one sample where every sample has a gradient of its own, or of the mean of a batch.
 *
 * Per-sample gradients come from parameters with a batch axis (`Chain.perRow`, or a chain declared so): then each row
 * of a gradient is one sample's. Parameters that the batch shares have one gradient a batch: `measureBatches`.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../../lens/Lens.js'
import * as Build from '../../tensor/Build.js'
import type { Values } from '../../tensor/Program.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Target } from '../../tensor/Target.js'
import type { Exprs } from '../../tensor/Tree.js'
import * as Cost from './Cost.js'
import * as C from '../Cover.js'
import type { Cover, CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as Gradient from '../Gradient.js'
import type { EstimatorError, Estimate, Problem, Request } from '../Gradient.js'
import { ofEstimator } from '../Objective.js'
import { trainedShapes } from '../program/Programs.js'
import { ofRows, rowsOf, type Matrix, type Spread } from './Spread.js'

export { moments, ofRows, rowsOf, type Matrix, type Moments, type Spread } from './Spread.js'

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
// combinators
// -------------------------------------------------------------------------------------

/**
 * The same estimator with every differentiated cell split into one cell a step, each paying for its own step alone: its
 * parts by cell are the whole one's parts by step. The estimate is the same, the cost is not.
 *
 * @category combinators
 * @since 0.1.0
 */
export const byStep = (self: Estimator): E.Either<CoverError, Estimator> =>
  pipe(
    self.covers,
    RA.traverse(E.Applicative)(({ weight, cover }) =>
      pipe(
        C.cover(
          cover.T,
          cover.cells.flatMap((cell) => (cell._tag === 'ZerothOrder' ? [cell] : splitSteps(cell)))
        ),
        E.map((split): Est.Weighted => ({ weight, cover: split }))
      )
    ),
    E.flatMap((covers) => Est.mixtureOf(`${self.name}, by step`, covers))
  )

const splitSteps = (cell: C.FirstOrder | C.HalfOrder): ReadonlyArray<C.Cell> => {
  const own = C.steps(cell)
  const [from = 1] = own
  return own.map((t, i) => {
    const options = {
      memory: cell.memory ?? 'store',
      shares: own.slice(0, i + 1).map((s) => (s === t ? C.share(cell, t) : 0))
    }
    return cell._tag === 'FirstOrder' ? C.firstOrder(t, options) : C.halfOrder(from, t, options)
  })
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
  batches: number
): TE.TaskEither<EstimatorError, Measured> => {
  const shared = sharedOf(problem)
  return shared.length > 0
    ? TE.left({ _tag: 'NoBatchAxis', parameters: shared })
    : measured(problem, target, draws, batches, 1, (gradient) => rowsOf(gradient, problem.batch))
}

/**
 * Measures the variance of the mean gradient of a batch, from several batches of independent draws: for parameters
 * that the batch shares, such as matrices and adapters. Rows are weighted by `1 / batch`, whatever the draws say.
 * Each batch is one sample of the spread, so an interval needs some dozens of them. Where the batch shares a
 * zeroth-order direction, the variance does not fall as `1 / batch`.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const measureBatches = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Problem<P, S, Cd, R>,
  target: Target,
  draws: Draws,
  batches: number
): TE.TaskEither<EstimatorError, Measured> => {
  const { batch } = problem
  const shared = new Set(sharedOf(problem))
  const weights = new Array<number>(batch).fill(1 / batch)
  const mean = (gradient: Values): Matrix =>
    rowsOf(
      Object.fromEntries(
        Object.entries(gradient).map(([path, value]) => [
          path,
          shared.has(path) ? value : { shape: value.shape.slice(1), data: summed(value.data, batch) }
        ])
      ),
      1
    )
  const averaged: Draws = { ...draws, request: (i, cover) => ({ ...draws.request(i, cover), weights }) }
  return measured(problem, target, averaged, batches, batch, mean)
}

/** The trained parameters without a batch axis, by path. */
const sharedOf = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>({
  chain,
  trained
}: Problem<P, S, Cd, R>): ReadonlyArray<string> =>
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
  batches: number,
  batch: number,
  samplesOf: (gradient: Values) => Matrix
): TE.TaskEither<EstimatorError, Measured> =>
  Build.bracket(
    TE.fromEither(Gradient.compile(problem, target)),
    (gradients) =>
      pipe(
        C.range(0, batches - 1),
        RA.traverse(TE.ApplicativeSeq)((i) =>
          pipe(
            gradients.run(draws.request(i, Est.draw(problem.estimator, draws.uniform(i)))),
            TE.map(
              ({ gradient, terms }: Estimate): Sampled => ({
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
          const cost = Cost.cost(problem.estimator, networkCalls)
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
            efficiencyWithPullbacks: efficiency + gradient.variance * batch * pullbacks
          }
        })
      ),
    (gradients) => gradients.dispose
  )

/** What one batch gives: rows of the gradient, and of each cell's part of it. */
interface Sampled {
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

// -------------------------------------------------------------------------------------
// tables
// -------------------------------------------------------------------------------------

/** The place of each among the unbiased ones by some number, the least first. */
const places = (rows: ReadonlyArray<Measured>, read: (row: Measured) => number): ReadonlyMap<Measured, number> =>
  new Map(
    [...rows]
      .filter(({ estimator }) => estimator._tag === 'exact')
      .sort((a, b) => read(a) - read(b))
      .map((row, i) => [row, i + 1])
  )

/**
 * A comparison as a table for a person. First the unbiased estimators, by variance times evaluations, with how many
 * times the best one's they have and their place, by evaluations alone and by evaluations and pullbacks; then the
 * biased ones, which have no place: a small variance about the wrong mean is no merit.
 *
 * @category utils
 * @since 0.1.0
 */
export const table = (rows: ReadonlyArray<Measured>): string => {
  const unbiased = (row: Measured): boolean => row.estimator._tag === 'exact'
  const sorted = [...rows].sort((a, b) => Number(unbiased(b)) - Number(unbiased(a)) || a.efficiency - b.efficiency)
  const orderings = [(row: Measured) => row.efficiency, (row: Measured) => row.efficiencyWithPullbacks].map((read) => {
    const place = places(rows, read)
    const best = Math.min(...sorted.filter(unbiased).map(read))
    return (row: Measured): string => {
      const at = place.get(row)
      return at === undefined ? '-' : `${(read(row) / best).toPrecision(3)} (${at})`
    }
  })
  const cells = sorted.map((row) => {
    const { estimator, gradient, cost, pullbacks, peakBytes } = row
    return [
      estimator.name,
      unbiased(row) ? ofEstimator(estimator) : 'biased',
      gradient.variance.toExponential(2),
      gradient.interval.map((end) => end.toExponential(2)).join(' .. '),
      String(Math.round(cost.networkEvaluations)),
      String(Math.round(pullbacks)),
      String(peakBytes),
      ...orderings.map((show) => show(row))
    ]
  })
  const header = [
    'estimator',
    'unbiased for',
    'variance',
    '95 % interval',
    'evaluations',
    'pullbacks',
    'peak bytes',
    'x evaluations',
    'x (evaluations + pullbacks)'
  ]
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: ReadonlyArray<string>): string =>
    row.map((text, i) => (i < 2 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join('  ')
  return [header, ...cells].map(line).join('\n')
}
