/**
 * How noisy an estimator is: the variance of one sample's gradient, with a confidence interval, as a whole, by cell, and by
 * step.
 *
 * Per-sample gradients come from parameters with a batch axis (`Chain.perRow`, or a chain declared so): then each row of a
 * gradient is one sample's.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../../lens/Lens.js'
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
import type { EstimatorError, Problem, Request } from '../Gradient.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The spread of some samples of a vector: their mean and its standard error, element by element, and the total variance (the
 * trace of the covariance) of one sample with its standard error. The interval at 95 % is the variance plus and minus 1.96
 * of its errors, from the fourth moments; heavy tails make it too narrow.
 *
 * @category model
 * @since 0.1.0
 */
export interface Spread {
  readonly n: number
  readonly mean: ReadonlyArray<number>
  readonly standardError: ReadonlyArray<number>
  readonly variance: number
  readonly varianceError: number
  readonly interval: readonly [low: number, high: number]
}

/**
 * A measured estimator: the spread of its gradient and of each part, its cost, and `efficiency`, variance times network
 * evaluations: what a given budget of evaluations leaves of the variance, up to that budget. Less is better.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measured {
  readonly estimator: Estimator
  readonly gradient: Spread
  readonly parts: Readonly<Record<string, Spread>>
  readonly cost: Cost.Cost
  readonly peakBytes: number
  readonly efficiency: number
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
// statistics
// -------------------------------------------------------------------------------------

/**
 * The spread of the rows of some matrices, each `n` rows of `width` numbers. At least two rows are needed for a variance.
 *
 * @category statistics
 * @since 0.1.0
 */
export const ofRows = (matrices: ReadonlyArray<Matrix>): Spread => {
  const width = matrices[0]?.width ?? 0
  const n = matrices.reduce((total, { data }) => total + data.length / Math.max(width, 1), 0)
  const mean = new Array<number>(width).fill(0)
  for (const { data } of matrices) data.forEach((v, i) => (mean[i % width] = (mean[i % width] ?? 0) + v / n))
  const square = new Array<number>(width).fill(0)
  let variance = 0
  let fourth = 0
  for (const { data } of matrices) {
    for (let row = 0; row < data.length; row += width) {
      let distance = 0
      for (let i = 0; i < width; i++) {
        const d = (data[row + i] ?? 0) - (mean[i] ?? 0)
        square[i] = (square[i] ?? 0) + d * d
        distance += d * d
      }
      variance += distance
      fourth += distance * distance
    }
  }
  const total = variance / (n - 1)
  const varianceError = Math.sqrt(Math.max(fourth / n - (variance / n) ** 2, 0) / n)
  return {
    n,
    mean,
    standardError: square.map((q) => Math.sqrt(q / (n - 1) / n)),
    variance: total,
    varianceError,
    interval: [total - 1.96 * varianceError, total + 1.96 * varianceError]
  }
}

/**
 * Rows of numbers, flat.
 *
 * @category model
 * @since 0.1.0
 */
export interface Matrix {
  readonly width: number
  readonly data: Float64Array
}

/**
 * Per-sample gradients as rows: the leaves side by side, in the order of their paths.
 *
 * @category statistics
 * @since 0.1.0
 */
export const rowsOf = (gradient: Values, batch: number): Matrix => {
  const leaves = Object.entries(gradient)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { data }]) => ({ data, width: data.length / batch }))
  const width = leaves.reduce((total, leaf) => total + leaf.width, 0)
  const data = new Float64Array(batch * width)
  let at = 0
  for (const leaf of leaves) {
    for (let row = 0; row < batch; row++) {
      for (let i = 0; i < leaf.width; i++) data[row * width + at + i] = leaf.data[row * leaf.width + i] ?? 0
    }
    at += leaf.width
  }
  return { width, data }
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
 * Measures an estimator on some batches. Every trained parameter must have a batch axis; draws should weight each row by 1.
 * Left: what `Gradient.compile` or a run finds.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const measure = <P extends Params, S extends Batched, Cd extends Exprs, R extends Params>(
  problem: Problem<P, S, Cd, R>,
  target: Target,
  draws: Draws,
  batches: number
): TE.TaskEither<EstimatorError, Measured> =>
  TE.bracket(
    TE.fromEither(Gradient.compile(problem, target)),
    (gradients) =>
      pipe(
        C.range(0, batches - 1),
        RA.traverse(TE.ApplicativeSeq)((i) =>
          pipe(
            gradients.run(draws.request(i, Est.draw(problem.estimator, draws.uniform(i)))),
            TE.map(({ gradient, terms }) => ({
              whole: rowsOf(gradient, problem.batch),
              parts: terms.map((term) => [partName(term.cell), rowsOf(term.gradient, problem.batch)] as const)
            }))
          )
        ),
        TE.map((samples): Measured => {
          const gradient = ofRows(samples.map(({ whole }) => whole))
          const names = [...new Set(samples.flatMap(({ parts }) => parts.map(([name]) => name)))]
          const parts = names.map((name) => [name, ofRows(samples.flatMap((s) => merge(s.parts, name)))] as const)
          const cost = Cost.cost(problem.estimator, problem.chain.networkCalls)
          return {
            estimator: problem.estimator,
            gradient,
            parts: Object.fromEntries(parts),
            cost,
            peakBytes: Cost.peakActivationBytes(gradients).bytes,
            efficiency: gradient.variance * cost.networkEvaluations
          }
        })
      ),
    (gradients) => TE.fromTask(gradients.dispose)
  )

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
 * Measures several estimators of one problem on the same draws. Left: the first that can not be measured.
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

/**
 * A comparison as a table for a person, the most efficient first. `relative` is each one's variance times evaluations over
 * the best one's.
 *
 * @category utils
 * @since 0.1.0
 */
export const table = (rows: ReadonlyArray<Measured>): string => {
  const sorted = [...rows].sort((a, b) => a.efficiency - b.efficiency)
  const best = sorted[0]?.efficiency ?? 1
  const cells = sorted.map(({ estimator, gradient, cost, peakBytes, efficiency }) => [
    estimator.name,
    gradient.variance.toExponential(2),
    `${gradient.interval[0].toExponential(2)} .. ${gradient.interval[1].toExponential(2)}`,
    String(Math.round(cost.networkEvaluations)),
    String(peakBytes),
    (efficiency / best).toPrecision(3)
  ])
  const header = ['estimator', 'variance', '95 % interval', 'evaluations', 'peak bytes', 'relative']
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)))
  const line = (row: ReadonlyArray<string>): string =>
    row.map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0))).join('  ')
  return [header, ...cells].map(line).join('\n')
}
