/**
 * The exact denoiser of Gaussian data, for which every marginal of a sampler has a closed form.
 *
 * For data `N(m, v)`, independent in each feature, and `x_t = sqrt(a) x_0 + sqrt(1 - a) e`, the best prediction of the noise
 * is `E[e | x_t] = sqrt(1 - a) (x_t - sqrt(a) m) / (a v + 1 - a)`, and `x_t` is `N(sqrt(a) m, a v + 1 - a)`.
 *
 * @since 0.1.0
 */
import type { Denoiser } from '../../src/chain/Denoiser.js'
import type { Rows } from '../../src/lens/Dense.js'
import * as L from '../../src/lens/Lens.js'
import type { None } from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'

/**
 * Mean and variance of the data.
 *
 * @category model
 * @since 0.1.0
 */
export interface Data {
  readonly mean: number
  readonly variance: number
}

/**
 * The denoiser for one feature under the linear-beta schedule, whose share at time `u` is `exp(-(0.1 u + 19.9 u^2 / 2))`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const exactDenoiser = ({ mean, variance }: Data): Denoiser<None, 1, 1> => ({
  features: 1,
  labels: 1,
  networkCalls: 1,
  lens: L.pure(({ x, time, c }) => {
    const one = X.fill(['batch', 1] as const, 1)
    const share = X.exp(X.neg(X.add(X.scale(time, 0.1), X.scale(X.mul(time, time), 19.9 / 2))))
    const left = X.sub(one, share)
    const total = X.add(X.scale(share, variance), left)
    const gain: Rows<1> = X.div(X.sqrt(left), total)
    return [
      X.mul(gain, X.sub(x, X.scale(X.sqrt(share), mean))),
      (bar) => ({ x: X.mul(bar, gain), time: X.zeros(['batch', 1]), c: X.zeros(c.shape) })
    ]
  })
})
