import * as fc from 'fast-check'
import * as O from 'fp-ts/lib/Option.js'
import { describe, expect, it } from 'vitest'
import {
  type Distribution,
  distributions,
  draw,
  eightGaussians,
  energyDistance
} from '../../../../cli/tasks/points/Points.js'
import * as Key from '../../../../src/random/Key.js'
import type { Tensor } from '../../../../src/tensor/Tensor.js'
import { binomial, chiSquared, falseAlarm, twoSided } from '../../../random/statistics.js'

const points = (tensor: Tensor): ReadonlyArray<readonly [number, number]> =>
  Array.from({ length: tensor.shape[0] ?? 0 }, (_, i) => [tensor.data[2 * i] ?? NaN, tensor.data[2 * i + 1] ?? NaN])

const partsOf = (labels: Tensor): ReadonlyArray<number> => {
  const [n = 0, parts = 1] = labels.shape
  return Array.from({ length: n }, (_, i) => labels.data.subarray(i * parts, (i + 1) * parts).indexOf(1))
}

const apart = (a: readonly [number, number], b: readonly [number, number]): number =>
  Math.hypot(a[0] - b[0], a[1] - b[1])

const mean = (values: ReadonlyArray<number>): number => values.reduce((a, b) => a + b, 0) / values.length

// -------------------------------------------------------------------------------------
// distributions
// -------------------------------------------------------------------------------------

const named = Object.entries(distributions)
const n = 20_000

/** Means, variances and the covariance in closed form. */
const moments: Readonly<Record<string, ReadonlyArray<number>>> = {
  // radius^2 / 2, and the normals' own
  'eight-gaussians': [0, 0, 1.4 ** 2 / 2 + 0.01, 1.4 ** 2 / 2 + 0.01, 0],
  // the mean of the sine over a half circle is 2 / pi
  moons: [
    0,
    0,
    1.3 ** 2 / 2 + 0.65 ** 2 + 0.01,
    1.3 ** 2 / 2 - (2 * 1.3 * 0.4 * 2) / Math.PI + 0.4 ** 2 + 0.01,
    -0.65 * ((1.3 * 2) / Math.PI - 0.4)
  ],
  // columns and rows are uniform, with the covariance of the dark squares' centres
  checkerboard: [0, 0, 3.6 ** 2 / 12, 3.6 ** 2 / 12, 0.9 ** 2 / 4]
}

/** Where a point of a part can be, up to six deviations of the noise. */
const belongs: Readonly<Record<string, (part: number, at: readonly [number, number]) => boolean>> = {
  'eight-gaussians': (part, [x, y]) =>
    Math.hypot(x - 1.4 * Math.cos((part * Math.PI) / 4), y - 1.4 * Math.sin((part * Math.PI) / 4)) < 0.7,
  moons: (part, [x, y]) => {
    const [dx, dy] = part === 0 ? [x + 0.65, y + 0.4] : [x - 0.65, y - 0.4]
    return Math.abs(Math.hypot(dx, dy) - 1.3) < 0.7 && (part === 0 ? dy > -0.7 : dy < 0.7)
  },
  checkerboard: (part, [x, y]) => {
    // the dark squares from the lowest row up: two in each, starting with the first column in every other one
    const row = Math.floor(part / 2)
    const column = 2 * (part % 2) + (row % 2)
    const within = (value: number, from: number): boolean =>
      value >= 0.9 * (from - 2) - 1e-6 && value <= 0.9 * (from - 1) + 1e-6
    return within(x, column) && within(y, row)
  }
}

describe.each(named)('the distribution %s', (name, distribution) => {
  const { x0, labels } = draw(distribution)(Key.make(11), n)
  const drawn = points(x0)
  const parts = partsOf(labels)

  it('has the moments of its closed form', () => {
    const products: ReadonlyArray<(at: readonly [number, number]) => number> = [
      ([x]) => x,
      ([, y]) => y,
      ([x]) => x * x,
      ([, y]) => y * y,
      ([x, y]) => x * y
    ]
    // bounded numbers, 20,000 of them: their mean is normal for all that a deviation of 5 can tell
    const z = twoSided(falseAlarm / (named.length * products.length))
    products.forEach((product, i) => {
      const values = drawn.map(product)
      const centre = mean(values)
      const deviation = Math.sqrt(mean(values.map((value) => (value - centre) ** 2)) / n)
      expect(Math.abs(centre - (moments[name]?.[i] ?? NaN))).toBeLessThan(z * deviation)
    })
  })

  it('has each part as often as the others, in a one-hot code', () => {
    const p = 1 / distribution.parts.length
    distribution.parts.forEach((_, part) => {
      const count = parts.filter((one) => one === part).length
      expect(Math.abs(count - n * p)).toBeLessThan(binomial(n, p, falseAlarm / distribution.parts.length))
    })
    expect(new Set(distribution.parts).size).toBe(distribution.parts.length)
    expect(labels.shape).toEqual([n, distribution.parts.length])
    expect(Array.from(labels.data).reduce((a, b) => a + b, 0)).toBe(n)
  })

  it('has every point in its part', () => {
    const lost = drawn.filter((at, i) => belongs[name]?.(parts[i] ?? -1, at) !== true)
    expect(lost).toEqual([])
    // and the check sees a point under another part's name
    const other = drawn.filter(
      (at, i) => belongs[name]?.(((parts[i] ?? -1) + 1) % distribution.parts.length, at) === true
    )
    expect(other.length).toBeLessThan(n / 2)
  })

  it('has rows that depend on the key and their number only', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 20 }), fc.nat({ max: 20 }), (seed, few, more) => {
        const [short, long] = [draw(distribution)(Key.make(seed), few), draw(distribution)(Key.make(seed), few + more)]
        expect(points(short.x0)).toEqual(points(long.x0).slice(0, few))
        expect(partsOf(short.labels)).toEqual(partsOf(long.labels).slice(0, few))
      }),
      { numRuns: 30 }
    )
    expect(points(draw(distribution)(Key.make(12), 3).x0)).not.toEqual(drawn.slice(0, 3))
  })
})

it('the eight normals have a standard deviation of 0.1', () => {
  const { x0, labels } = draw(eightGaussians)(Key.make(13), n)
  const parts = partsOf(labels)
  const squares = points(x0).map((at, i) => apart(at, eightGaussians.point(parts[i] ?? 0, [0, 0], [0, 0])) ** 2)
  // a sum of 2 n squares of normals
  expect(Math.abs(squares.reduce((x, y) => x + y, 0) / 0.01 - 2 * n)).toBeLessThan(chiSquared(2 * n, falseAlarm))
})

it('the centres of the eight normals are where a compass has them', () => {
  const { parts, point } = eightGaussians
  const at = (name: string): readonly [number, number] => point(parts.indexOf(name), [0, 0], [0, 0])
  expect(at('east')).toEqual([1.4, 0])
  const [x, y] = at('north')
  expect([Math.abs(x) < 1e-15, y]).toEqual([true, 1.4])
  expect(at('south-west').map((v) => v < -0.98)).toEqual([true, true])
})

// -------------------------------------------------------------------------------------
// the energy distance
// -------------------------------------------------------------------------------------

const tensor = (rows: ReadonlyArray<readonly [number, number]>): Tensor => ({
  shape: [rows.length, 2],
  data: Float64Array.from(rows.flat())
})

/** All samples of `size` points of some, each as likely as the others. */
const samples = <A>(of: ReadonlyArray<A>, size: number): ReadonlyArray<ReadonlyArray<A>> =>
  size === 0 ? [[]] : samples(of, size - 1).flatMap((rest) => of.map((one) => [...rest, one]))

describe('the energy distance', () => {
  const a: ReadonlyArray<readonly [number, number]> = [
    [0, 0],
    [1, 0.5],
    [-2, 1]
  ]
  const b: ReadonlyArray<readonly [number, number]> = [
    [0.5, 0],
    [3, -1]
  ]

  const distance = (x: Tensor, y: Tensor): number => O.getOrElse(() => Number.NaN)(energyDistance(x, y))

  it('of a sample without a pair is none', () => {
    const one = tensor(a.slice(0, 1))
    const none = tensor([])
    for (const few of [one, none]) {
      expect(energyDistance(few, tensor(a))).toEqual(O.none)
      expect(energyDistance(tensor(a), few)).toEqual(O.none)
    }
  })

  it('is unbiased: its mean over all samples is the distance of the distributions', () => {
    const pairs = samples(a, 3).flatMap((x) => samples(b, 2).map((y) => distance(tensor(x), tensor(y))))
    const between = mean(a.flatMap((x) => b.map((y) => apart(x, y))))
    // of independent draws, which are the same point now and then
    const within = (of: typeof a): number => mean(of.flatMap((x) => of.map((y) => apart(x, y))))
    // sums of some hundred numbers below 10
    expect(Math.abs(mean(pairs) - (2 * between - within(a) - within(b)))).toBeLessThan(1e-12)
    // with pairs of a point and itself it would be off by this much
    expect(within(a) / 3 + within(b) / 2).toBeGreaterThan(1)
  })

  it('of two samples is the mean over pairs of other points', () => {
    const expected =
      2 * mean(a.flatMap((x) => b.map((y) => apart(x, y)))) -
      (apart([0, 0], [1, 0.5]) + apart([0, 0], [-2, 1]) + apart([1, 0.5], [-2, 1])) / 3 -
      apart([0.5, 0], [3, -1])
    expect(distance(tensor(a), tensor(b))).toBeCloseTo(expected, 12)
  })

  it('of points at two places is twice their distance', () => {
    const at = (x: number, y: number): Tensor => tensor(Array.from({ length: 4 }, () => [x, y] as const))
    expect(distance(at(0, 0), at(3, 4))).toBe(10)
    expect(distance(at(1, 2), at(1, 2))).toBe(0)
  })

  const cloud = fc
    .array(fc.tuple(fc.integer({ min: -8, max: 8 }), fc.integer({ min: -8, max: 8 })), { minLength: 2, maxLength: 6 })
    .map((rows) => rows.map(([x, y]) => [x, y] as const))

  it('is symmetric, moves with nothing and scales with the points', () => {
    fc.assert(
      fc.property(cloud, cloud, (x, y) => {
        const d = distance(tensor(x), tensor(y))
        const moved = (rows: typeof x): Tensor => tensor(rows.map(([u, v]) => [u + 3, v - 5] as const))
        const doubled = (rows: typeof x): Tensor => tensor(rows.map(([u, v]) => [2 * u, 2 * v] as const))
        // the sums have the same terms in another order: some 40 of them, below 25 each
        expect(Math.abs(distance(tensor(y), tensor(x)) - d)).toBeLessThan(1e-12)
        expect(distance(moved(x), moved(y))).toBe(d)
        expect(distance(doubled(x), doubled(y))).toBe(2 * d)
      })
    )
  })

  it('tells the distributions from each other, and not from themselves', () => {
    const size = 400
    const sample = (distribution: Distribution, seed: number): Tensor => draw(distribution)(Key.make(seed), size).x0
    const others = named.flatMap(([name, one]) => {
      const self = distance(sample(one, 1), sample(one, 2))
      return named
        .filter(([other]) => other !== name)
        .map(([, another]) => distance(sample(one, 1), sample(another, 2)) / Math.abs(self))
    })
    expect(Math.min(...others)).toBeGreaterThan(4)
  })
})
