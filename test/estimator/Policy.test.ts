import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Toys from '../../laws/arbitrary/Toys.js'
import { product } from '../../laws/exact/Quadrature.js'
import { closedForm, linearChain, type LinearGaussian, quadraticReward } from '../../laws/toy/LinearGaussian.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import { mixGrpo } from '../../src/estimator/catalogue/MixGrpo.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as Surrogate from '../../src/estimator/policy/Surrogate.js'
import * as Kl from '../../src/reward/Kl.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

type Vector = ReadonlyArray<number>

/** A chain, the step that is scored, and how far the parameters have moved since samples were drawn. */
interface Case {
  readonly numbers: LinearGaussian
  readonly t: number
  readonly by: Vector
}

const cases = (D: number, steps: number): fc.Arbitrary<Case> =>
  fc.record({
    numbers: Toys.linearGaussian(D, D, steps),
    t: fc.integer({ min: 1, max: steps }),
    // a mean that moves by less than half a deviation: fourteen nodes integrate the ratio to the last bits
    by: fc.array(
      Toys.number().map((n) => n / (8 * D)),
      { minLength: D, maxLength: D }
    )
  })

const moved = ({ numbers: { theta }, by }: Case): Vector => theta.map((v, i) => v + (by[i] ?? 0))

/** The gradient in the copy of the parameters that step `t` uses, which have moved there and nowhere else. */
const term = ({ numbers, t, by }: Case): Vector => {
  // the mean is affine in the copies: that of step t moves it by A^(t-1) B by
  const times = (a: ReadonlyArray<Vector>, x: Vector): Vector =>
    a.map((row) => row.reduce((n, v, i) => n + v * (x[i] ?? 0), 0))
  let shift = times(numbers.B, by)
  for (let s = 1; s < t; s++) shift = times(numbers.A, shift)
  const target = numbers.m.map((v, i) => v - (shift[i] ?? 0))
  return closedForm({ ...numbers, m: target }).terms[t - 1] ?? []
}

/** The expectation of the surrogate's gradient of step `t`: exact, over all noises. */
const expected = async (
  one: Case,
  options: Partial<Surrogate.Reuse> = {},
  recorded: (one: Case) => Vector = ({ numbers: { theta } }) => theta
): Promise<Vector> => {
  const { numbers, t } = one
  const [D, steps] = [numbers.A.length, numbers.sigma.length]
  const each = (n: number): ReadonlyArray<number> => new Array<number>(D).fill(n)
  const { points, weights } = product([
    ...each(3),
    ...Array.from({ length: steps }, (_, s) => each(s + 1 === t ? 14 : 3)).flat()
  ])
  const rows = points.length
  const theta = (v: Vector): T.Tensor => T.tabulate([rows, v.length], (i) => v[i % v.length] ?? 0)
  const chain = linearChain(numbers)
  const problem = Gradient.problem(chain, quadraticReward(numbers), rows, { advantage: Advantage.constant(0.25) })(
    right(mixGrpo({ T: steps, scored: [t] }))
  )
  const asked: Gradient.Request = {
    cover: problem.estimator.covers[0].cover,
    params: { theta: theta(numbers.theta) },
    condition: {},
    xT: T.tabulate([rows, D], (i) => points[Math.floor(i / D)]?.[i % D] ?? 0),
    eps: T.tabulate(
      [steps, rows, D],
      (i) => points[Math.floor(i / D) % rows]?.[D + Math.floor(i / (rows * D)) * D + (i % D)] ?? 0
    ),
    xi: {},
    weights,
    advantageState: 0
  }
  const estimate = right(await right(Gradient.compile(problem, reference)).run({ ...asked, credit: false })())
  const reuse = { density: 'sum', clip: 0, form: 'ppo', dualClip: 0, ...options } as const
  const surrogate = right(Surrogate.compile(problem, reuse, rows, reference))
  const experience = right(await surrogate.record({ theta: theta(recorded(one)) }, asked, estimate)())
  const { gradient } = right(await surrogate.gradient({ theta: theta(moved(one)) }, experience)())
  const sums = new Array<number>(numbers.theta.length).fill(0)
  gradient['theta']?.data.forEach((g: number, i: number) => (sums[i % sums.length] = (sums[i % sums.length] ?? 0) + g))
  return sums
}

const apart = (a: Vector, b: Vector): number => Math.max(...a.map((v, i) => Math.abs(v - (b[i] ?? NaN))))

const still = (one: Case): Case => ({ ...one, by: one.by.map(() => 0) })

describe('samples of other parameters, weighed by the ratio of a step', () => {
  it('have the gradient of what that step now does, the others as they were', () =>
    fc.assert(
      fc.asyncProperty(cases(1, 2), async (one) => {
        expect(apart(await expected(one), term(one))).toBeLessThan(1e-9)
      }),
      { numRuns: 200 }
    ))

  it('so they have in two dimensions, and their mean density has half of it where nothing has moved', () =>
    fc.assert(
      fc.asyncProperty(cases(2, 1), async (one) => {
        expect(apart(await expected(one), term(one))).toBeLessThan(1e-9)
        const half = term(still(one)).map((v) => v / 2)
        expect(apart(await expected(still(one), { density: 'mean' }), half)).toBeLessThan(1e-9)
      }),
      { numRuns: 6 }
    ))

  const one: Case = {
    numbers: {
      A: [
        [0.5, 0.25],
        [-0.125, 0.75]
      ],
      B: [
        [1, 0.5],
        [0.25, -1]
      ],
      c: [0.125, 0.25],
      sigma: [0.5],
      theta: [0.25, -0.5],
      m: [1, -1],
      Q: [
        [1, 0.25],
        [0.25, 2]
      ],
      q: [0.5, 0.125]
    },
    t: 1,
    by: [0.0625, -0.125]
  }

  it.each([
    ['the mean for the sum in the density', { density: 'mean' } as const, undefined],
    ['a clip that is called exact', { clip: 0.05 }, undefined],
    // recorded after the update: every ratio is 1, and every noise what it was
    ['a ratio that stays 1', {}, moved]
  ])('%s is refuted', async (name, options, recorded) => {
    expect(apart(await expected(one), term(one))).toBeLessThan(1e-9)
    expect([name, apart(await expected(one, options, recorded), term(one)) > 1e-2]).toEqual([name, true])
  })
})

describe('groups', () => {
  const own: Advantage.Advantage = {
    ...Advantage.perPrompt,
    name: 'own row in the baseline',
    // in groups of two
    apply: (rewards, state) => ({
      advantages: rewards.map((r, n) => r - (r + (rewards[n % 2 === 0 ? n + 1 : n - 1] ?? 0)) / 2),
      state
    })
  }

  /** The expectation over all pairs of independent samples, each pair a group. */
  const ofPairs = async (numbers: LinearGaussian, advantage: Advantage.Advantage): Promise<Vector> => {
    const { points, weights } = product([3, 3])
    const K = points.length
    const rows = 2 * K * K
    const sample = (row: number): number => (row % 2 === 0 ? Math.floor(row / 2 / K) : Math.floor(row / 2) % K)
    const problem = Gradient.problem(linearChain(numbers), quadraticReward(numbers), rows, { advantage })(
      right(mixGrpo({ T: 1, scored: [1] }))
    )
    const pair = Array.from({ length: rows }, (_, row) => Math.floor(row / 2))
    const estimate = right(
      await right(Gradient.compile(problem, reference)).run({
        cover: problem.estimator.covers[0].cover,
        params: { theta: T.tabulate([rows, 1], () => numbers.theta[0] ?? 0) },
        condition: {},
        xT: T.tabulate([rows, 1], (row) => points[sample(row)]?.[0] ?? 0),
        eps: T.tabulate([1, rows, 1], (row) => points[sample(row)]?.[1] ?? 0),
        xi: {},
        weights: pair.map((n) => ((weights[Math.floor(n / K)] ?? 0) * (weights[n % K] ?? 0)) / 2),
        advantageState: 0,
        groups: pair
      })()
    )
    return [Array.from(estimate.gradient['theta']?.data ?? []).reduce((a: number, b: number) => a + b, 0)]
  }

  it('whose samples are each other’s baseline leave the gradient as it is; with the own one in it, half of it', () =>
    fc.assert(
      fc.asyncProperty(Toys.linearGaussian(1, 1, 1), async (numbers) => {
        const { gradient } = closedForm(numbers)
        expect(apart(await ofPairs(numbers, Advantage.perPrompt), gradient)).toBeLessThan(1e-9)
        const half = gradient.map((v) => v / 2)
        expect(apart(await ofPairs(numbers, own), half)).toBeLessThan(1e-9)
      }),
      { numRuns: 200 }
    ))
})

describe('a penalty in parts', () => {
  it('is a loss, which is its own gradient, and a reward, which is its place in returns: together the objective', async () => {
    const numbers: LinearGaussian = {
      A: [[0.5]],
      B: [[0.75]],
      c: [0.25],
      sigma: [0.5, 0.75, 0.625],
      theta: [0.5],
      m: [1],
      Q: [[1]],
      q: [0.5]
    }
    const rows = 4
    const chain = linearChain(numbers)
    // the rows share the reference
    const one = right(Kl.klTo({ theta: T.vector([0.25]) }, { beta: 0.5 })(chain))
    const gradientOf = async (steps: ReadonlyArray<typeof one>): Promise<Vector> => {
      const problem = {
        ...Gradient.problem(chain, quadraticReward(numbers), rows, { advantage: Advantage.none })(
          right(mixGrpo({ T: 3, scored: [1, 2, 3] }))
        ),
        steps
      }
      const estimate = right(
        await right(Gradient.compile(problem, reference)).run({
          cover: problem.estimator.covers[0].cover,
          params: { theta: T.tabulate([rows, 1], () => 0.5) },
          condition: {},
          xT: T.tabulate([rows, 1], (row) => row - 1.5),
          eps: T.tabulate([3, rows, 1], (i) => ((i * 7) % 5) / 2 - 1),
          xi: {},
          weights: new Array<number>(rows).fill(1),
          advantageState: 0
        })()
      )
      expect(estimate.stepRewards.every((r) => (steps.length === 0 ? r === 0 : r < 0))).toBe(true)
      return Array.from(estimate.gradient['theta']?.data ?? [])
    }
    const [plain, loss, reward, objective] = [
      await gradientOf([]),
      await gradientOf([{ ...one, only: 'differentiated' }]),
      await gradientOf([{ ...one, only: 'scored' }]),
      await gradientOf([one])
    ]
    const sum = loss.map((v, i) => v + (reward[i] ?? 0) - (plain[i] ?? 0))
    expect(apart(sum, objective)).toBeLessThan(1e-12)
    // three steps of -beta B^2 (theta - reference) / sigma^2
    const own = [0.5, 0.75, 0.625].reduce((n, s) => n - (0.5 * 0.75 ** 2 * 0.25) / s ** 2, 0)
    expect(
      apart(
        loss.map((v, i) => v - (plain[i] ?? 0)),
        loss.map(() => own)
      )
    ).toBeLessThan(1e-12)
    expect(apart(reward, plain)).toBeGreaterThan(1e-3)
  })
})
