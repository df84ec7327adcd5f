import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { product } from '../../laws/exact/Quadrature.js'
import { polynomialReward } from '../../laws/toy/Polynomial.js'
import { type Chain, lookup } from '../../src/chain/Chain.js'
import { normal } from '../../src/chain/Noise.js'
import { fullBackprop } from '../../src/estimator/catalogue/FullBackprop.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import * as L from '../../src/lens/Lens.js'
import { klTo } from '../../src/reward/Kl.js'
import * as X from '../../src/tensor/Expr.js'
import type { Values } from '../../src/tensor/Program.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'

const right = <A, B>(result: E.Either<A, B>): B => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

// -------------------------------------------------------------------------------------
// a linear chain whose steps have parameters of their own
// -------------------------------------------------------------------------------------

const state = ['batch', 1] as const
const sigma = [0, 0.6, 0.8]
const steps = [1, 2] as const

/** A step's gain and shift. */
type Own = { readonly a: X.Scalar; readonly b: X.Scalar }
type Theta = { readonly [step: string]: Own }
type Nothing = Readonly<Record<never, never>>

const parameters: L.Parameters = Object.fromEntries(
  steps.map((t) => [`of${t}`, { a: L.parameter([]), b: L.parameter([]) }])
)

/** `x_{t-1} = a_t x_t + b_t + sigma_t eps_t`. */
const chain: Chain<Theta, typeof state, Nothing> = {
  name: 'linear, each step its own',
  T: 2,
  state,
  condition: {},
  parameters,
  sigma,
  noise: normal,
  networkCalls: 1,
  mean: (t) =>
    L.make(parameters, (p: Theta, { x, c }: { readonly x: X.Expr<typeof state>; readonly c: Nothing }) => {
      const here = (step: number): X.Scalar => lookup([0, ...steps.map((s) => (s === step ? 1 : 0))], t)
      const chosen = (which: keyof Own): X.Scalar =>
        steps
          .map((step) => X.mul(here(step), p[`of${step}`]?.[which] ?? X.scalar(0)))
          .reduce((sum, one) => X.add(sum, one))
      const spread = (one: X.Scalar): X.Expr<typeof state> => X.broadcastTo(X.reshape(one, [1, 1]), state)
      const total = (rows: X.Expr<typeof state>): X.Scalar => X.reshape(X.sum(rows, [0, 1]), [])
      return [
        X.add(X.mul(x, spread(chosen('a'))), spread(chosen('b'))),
        (bar: X.Expr<typeof state>) => [
          Object.fromEntries(
            steps.map((step) => [
              `of${step}`,
              { a: X.mul(here(step), total(X.mul(bar, x))), b: X.mul(here(step), total(bar)) }
            ])
          ),
          { x: X.mul(bar, spread(chosen('a'))), c }
        ]
      ] as const
    })
}

// -------------------------------------------------------------------------------------
// the optimum
// -------------------------------------------------------------------------------------

const beta = 0.7
const weight = 1.3
const goal = 2
const base = { a: [0, 0.9, 0.7], b: [0, 0.1, -0.2] }

/**
 * The means of the reference tilted by `exp(R / beta)`, from the output up: the product of two normals, and what is left of it as
 * a function of the state above.
 */
const tilted = (): ReadonlyArray<readonly [number, number]> => {
  let [centre, variance] = [goal, beta / (2 * weight)]
  return steps.map((t) => {
    const [a = 0, b = 0, s = 0] = [base.a[t], base.b[t], sigma[t]]
    const share = 1 / s ** 2 / (1 / s ** 2 + 1 / variance)
    const found = [share * a, share * b + (1 - share) * centre] as const
    ;[centre, variance] = [(centre - b) / a, (variance + s ** 2) / a ** 2]
    return found
  })
}

const values = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): Values =>
  Object.fromEntries(
    steps.flatMap((t) => [
      [`of${t}.a`, T.scalar(a[t] ?? 0)],
      [`of${t}.b`, T.scalar(b[t] ?? 0)]
    ])
  )

/** Ascends the objective, integrated exactly, until nothing is left to gain. */
const ascended = async (price: number): Promise<ReadonlyArray<readonly [number, number]>> => {
  // the return has degree 2 in each of the three normals, and its gradient one more
  const { points, weights } = product([2, 2, 2])
  const kl = right(klTo(values(base.a, base.b), { beta: price })(chain))
  const posed = Gradient.problem(
    chain,
    polynomialReward([-weight * goal ** 2, 2 * weight * goal, -weight]),
    points.length,
    {
      advantage: Advantage.none,
      steps: [kl]
    }
  )
  const gradients = right(Gradient.compile(posed(right(fullBackprop(2))), reference))
  const column = (i: number): ReadonlyArray<number> => points.map((point) => point[i] ?? 0)
  const noise = {
    xT: { shape: [points.length, 1], data: Float64Array.from(column(0)) },
    eps: { shape: [2, points.length, 1], data: Float64Array.from([...column(1), ...column(2)]) }
  }
  const [{ cover }] = right(fullBackprop(2)).covers
  let params = values(base.a, base.b)
  let momentum: Readonly<Record<string, number>> = {}
  for (let i = 0; i < 150; i++) {
    const asked = { cover, params, condition: {}, ...noise, xi: {}, weights, advantageState: 0 }
    const { gradient } = right(await gradients.run(asked)())
    momentum = Object.fromEntries(
      Object.entries(gradient).map(([path, { data }]) => [path, 0.8 * (momentum[path] ?? 0) + 0.05 * (data[0] ?? 0)])
    )
    params = Object.fromEntries(
      Object.entries(params).map(([path, { data }]) => [path, T.scalar((data[0] ?? 0) + (momentum[path] ?? 0))])
    )
  }
  return steps.map((t) => [params[`of${t}.a`]?.data[0] ?? NaN, params[`of${t}.b`]?.data[0] ?? NaN] as const)
}

const furthest = (a: ReadonlyArray<readonly [number, number]>, b: ReadonlyArray<readonly [number, number]>): number =>
  Math.max(...a.flatMap(([x, y], i) => [Math.abs(x - (b[i]?.[0] ?? NaN)), Math.abs(y - (b[i]?.[1] ?? NaN))]))

describe('the optimum of reward less price on a linear-Gaussian chain, each step with parameters of its own', () => {
  it('has the means of the reference tilted by exp(R / beta)', async () => {
    expect(furthest(await ascended(beta), tilted())).toBeLessThan(1e-3)
  })

  it('is another for another price', async () => {
    expect(furthest(await ascended(2 * beta), tilted())).toBeGreaterThan(0.05)
  })
})
