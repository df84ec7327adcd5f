/**
 * The noise of a step: independent draws with a density that has a score.
 *
 * @since 0.1.0
 */
import type { Density } from '../random/Density.js'
import { logGamma } from '../random/Gamma.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import { densityFaults } from '../tensor/Program.js'
import type { Shape } from '../tensor/Shape.js'

/**
 * A standard noise `f`, the same for each element. `score` is `-grad ln f` at a draw: what a likelihood-ratio estimator
 * multiplies with, once divided by the step's standard deviation. `logDensity` is elementwise; the density of a
 * tensor is the *sum* over its elements. `density` is what is drawn: a name, or one of your own from `Density.byQuantile` or
 * `Density.ofUniforms`. The three must be of one `f`, absolutely continuous on the line; `halforder/laws` tests them against
 * each other. `divergence`, where it is known in closed form, is the Kullback-Leibler divergence of the noise shifted by `d` from
 * the noise, elementwise, with its derivative in `d`. `outcome` says what a step keeps of the noisy mean, where that is not all of it.
 *
 * @example
 * import type { Noise } from 'halforder/chain'
 * import { Density } from 'halforder/random'
 * import { Expr } from 'halforder/tensor'
 *
 * // the hyperbolic secant, 1 / (2 cosh(pi x / 2)), of variance 1
 * export const secant: Noise.Noise = {
 *   density: Density.byQuantile('secant', (p) => (2 / Math.PI) * Math.log(Math.tan((Math.PI * p) / 2)), {
 *     symmetric: true
 *   }),
 *   score: (eps) => Expr.scale(Expr.tanh(Expr.scale(eps, Math.PI / 2)), Math.PI / 2),
 *   logDensity: (eps) => {
 *     const size = Expr.scale(Expr.abs(eps), Math.PI / 2)
 *     return Expr.neg(Expr.add(size, Expr.log(Expr.add(Expr.exp(Expr.scale(size, -2)), Expr.scalar(1)))))
 *   }
 * }
 *
 * @category model
 * @since 0.1.0
 */
export interface Noise {
  readonly density: Density
  readonly score: <S extends Shape>(eps: Expr<S>) => Expr<S>
  readonly logDensity: <S extends Shape>(eps: Expr<S>) => Expr<S>
  readonly divergence?: <S extends Shape>(d: Expr<S>) => readonly [value: Expr<S>, derivative: Expr<S>]
  readonly outcome?: Outcome
}

/**
 * What a step keeps of `mean + sigma eps` where that is discrete, such as the place of the largest number. No derivative passes
 * it, but its law has a score in the `location = mean / sigma`.
 *
 * - `of`: what is kept of a noisy mean.
 * - `mean`: the expectation of what is kept at a location, and `pullMean` the pullback of that function.
 * - `logProbability`: terms whose *sum* is the log-probability of what was kept; `score`: the gradient of the sum in the location.
 * - `divergence`: terms whose sum is the Kullback-Leibler divergence of the law at one location from that at another, with the
 *   gradients of the sum in both.
 *
 * @category model
 * @since 0.1.0
 */
export interface Outcome {
  readonly name: string
  readonly of: <S extends Shape>(noisy: Expr<S>) => Expr<S>
  readonly mean: <S extends Shape>(location: Expr<S>) => Expr<S>
  readonly pullMean: <S extends Shape>(location: Expr<S>, bar: Expr<S>) => Expr<S>
  readonly logProbability: <S extends Shape>(location: Expr<S>, kept: Expr<S>) => Expr<S>
  readonly score: <S extends Shape>(location: Expr<S>, kept: Expr<S>) => Expr<S>
  readonly divergence: <S extends Shape>(
    a: Expr<S>,
    b: Expr<S>
  ) => readonly [value: Expr<S>, aBar: Expr<S>, bBar: Expr<S>]
}

/**
 * The standard normal: score `eps`, log-density `-eps^2 / 2 - ln(2 pi) / 2`.
 *
 * @category instances
 * @since 0.1.0
 */
export const normal: Noise = {
  density: 'normal',
  score: (eps) => eps,
  logDensity: (eps) => X.sub(X.scale(X.mul(eps, eps), -0.5), X.scalar(Math.log(2 * Math.PI) / 2)),
  divergence: (d) => [X.scale(X.mul(d, d), 0.5), d]
}

/**
 * The standard Laplace: density `exp(-|eps|) / 2`, variance 2, score `sign(eps)` (0 at 0, a set of measure zero).
 *
 * @category instances
 * @since 0.1.0
 */
export const laplace: Noise = {
  density: 'laplace',
  score: (eps) => {
    const zero = X.broadcastTo(X.scalar(0), eps.shape)
    return X.sub(X.less(zero, eps), X.less(eps, zero))
  },
  logDensity: (eps) => X.sub(X.neg(X.abs(eps)), X.scalar(Math.LN2)),
  // |d| + e^-|d| - 1, whose derivative is sign(d) (1 - e^-|d|)
  divergence: (d) => {
    const size = X.abs(d)
    const rest = X.exp(X.neg(size))
    const zero = X.broadcastTo(X.scalar(0), d.shape)
    const sign = X.sub(X.less(zero, d), X.less(d, zero))
    return [X.sub(X.add(size, rest), X.scalar(1)), X.mul(sign, X.neg(X.sub(rest, X.scalar(1))))]
  }
}

/**
 * The standard logistic: density `e^-eps / (1 + e^-eps)^2`, variance `pi^2 / 3`, score `tanh(eps / 2)`. The log-density is
 * `-|eps| - 2 ln(1 + e^-|eps|)`, which does not overflow.
 *
 * @category instances
 * @since 0.1.0
 */
export const logistic: Noise = {
  density: 'logistic',
  score: (eps) => X.tanh(X.scale(eps, 0.5)),
  logDensity: (eps) => {
    const size = X.abs(eps)
    return X.neg(X.add(size, X.scale(X.log(X.add(X.exp(X.neg(size)), X.scalar(1))), 2)))
  }
}

/**
 * Student's t with `nu` degrees of freedom: density `c (1 + eps^2 / nu)^(-(nu + 1) / 2)`, variance `nu / (nu - 2)` for
 * `nu > 2` and infinite below, score `(nu + 1) eps / (nu + eps^2)`, which is bounded: large noises are not trusted more than
 * moderate ones. `nu` is from `Program.leastFreedom`, below which draws leave the range of f32, to `Program.mostFreedom`,
 * beyond which the density is the normal's to six digits: programs with another do not close.
 *
 * @category constructors
 * @since 0.1.0
 */
export const studentT = (nu: number): Noise => {
  const faults = densityFaults('studentT', { studentT: nu })
  const sound = <S extends Shape>(value: Expr<S>): Expr<S> =>
    faults.length === 0 ? value : X.ill([value], value.shape, faults)
  /**
   * `eps / m`, `m` and `sqrt(nu) / m`, with `m` the larger of `|eps|` and `sqrt(nu)`: draws of few degrees are so large that
   * their squares would overflow.
   */
  const parts = <S extends Shape>(eps: Expr<S>): Parts<S> => {
    const root = X.scalar(Math.sqrt(nu))
    const m = X.max(X.abs(eps), root)
    return { unit: X.div(eps, m), m, root: X.div(X.broadcastTo(root, m.shape), m) }
  }
  /** `(nu + eps^2) / m^2` */
  const scaled = <S extends Shape>({ unit, root }: Parts<S>): Expr<S> => X.add(X.mul(unit, unit), X.mul(root, root))
  const normaliser = faults.length === 0 ? logGamma((nu + 1) / 2) - logGamma(nu / 2) - Math.log(nu * Math.PI) / 2 : 0
  return {
    density: { studentT: nu },
    score: (eps) => {
      const split = parts(eps)
      return sound(X.div(X.div(X.scale(split.unit, nu + 1), split.m), scaled(split)))
    },
    logDensity: (eps) => {
      const split = parts(eps)
      const spread = X.sub(X.log(scaled(split)), X.scale(X.log(split.root), 2))
      return sound(X.add(X.scale(spread, -(nu + 1) / 2), X.scalar(normaliser)))
    }
  }
}

interface Parts<S extends Shape> {
  readonly unit: Expr<S>
  readonly m: Expr<S>
  readonly root: Expr<S>
}
