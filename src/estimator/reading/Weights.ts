/**
 * The weights of generalised half-order that a pilot finds least noisy.
 *
 * Step `i`'s term can be scored at any step `k <= i`, or pulled back through the reward (`k = 0`); any weights that
 * add up to 1 over `k` are unbiased. The variance is a quadratic form in the weights, so the best ones for the
 * samples of a pilot solve a small convex problem.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { generalisedHalfOrder } from '../Catalogue.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import type { Term } from '../Gradient.js'
import { rowsOf, type Matrix } from './Spread.js'
import { byStep } from './Variance.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What one sample says of step `i` by one way down: scored at `k`, or pathwise through the reward for `k = 0`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Way {
  readonly i: number
  readonly k: number
  readonly rows: Matrix
}

// -------------------------------------------------------------------------------------
// the pilot
// -------------------------------------------------------------------------------------

/**
 * The estimator to run as a pilot: every way down for every step, each in a cell of its own, with equal shares.
 * `pathwise` tells whether the reward may be pulled back through. Left: `T` is no length of a chain.
 *
 * @category the pilot
 * @since 0.1.0
 */
export const pilot = (options: {
  readonly T: number
  readonly lowest?: number
  readonly pathwise?: boolean
}): E.Either<CoverError, Estimator> =>
  pipe(
    generalisedHalfOrder({
      T: options.T,
      ...(options.lowest === undefined ? {} : { lowest: options.lowest }),
      weight: (_, k) => (k === 0 && options.pathwise === false ? 0 : 1)
    }),
    E.flatMap(byStep)
  )

/**
 * The ways that the terms of one pilot estimate show, for parameters with a batch axis of `batch` rows.
 *
 * @category the pilot
 * @since 0.1.0
 */
export const ways = (terms: ReadonlyArray<Term>, batch: number): ReadonlyArray<Way> =>
  terms.flatMap(({ cell, gradient }) => {
    if (cell._tag === 'ZerothOrder') return []
    const share = C.share(cell, cell.to)
    if (share === 0) return []
    const { width, data } = rowsOf(gradient, batch)
    return [
      { i: cell.to, k: cell._tag === 'FirstOrder' ? 0 : cell.from, rows: { width, data: data.map((g) => g / share) } }
    ]
  })

// -------------------------------------------------------------------------------------
// the fit
// -------------------------------------------------------------------------------------

/**
 * The weights, not negative, that add up to 1 for each step and have the least total variance on the pilot's samples,
 * as a function for `generalisedHalfOrder`. Ways whose weight would be negative are left out one after the other, the
 * most negative first, so the result is the optimum of an active set, not always the best of all. Ways that the pilot
 * can not tell apart, alike or constant, share their weight equally. The fit is to samples: a pilot much larger than
 * the number of ways, `T^2 / 2`, is needed.
 *
 * @category the fit
 * @since 0.1.0
 */
export const leastVariance = (pilotWays: ReadonlyArray<Way>): ((i: number, k: number) => number) => {
  const covariance = covariances(pilotWays)
  let active = pilotWays.map((_, index) => index)
  let weights = solve(pilotWays, covariance, active)
  for (;;) {
    const worst = active.reduce((a, b) => ((weights.get(b) ?? 0) < (weights.get(a) ?? 0) ? b : a), active[0] ?? 0)
    if (!((weights.get(worst) ?? 0) < 0)) break
    active = active.filter((index) => index !== worst)
    weights = solve(pilotWays, covariance, active)
  }
  const fitted = new Map(
    [...weights].map(([index, weight]) => [`${pilotWays[index]?.i},${pilotWays[index]?.k}`, weight])
  )
  return (i, k) => fitted.get(`${i},${k}`) ?? 0
}

/** The covariance of the samples of each pair of ways, summed over the gradient's components. */
const covariances = (all: ReadonlyArray<Way>): ReadonlyArray<Float64Array> => {
  const centred = all.map(({ rows: { width, data } }) => {
    const n = data.length / width
    const mean = new Float64Array(width)
    data.forEach((g, at) => {
      mean[at % width] = (mean[at % width] ?? 0) + g / n
    })
    return data.map((g, at) => g - (mean[at % width] ?? 0))
  })
  return centred.map((a) =>
    Float64Array.from(centred, (b) => a.reduce((total, g, at) => total + g * (b[at] ?? 0), 0) / a.length)
  )
}

/**
 * What is added to each way's own variance, relative to it: it decides between ways that are alike, and moves other
 * weights by less than a pilot of a million samples can tell.
 */
const ridge = 1e-8

/** The minimum of the variance over the active ways, by Lagrange's equations. */
const solve = (
  all: ReadonlyArray<Way>,
  covariance: ReadonlyArray<Float64Array>,
  active: ReadonlyArray<number>
): ReadonlyMap<number, number> => {
  const steps = [...new Set(active.map((index) => all[index]?.i ?? 0))]
  const n = active.length
  const own = (index: number): number => covariance[index]?.[index] ?? 0
  const largest = Math.max(...active.map(own))
  // ways without any variance are told apart by nothing, so anything will do if it is the same for all
  const least = ridge * ridge * (largest > 0 ? largest : 1)
  const size = n + steps.length
  const rows = Array.from({ length: size }, (_, row) => {
    const line = new Float64Array(size + 1)
    if (row < n) {
      active.forEach((other, column) => {
        line[column] = covariance[active[row] ?? 0]?.[other] ?? 0
      })
      line[row] = (line[row] ?? 0) * (1 + ridge) + least
      line[n + steps.indexOf(all[active[row] ?? 0]?.i ?? 0)] = 1
    } else {
      active.forEach((index, column) => {
        line[column] = all[index]?.i === steps[row - n] ? 1 : 0
      })
      line[size] = 1
    }
    return line
  })
  const solution = eliminate(rows)
  return new Map(active.map((index, at) => [index, solution[at] ?? 0]))
}

/** Gaussian elimination with row exchanges; the last column is the right-hand side. */
const eliminate = (rows: ReadonlyArray<Float64Array>): ReadonlyArray<number> => {
  const size = rows.length
  const work = rows.map((row) => row.slice())
  for (let column = 0; column < size; column++) {
    const candidates = work.slice(column)
    const best = candidates.reduce(
      (a, row, at) => (Math.abs(row[column] ?? 0) > Math.abs(candidates[a]?.[column] ?? 0) ? at : a),
      0
    )
    const pivot = work[column + best]
    const other = work[column]
    if (pivot === undefined || other === undefined) continue
    work[column] = pivot
    work[column + best] = other
    for (let row = 0; row < size; row++) {
      const line = work[row]
      if (row === column || line === undefined || pivot[column] === 0) continue
      const factor = (line[column] ?? 0) / (pivot[column] ?? 1)
      for (let at = column; at <= size; at++) line[at] = (line[at] ?? 0) - factor * (pivot[at] ?? 0)
    }
  }
  return work.map((row, at) => (row[size] ?? 0) / (row[at] ?? 1))
}
