import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import * as Toys from '../../../laws/arbitrary/Toys.js'
import { expectation, run, terms } from '../../../laws/exact/Expectation.js'
import { byComponent, type Draws, type Order, sample, type Setting } from '../../../laws/Setting.js'
import { closedForm, linearSetting } from '../../../laws/toy/LinearGaussian.js'
import { polynomialSetting, type ScalarSetting } from '../../../laws/toy/Polynomial.js'
import * as Catalogue from '../../../src/estimator/Catalogue.js'
import * as C from '../../../src/estimator/Cover.js'
import type { Estimator } from '../../../src/estimator/Estimator.js'
import * as Est from '../../../src/estimator/Estimator.js'
import * as Gradient from '../../../src/estimator/Gradient.js'
import * as Explain from '../../../src/estimator/reading/Explain.js'
import type { None, Params } from '../../../src/lens/Lens.js'
import * as Key from '../../../src/random/Key.js'
import { klTo } from '../../../src/reward/Kl.js'
import type { Batched } from '../../../src/tensor/Shape.js'
import * as T from '../../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

type Plain<P extends Params, S extends Batched> = Setting<P, S, Readonly<Record<never, never>>, None>

/** A setting with a price on leaving a reference. */
const anchored = <P extends Params, S extends Batched>(
  setting: Plain<P, S>,
  theta: ReadonlyArray<number>,
  beta: number
): Plain<P, S> => {
  const reference = { theta: T.vector(theta) }
  return { ...setting, reference, steps: [right(pipe(setting.chain, klTo(reference, { beta })))] }
}

const valuesOf = ({
  params
}: {
  readonly params: Setting<Params, Batched, None, None>['params']
}): ReadonlyArray<number> => Array.from(params['theta']?.data ?? [])

/** The estimate of each row, component by component. */
const rowsOf = async <P extends Params, S extends Batched>(
  setting: Plain<P, S>,
  estimator: Estimator,
  draws: Draws
): Promise<ReadonlyArray<number>> => {
  const { estimate } = right(await run(setting, { estimator }, estimator.covers[0].cover, draws)())
  return byComponent(setting, estimate.gradient).flat()
}

const off = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  const scale = Math.max(1e-12, ...b.map(Math.abs))
  return Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? Number.NaN)))) / scale
}

const matching = (length: number): Estimator => right(Catalogue.adjointMatching(length))
const backprop = (length: number): Estimator => right(Catalogue.fullBackprop(length))

describe('a cotangent that something else carries', () => {
  const length = 4
  const [alpha, beta] = [0.7, 0.3]
  const [a, b] = [0.4, -0.2]
  const [aRef, bRef] = [0.1, 0.3]
  const sigma = [0.5, 0.8, 0.6, 0.4]
  const plain = polynomialSetting(2, { alpha, a, b, sigma }, [0, 1, -0.5, 0.25])
  const setting = anchored(plain, [aRef, bRef], beta)

  /** What each row's estimate is, in plain numbers. */
  const formula = (draws: Draws, through: C.Carrier, shares: ReadonlyArray<number>): ReadonlyArray<number> => {
    const rows = Array.from({ length: draws.rows }, (_, n) => {
      const states: Array<number> = [draws.xT.data[n] ?? 0]
      for (let t = length; t >= 1; t--) {
        const [x = 0] = states
        states.unshift(
          alpha * x + a * x * x + b + (sigma[t - 1] ?? 0) * (draws.eps.data[(t - 1) * draws.rows + n] ?? 0)
        )
      }
      const [x0 = 0] = states
      let carried = (1 - x0 + 0.75 * x0 * x0) * (draws.weights[n] ?? 0)
      const total = [0, 0]
      for (let t = 1; t <= length; t++) {
        const x = states[t] ?? 0
        const shift = (a - aRef) * x * x + b - bRef
        const pulled = carried - ((draws.weights[n] ?? 0) * beta * shift) / (sigma[t - 1] ?? 1) ** 2
        total[0] = (total[0] ?? 0) + (shares[t - 1] ?? 0) * pulled * x * x
        total[1] = (total[1] ?? 0) + (shares[t - 1] ?? 0) * pulled
        carried *= { sampler: alpha, reference: alpha + 2 * aRef * x, identity: 1 }[through]
      }
      return total
    })
    return [0, 1].flatMap((i) => rows.map((row) => row[i] ?? 0))
  }

  it.each<[C.Carrier, C.Memory, ReadonlyArray<number> | undefined]>([
    ['sampler', 'store', undefined],
    ['sampler', 'recompute', [0, 1, 0, 1]],
    ['reference', 'store', [1, 0.5, 0, 2]],
    ['reference', 'recompute', undefined],
    ['identity', 'store', undefined],
    ['identity', 'recompute', [1, 0, 0, 0]]
  ])('through the %s, in memory %s, with shares %j', async (through, memory, shares) => {
    const cells = [C.firstOrder(length, { through, memory, ...(shares === undefined ? {} : { shares }) })]
    const estimator = Est.always('', right(C.portion(length, cells)))
    const draws = sample(setting, Key.make(3), 64)
    expect(off(await rowsOf(setting, estimator, draws), formula(draws, through, shares ?? [1, 1, 1, 1]))).toBeLessThan(
      1e-12
    )
  })

  it('pays for step 1 alone, and for nothing where a difference stands for the gradient', () => {
    const unpaid = (estimator: Estimator): ReadonlyArray<number> => [...Est.unpaid(estimator).keys()]
    expect(unpaid(matching(3))).toEqual([2, 3])
    expect(unpaid(right(Catalogue.drTune({ T: 4, count: 2 })))).toEqual([1, 2, 3, 4])
    expect(Est.paid(right(Catalogue.drTune({ T: 4, count: 2 })))).toEqual([0.5, 0, 0, 0])
    expect(unpaid(right(Catalogue.fdfo(2)))).toEqual([1, 2])
    // of one step there is nothing to carry over
    expect(matching(1)._tag).toBe('exact')
    expect(right(Catalogue.fdfo(1))._tag).toBe('partial')
    expect(Explain.explain(matching(3)).text).toContain('plus what stands in the place of steps 2..3')
    expect(Explain.explain(right(Catalogue.fdfo(2))).latex).toContain(
      'D \\frac{\\Delta R \\, \\Delta x}{|\\Delta x|^2}'
    )
    expect(Explain.explain(right(Catalogue.drTune({ T: 4 }))).text).toContain(
      'FO(1..4; through the sampler) = sum over t <= 4 of D mu_t^T (product over s < t of (D_x mu_s, the network held)^T) grad R(x_0)'
    )
  })

  it('costs a rollout more for a difference', () => {
    expect(Explain.explain(right(Catalogue.fdfo(4))).text).toContain(
      '2 rollouts, 12 network evaluations, 4 steps pulled'
    )
  })

  it('wants what it is carried through', () => {
    const problem = (estimator: Estimator, more = {}): E.Either<string, unknown> =>
      pipe(
        Gradient.check({ ...Gradient.problem(plain.chain, plain.reward, 2)(estimator), ...more }),
        E.mapLeft(Gradient.showError)
      )
    expect(problem(matching(length))).toEqual(
      E.left(
        'FO(1..4; through the reference) pulls back through a reference, which the problem does not have; give it the values of its parameters there'
      )
    )
    expect(problem(matching(length), { reference: plain.params })).toEqual(E.right(expect.anything()))
    const { held: _, ...deaf } = plain.chain
    expect(problem(right(Catalogue.drTune({ T: length })), { chain: deaf })).toEqual(
      E.left(
        "polynomial(2) does not say what its mean is with the network's input held, through which FO(1..4; through the sampler) pulls back; give the chain a 'held'"
      )
    )
    const still = { ...plain.chain, sigma: [0, 0, 0, 0, 0] }
    expect(problem(right(Catalogue.fdfo(length)), { chain: still })).toEqual(
      E.left(
        'no step of polynomial(2) has noise, so FO(1..4; of a difference; through the identity) has no two outputs to take a difference of; give some step noise'
      )
    )
    expect(Catalogue.drTune({ T: 4, count: 3 })).toEqual(
      E.left({ _tag: 'BadOption', option: 'count', expected: 'a number that divides T = 4', got: '3' })
    )
  })
})

describe('adjoint matching', () => {
  it('is, at the reference, the gradient of the objective with its divergence, sample by sample', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 6 }).chain((length) => fc.tuple(Toys.scalar(length), Toys.key)),
        async ([toy, key]) => {
          const { T: length } = toy.chain
          const setting = anchored(toy, valuesOf(toy), 0.5)
          const draws = sample(setting, key, 8)
          const [one, other] = [matching(length), backprop(length)]
          expect(off(await rowsOf(setting, one, draws), await rowsOf(setting, other, draws))).toBeLessThan(1e-12)
        }
      ),
      { numRuns: 50 }
    ))

  it('is so everywhere where the control is added to the state', () =>
    fc.assert(
      fc.asyncProperty(Toys.linearGaussian(2, 2, 4), Toys.key, async (numbers, key) => {
        const setting = anchored(linearSetting(numbers), [1, -1], 0.5)
        const draws = sample(setting, key, 8)
        expect(off(await rowsOf(setting, matching(4), draws), await rowsOf(setting, backprop(4), draws))).toBeLessThan(
          1e-9
        )
      }),
      { numRuns: 20 }
    ))

  it('differs elsewhere, in proportion to a small way from the reference', async () => {
    const gap = async (way: number): Promise<number> => {
      const toy = polynomialSetting(1, { alpha: 0.5, a: 0.2 + way, b: 0.1, sigma: [0.5, 0.5, 0.5] }, [0, 1, -1])
      const setting = anchored(toy, [0.2, 0.1], 0.5)
      const [one, other] = [matching(3), backprop(3)].map(async (estimator) =>
        right(await expectation(setting, { estimator }, estimator.covers[0].cover)())
      )
      const [found, exact] = [await one, await other]
      return Math.hypot(...(found?.value ?? []).map((x, i) => x - (exact?.value[i] ?? Number.NaN)))
    }
    const [far, near] = [await gap(0.02), await gap(0.01)]
    expect(await gap(0)).toBeLessThan(1e-12)
    expect(near).toBeGreaterThan(1e-3)
    // what is of the second order adds a few parts in a hundred
    expect(far / near).toBeGreaterThan(1.9)
    expect(far / near).toBeLessThan(2.2)
  })
})

describe('a difference of outputs', () => {
  const scalar = (alpha: number, a: number): ScalarSetting =>
    polynomialSetting(1, { alpha, a, b: 0.3, sigma: [0.5, 0.7, 0.6] }, [0, 1, -1])
  /** No node of an even rule is 0, where there is no difference. */
  const order: Order = { xT: 4, eps: () => 4, xi: () => 1 }

  it('pays for each step with the identity for the Jacobian: on a linear chain by 1 / rate^(t - 1)', async () => {
    const rate = 0.75
    const setting = scalar(0.5, 0.25)
    const estimator = right(Catalogue.fdfo(3))
    const found = right(await expectation(setting, { estimator }, estimator.covers[0].cover, order)())
    const shares = (t: number): number => 1 / rate ** (t - 1)
    const predicted = right(terms(setting, shares))
    // of the shift, whose derivative does not depend on the noise
    expect(Math.abs((found.value[1] ?? 0) - (predicted.value[1] ?? 0))).toBeLessThan(1e-9)
    const exact = right(terms(setting, () => 1))
    expect(Math.abs((found.value[1] ?? 0) - (exact.value[1] ?? 0))).toBeGreaterThan(0.1)
  })

  it('has no bias for a shift where steps only add', async () => {
    const setting = scalar(0.5, 0.5)
    const estimator = right(Catalogue.fdfo(3))
    const found = right(await expectation(setting, { estimator }, estimator.covers[0].cover, order)())
    const exact = right(terms(setting, () => 1))
    expect(Math.abs((found.value[1] ?? 0) - (exact.value[1] ?? 0))).toBeLessThan(1e-9)
  })

  it('is the gradient in several dimensions, once the directions are alike', async () => {
    const numbers = {
      A: [
        [1, 0],
        [0, 1]
      ],
      B: [
        [1, 0.5],
        [-0.25, 2]
      ],
      c: [0.1, -0.2],
      sigma: [0.5],
      theta: [0.3, -0.7],
      m: [1, 2],
      Q: [
        [2, 0.5],
        [0.5, 1]
      ],
      q: [0.25, -1]
    }
    const setting = linearSetting(numbers)
    // the direction's degree in its angle is 2: five equally spaced ones are exact
    const rows = 5
    const angle = (n: number): number => 0.2 + (2 * Math.PI * n) / rows
    const draws: Draws = {
      rows,
      xT: T.fill([rows, 2], 0),
      eps: T.tabulate([1, rows, 2], (i) => 1.3 * (i % 2 === 0 ? Math.cos : Math.sin)(angle(Math.floor(i / 2)))),
      xi: {},
      weights: new Array<number>(rows).fill(1 / rows)
    }
    const found = await rowsOf(setting, right(Catalogue.fdfo(1)), draws)
    const total = [0, 1].map((i) => found.slice(i * rows, (i + 1) * rows).reduce((x, y) => x + y, 0))
    expect(off(total, closedForm(numbers).gradient)).toBeLessThan(1e-12)
  })

  it('does without the gradient of the reward', async () => {
    const setting = scalar(0.5, 0.25)
    const estimator = right(Catalogue.fdfo(3))
    const draws = sample(setting, Key.make(5), 16)
    const blackBox = {
      _tag: 'BlackBox' as const,
      name: 'square',
      evaluate: (x0: T.Tensor) => async () => E.right(Array.from(x0.data, (x: number) => x - x * x))
    }
    const cover = estimator.covers[0].cover
    const [one, other] = [
      right(await run(setting, { estimator, blackBox }, cover, draws)()),
      right(await run(setting, { estimator }, cover, draws)())
    ]
    expect(
      off(byComponent(setting, one.estimate.gradient).flat(), byComponent(setting, other.estimate.gradient).flat())
    ).toBeLessThan(1e-12)
  })
})
