import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Expectation from '../../laws/exact/Expectation.js'
import { multiplicativeSetting } from '../../laws/toy/Polynomial.js'
import { quadraticReward, tanhChain } from '../../laws/toy/Tanh.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import { classes, systematic } from '../../src/estimator/catalogue/Scores.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as C from '../../src/estimator/Cover.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Cost from '../../src/estimator/reading/Cost.js'
import * as Inclusion from '../../src/estimator/reading/Inclusion.js'
import * as Variance from '../../src/estimator/reading/Variance.js'
import * as StateValue from '../../src/estimator/StateValue.js'
import * as Named from '../../src/estimator/Named.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const chances = (n: number): fc.Arbitrary<ReadonlyArray<number>> =>
  fc.array(fc.oneof(fc.double({ min: 0.01, max: 1, noNaN: true }), fc.constantFrom(0.25, 0.5, 1)), {
    minLength: n,
    maxLength: n
  })

describe('subsets by chances of steps', () => {
  it('have each step as often as its chance says, in sizes that differ by one at most', () => {
    fc.assert(
      fc.property(chances(7), (inclusion) => {
        const drawn = systematic(C.range(2, 8), inclusion)
        inclusion.forEach((p, i) => {
          const often = drawn.reduce((sum, { weight, steps }) => sum + (steps.includes(i + 2) ? weight : 0), 0)
          expect(Math.abs(often - p)).toBeLessThan(1e-10)
        })
        const sizes = drawn.map(({ steps }) => steps.length)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        expect(drawn.length).toBeLessThanOrEqual(8)
      }),
      { seed: 1, numRuns: 200 }
    )
  })

  it('are the classes of every third step where all chances are a third', () => {
    const steps = C.range(2, 10)
    const drawn = systematic(
      steps,
      steps.map(() => 1 / 3)
    )
    const sets = (lists: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<string> =>
      lists.map((list) => list.join(' ')).sort()
    expect(sets(drawn.map((one) => one.steps))).toEqual(sets(classes(steps, 3)))
    drawn.forEach(({ weight }) => expect(weight).toBeCloseTo(1 / 3, 12))
  })
})

describe('subsampled by chances', () => {
  const inclusion = [0.9, 0.3]
  const estimator = right(Catalogue.subsampled({ T: 3, inclusion }))

  it('is unbiased: exact expectations, whatever the chances', async () => {
    const setting = multiplicativeSetting({ a: 0.8, b: 0.05, sigma: [0.4, 0.4, 0.4] }, [-1, 2, -1])
    const exact = right(Expectation.terms(setting, () => 1)).value
    const mean = exact.map(() => 0)
    for (const { weight, cover } of estimator.covers) {
      const { value } = right(await Expectation.expectation(setting, { estimator }, cover)())
      value.forEach((v, i) => (mean[i] = (mean[i] ?? 0) + weight * v))
    }
    mean.forEach((v, i) => expect(Math.abs(v - (exact[i] ?? Number.NaN))).toBeLessThan(1e-9))
  })

  it('costs as many pullbacks as the chances add up to, and one', () => {
    expect(Cost.cost(estimator).pullbackSteps).toBeCloseTo(1 + 1.2, 12)
    expect(estimator.name).toBe('subsampled(1.2 of 2 steps, by chances)')
  })

  it('is an option by name, and refuses what are no chances', () => {
    const facts = { T: 3, noisyFirst: true, differentiable: true, clean: false }
    const named = right(Named.build(facts)(right(Named.parse('subsampled(inclusion = [0.9, 0.3])'))))
    expect(named.covers).toEqual(estimator.covers)
    expect(Catalogue.subsampled({ T: 3, inclusion: [0.5] })).toEqual(
      E.left({ _tag: 'BadOption', option: 'inclusion', expected: '2 numbers above 0 and at most 1', got: '0.5' })
    )
    expect(E.isLeft(Catalogue.subsampled({ T: 3, inclusion: [0, 1] }))).toBe(true)
    expect(E.isLeft(Named.parse('subsampled(inclusion = [0.9, 1.1])'))).toBe(true)
  })
})

describe('an allocation', () => {
  it('has the chances that are asked for in sum, and the least sum of squares over them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minLength: 6, maxLength: 6 }),
        fc.double({ min: 0.5, max: 5.9, noNaN: true }),
        (squares, expected) => {
          const found = Inclusion.allocate(squares, expected)
          expect(found.reduce((sum, p) => sum + p, 0)).toBeCloseTo(expected, 9)
          const cost = (p: ReadonlyArray<number>): number =>
            squares.reduce((sum, s, i) => sum + s / (p[i] ?? Number.NaN), 0)
          // moving a little from one step to another, within the bounds, never helps
          const least = expected / 60
          const better = found.flatMap((p, i) =>
            found.flatMap((q, k) => {
              const amount = Math.min(1e-4, 1 - p, q - least)
              const moved = found.map((r, at) => (at === i ? r + amount : at === k ? r - amount : r))
              const helps = i !== k && amount > 1e-9 && cost(moved) < cost(found) * (1 - 1e-9)
              return helps ? [[i, k]] : []
            })
          )
          expect(better).toEqual([])
        }
      ),
      { seed: 2, numRuns: 100 }
    )
  })

  it('is even where the pilot says nothing', () => {
    expect(Inclusion.allocate([0, Number.NaN, 0, 0], 2)).toEqual([0.5, 0.5, 0.5, 0.5])
    expect(Inclusion.allocate([1, 1], 9)).toEqual([1, 1])
  })
})

describe('a pilot by step', () => {
  const batch = 2000
  const sigma = [1, 0.05, 0.2, 0.8, 1]
  const problem = {
    chain: tanhChain({ T: 5, alpha: 0.9, sigma }),
    reward: quadraticReward(2),
    advantage: Advantage.constant(-4),
    trained: () => true,
    batch
  }
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
        xi: {},
        weights: new Array<number>(batch).fill(1),
        advantageState: 0
      }
    }
  })
  const scores = right(Catalogue.reinforceAfterFirst(5, { baseline: StateValue.polynomial([-4, 1, 0.5]) }))

  it('keeps the baseline and the control of the cells that it splits', async () => {
    const looking = { baseline: StateValue.polynomial([1, 1]), control: StateValue.polynomial([0, 0, -1]) }
    const whole = right(Catalogue.segmented({ T: 5, h: 2, ...looking }))
    const split = right(Variance.byStep(whole))
    const [a, b] = right(await Variance.compare(problem, [whole, split], reference, draws(3), 1)())
    a?.gradient.mean.forEach((m, i) => expect(b?.gradient.mean[i]).toBeCloseTo(m, 8))
    expect(b?.gradient.variance).toBeCloseTo(a?.gradient.variance ?? Number.NaN, 6)
  })

  it('finds chances by which subsampling is quieter than by even ones, at the same cost', async () => {
    const split = right(Variance.byStep(scores))
    const pilot = right(await Variance.measure({ ...problem, estimator: split }, reference, draws(11), 1)())
    const squares = Inclusion.squares(pilot)
    expect(squares).toHaveLength(4)
    expect(squares.every((s) => s > 0)).toBe(true)
    const inclusion = Inclusion.allocate(squares, 2)
    // the step with the least noise has by far the largest score
    expect(inclusion[0]).toBe(1)
    const look = { baseline: StateValue.polynomial([-4, 1, 0.5]) }
    const estimators = [
      right(Catalogue.subsampled({ T: 5, every: 2, ...look })),
      right(Catalogue.subsampled({ T: 5, inclusion, ...look }))
    ]
    const [even, found] = right(await Variance.compare(problem, estimators, reference, draws(13), 24)())
    expect(found?.pullbacks).toBeCloseTo(even?.pullbacks ?? Number.NaN, 9)
    expect(even?.gradient.interval[0] ?? 0).toBeGreaterThan(found?.gradient.interval[1] ?? Infinity)
    expect(Est.unpaid(estimators[1] ?? scores).size).toBe(0)
  })
})
