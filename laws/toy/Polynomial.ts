/**
 * Scalar chains and rewards that are polynomials, so that Gauss-Hermite rules integrate every estimate exactly, and one
 * reward that is not.
 *
 *     x_{t-1} = alpha x_t + a x_t^p + b + sigma_t eps_t            theta = (a, b)
 *     x_{t-1} = a x_t (1 + b x_t) + sigma_t eps_t                  theta = (a, b), the multiplicative one
 *
 * @since 0.1.0
 */
import { normal } from '../../src/chain/Noise.js'
import * as L from '../../src/lens/Lens.js'
import * as Reward from '../../src/reward/Reward.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import type { Setting } from '../Setting.js'
import { estimates, objective, scheme, type Degrees, type StepDegree } from './Degree.js'
import { scalarChain, type Numbers, type ScalarChain, type Theta } from './Tanh.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A chain of numbers without conditioning, as a setting.
 *
 * @category model
 * @since 0.1.0
 */
export type ScalarSetting = Setting<Theta, readonly ['batch', 1], Readonly<Record<never, never>>, L.None>

/**
 * A differentiable reward of a number.
 *
 * @category model
 * @since 0.1.0
 */
export type ScalarReward = Reward.Differentiable<L.None, readonly ['batch', 1], Exprs>

/**
 * Numbers of a scalar setting: the drift's `alpha`, the parameters, and sigma of steps `1..T`, which also tells `T`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Coefficients {
  readonly alpha: number
  readonly a: number
  readonly b: number
  readonly sigma: ReadonlyArray<number>
}

const state = ['batch', 1] as const

// -------------------------------------------------------------------------------------
// chains
// -------------------------------------------------------------------------------------

const power = (x: Numbers, p: number): Numbers =>
  Array.from({ length: p }, () => x).reduce<Numbers>((product, factor) => X.mul(product, factor), X.fill(state, 1))

/**
 * The chain with drift `alpha x + a x^p + b`.
 *
 * @category chains
 * @since 0.1.0
 */
export const polynomialChain = (
  p: number,
  options: { readonly T: number; readonly alpha: number; readonly sigma: number | ReadonlyArray<number> }
): ScalarChain =>
  scalarChain(
    `polynomial(${p})`,
    options,
    (x) => power(x, p),
    (x) => (p === 0 ? X.zeros(state) : X.scale(power(x, p - 1), p))
  )

/**
 * The chain with drift `a x (1 + b x)`: bilinear in the parameters, so the copies of different steps interact.
 *
 * @category chains
 * @since 0.1.0
 */
export const multiplicativeChain = (sigma: ReadonlyArray<number>): ScalarChain => {
  const parameters = { theta: L.parameter(['batch', 2]) }
  return {
    name: 'multiplicative',
    T: sigma.length,
    state,
    condition: {},
    parameters,
    sigma: [0, ...sigma],
    noise: normal,
    networkCalls: 1,
    mean: () =>
      L.make<Theta, { readonly x: Numbers; readonly c: Readonly<Record<never, never>> }, Numbers>(
        parameters,
        ({ theta }, { x, c }) => {
          const a = X.slice(theta, 1, 0, 1)
          const b = X.slice(theta, 1, 1, 1)
          const factor = X.add(X.mul(b, x), X.scalar(1))
          const inner = X.mul(x, factor)
          return [
            X.mul(a, inner),
            (bar) => {
              const bBar = X.mul(X.mul(bar, a), X.mul(x, x))
              const slope = X.add(X.scale(X.mul(b, x), 2), X.scalar(1))
              return [
                { theta: X.retype(X.concat<readonly ['batch', 1], 1>([X.mul(bar, inner), bBar], 1), ['batch', 2]) },
                { x: X.mul(X.mul(bar, a), slope), c }
              ]
            }
          ]
        }
      )
  }
}

// -------------------------------------------------------------------------------------
// rewards
// -------------------------------------------------------------------------------------

/**
 * The reward `c_0 + c_1 x + c_2 x^2 + ...`.
 *
 * @category rewards
 * @since 0.1.0
 */
export const polynomialReward = (coefficients: ReadonlyArray<number>): ScalarReward => {
  const horner = (x: Numbers, c: ReadonlyArray<number>): Numbers =>
    [...c].reverse().reduce<Numbers>((value, k) => X.add(X.mul(value, x), X.scalar(k)), X.zeros(state))
  const slopes = coefficients.map((k, i) => k * i).slice(1)
  return Reward.differentiable<L.None, readonly ['batch', 1]>(
    `polynomial(${coefficients.join(', ')})`,
    L.pure((x) => [
      X.reshape(horner(x, coefficients), ['batch']),
      (bar) => X.mul(X.reshape(bar, state), horner(x, slopes))
    ])
  )
}

/**
 * The reward `sin(frequency x)`: not a polynomial, and as rough as one likes.
 *
 * @category rewards
 * @since 0.1.0
 */
export const sinReward = (frequency: number): ScalarReward =>
  Reward.differentiable<L.None, readonly ['batch', 1]>(
    `sin(${frequency} x)`,
    L.pure((x) => {
      const phase = X.scale(x, frequency)
      return [
        X.reshape(X.sin(phase), ['batch']),
        (bar) => X.scale(X.mul(X.reshape(bar, state), X.cos(phase)), frequency)
      ]
    })
  )

// -------------------------------------------------------------------------------------
// settings
// -------------------------------------------------------------------------------------

const setting = (
  chain: ScalarChain,
  reward: ScalarReward,
  { a, b }: { readonly a: number; readonly b: number },
  step: StepDegree,
  degree: number
): ScalarSetting => {
  const degrees: Degrees = { T: chain.T, parameters: 2, step, reward: degree }
  return {
    chain,
    reward,
    params: { theta: T.vector([a, b]) },
    condition: {},
    trained: () => true,
    order: estimates(degrees),
    objective: objective(degrees),
    scheme: scheme(degrees)
  }
}

/**
 * A polynomial chain with a polynomial reward, integrated exactly.
 *
 * @category settings
 * @since 0.1.0
 */
export const polynomialSetting = (
  p: number,
  { alpha, a, b, sigma }: Coefficients,
  reward: ReadonlyArray<number>
): ScalarSetting =>
  setting(
    polynomialChain(p, { T: sigma.length, alpha, sigma }),
    polynomialReward(reward),
    { a, b },
    (x, [da = 0, db = 0]) => Math.max(x, da + p * x, db),
    reward.length - 1
  )

/**
 * The multiplicative chain with a polynomial reward, integrated exactly.
 *
 * @category settings
 * @since 0.1.0
 */
export const multiplicativeSetting = (
  { a, b, sigma }: Omit<Coefficients, 'alpha'>,
  reward: ReadonlyArray<number>
): ScalarSetting =>
  setting(
    multiplicativeChain(sigma),
    polynomialReward(reward),
    { a, b },
    (x, [da = 0, db = 0]) => Math.max(da + x, da + db + 2 * x),
    reward.length - 1
  )

/**
 * The linear chain `alpha x + a x + b` with a sine reward. No rule is exact: `nodes` an axis, and 8 more to tell the
 * truncation, which falls faster than geometrically since the integrand is entire.
 *
 * @category settings
 * @since 0.1.0
 */
export const sinSetting = ({ alpha, a, b, sigma }: Coefficients, frequency: number, nodes: number): ScalarSetting => ({
  chain: polynomialChain(1, { T: sigma.length, alpha, sigma }),
  reward: sinReward(frequency),
  params: { theta: T.vector([a, b]) },
  condition: {},
  trained: () => true,
  order: { xT: nodes, eps: () => nodes, xi: () => nodes },
  refined: { xT: nodes + 8, eps: () => nodes + 8, xi: () => nodes + 8 }
})
