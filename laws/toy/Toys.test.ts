import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { range } from '../../src/estimator/Cover.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as Key from '../../src/random/Key.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Toys from '../arbitrary/Toys.js'
import { only, terms, type Uncertain } from '../exact/Expectation.js'
import * as MC from '../law/MonteCarlo.js'
import * as P from '../exact/Propagation.js'
import * as Run from '../run/Run.js'
import type { Order } from '../Setting.js'
import * as V from '../Verdict.js'
import { closedForm, linearSetting } from './LinearGaussian.js'
import { multiplicativeSetting, polynomialSetting, sinSetting, type ScalarSetting } from './Polynomial.js'
import { quadraticReward, tanhChain } from './Tanh.js'

const gradientOf = (result: E.Either<string, Uncertain>): Uncertain => {
  if (E.isLeft(result)) throw new Error(result.left)
  return result.right
}

const agree = (law: string, expected: Uncertain, got: Uncertain): V.Verdict =>
  V.verdict(
    law,
    expected.value.map((x, i) => ({
      at: `component ${i}`,
      expected: x,
      got: got.value[i] ?? Number.NaN,
      tolerance: (expected.error[i] ?? 0) + (got.error[i] ?? 0),
      because: 'rounding and extrapolation'
    }))
  )

describe('linear-Gaussian chains', () => {
  it.each([
    [1, 1, 1],
    [1, 2, 3],
    [2, 1, 2],
    [2, 3, 2]
  ])('of dimension %i, %i parameters and %i steps: each term of the gradient has its closed form', (D, P_, length) =>
    Run.forAll(
      Toys.linearGaussian(D, P_, length),
      (numbers) => {
        const setting = linearSetting(numbers)
        const closed = closedForm(numbers)
        return V.all(
          'closed form',
          range(1, length).map((t) => {
            const value = closed.terms[t - 1] ?? []
            // the pull q - Q (mean - m) is a sum of at most 2 + 2 D numbers below 2^4, with fewer than 2^4 roundings each
            const error = value.map(() => (2 + 2 * D) * 2 ** (8 - 53))
            return agree(`step ${t}`, { value, error }, gradientOf(terms(setting, only([t]))))
          })
        )
      },
      { numRuns: 25 }
    )
  )
})

describe('scalar chains against density propagation', () => {
  const settings: ReadonlyArray<readonly [string, ScalarSetting, P.ScalarProcess, readonly [number, number]]> = [
    [
      'polynomial(1)',
      polynomialSetting(1, { alpha: 0.5, a: 0.25, b: -0.5, sigma: [0.5, 0.75, 1] }, [0, 1, -0.5, 0.25]),
      {
        sigma: [0.5, 0.75, 1],
        mean: (x, [a = 0, b = 0]) => 0.5 * x + a * x + b,
        reward: (x) => x - 0.5 * x ** 2 + 0.25 * x ** 3,
        grid: { from: -20, to: 20, spacing: 0.125 }
      },
      [0.25, -0.5]
    ],
    [
      'multiplicative',
      multiplicativeSetting({ a: 0.5, b: 0.0625, sigma: [0.5, 0.5] }, [0, 1, -0.5]),
      {
        sigma: [0.5, 0.5],
        mean: (x, [a = 0, b = 0]) => a * x * (1 + b * x),
        reward: (x) => x - 0.5 * x ** 2,
        grid: { from: -16, to: 16, spacing: 0.125 }
      },
      [0.5, 0.0625]
    ],
    [
      'sin',
      sinSetting({ alpha: 0.25, a: 0.25, b: 0.5, sigma: [0.5, 0.75] }, 1.5, 24),
      {
        sigma: [0.5, 0.75],
        mean: (x, [a = 0, b = 0]) => 0.25 * x + a * x + b,
        reward: (x) => Math.sin(1.5 * x),
        grid: { from: -16, to: 16, spacing: 0.125 }
      },
      [0.25, 0.5]
    ]
  ]

  it.each(settings)('%s: the terms of each step agree', (_, setting, process, theta) => {
    for (const t of range(1, setting.chain.T)) {
      const grid = P.gradient(process, theta, (s) => s === t, { step: 0.125, levels: 5 })
      const nodes = gradientOf(terms(setting, only([t])))
      // values on the grid reach 16^3, and are weighted by a normal density: 1e-11 of rounding in all
      Run.assert(agree(`step ${t}`, { ...grid, error: grid.error.map((e) => e + 1e-11) }, nodes))
    }
  })
})

describe('the tanh chain of ten steps', () => {
  const nodes: Order = { xT: 1, eps: () => 1, xi: () => 1 }
  const setting: ScalarSetting = {
    chain: tanhChain({ T: 10, alpha: 0.9, sigma: 0.3 }),
    reward: quadraticReward(2),
    params: { theta: T.vector([0.3, 0.1]) },
    condition: {},
    trained: () => true,
    order: nodes
  }

  it.each([
    ['full backpropagation', Catalogue.fullBackprop(10)],
    ['reinforce', Catalogue.reinforce(10)],
    ['segmented, h = 3', Catalogue.segmented({ T: 10, h: 3 })]
  ] as const)('%s has the exact gradient for its mean, by sampling', async (_, made) => {
    if (E.isLeft(made)) throw new Error('no cover')
    const { value } = P.gradient(
      {
        sigma: new Array<number>(10).fill(0.3),
        mean: (x, [a = 0, b = 0]) => 0.9 * x + a * Math.tanh(x) + b,
        reward: (x) => -((x - 2) ** 2),
        grid: { from: -9, to: 13, spacing: 0.1 }
      },
      [0.3, 0.1]
    )
    await Run.forAll(Toys.key, (key) => MC.unbiased(setting)({ estimator: made.right }, value, key)(), { numRuns: 1 })
  })

  it('truncated backpropagation does not', async () => {
    const made = Catalogue.truncatedBackprop({ T: 10, k: 1 })
    if (E.isLeft(made)) throw new Error('no cover')
    const verdict = await MC.unbiased(setting)({ estimator: made.right }, [-20.6457, 24.7331], Key.make(1))()
    expect(E.isLeft(verdict)).toBe(true)
  })
})
