import { describe, expect, it } from 'vitest'
import * as Spread from '../../src/estimator/reading/Spread.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'

const column = (data: ArrayLike<number>): Spread.Matrix => ({ width: 1, data: Float64Array.from(data) })

describe('the tail index', () => {
  /** Squared distances whose roots are the quantiles of a Pareto law, in no order. */
  const pareto = (index: number, n: number): Float64Array =>
    Float64Array.from({ length: n }, (_, i) => (((i * 7919) % n) + 0.5) / n).map((u) => u ** (-2 / index))

  it.each([1, 2, 4])('of a Pareto law is its exponent, %d', (index) => {
    // the mean of the logarithms of k order statistics, at the middles of their cells: exact to 1 / (2 k)
    expect(Math.abs(Spread.tailIndex(pareto(index, 10_000)) / index - 1)).toBeLessThan(0.02)
  })

  it('is of the distances, not of their squares, and knows no scale', () => {
    const one = pareto(1, 1000)
    expect(Spread.tailIndex(one.map((d) => 9 * d))).toBeCloseTo(Spread.tailIndex(one), 12)
    expect(Spread.tailIndex(one.map((d) => d ** 2)) * 2).toBeCloseTo(Spread.tailIndex(one), 12)
  })

  it('of normals is far above 4, and of their cubes is lower', () => {
    const normals = Draw.normal(Key.make(3), [4096]).data
    const of = (f: (x: number) => number): number => Spread.ofRows([column(normals.map(f))]).tailIndex
    expect(of((x) => x)).toBeGreaterThan(6)
    expect(of((x) => x ** 3)).toBeLessThan(4)
  })

  it('says nothing of few samples or of zeros, and infinity where the farthest are alike', () => {
    expect(Spread.tailIndex(pareto(2, 15))).toBe(Number.NaN)
    expect(Spread.tailIndex(Float64Array.from({ length: 100 }, (_, i) => (i < 5 ? 1 : 0)))).toBe(Number.NaN)
    expect(Spread.tailIndex(new Float64Array(100).fill(2))).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('how far apart two means are', () => {
  const width = 3
  const rows = (seed: number, n: number, mean = 0): Spread.Matrix => ({
    width,
    data: Float64Array.from(Draw.normal(Key.make(seed), [n * width]).data, (z) => mean + z)
  })

  it('is the squared distance of the sample means, less what noise makes of it', () => {
    const n = 20
    const [a, b] = [rows(1, n, 0.7), rows(2, n)]
    const d = a.data.map((x, i) => x - (b.data[i] ?? 0))
    const means = [0, 1, 2].map((k) => d.filter((_, i) => i % width === k).reduce((sum, x) => sum + x / n, 0))
    const squares = d.reduce((sum, x, i) => sum + (x - (means[i % width] ?? 0)) ** 2, 0) / (n - 1)
    const whole = Spread.gap([a], [b])
    const { value } = whole
    expect(value).toBeCloseTo(n * means.reduce((sum, m) => sum + m * m, 0) - squares, 9)
    // the same in two parts, and with nothing to compare with
    const cut = (m: Spread.Matrix): ReadonlyArray<Spread.Matrix> =>
      [m.data.slice(0, 12), m.data.slice(12)].map((data) => ({ width, data }))
    expect(Spread.gap(cut(a), cut(b))).toEqual(whole)
    expect(Spread.gap([{ width, data: d }])).toEqual(whole)
  })

  it('of equal means is 0, with the deviation that it says, of many samples too', () => {
    // the covariance of differences is 2: tr C^2 = 12
    const expected = Math.sqrt(2 * 12)
    for (const [n, trials] of [
      [50, 60],
      [600, 40]
    ] as const) {
      const all = Array.from({ length: trials }, (_, k) => Spread.gap([rows(2 * k, n)], [rows(2 * k + 1, n)]))
      const mean = (f: (one: (typeof all)[number]) => number): number =>
        all.reduce((sum, one) => sum + f(one) / trials, 0)
      expect(Math.abs(mean(({ value }) => value))).toBeLessThan((4 * expected) / Math.sqrt(trials))
      expect(mean(({ deviation }) => deviation) / expected).toBeGreaterThan(0.9)
      expect(mean(({ deviation }) => deviation) / expected).toBeLessThan(1.1)
      // 0.997 of a chi-square of three degrees is 13.93, for twice which its mean is 6
      expect(mean(({ surprise }) => surprise) / (2 * 13.93 - 6)).toBeGreaterThan(0.9)
      expect(mean(({ surprise }) => surprise) / (2 * 13.93 - 6)).toBeLessThan(1.1)
    }
  })
})

describe('the ratio of two variances', () => {
  const normals = (seed: number, n: number): ReadonlyArray<number> => Array.from(Draw.normal(Key.make(seed), [n]).data)
  const spreadOf = (values: ReadonlyArray<number>): Spread.Spread => Spread.ofRows([column(values)])

  it('is exact where one is a multiple of the other', () => {
    const one = normals(1, 50)
    const { value, interval } = Spread.ratio(spreadOf(one.map((x) => 3 * x)), spreadOf(one))
    expect(value).toBeCloseTo(9, 12)
    interval.forEach((end) => expect(end).toBeCloseTo(9, 6))
  })

  it('holds the truth about as often as it says', () => {
    const trials = 100
    const held = Array.from({ length: trials }, (_, seed) => {
      const [one, other] = [normals(2 * seed, 40), normals(2 * seed + 1, 40)]
      // what both share makes them pairs; the variances are 4 + 1 and 1 + 1
      const shared = normals(1000 + seed, 40)
      const { interval } = Spread.ratio(
        spreadOf(one.map((x, i) => 2 * x + (shared[i] ?? 0))),
        spreadOf(other.map((x, i) => x + (shared[i] ?? 0)))
      )
      return interval[0] <= 2.5 && 2.5 <= interval[1]
    }).filter((inside) => inside).length
    // of 100 at 95 %, fewer than 85 has a probability below 1e-4
    expect(held).toBeGreaterThanOrEqual(85)
    expect(held).toBeLessThan(trials)
  })

  it('takes pairs: what both have in common does not widen it', () => {
    const [one, noise, other] = [normals(7, 400), normals(8, 400), normals(9, 400)]
    const width = (b: ReadonlyArray<number>): number => {
      const { interval } = Spread.ratio(spreadOf(one), spreadOf(b))
      return Math.log(interval[1] / interval[0])
    }
    const paired = width(one.map((x, i) => x + 0.1 * (noise[i] ?? 0)))
    expect(paired).toBeLessThan(0.3 * width(other))
  })

  it('says nothing of samples that are no pairs, or few', () => {
    expect(Spread.ratio(spreadOf(normals(1, 8)), spreadOf(normals(1, 9))).interval).toEqual([0, Infinity])
    expect(Spread.ratio(spreadOf(normals(1, 3)), spreadOf(normals(2, 3))).interval).toEqual([0, Infinity])
  })
})
