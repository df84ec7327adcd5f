import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { sinReward } from '../../laws/toy/Polynomial.js'
import { quadraticReward, tanhChain } from '../../laws/toy/Tanh.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Budget from '../../src/estimator/reading/Budget.js'
import * as Comparison from '../../src/estimator/reading/Comparison.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import type { Problem } from '../../src/estimator/Gradient.js'
import * as Variance from '../../src/estimator/reading/Variance.js'
import * as L from '../../src/lens/Lens.js'
import type { InputOf, None } from '../../src/lens/Lens.js'
import type { Numbers, ScalarChain, Theta } from '../../laws/toy/Tanh.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { reference } from '../../src/tensor/Target.js'
import * as X from '../../src/tensor/Expr.js'
import type { Shape } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

type Toy = Omit<Problem<Theta, readonly ['batch', 1], Readonly<Record<never, never>>, None>, 'estimator'>

const batch = 2000
const length = 4

const toy = (chain: ScalarChain, reward: Toy['reward'], baseline: number): Toy => ({
  chain,
  reward,
  advantage: Advantage.constant(baseline),
  trained: () => true,
  batch
})

const draws = (seed: number): Variance.Draws => ({
  uniform: (i) => Draw.uniform(Key.foldIn(Key.make(seed), i), [1]).data[0] ?? 0,
  request: (i, cover) => {
    const key = Key.foldIn(Key.make(seed + 1), i)
    return {
      cover,
      params: { theta: T.tabulate([batch, 2], (k) => (k % 2 === 0 ? 0.3 : 0.1)) },
      condition: {},
      xT: Draw.normal(Key.foldInString(key, 'xT'), [batch, 1]),
      eps: Draw.normal(Key.foldInString(key, 'eps'), [cover.T, batch, 1]),
      xi: { theta: Draw.normal(Key.foldInString(key, 'xi'), [batch, 2]) },
      weights: new Array<number>(batch).fill(1),
      advantageState: 0
    }
  }
})

const measured = async (
  problem: Toy,
  estimators: ReadonlyArray<Estimator>,
  batches = 4
): Promise<ReadonlyArray<Variance.Measured>> =>
  right(await Variance.compare(problem, estimators, reference, draws(41), batches)())

/** Is the first variance below the second, by more than six standard errors of the difference? */
const clearlyBelow = (a: Variance.Measured | undefined, b: Variance.Measured | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  b.gradient.variance - a.gradient.variance > 6 * Math.hypot(a.gradient.varianceError, b.gradient.varianceError)

describe('a spread', () => {
  it('is the mean, the standard errors and the total variance of the rows', () => {
    const spread = Variance.ofRows([
      { width: 2, data: Float64Array.of(1, 10, 3, 30) },
      { width: 2, data: Float64Array.of(5, 20) }
    ])
    expect(spread.mean).toEqual([3, 20])
    // variances 4 and 100 of one sample; of the mean, a third
    expect(spread.variance).toBeCloseTo(104, 12)
    expect(spread.standardError[1]).toBeCloseTo(Math.sqrt(100 / 3), 12)
    expect(spread.n).toBe(3)
  })
})

describe('the interval of a variance', () => {
  const drawn = (seed: number, n: number, f: (x: number) => number): Variance.Spread =>
    Variance.ofRows([{ width: 1, data: Draw.normal(Key.make(seed), [n]).data.map(f) }])

  it('is the same for the same rows, and scales with them', () => {
    const [one, two] = [1, 2].map((factor) => drawn(1, 50, (x) => factor * x))
    expect(one).toEqual(drawn(1, 50, (x) => x))
    one?.interval.forEach((end, i) => expect(((two?.interval[i] ?? 0) / end / 4).toFixed(9)).toBe('1.000000000'))
  })

  it('is never negative, holds the variance, and reaches further up than down', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { interval, variance } = drawn(seed, 40, (x) => x ** 3)
      expect(interval[0]).toBeGreaterThan(0)
      expect(interval[0]).toBeLessThan(variance)
      expect(interval[1] - variance).toBeGreaterThan(variance - interval[0])
    }
  })

  it('says nothing on three rows, and nothing else on rows that are alike', () => {
    expect(drawn(1, 3, (x) => x).interval).toEqual([0, Number.POSITIVE_INFINITY])
    expect(drawn(1, 8, () => 2).interval).toEqual([0, 0])
  })

  it('takes groups of many rows without losing any', () => {
    const { interval, variance, n } = drawn(1, 5000, (x) => x)
    expect(n).toBe(5000)
    // the variance of normals has the standard error sqrt(2 / n): the interval is within half and twice of 1.96 of them
    const width = (interval[1] - interval[0]) / variance / (2 * 1.96 * Math.sqrt(2 / n))
    expect(width).toBeGreaterThan(0.5)
    expect(width).toBeLessThan(2)
  })

  it('comes with the skewness, and with the share of the heaviest sample', () => {
    const { heaviest, skewness } = Variance.moments([{ width: 2, data: Float64Array.of(0, 1, 0, -1, 0, 1, 4, -1) }])
    // 0, 0, 0, 4: about their mean -1, -1, -1, 3, whose squares are 1, 1, 1, 9
    expect(heaviest).toEqual([0.75, 0.25])
    expect(skewness[0]).toBeCloseTo(24 / 4 / 3 ** 1.5, 12)
    expect(skewness[1]).toBe(0)
  })
})

describe('parameters that the batch shares', () => {
  const rows = 8
  const parameters = { theta: L.parameter([2]) }
  const own = tanhChain({ T: length, alpha: 0.9, sigma: 0.3 })
  /** The same chain with one theta for the whole batch. */
  const shared: ScalarChain = {
    ...own,
    parameters,
    mean: (t) =>
      L.make<Theta, InputOf<ReturnType<typeof own.mean>>, Numbers>(parameters, (p, a) => {
        const [value, back] = own.mean(t).run({ theta: X.broadcastTo(p.theta, ['batch', 2]) }, a)
        return [
          value,
          (bar) => {
            const [{ theta }, aBar] = back(bar)
            // the tree declares a row of numbers where the chain's type has one for each sample
            return [{ theta: X.sum<Shape, readonly [0]>(theta, [0]) as unknown as typeof p.theta }, aBar]
          }
        ]
      })
  }
  const estimator = right(Catalogue.reinforce(length))
  const problem = (
    chain: ScalarChain
  ): Gradient.Problem<Theta, readonly ['batch', 1], Readonly<Record<never, never>>, None> => ({
    chain,
    reward: quadraticReward(2),
    advantage: Advantage.constant(-4),
    trained: () => true,
    batch: rows,
    estimator
  })
  const request = (copies: ReadonlyArray<number>): Variance.Draws => ({
    uniform: () => 0,
    request: (i, cover) => {
      const key = Key.foldIn(Key.make(51), i)
      return {
        cover,
        params: { theta: T.tabulate([...copies, 2], (k) => (k % 2 === 0 ? 0.3 : 0.1)) },
        condition: {},
        xT: Draw.normal(Key.foldInString(key, 'xT'), [rows, 1]),
        eps: Draw.normal(Key.foldInString(key, 'eps'), [cover.T, rows, 1]),
        xi: {},
        weights: new Array<number>(rows).fill(1),
        advantageState: 0
      }
    }
  })

  it('have no variance of a sample: measuring is refused by name, and not cut into rows', async () => {
    const refused = await Variance.measure(problem(shared), reference, request([]), 2)()
    expect(refused).toEqual(E.left({ _tag: 'NoBatchAxis', parameters: ['theta'] }))
    expect(E.isLeft(refused) ? Gradient.showError(refused.left) : '').toBe(
      "the batch shares theta, so a sample has no gradient of its own whose variance could be measured; give them a batch axis ('Chain.perRow', for vectors), or measure means of batches with 'measureBatches'"
    )
    expect(Gradient.showError({ _tag: 'NoBatchAxis', parameters: ['a', 'b', 'c', 'd'] })).toContain(
      'the batch shares a, b and 2 more, so'
    )
  })

  it('have the variance of means of batches, which that of a sample over the batch is', async () => {
    const batches = 400
    const means = right(await Variance.measureBatches(problem(shared), reference, request([]), batches)())
    const samples = right(await Variance.measure(problem(own), reference, request([rows]), batches)())
    expect([means.gradient.n, means.batch, samples.gradient.n, samples.batch]).toEqual([batches, rows, 8 * batches, 1])
    const gap = rows * means.gradient.variance - samples.gradient.variance
    const error = Math.hypot(rows * means.gradient.varianceError, samples.gradient.varianceError)
    expect(Math.abs(gap)).toBeLessThan(6 * error)
    // both are what a budget leaves, so they are compared on one scale
    const scale = samples.efficiency / samples.gradient.variance
    expect(means.efficiency / (rows * means.gradient.variance)).toBeCloseTo(scale, 9)
    means.gradient.mean.forEach((m, i) => expect(m).toBeCloseTo(samples.gradient.mean[i] ?? Number.NaN, 9))
    // rows of a batch axis are added up just so
    const summed = right(await Variance.measureBatches(problem(own), reference, request([rows]), batches)())
    expect(summed.gradient.variance / means.gradient.variance).toBeCloseTo(1, 9)
    expect(Object.keys(means.parts)).toEqual(['HO(1 steps)'])
  })

  it('are planned by the evaluations of a batch', async () => {
    const means = right(await Variance.measureBatches(problem(shared), reference, request([]), 40)())
    const [{ samples }] = right(Budget.plan([means], { bytes: 1e9, evaluations: 640 }))
    // 8 evaluations a sample, 8 samples a batch
    expect(samples).toBe(10)
    expect(Budget.plan([means], { bytes: 1e9, evaluations: 63 })._tag).toBe('Left')
  })
})

describe('a table of measured estimators', () => {
  it('has the unbiased ones first, by both orderings, and gives a biased one no place', async () => {
    const rows = await measured(toy(tanhChain({ T: length, alpha: 0.9, sigma: 0.3 }), quadraticReward(2), -4), [
      right(Catalogue.truncatedBackprop({ T: length, k: 1 })),
      right(Catalogue.reinforce(length)),
      right(Catalogue.evolutionStrategies({ T: length })),
      right(Catalogue.fullBackprop(length))
    ])
    const [header = '', ...lines] = Comparison.table(rows).split('\n')
    const cells = lines.slice(0, 4).map((line) => line.split(/ {2,}/))
    expect(header.split(/ {2,}/)).toEqual([
      'estimator',
      'baseline',
      'unbiased for',
      'variance',
      '95 % interval',
      'E',
      'P',
      'MiB',
      'x E',
      'x (E + P)',
      'better',
      'slope',
      'tail'
    ])
    expect(cells.map((row) => [row[0], row[1], row[2], row[5], row[6]])).toEqual([
      ['full backpropagation', 'none', 'J', '8', '4'],
      ['evolution strategies', 'none', 'J_s', '8', '0'],
      ['reinforce', 'constant(-4)', 'J', '8', '4'],
      ['truncated backpropagation(k = 1)', 'none', 'biased', '5', '1']
    ])
    // the biased one has by far the least variance, and stands last without a place
    expect(Math.min(...rows.map(({ gradient }) => gradient.variance))).toBe(rows[0]?.gradient.variance)
    expect(cells[3]?.slice(8, 10)).toEqual(['-', '-'])
    expect(cells.slice(0, 3).map((row) => row[8]?.replace(/.* /, ''))).toEqual(['(1)', '(2)', '(3)'])
    expect(cells[0]?.slice(8, 10)).toEqual(['1.00 (1)', '1.00 (1)'])
    const [, , es, full] = rows
    const relative = (es?.efficiencyWithPullbacks ?? 0) / (full?.efficiencyWithPullbacks ?? 1)
    expect(cells[1]?.[9]).toBe(`${relative.toPrecision(3)} (2)`)
    // evolution strategies pull nothing back, so they gain a third on the others: 8 / 12
    expect(relative / ((es?.efficiency ?? 0) / (full?.efficiency ?? 1))).toBeCloseTo(2 / 3, 12)
    // what was not measured has a dash, and the legend says what the letters are
    expect(cells.every((row) => row[10] === '-' && row[11] === '-')).toBe(true)
    expect(lines.slice(4).join(' ')).toContain('E, P: network evaluations and pullbacks a sample')
  })
})

describe('Proposition 6.2: the order of the variances', () => {
  const exact = [
    right(Catalogue.fullBackprop(length)),
    right(Catalogue.reinforce(length)),
    right(Catalogue.evolutionStrategies({ T: length, form: 'onePoint' }))
  ]

  it('is first-order, half-order, zeroth-order where the reward is smooth', async () => {
    const [first, half, zeroth] = await measured(
      toy(tanhChain({ T: length, alpha: 0.9, sigma: 0.3 }), quadraticReward(2), -4),
      exact
    )
    expect([clearlyBelow(first, half), clearlyBelow(half, zeroth)]).toEqual([true, true])
  })

  it('is not where the reward oscillates: then pathwise is the noisier', async () => {
    const [first, half] = await measured(toy(tanhChain({ T: length, alpha: 0.9, sigma: 0.8 }), sinReward(16), 0), exact)
    expect(clearlyBelow(half, first)).toBe(true)
  })

  it('need not fall with the length of a half-order segment', async () => {
    const problem = toy(tanhChain({ T: 10, alpha: 0.9, sigma: 0.3 }), quadraticReward(2), -4)
    const [one, nine] = await measured(
      problem,
      [1, 9].map((h) => right(Catalogue.segmented({ T: 10, h })))
    )
    expect(clearlyBelow(one, nine)).toBe(true)
  })
})

describe('the variance of a score', () => {
  it('grows as 1 / sigma^2', async () => {
    const at = async (sigma: number): Promise<Variance.Measured | undefined> =>
      (
        await measured(toy(tanhChain({ T: 1, alpha: 0, sigma }), quadraticReward(0), -100), [
          right(Catalogue.reinforce(1))
        ])
      )[0]
    const [wide, narrow] = [await at(0.02), await at(0.01)]
    const ratio = (narrow?.gradient.variance ?? 0) / (wide?.gradient.variance ?? 1)
    const relative = Math.hypot(
      (wide?.gradient.varianceError ?? 0) / (wide?.gradient.variance ?? 1),
      (narrow?.gradient.varianceError ?? 0) / (narrow?.gradient.variance ?? 1)
    )
    // the baseline makes the advantage 100 up to about 0.1, so the ratio is 4 up to 0.5 % and six standard errors
    expect(Math.abs(ratio - 4)).toBeLessThan(4 * (0.005 + 6 * relative))
  })
})

describe('the variance of a mean', () => {
  it('falls as 1 / n', async () => {
    const estimator = right(Catalogue.rlr({ T: length, h: 2 }))
    const problem = { ...toy(tanhChain({ T: length, alpha: 0.9, sigma: 0.3 }), quadraticReward(2), -4), estimator }
    const gradients = right(Gradient.compile(problem, reference))
    const [{ cover }] = estimator.covers
    const { gradient } = right(await gradients.run(draws(43).request(0, cover))())
    const single = Variance.rowsOf(gradient, batch)
    const means = (n: number): Variance.Matrix => ({
      width: 2,
      data: Float64Array.from({ length: (batch / n) * 2 }, (_, at) => {
        const [group, i] = [Math.floor(at / 2), at % 2]
        return (
          Array.from({ length: n }, (_row, k) => single.data[(group * n + k) * 2 + i] ?? 0).reduce((a, b) => a + b) / n
        )
      })
    })
    const whole = Variance.ofRows([single])
    for (const n of [2, 4, 8]) {
      const mean = Variance.ofRows([means(n)])
      const error = Math.hypot(n * mean.varianceError, whole.varianceError)
      expect(Math.abs(n * mean.variance - whole.variance)).toBeLessThan(6 * error)
    }
  })
})

describe('parts', () => {
  it('by step add up to the whole, with the same gradient', async () => {
    const problem = toy(tanhChain({ T: length, alpha: 0.9, sigma: 0.3 }), quadraticReward(2), -4)
    const estimator = right(Catalogue.rlr({ T: length, h: 2 }))
    const [whole, split] = await measured(problem, [estimator, right(Variance.byStep(estimator))], 2)
    // the same products in another order: a hundred roundings of numbers of at most 1e4
    whole?.gradient.mean.forEach((m, i) =>
      expect(Math.abs(m - (split?.gradient.mean[i] ?? 0))).toBeLessThan(100 * 1e4 * 2 ** -52)
    )
    expect(Object.keys(whole?.parts ?? {}).sort()).toEqual(['FO(1..1)', 'HO(2 steps)', 'ZO(central, shared, s = 0.05)'])
    expect(Object.keys(split?.parts ?? {}).length).toBeGreaterThan(3)
  })
})

describe('a budget', () => {
  it('gives the length of the paper: what fits, or what pays', () => {
    const inputs = {
      T: 50,
      zerothOrderMemory: 0.24,
      halfOrderMemory: 8,
      halfOrderDeviation: 1,
      zerothOrderDeviation: 2
    }
    // arXiv 2502.00639: 8 GB a half-order step and 0.24 GB a zeroth-order one; 30 GB give h = 2
    expect(Budget.segmentLength({ ...inputs, memory: 30 })).toEqual(E.right(2))
    expect(Budget.segmentLength({ ...inputs, memory: 1000 })).toEqual(E.right(49))
    expect(Budget.segmentLength({ ...inputs, memory: 15 })._tag).toBe('Left')
    expect(Budget.segmentLength({ ...inputs, memory: 30, zerothOrderDeviation: 1 })).toEqual(
      E.left({ _tag: 'NoGain', halfOrderDeviation: 1, zerothOrderDeviation: 1 })
    )
  })

  it('is planned among exact estimators that fit, least variance first', async () => {
    const problem = toy(tanhChain({ T: length, alpha: 0.9, sigma: 0.3 }), quadraticReward(2), -4)
    const rows = await measured(problem, [
      right(Catalogue.truncatedBackprop({ T: length, k: 1 })),
      right(Catalogue.fullBackprop(length)),
      right(Catalogue.reinforce(length))
    ])
    const names = (limits: Budget.Limits): ReadonlyArray<string> =>
      right(Budget.plan(rows, limits)).map(({ measured: { estimator } }) => estimator.name)
    const plenty = { bytes: 1e9, evaluations: 80 }
    expect(names(plenty)).toEqual(['full backpropagation', 'reinforce'])
    const [best] = right(Budget.plan(rows, plenty))
    expect(best.samples).toBe(10)
    expect(best.variance).toBeCloseTo(best.measured.gradient.variance / 10, 12)
    const least = rows[2]?.peakBytes ?? 0
    expect(names({ bytes: least, evaluations: 80 })).toEqual(['reinforce'])
    const nothing = Budget.plan(rows, { bytes: 1, evaluations: 80 })
    expect(E.isLeft(nothing) && Budget.showError(nothing.left)).toContain('nothing fits 1 bytes and 80 evaluations')
  })
})
