import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { sinReward } from '../../laws/toy/Polynomial.js'
import { quadraticReward, tanhChain } from '../../laws/toy/Tanh.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Budget from '../../src/estimator/reading/Budget.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import type { Problem } from '../../src/estimator/Gradient.js'
import * as Variance from '../../src/estimator/reading/Variance.js'
import type { None } from '../../src/lens/Lens.js'
import type { ScalarChain, Theta } from '../../laws/toy/Tanh.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { reference } from '../../src/tensor/Target.js'
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
