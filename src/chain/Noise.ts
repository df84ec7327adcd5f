/**
 * The noise of a step: independent draws with a density that has a score.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import type { Density } from '../tensor/Program.js'
import type { Shape } from '../tensor/Shape.js'

/**
 * A standard noise `f`, the same for each element. `score` is `-grad ln f` at a draw: what a likelihood-ratio estimator
 * multiplies with, once divided by the step's standard deviation. `logDensity` is elementwise; the density of a
 * tensor is the *sum* over its elements.
 *
 * @category model
 * @since 0.1.0
 */
export interface Noise {
  readonly density: Density
  readonly score: <S extends Shape>(eps: Expr<S>) => Expr<S>
  readonly logDensity: <S extends Shape>(eps: Expr<S>) => Expr<S>
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
  logDensity: (eps) => X.sub(X.scale(X.mul(eps, eps), -0.5), X.scalar(Math.log(2 * Math.PI) / 2))
}
