/**
 * Samples of a vector as they come, in strata: how many, their mean and their variance, without keeping them.
 */
import type { Matrix } from 'halforder/estimator/reading/Spread'

/** Samples of one stratum. `squares` are of distances to the mean. */
interface Stratum {
  n: number
  readonly mean: Float64Array
  readonly squares: Float64Array
}

/** The moments of a stratified mean: those of a single draw are `variance`, its trace, and `deviations`, element by element. */
export interface Moments {
  readonly n: number
  readonly mean: ReadonlyArray<number>
  readonly standardError: ReadonlyArray<number>
  readonly variance: number
}

/** Samples so far, of strata with some weights. */
export interface Tally {
  readonly add: (stratum: number, rows: Matrix) => void
  readonly read: () => Moments | undefined
}

/** No samples yet, of vectors of `width` numbers. */
export const tally = (weights: ReadonlyArray<number>, width: number): Tally => {
  const strata = weights.map((): Stratum => ({ n: 0, mean: new Float64Array(width), squares: new Float64Array(width) }))
  return {
    add: (at, { data }) => {
      const stratum = strata[at]
      if (stratum === undefined) return
      const { mean, squares } = stratum
      for (let start = 0; start < data.length; start += width) {
        stratum.n++
        for (let i = 0; i < width; i++) {
          const x = data[start + i] ?? 0
          const off = x - (mean[i] ?? 0)
          const moved = (mean[i] ?? 0) + off / stratum.n
          mean[i] = moved
          squares[i] = (squares[i] ?? 0) + off * (x - moved)
        }
      }
    },
    // every stratum must have been met
    read: () => {
      if (strata.some(({ n }) => n < 2)) return undefined
      const indices = Array.from({ length: width }, (_, i) => i)
      const sum = (read: (stratum: Stratum, weight: number) => number): number =>
        strata.reduce((total, one, k) => total + read(one, weights[k] ?? 0), 0)
      const mean = indices.map((i) => sum((one, w) => w * (one.mean[i] ?? 0)))
      const within = (one: Stratum, i: number): number => (one.squares[i] ?? 0) / (one.n - 1)
      return {
        n: strata.reduce((total, { n }) => total + n, 0),
        mean,
        standardError: indices.map((i) => Math.sqrt(sum((one, w) => (w * w * within(one, i)) / one.n))),
        variance: indices.reduce(
          (total, i) => total + sum((one, w) => w * (within(one, i) + ((one.mean[i] ?? 0) - (mean[i] ?? 0)) ** 2)),
          0
        )
      }
    }
  }
}

/** The order in which strata are sampled, so that each has about its weight of all batches: the one that is furthest behind. */
export const nextStratum = (weights: ReadonlyArray<number>, counts: ReadonlyArray<number>): number => {
  let best = 0
  let most = -1
  weights.forEach((weight, i) => {
    const want = weight / ((counts[i] ?? 0) + 1)
    if (want > most) {
      most = want
      best = i
    }
  })
  return best
}
