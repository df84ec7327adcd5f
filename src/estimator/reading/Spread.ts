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
 * Moments, with the standard error of the total variance from the fourth ones, the squared distance of each sample to
 * the mean, and an interval at 95 % for the variance. The
 * interval is a bootstrap of the studentised logarithm (Efron and Tibshirani, *An Introduction to the Bootstrap*,
 * 1993, chapter 12.5). It is asymptotic: how often it covers, and how seldom under heavy tails, was measured
 * (`docs/results/error-rates.md`). Fewer than four samples say nothing: 0 to infinity. `tailIndex` is that of the
 * distances: see `tailIndex`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Spread extends Moments {
  readonly varianceError: number
  readonly interval: readonly [low: number, high: number]
  readonly distances: Float64Array
  readonly tailIndex: number
}

/**
 * A number with an interval at 95 %.
 *
 * @category model
 * @since 0.1.0
 */
export interface Ranged {
  readonly value: number
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
  const varianceError = errorOf(distances)
  const [low, high] = studentised(grouped(distances))
  return {
    ...all,
    varianceError,
    interval: [all.variance * low, all.variance * high],
    distances,
    tailIndex: tailIndex(distances)
  }
}

/** The standard error of the mean of some numbers. */
const errorOf = (values: Float64Array): number => {
  const n = values.length
  const mean = values.reduce((sum, y) => sum + y / n, 0)
  return Math.sqrt(values.reduce((sum, y) => sum + (y - mean) ** 2 / n, 0) / n)
}

/**
 * The standard error of the total variance of the rows of some matrices, as `ofRows` has it, given their mean.
 *
 * @category statistics
 * @since 0.1.0
 */
export const varianceError = (matrices: ReadonlyArray<Matrix>, { mean }: Pick<Moments, 'mean'>): number =>
  errorOf(squaredDistances(matrices, mean))

/**
 * How heavy the tail of samples is, from their squared distances to the mean: Hill's estimate of the index `a` of
 * `P(|g - mean| > x) ~ x^-a` from the `sqrt(n)` farthest (Hill, *Annals of Statistics* 3, 1975), whose relative standard
 * error is about `n^(-1/4)`. A variance is finite where the index is above 2, and its standard error where it is above
 * 4: near 2 or below, a few samples carry the sum of squares, and a small sample variance says that they were not met.
 * Light tails give large numbers, infinity where the farthest are alike. Fewer than 16 samples, or distances of 0 among
 * the farthest, say nothing: NaN.
 *
 * @category statistics
 * @since 0.1.0
 */
export const tailIndex = (distances: Float64Array): number => {
  const k = Math.floor(Math.sqrt(distances.length))
  const sorted = Float64Array.from(distances).sort().reverse()
  const threshold = sorted[k] ?? 0
  if (k < 4 || !(threshold > 0)) return Number.NaN
  // a distance is the root of what is given
  const logs = sorted.subarray(0, k).reduce((sum, d) => sum + Math.log(d / threshold) / 2, 0)
  return k / logs
}

/**
 * How many times the variance of the second the first one's is, where both are of the same draws, sample by sample: so the
 * bootstrap takes pairs, of the studentised logarithm as for one variance. Samples of different numbers are no pairs: 0 to
 * infinity.
 *
 * @category statistics
 * @since 0.1.0
 */
export const ratio = (one: Spread, other: Spread): Ranged => {
  const value = one.variance / other.variance
  if (one.n !== other.n) return { value, interval: [0, Number.POSITIVE_INFINITY] }
  const [low, high] = studentisedRatio(grouped(one.distances), grouped(other.distances))
  return { value, interval: [value * low, value * high] }
}

/**
 * How far apart the means of two lots of `n` samples are that were drawn together, row by row: `n` times the squared distance of the
 * true means, less what noise makes of it, so that it is 0 on average where they are the same; the standard deviation that it has
 * then; and what it is above then in 0.3 % of cases, taken as a multiple of a chi-square with its moments (Satterthwaite, 1946). All are
 * of the differences of pairs, and `other` may be left out for means of 0.
 *
 * @category statistics
 * @since 0.1.0
 */
export const gap = (
  one: ReadonlyArray<Matrix>,
  other?: ReadonlyArray<Matrix>
): { value: number; deviation: number; surprise: number } => {
  const width = one[0]?.width ?? 0
  const n = rowCount(one, width)
  const count = Math.min(n, mostPairs)
  // many samples are taken as means of groups, whose spread is that much less
  const groups = Array.from({ length: count }, () => new Float64Array(width))
  let row = 0
  one.forEach(({ data }, i) => {
    const from = other?.[i]?.data
    for (let at = 0; at < data.length; at += width) {
      const own = groups[Math.floor((row * count) / n)]
      if (own !== undefined)
        for (let k = 0; k < width; k++) own[k] = (own[k] ?? 0) + (data[at + k] ?? 0) - (from?.[at + k] ?? 0)
      row++
    }
  })
  let [products, squares] = [0, 0]
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [groups[i], groups[j]]
      let dot = 0
      for (let k = 0; k < width; k++) dot += (a?.[k] ?? 0) * (b?.[k] ?? 0)
      products += dot
      squares += dot * dot
    }
  }
  // of sums of `size` each, over `count (count - 1) / 2` pairs
  const [pairs, size] = [(count * (count - 1)) / 2, n / count]
  const deviation = Math.sqrt((2 * squares) / pairs) / size
  const trace = (ofDistances([{ width, data: joined(groups, width) }]).mean * count) / (count - 1) / size
  const degrees = 2 * (trace / deviation) ** 2
  return {
    value: (products * count) / pairs / size,
    deviation,
    surprise: deviation > 0 ? trace * (chiSquare(degrees) / degrees - 1) : 0
  }
}

const joined = (rows: ReadonlyArray<Float64Array>, width: number): Float64Array => {
  const data = new Float64Array(rows.length * width)
  rows.forEach((row, i) => data.set(row, i * width))
  return data
}

/** What a chi-square is above in 0.3 % of cases (Wilson and Hilferty, 1931). */
const chiSquare = (degrees: number): number =>
  degrees * (1 - 2 / (9 * degrees) + 2.75 * Math.sqrt(2 / (9 * degrees))) ** 3

/**
 * The squared distances of rows to their mean, and their mean.
 *
 * @category statistics
 * @since 0.1.0
 */
export const ofDistances = (matrices: ReadonlyArray<Matrix>): { mean: number; distances: Float64Array } => {
  const width = matrices[0]?.width ?? 0
  const distances = squaredDistances(matrices, Array.from(meanOf(matrices, width, rowCount(matrices, width))))
  return { mean: distances.reduce((sum, d) => sum + d, 0) / Math.max(distances.length, 1), distances }
}

/** More than so many samples are compared in groups: each pair is looked at. */
const mostPairs = 256

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

/** The relative deviation of a ratio of means from moments: of `a`, of `b`, of their squares and of their product. */
const deviationOf = (a: number, b: number, aa: number, bb: number, ab: number): number =>
  Math.sqrt(Math.max(aa / a ** 2 - (2 * ab) / (a * b) + bb / b ** 2, 0))

/** As `studentised`, of the ratio of two means of pairs. */
const studentisedRatio = (as: Float64Array, bs: Float64Array): readonly [low: number, high: number] => {
  const n = as.length
  if (n < 4) return [0, Number.POSITIVE_INFINITY]
  const key = Key.foldInString(Key.make(0), 'bootstrap')
  const resample = (index: (i: number) => number): { readonly log: number; readonly deviation: number } => {
    let [a, b, aa, bb, ab] = [0, 0, 0, 0, 0]
    for (let i = 0; i < n; i++) {
      const at = index(i)
      const [x, y] = [as[at] ?? 0, bs[at] ?? 0]
      a += x / n
      b += y / n
      aa += (x * x) / n
      bb += (y * y) / n
      ab += (x * y) / n
    }
    return { log: Math.log(a / b), deviation: deviationOf(a, b, aa, bb, ab) }
  }
  const whole = resample((i) => i)
  if (!(whole.deviation > 0)) return [1, 1]
  const distances = Float64Array.from({ length: resamples }, (_, r) => {
    const words = bitsRange(key, r * n, (r + 1) * n)
    const { log, deviation } = resample((i) => Math.floor(((words[i] ?? 0) / 2 ** 32) * n))
    return log === whole.log ? 0 : (log - whole.log) / deviation
  }).sort()
  const at = (p: number): number => distances[Math.round(p * (resamples + 1)) - 1] ?? Number.NaN
  return [Math.exp(-at(0.975) * whole.deviation), Math.exp(-at(0.025) * whole.deviation)]
}
