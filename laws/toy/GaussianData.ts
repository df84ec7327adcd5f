/**
 * The exact denoiser of Gaussian data, for which every marginal of a sampler has a closed form.
 *
 * For data `N(m, v)`, independent in each feature, and `x_t = sqrt(a) x_0 + sqrt(1 - a) e`, the best prediction of the noise
 * is `E[e | x_t] = sqrt(1 - a) (x_t - sqrt(a) m) / (a v + 1 - a)`, and `x_t` is `N(sqrt(a) m, a v + 1 - a)`.
 *
 * @since 0.1.0
 */
import type { Denoiser } from '../../src/chain/Denoiser.js'
import type { Rows } from '../../src/lens/Rows.js'
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

/** The linear-beta share of data at some times, that of noise, and the variance of a state. */
const shares = (time: Rows<1>, variance: number): Readonly<Record<'data' | 'noise' | 'total', Rows<1>>> => {
  const one = X.fill(['batch', 1] as const, 1)
  const data = X.exp(X.neg(X.add(X.scale(time, 0.1), X.scale(X.mul(time, time), 19.9 / 2))))
  const noise = X.sub(one, data)
  return { data, noise, total: X.add(X.scale(data, variance), noise) }
}

/** A prediction of the noise that is `gain (x - sqrt(data) mean)`. */
const linear = <D extends number>(
  { mean, variance }: Data,
  features: D,
  gainOf: (numbers: ReturnType<typeof shares>) => Rows<1>
): Denoiser<None, D, 1> => ({
  features,
  labels: 1,
  networkCalls: 1,
  lens: L.pure(({ x, time, c }) => {
    const numbers = shares(time, variance)
    const whole = (column: Rows<1>): Rows<D> => X.broadcastTo(column, ['batch', features])
    const gain = whole(gainOf(numbers))
    return [
      X.mul(gain, X.sub(x, X.scale(whole(X.sqrt(numbers.data)), mean))),
      (bar) => ({ x: X.mul(bar, gain), time: X.zeros(['batch', 1]), c: X.zeros(c.shape) })
    ]
  })
})

/**
 * The denoiser for one feature under the linear-beta schedule, whose share at time `u` is `exp(-(0.1 u + 19.9 u^2 / 2))`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const exactDenoiser = (data: Data): Denoiser<None, 1, 1> => exactDenoiserOf(1)(data)

/**
 * The same for any number of features.
 *
 * @category constructors
 * @since 0.1.0
 */
export const exactDenoiserOf =
  <D extends number>(features: D) =>
  (data: Data): Denoiser<None, D, 1> =>
    linear(data, features, ({ noise, total }) => X.div(X.sqrt(noise), total))

/**
 * The consistency function of the data under the linear-beta schedule, as the denoiser that it implies. The deterministic path from
 * `x_t` ends at `m + sqrt(v / (a v + 1 - a)) (x_t - sqrt(a) m)`, so with `r = sqrt(a v + 1 - a)` the noise is
 * `sqrt(1 - a) (x_t - sqrt(a) m) / (r (r + sqrt(a v)))`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const exactConsistency = (data: Data): Denoiser<None, 1, 1> => exactConsistencyOf(1)(data)

/**
 * The same for any number of features.
 *
 * @category constructors
 * @since 0.1.0
 */
export const exactConsistencyOf =
  <D extends number>(features: D) =>
  (data: Data): Denoiser<None, D, 1> =>
    linear(data, features, ({ data: share, noise, total }) => {
      const root = X.sqrt(total)
      return X.div(X.sqrt(noise), X.mul(root, X.add(root, X.sqrt(X.scale(share, data.variance)))))
    })
