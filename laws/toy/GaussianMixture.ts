/**
 * A diffusion chain on data from a mixture of normals, with the exact score: the smallest chain whose data has several modes.
 *
 * The marginals of the forward process are mixtures too, so the noise that a perfect denoiser would predict is known in closed
 * form: `-sqrt(1 - alphaBar)` times the score of the marginal. Two parameters bend it, so that there is something to learn:
 * `eps + a tanh(x) + b`.
 *
 * @since 0.1.0
 */
import { lookup } from '../../src/chain/Chain.js'
import * as Ddpm from '../../src/chain/sampler/Ddpm.js'
import { normal } from '../../src/chain/Noise.js'
import type { Schedule } from '../../src/chain/Schedule.js'
import * as L from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import type { Scalar } from '../../src/tensor/Expr.js'
import type { Numbers, ScalarChain, Theta } from './Tanh.js'

/**
 * One normal of the mixture. Weights are normalised.
 *
 * @category model
 * @since 0.1.0
 */
export interface Component {
  readonly weight: number
  readonly mean: number
  readonly variance: number
}

const state = ['batch', 1] as const
const whole = (value: Scalar): Numbers => X.broadcastTo(value, state)

/**
 * The score of the marginal at step `t`, `sum r_k (m_k - x) / v_k` with responsibilities `r_k`, and its derivative in `x`,
 * `sum r_k (((m_k - x) / v_k)^2 - 1 / v_k) - score^2`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const score =
  (mixture: ReadonlyArray<Component>, schedule: Schedule) =>
  (t: Scalar, x: Numbers): { readonly value: Numbers; readonly derivative: Numbers } => {
    const at = (f: (alphaBar: number) => number): Numbers => whole(lookup(schedule.alphaBar.map(f), t))
    const parts = mixture.map(({ weight, mean, variance }) => {
      const spread = (a: number): number => a * variance + 1 - a
      const inverse = at((a) => 1 / spread(a))
      const pull = X.mul(
        X.sub(
          at((a) => Math.sqrt(a) * mean),
          x
        ),
        inverse
      )
      const exponent = X.scale(X.mul(X.mul(pull, pull), at(spread)), -0.5)
      return {
        pull,
        inverse,
        log: X.add(
          exponent,
          at((a) => Math.log(weight / Math.sqrt(spread(a))))
        )
      }
    })
    // the largest exponent is taken out, or far from all modes every term would be 0
    const largest = parts.map(({ log }) => log).reduce((a, b) => X.max(a, b))
    const shares = parts.map(({ log }) => X.exp(X.sub(log, largest)))
    const total = shares.reduce((a, b) => X.add(a, b))
    const mean = (f: (part: (typeof parts)[number]) => Numbers): Numbers =>
      X.div(
        parts.map((part, k) => X.mul(shares[k] ?? X.zeros(state), f(part))).reduce((a, b) => X.add(a, b)),
        total
      )
    const value = mean(({ pull }) => pull)
    return {
      value,
      derivative: X.sub(
        mean(({ pull, inverse }) => X.sub(X.mul(pull, pull), inverse)),
        X.mul(value, value)
      )
    }
  }

/**
 * The DDPM chain on a mixture, with the large variance.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mixtureChain = (mixture: ReadonlyArray<Component>, schedule: Schedule): ScalarChain => {
  const rows = schedule.alphaBar.map((_, t) =>
    t === 0 ? { state: 0, epsilon: 0, sigma: 0 } : Ddpm.coefficients(schedule, 'large', t)
  )
  const parameters = { theta: L.parameter(['batch', 2]) }
  const exact = score(mixture, schedule)
  return {
    name: 'gaussian mixture',
    T: schedule.T,
    state,
    condition: {},
    parameters,
    sigma: rows.map(({ sigma }) => sigma),
    noise: normal,
    networkCalls: 1,
    mean: (t) =>
      L.make<Theta, { readonly x: Numbers; readonly c: Readonly<Record<never, never>> }, Numbers>(
        parameters,
        ({ theta }, { x, c }) => {
          const a = X.slice(theta, 1, 0, 1)
          const b = X.slice(theta, 1, 1, 1)
          const bent = X.tanh(x)
          const { value, derivative } = exact(t, x)
          const reach = lookup(
            schedule.alphaBar.map((alphaBar) => -Math.sqrt(1 - alphaBar)),
            t
          )
          const keep = lookup(
            rows.map((row) => row.state),
            t
          )
          const weight = lookup(
            rows.map((row) => row.epsilon),
            t
          )
          const epsilon = X.add(X.add(X.mul(value, reach), X.mul(a, bent)), b)
          return [
            X.add(X.mul(x, keep), X.mul(epsilon, weight)),
            (bar) => {
              const scaled = X.mul(bar, weight)
              const slope = X.add(X.mul(derivative, reach), X.mul(a, X.sub(whole(X.scalar(1)), X.mul(bent, bent))))
              return [
                { theta: X.retype(X.concat<readonly ['batch', 1], 1>([X.mul(scaled, bent), scaled], 1), ['batch', 2]) },
                // an empty condition is its own cotangent
                { x: X.add(X.mul(bar, keep), X.mul(scaled, slope)), c }
              ]
            }
          ]
        }
      )
  }
}
