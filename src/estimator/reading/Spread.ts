/**
 * The spread of some samples of a vector: moments, and an interval for the variance that heavy tails do not make too
 * narrow by much.
 *
 * @since 0.1.0
 */
import { bitsRange } from '../../random/Draw.js'
import * as Key from '../../random/Key.js'
import type { Values } from '../../tensor/Program.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

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
 * Moments of `n` samples of a vector. `mean`, its `standardError`, the samples' `skewness` (the third standardised
 * moment) and `heaviest` are element by element; `variance` is the total variance of one sample, the trace of the
 * covariance. `heaviest` is the largest share that one sample has of the sum of squares about the mean: with a finite
 * variance it falls as `n` grows, and where it is large the other numbers are about one sample.
 *
 * @category model
 * @since 0.1.0
 */
export interface Moments {
  readonly n: number
  readonly mean: ReadonlyArray<number>
  readonly standardError: ReadonlyArray<number>
  readonly skewness: ReadonlyArray<number>
  readonly variance: number
  readonly heaviest: ReadonlyArray<number>
}

/**
 * Moments, with the standard error of the total variance from the fourth ones, and an interval at 95 % for it. The
 * interval is a bootstrap of the studentised logarithm (Efron and Tibshirani, *An Introduction to the Bootstrap*,
 * 1993, chapter 12.5). It is asymptotic: how often it covers, and how seldom under heavy tails, was measured
 * (`docs/results/error-rates.md`). Fewer than four samples say nothing: 0 to infinity.
 *
 * @category model
 * @since 0.1.0
 */
export interface Spread extends Moments {
  readonly varianceError: number
  readonly interval: readonly [low: number, high: number]
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Per-sample gradients as rows: the leaves side by side, in the order of their paths.
 *
 * @category constructors
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
// statistics
// -------------------------------------------------------------------------------------

const meanOf = (matrices: ReadonlyArray<Matrix>, width: number, n: number): Float64Array => {
  const mean = new Float64Array(width)
  for (const { data } of matrices) data.forEach((v, i) => (mean[i % width] = (mean[i % width] ?? 0) + v / n))
  return mean
}

const rowCount = (matrices: ReadonlyArray<Matrix>, width: number): number =>
  matrices.reduce((total, { data }) => total + data.length / Math.max(width, 1), 0)

/**
 * The moments of the rows of some matrices of one width. At least two rows are needed for a variance.
 *
 * @category statistics
 * @since 0.1.0
 */
export const moments = (matrices: ReadonlyArray<Matrix>): Moments => {
  const width = matrices[0]?.width ?? 0
  const n = rowCount(matrices, width)
  const mean = meanOf(matrices, width, n)
  const [square, cube, largest] = [new Float64Array(width), new Float64Array(width), new Float64Array(width)]
  for (const { data } of matrices) {
    for (let at = 0; at < data.length; at++) {
      const i = at % width
      const d = (data[at] ?? 0) - (mean[i] ?? 0)
      square[i] = (square[i] ?? 0) + d * d
      cube[i] = (cube[i] ?? 0) + d * d * d
      largest[i] = Math.max(largest[i] ?? 0, d * d)
    }
  }
  const squares = Array.from(square)
  return {
    n,
    mean: Array.from(mean),
    standardError: squares.map((q) => Math.sqrt(q / (n - 1) / n)),
    skewness: squares.map((q, i) => (q > 0 ? ((cube[i] ?? 0) * Math.sqrt(n)) / q ** 1.5 : 0)),
    variance: squares.reduce((total, q) => total + q, 0) / (n - 1),
    heaviest: squares.map((q, i) => (q > 0 ? (largest[i] ?? 0) / q : 0))
  }
}

/**
 * The spread of the rows of some matrices of one width: the same rows give the same interval.
 *
 * @category statistics
 * @since 0.1.0
 */
export const ofRows = (matrices: ReadonlyArray<Matrix>): Spread => {
  const all = moments(matrices)
  const distances = squaredDistances(matrices, all.mean)
  const mean = distances.reduce((sum, y) => sum + y / all.n, 0)
  const varianceError = Math.sqrt(distances.reduce((sum, y) => sum + (y - mean) ** 2 / all.n, 0) / all.n)
  const [low, high] = studentised(grouped(distances))
  return { ...all, varianceError, interval: [all.variance * low, all.variance * high] }
}

/** The squared distance of each row to the mean. */
const squaredDistances = (matrices: ReadonlyArray<Matrix>, mean: ReadonlyArray<number>): Float64Array => {
  const width = Math.max(mean.length, 1)
  const out = new Float64Array(rowCount(matrices, mean.length))
  let row = 0
  for (const { data } of matrices) {
    for (let at = 0; at < data.length; at += width) {
      let distance = 0
      for (let i = 0; i < width; i++) distance += ((data[at + i] ?? 0) - (mean[i] ?? 0)) ** 2
      out[row++] = distance
    }
  }
  return out
}

/** Resamples, and the most numbers that each is made of. */
const resamples = 999
const mostGroups = 1024

/** Many numbers as the means of up to `mostGroups` groups of neighbours, whose mean is the same but for sizes that differ by one. */
const grouped = (values: Float64Array): Float64Array => {
  if (values.length <= mostGroups) return values
  const out = new Float64Array(mostGroups)
  for (let g = 0; g < mostGroups; g++) {
    const [from, to] = [g, g + 1].map((k) => Math.floor((k * values.length) / mostGroups))
    out[g] = values.subarray(from, to).reduce((sum, y) => sum + y, 0) / ((to ?? 0) - (from ?? 0))
  }
  return out
}

/** The interval of the logarithm of a mean, as factors of the mean: its studentised distance in resamples, turned round. */
const studentised = (values: Float64Array): readonly [low: number, high: number] => {
  const n = values.length
  if (n < 4) return [0, Number.POSITIVE_INFINITY]
  const mean = values.reduce((sum, y) => sum + y, 0) / n
  const deviation = Math.sqrt(values.reduce((sum, y) => sum + (y - mean) ** 2, 0) / n)
  if (!(deviation > 0)) return [1, 1]
  const key = Key.foldInString(Key.make(0), 'bootstrap')
  const distances = Float64Array.from({ length: resamples }, (_, b) => {
    const words = bitsRange(key, b * n, (b + 1) * n)
    let sum = 0
    let squares = 0
    for (const word of words) {
      const y = values[Math.floor((word / 2 ** 32) * n)] ?? 0
      sum += y
      squares += (y - mean) ** 2
    }
    const shift = sum / n - mean
    const own = Math.sqrt(Math.max(squares / n - shift * shift, 0))
    const log = Math.log1p(shift / mean)
    // a resample of one number repeated has no deviation: it is as far out as can be, on the side where it lies
    return log === 0 ? 0 : (log * (mean + shift)) / own
  }).sort()
  const at = (p: number): number => distances[Math.round(p * (resamples + 1)) - 1] ?? Number.NaN
  const scale = deviation / mean
  return [Math.exp(-at(0.975) * scale), Math.exp(-at(0.025) * scale)]
}
