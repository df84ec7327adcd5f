/**
 * How likely each step of a chain is to be scored, from a pilot: the chances of `subsampled`.
 *
 * @since 0.1.0
 */
import * as C from '../Cover.js'
import type { Measured } from './Variance.js'

// -------------------------------------------------------------------------------------
// the pilot
// -------------------------------------------------------------------------------------

/**
 * The mean square of each half-order cell's part of a measured estimator, in the order of its first cover's cells. Where each
 * step above the first is a cell of its own, as `Variance.byStep` of REINFORCE has it, these are the steps' own, lowest
 * first. A cell that was not measured by itself has NaN.
 *
 * @category the pilot
 * @since 0.1.0
 */
export const squares = ({ estimator, parts }: Pick<Measured, 'estimator' | 'parts'>): ReadonlyArray<number> =>
  estimator.covers[0].cover.cells.flatMap((cell) => {
    if (cell._tag !== 'HalfOrder') return []
    const part = parts[C.showCell(cell)]
    return [part === undefined ? Number.NaN : part.variance + part.mean.reduce((sum, m) => sum + m * m, 0)]
  })

// -------------------------------------------------------------------------------------
// the allocation
// -------------------------------------------------------------------------------------

/**
 * The chances, `expected` in sum, that make the sum of `square / chance` the least: proportional to the root of a step's mean
 * square, and at most 1 (Neyman, *Journal of the Royal Statistical Society* 97, 1934). That is the variance of the subsampled
 * sum where the terms of different steps are uncorrelated. None is below a tenth of what it would be if all were alike, so that a
 * step of which the pilot saw little cannot count for very much. All are alike where no square is a number above 0; `expected` is
 * held to 0 and the number of steps.
 *
 * @category the allocation
 * @since 0.1.0
 */
export const allocate = (squaresOf: ReadonlyArray<number>, expected: number): ReadonlyArray<number> => {
  const n = squaresOf.length
  const budget = Math.min(Math.max(expected, 0), n)
  const least = budget / n / 10
  const roots = squaresOf.map((square) => (square > 0 && Number.isFinite(square) ? Math.sqrt(square) : 0))
  if (!roots.some((root) => root > 0)) return roots.map(() => budget / n)
  const at = (scale: number): ReadonlyArray<number> => roots.map((root) => Math.min(Math.max(scale * root, least), 1))
  const total = (scale: number): number => at(scale).reduce((sum, p) => sum + p, 0)
  // the sum grows with the scale, from a tenth of the budget to the number of steps with a square, and those at the least
  let [low, high] = [0, 1 / Math.min(...roots.filter((root) => root > 0))]
  for (let i = 0; i < 200; i++) {
    const middle = (low + high) / 2
    if (total(middle) < budget) low = middle
    else high = middle
  }
  return at(high)
}
