import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { terms } from '../../laws/exact/Terms.js'
import { quadraticReward, tanhChain, type Numbers } from '../../laws/toy/Tanh.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import type { Problem } from '../../src/estimator/Gradient.js'
import * as Comparison from '../../src/estimator/reading/Comparison.js'
import * as Slope from '../../src/estimator/reading/Slope.js'
import * as Variance from '../../src/estimator/reading/Variance.js'
import * as L from '../../src/lens/Lens.js'
import type { None } from '../../src/lens/Lens.js'
import type { Theta } from '../../laws/toy/Tanh.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as Reward from '../../src/reward/Reward.js'
import { reference } from '../../src/tensor/Target.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

type Toy = Omit<Problem<Theta, readonly ['batch', 1], Readonly<Record<never, never>>, None>, 'estimator'>

const batch = 2000
const length = 4
const theta = [0.3, 0.1] as const

const toy = (reward: Toy['reward'], baseline: number): Toy => ({
  chain: tanhChain({ T: length, alpha: 0.9, sigma: 0.3 }),
  reward,
  advantage: Advantage.constant(baseline),
  trained: () => true,
  batch
})

const draws = (seed: number): Variance.Draws => ({
  uniform: () => 0,
  request: (i, cover) => {
    const key = Key.foldIn(Key.make(seed), i)
    return {
      cover,
      params: { theta: T.tabulate([batch, 2], (k) => theta[k % 2] ?? 0) },
      condition: {},
      xT: Draw.normal(Key.foldInString(key, 'xT'), [batch, 1]),
      eps: Draw.normal(Key.foldInString(key, 'eps'), [cover.T, batch, 1]),
      xi: {},
      weights: new Array<number>(batch).fill(1),
      advantageState: 0
    }
  }
})

/** The measured slope over that of finite differences, along the direction of given numbers. */
const ratioOf = async (problem: Toy, numbers: ReadonlyArray<number>, estimator: Estimator): Promise<Variance.Along> => {
  const along = Slope.direction(problem, numbers, Key.make(0))
  const slope = right(await Slope.differences(problem, reference, draws(1), { along, distance: 0.05, batches: 4 })())
  const measured = right(await Variance.measure({ ...problem, estimator }, reference, draws(2), 4, { along })())
  return Slope.ratio(measured, slope) ?? { value: Number.NaN, error: Number.NaN }
}

const exact = (() => {
  const found = right(
    terms(
      {
        sigma: new Array<number>(length).fill(0.3),
        mean: (x, [a = 0, b = 0]) => 0.9 * x + a * Math.tanh(x) + b,
        gradient: (x) => [Math.tanh(x), 1],
        reward: (x) => -((x - 2) ** 2),
        steepest: 1.2
      },
      theta
    )()
  )
  return [0, 1].map((k) => found.reduce((sum, { value }) => sum + (value[k] ?? 0), 0))
})()

describe('a direction', () => {
  const problem = toy(quadraticReward(2), -4)

  it('has length 1, by path and without the copies of rows', () => {
    expect(Slope.direction(problem, [3, 4], Key.make(0))).toEqual({
      theta: { shape: [2], data: Float32Array.of(0.6, 0.8) }
    })
  })

  it('of zeros is drawn from the key', () => {
    const [one, other] = [1, 2].map((seed) => Slope.direction(problem, [0, 0], Key.make(seed))['theta']?.data)
    expect(Math.hypot(...Array.from(one ?? []))).toBeCloseTo(1, 6)
    expect(one).not.toEqual(other)
  })
})

describe('finite differences', () => {
  it('have the slope of the exact gradient within their error', async () => {
    const problem = toy(quadraticReward(2), -4)
    const along = Slope.direction(problem, exact, Key.make(0))
    const found = right(await Slope.differences(problem, reference, draws(1), { along, distance: 0.05, batches: 4 })())
    expect(found.error).toBeLessThan(0.02 * Math.hypot(...exact))
    expect(Math.abs(found.value - Math.hypot(...exact))).toBeLessThan(4 * found.error)
  })

  it('say how much is truncated: wide ones have a larger error', async () => {
    const problem = toy(quadraticReward(2), -4)
    const along = Slope.direction(problem, exact, Key.make(0))
    const at = async (distance: number): Promise<Variance.Along> =>
      right(await Slope.differences(problem, reference, draws(1), { along, distance, batches: 1 })())
    const [near, wide] = [await at(0.1), await at(1)]
    const gap = Math.abs(wide.value - Math.hypot(...exact))
    expect(wide.error).toBeGreaterThan(3 * near.error)
    expect(gap).toBeGreaterThan(4 * near.error)
    expect(gap).toBeLessThan(2 * wide.error)
  })

  it('refuse a distance that is none', async () => {
    const problem = toy(quadraticReward(2), -4)
    const along = Slope.direction(problem, exact, Key.make(0))
    const found = await Slope.differences(problem, reference, draws(1), { along, distance: -1, batches: 1 })()
    expect(E.isLeft(found) ? Slope.showError(found.left) : '').toContain('radius')
  })
})

describe('the slope of a gradient over that of finite differences', () => {
  it('is 1 within its error for what is unbiased, and not for what is biased', async () => {
    const problem = toy(quadraticReward(2), -4)
    for (const estimator of [right(Catalogue.reinforce(length)), right(Catalogue.fullBackprop(length))]) {
      const { value, error } = await ratioOf(problem, exact, estimator)
      expect(Math.abs(value - 1)).toBeLessThan(4 * error)
      expect(error).toBeLessThan(0.1)
    }
    const biased = await ratioOf(problem, exact, right(Catalogue.truncatedBackprop({ T: length, k: 1 })))
    expect(Math.abs(biased.value - 1)).toBeGreaterThan(10 * biased.error)
  })

  it('finds out a pathwise gradient that lives on samples which are never met', async () => {
    // a step of height 1 at x = 1, all but a jump: its slope is 2.5e5 on a millionth of the line, and 0 elsewhere
    const width = 1e-6
    const steep = Reward.differentiable<None, readonly ['batch', 1]>(
      'steep',
      L.pure((x: Numbers) => {
        const y = X.sigmoid(X.scale(X.sub(x, X.fill(['batch', 1], 1)), 1 / width))
        const slope = X.scale(X.mul(y, X.sub(X.fill(['batch', 1], 1), y)), 1 / width)
        return [X.reshape(y, ['batch']), (bar) => X.mul(X.reshape(bar, ['batch', 1]), slope)]
      })
    )
    const problem = toy(steep, 0)
    const scores = await ratioOf(problem, [0, 1], right(Catalogue.reinforce(length)))
    expect(Math.abs(scores.value - 1)).toBeLessThan(4 * scores.error)
    expect(scores.error).toBeLessThan(0.2)
    const pathwise = await ratioOf(problem, [0, 1], right(Catalogue.fullBackprop(length)))
    expect(pathwise.value).toBeLessThan(0.5)
  })
})

describe('how many times better than a reference', () => {
  it('counts evaluations and pullbacks, and is 1 against itself', async () => {
    const problem = toy(quadraticReward(2), -4)
    const [scores, es] = right(
      await Variance.compare(
        problem,
        [right(Catalogue.reinforce(length)), right(Catalogue.fullBackprop(length, { memory: 'recompute' }))],
        reference,
        draws(3),
        1
      )()
    )
    if (scores === undefined || es === undefined) throw new Error('nothing was measured')
    expect(Comparison.better(scores, scores)).toEqual({ value: 1, interval: [1, 1] })
    const { value, interval } = Comparison.better(scores, es)
    // 8 evaluations and 4 pullbacks against 11 and 4
    expect(value).toBeCloseTo((scores.gradient.variance * 12) / (es.gradient.variance * 15), 12)
    expect(interval[0]).toBeLessThan(value)
    expect(interval[1]).toBeGreaterThan(value)
  })
})
