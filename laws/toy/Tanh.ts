/**
 * A scalar chain with a nonlinear drift, small enough for exact expectations by quadrature.
 *
 *     x_{t-1} = alpha x_t + a tanh(x_t) + b + sigma eps_t,    R(x) = -(x - m)^2,    theta = (a, b)
 *
 * The parameters have a batch axis, so that every row carries its own copy, perturbation and gradient.
 *
 * @since 0.1.0
 */
import type { Chain } from '../../src/chain/Chain.js'
import { normal } from '../../src/chain/Noise.js'
import * as L from '../../src/lens/Lens.js'
import * as Reward from '../../src/reward/Reward.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import type { Exprs } from '../../src/tensor/Tree.js'

/**
 * A batch of numbers.
 *
 * @category model
 * @since 0.1.0
 */
export type Numbers = Expr<readonly ['batch', 1]>

/**
 * The parameters: a row `(a, b)` for each sample.
 *
 * @category model
 * @since 0.1.0
 */
export type Theta = { readonly theta: Expr<readonly ['batch', 2]> }

/**
 * A chain of numbers with two parameters and no conditioning.
 *
 * @category model
 * @since 0.1.0
 */
export type ScalarChain = Chain<Theta, readonly ['batch', 1], Readonly<Record<never, never>>>

const state = ['batch', 1] as const

/**
 * A chain of numbers whose drift is `alpha x + a f(x) + b`, with `f` and its derivative given; what the parameters are of stands for
 * the network. `sigma` is one number for
 * every step, or the numbers of the steps `1..T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scalarChain = (
  name: string,
  options: { readonly T: number; readonly alpha: number; readonly sigma: number | ReadonlyArray<number> },
  f: (x: Numbers) => Numbers,
  derivative: (x: Numbers) => Numbers
): ScalarChain => {
  const { T, alpha, sigma } = options
  const parameters = { theta: L.parameter(['batch', 2]) }
  type At = { readonly x: Numbers; readonly c: Readonly<Record<never, never>> }
  /** The mean, whose network sends back `slope` times a cotangent to the state. */
  const mean = (slope: (a: Numbers, x: Numbers) => Numbers): L.Lens<Theta, At, Numbers> =>
    L.make(parameters, ({ theta }, { x, c }) => {
      const a = X.slice(theta, 1, 0, 1)
      const b = X.slice(theta, 1, 1, 1)
      const fx = f(x)
      return [
        X.add(X.add(X.scale(x, alpha), X.mul(a, fx)), b),
        (bar) => [
          { theta: X.retype(X.concat<readonly ['batch', 1], 1>([X.mul(bar, fx), bar], 1), ['batch', 2]) },
          // an empty condition is its own cotangent
          { x: X.mul(bar, X.add(slope(a, x), X.scalar(alpha))), c }
        ]
      ]
    })
  return {
    name,
    T,
    state,
    condition: {},
    parameters,
    sigma: [0, ...(typeof sigma === 'number' ? new Array<number>(T).fill(sigma) : sigma)],
    noise: normal,
    networkCalls: 1,
    mean: () => mean((a, x) => X.mul(a, derivative(x))),
    held: () => mean((_, x) => X.zeros(x.shape))
  }
}

/**
 * The tanh chain.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tanhChain = (options: {
  readonly T: number
  readonly alpha: number
  readonly sigma: number | ReadonlyArray<number>
}): ScalarChain =>
  scalarChain('tanh', options, X.tanh, (x) => {
    const y = X.tanh(x)
    return X.sub(X.broadcastTo(X.scalar(1), state), X.mul(y, y))
  })

/**
 * The reward `-(x - m)^2`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const quadraticReward = (m: number): Reward.Differentiable<L.None, readonly ['batch', 1], Exprs> =>
  Reward.differentiable<L.None, readonly ['batch', 1]>(
    'quadratic',
    L.pure((x) => {
      const difference = X.sub(x, X.scalar(m))
      return [
        X.reshape(X.neg(X.mul(difference, difference)), ['batch']),
        (bar) => X.scale(X.mul(X.reshape(bar, state), difference), -2)
      ]
    })
  )
