/**
 * Linear scalar chains with rewards on the way and values of their states, all polynomials, so that Gauss-Hermite rules integrate
 * every estimate exactly.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as L from '../../src/lens/Lens.js'
import { klTo } from '../../src/reward/Kl.js'
import type { StateLens } from '../../src/reward/StateLens.js'
import { ofState, type StepLens } from '../../src/reward/StepReward.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'
import { nodesFor } from '../exact/Quadrature.js'
import { polynomialChain, polynomialReward, type Coefficients, type ScalarSetting } from './Polynomial.js'
import type { Numbers, ScalarChain, Theta } from './Tanh.js'

/**
 * What is added to a linear chain with a quadratic reward: a process reward `p_1 x_t + p_2 x_t^2` at every step, a price `beta`
 * (0 for none) and the parameters `reference` of a penalty for leaving them, and a learned value `v_1 x_t + v_2 x_t^2`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Additions {
  readonly process: readonly [number, number]
  readonly beta: number
  readonly reference: readonly [number, number]
  readonly value: readonly [number, number]
}

const state = ['batch', 1] as const

/** `a x + b x^2` of a number, with its pullback. */
const quadratic = ([a, b]: readonly [number, number]): L.Lens<L.None, Numbers, X.Expr<readonly ['batch']>> =>
  L.pure((x) => [
    X.reshape(X.add(X.scale(x, a), X.scale(X.mul(x, x), b)), ['batch']),
    (bar) => X.mul(X.reshape(bar, state), X.add(X.scale(x, 2 * b), X.fill(state, a)))
  ])

/**
 * The name of the learned value of these settings.
 *
 * @category constants
 * @since 0.1.0
 */
export const valueName = 'critic'

/** The chain with its mean for a clean prediction: any function of the state would do. */
const withClean = (chain: ScalarChain): ScalarChain => ({ ...chain, clean: chain.mean })

/**
 * The setting of a linear chain and its additions.
 *
 * @category settings
 * @since 0.1.0
 */
export const alongSetting = (
  { alpha, a, b, sigma }: Coefficients,
  reward: readonly [number, number, number],
  { process, beta, reference, value }: Additions
): ScalarSetting => {
  const chain = withClean(polynomialChain(1, { T: sigma.length, alpha, sigma }))
  const theta = T.vector(reference)
  const kl: ReadonlyArray<StepLens<Theta, typeof state, Readonly<Record<never, never>>>> =
    beta === 0
      ? []
      : pipe(
          klTo({ theta }, { beta })(chain),
          // normal noise and a positive price have a penalty
          E.match(
            () => [],
            (one) => [one]
          )
        )
  const critic: StateLens<typeof state, Readonly<Record<never, never>>> = {
    shapes: {},
    lens: () =>
      L.make({}, (p, { x, c }) => {
        const [y, back] = quadratic(value).run({}, x)
        return [y, (bar) => [p, { x: back(bar)[1], c }]]
      })
  }
  // returns, values and controls have degree 2 in every random number; a score and a Jacobian add one each
  const noise = nodesFor(4)
  // a shared direction enters every step's factor, squared by the reward, beside a direction and a Jacobian
  const direction = nodesFor(2 * sigma.length + 3)
  return {
    chain,
    reward: polynomialReward(reward),
    steps: [ofState('process', () => quadratic(process)), ...kl],
    values: new Map([[valueName, { ...critic, parameters: {} }]]),
    params: { theta: T.vector([a, b]) },
    condition: {},
    trained: () => true,
    order: { xT: noise, eps: () => noise, xi: () => direction },
    scheme: { step: 0.25, levels: sigma.length + 2 }
  }
}
