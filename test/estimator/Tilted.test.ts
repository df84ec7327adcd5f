import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { nodes, rowParams } from '../../laws/Setting.js'
import { quadraticReward, type Numbers } from '../../laws/toy/Tanh.js'
import { lookup } from '../../src/chain/Chain.js'
import { normal } from '../../src/chain/Noise.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as C from '../../src/estimator/Cover.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import * as Est from '../../src/estimator/Estimator.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as StateValue from '../../src/estimator/StateValue.js'
import * as L from '../../src/lens/Lens.js'
import { klTo } from '../../src/reward/Kl.js'
import { reference } from '../../src/tensor/Target.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

// x_{t-1} = gain_t x_t + offset_t + sigma_t eps_t, with a gain and an offset of its own for each step
const length = 3
const sigma = [0, 0.5, 0.4, 0.6]
const [A, c] = [0.8, 0.1]
const beta = 0.5
const centre = 2

const steps = Array.from({ length }, (_, i) => i + 1)
const base = steps.flatMap(() => [A, c])

/** 1 at one step and 0 at the others. */
const at = (t: X.Scalar, s: number): X.Scalar =>
  lookup(
    sigma.map((_, i) => (i === s ? 1 : 0)),
    t
  )

type Theta = { readonly theta: X.Expr<readonly ['batch', number]> }

const parameters = { theta: L.parameter(['batch', 2 * length]) }

const chain = {
  name: 'gains and offsets',
  T: length,
  state: ['batch', 1] as const,
  condition: {},
  parameters,
  sigma,
  noise: normal,
  networkCalls: 1,
  mean: (t: X.Scalar) =>
    L.make<Theta, { readonly x: Numbers; readonly c: Readonly<Record<never, never>> }, Numbers>(
      parameters,
      ({ theta }, { x, c: none }) => {
        const own = (part: number): Numbers =>
          steps.map((s) => X.mul(X.slice(theta, 1, 2 * (s - 1) + part, 1), at(t, s))).reduce((a, b) => X.add(a, b))
        const gain = own(0)
        return [
          X.add(X.mul(gain, x), own(1)),
          (bar) => [
            {
              theta: X.retype(
                X.concat<readonly ['batch', 1], 1>(
                  steps.flatMap((s) => [X.mul(X.mul(bar, x), at(t, s)), X.mul(bar, at(t, s))]),
                  1
                ),
                ['batch', 2 * length]
              )
            },
            { x: X.mul(bar, gain), c: none }
          ]
        ]
      }
    )
}

/**
 * The means of the reference tilted by `exp(R / beta)`, step by step. The value below a step is `-P / 2 (x - y)^2`: a step
 * tilted by it has the mean where `-P / 2 (mean - y)^2 - beta (mean - A x - c)^2 / (2 sigma^2)` is the largest, which is
 * linear in `x`, and the value above is of the same form. For this `R`, `P = 2`.
 */
const tilted = ((): ReadonlyArray<number> => {
  let [P, y] = [2, centre]
  return steps.flatMap((t) => {
    const price = beta / (sigma[t] ?? 1) ** 2
    const share = price / (P + price)
    const mean = [share * A, share * c + (1 - share) * y]
    ;[P, y] = [((P * price) / (P + price)) * A * A, (y - c) / A]
    return mean
  })
})()

const distance = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  Math.hypot(...a.map((x, i) => x - (b[i] ?? Number.NaN)))

/** Gradient ascent on exact expectations: two nodes for each noise are exact: estimates have degree 3 in each. */
const ascend = async (estimator: Estimator, options: { readonly beta: number }): Promise<ReadonlyArray<number>> => {
  const even = { xT: 2, eps: () => 2, xi: () => 2 }
  const [draws] = right(nodes({ chain, trained: () => true, order: even }, even))
  if (draws === undefined) throw new Error('no nodes')
  const penalty = right(pipe(chain, klTo({ theta: T.vector(base) }, options)))
  const problem = Gradient.problem(chain, quadraticReward(centre), draws.rows, {
    advantage: Advantage.none,
    steps: [penalty],
    reference: { theta: T.vector(base) }
  })(estimator)
  const { run } = right(Gradient.compile(problem, reference))
  let theta: ReadonlyArray<number> = base
  for (let i = 0; i < 200; i++) {
    const estimate = right(
      await run({
        cover: estimator.covers[0].cover,
        params: rowParams(parameters, { theta: T.vector(theta) }, draws.rows),
        condition: {},
        ...draws,
        advantageState: 0
      })()
    )
    const gradient = estimate.gradient['theta']?.data ?? []
    theta = theta.map((x, k) => {
      const slope = Array.from(gradient).reduce((sum, g, j) => sum + (j % (2 * length) === k ? g : 0), 0)
      return x + 0.15 * slope
    })
  }
  return theta
}

describe('the optimum with a price on leaving the reference', () => {
  it.each<[string, () => E.Either<unknown, Estimator>]>([
    ['full backpropagation', () => Catalogue.fullBackprop(length)],
    ['scores', () => Catalogue.reinforce(length)],
    [
      'scores with a baseline of the state',
      () => Catalogue.reinforce(length, { baseline: StateValue.polynomial([-1, 2, -1]) })
    ],
    ["scores with Stein's control", () => Catalogue.reinforce(length, { control: StateValue.polynomial([-1, 2, -1]) })],
    ['segments of two steps', () => Catalogue.segmented({ T: length, h: 2 })],
    ['adjoint matching, which is biased elsewhere', () => Catalogue.adjointMatching(length)]
  ])('is the reference tilted by the reward, by %s', async (_, make) => {
    const found = await ascend(right(make()), { beta })
    expect(distance(found, tilted)).toBeLessThan(1e-3)
    // which is far from where it starts
    expect(distance(base, tilted)).toBeGreaterThan(1)
  })

  it('is not reached where nothing, or the reward alone, is carried by another chain', async () => {
    const found = await ascend(right(Est.fromCells('', length, [C.firstOrder(length, { through: 'identity' })])), {
      beta
    })
    expect(distance(found, tilted)).toBeGreaterThan(1e-2)
  })

  it('is not reached with another price', async () => {
    const found = await ascend(right(Catalogue.fullBackprop(length)), { beta: 1.02 * beta })
    expect(distance(found, tilted)).toBeGreaterThan(1e-3)
  })
})
