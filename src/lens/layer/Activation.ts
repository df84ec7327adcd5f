/**
 * Elementwise nonlinearities.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import type { Shape } from '../../tensor/Shape.js'
import * as L from '../Lens.js'
import type { Lens, None } from '../Lens.js'

const one = X.scalar(1)

/**
 * `x sigmoid(x)` (Elfwing, Uchibe and Doya, arXiv 1702.03118). Derivative `s (1 + x (1 - s))`, `s = sigmoid(x)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const silu = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> =>
  L.elementwise(
    (x) => X.mul(x, X.sigmoid(x)),
    (x) => {
      const s = X.sigmoid(x)
      return X.mul(s, X.add(X.mul(x, X.sub(X.broadcastTo(one, s.shape), s)), one))
    }
  )

/**
 * Hyperbolic tangent. Derivative `1 - y^2`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tanh = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> =>
  L.elementwise(
    (x) => X.tanh(x),
    (_, y) => X.sub(X.broadcastTo(one, y.shape), X.mul(y, y))
  )

/**
 * The logistic function. Derivative `y (1 - y)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sigmoid = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> =>
  L.elementwise(
    (x) => X.sigmoid(x),
    (_, y) => X.mul(y, X.sub(X.broadcastTo(one, y.shape), y))
  )

/**
 * `max(x, 0)`. Derivative 1 above 0, 0 elsewhere, at 0 too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const relu = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> =>
  L.pure((x) => [X.max(x, X.scalar(0)), (bar) => X.weigh(bar, X.less<Shape, Shape>(X.zeros(x.shape), x))])

/** The distribution function of the standard normal. */
const cumulative = <S extends Shape>(x: Expr<S>): Expr<S> => X.scale(X.add(X.erf(X.scale(x, Math.SQRT1_2)), one), 0.5)

/**
 * `x P(x)` with the distribution function `P` of the standard normal (Hendrycks and Gimpel, arXiv 1606.08415). Derivative
 * `P(x) + x p(x)`, `p` the density.
 *
 * @category constructors
 * @since 0.1.0
 */
export const gelu = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> =>
  L.elementwise(
    (x) => X.mul(x, cumulative(x)),
    (x) => X.add(cumulative(x), X.mul(x, X.scale(X.exp(X.scale(X.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI))))
  )

/**
 * `x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2`, which is within 0.0005 of `gelu`. Derivative
 * `(1 + t) / 2 + x (1 - t^2) u' / 2`, with `t` the tangent and `u'` the derivative of what is in it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const geluTanh = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> => {
  const curve = Math.sqrt(2 / Math.PI)
  const tangent = (x: Expr<S>): Expr<S> => X.tanh(X.scale(X.add(x, X.scale(X.mul(x, X.mul(x, x)), 0.044715)), curve))
  return L.elementwise(
    (x) => X.scale(X.mul(x, X.add(tangent(x), one)), 0.5),
    (x) => {
      const t = tangent(x)
      const inner = X.scale(X.add(X.scale(X.mul(x, x), 3 * 0.044715), one), curve)
      const slope = X.mul(X.sub(X.broadcastTo(one, t.shape), X.mul(t, t)), inner)
      return X.scale(X.add(X.add(t, one), X.mul(x, slope)), 0.5)
    }
  )
}

/**
 * `x` above 0, `alpha (e^x - 1)` below (Clevert, Unterthiner and Hochreiter, arXiv 1511.07289). Derivative 1 above 0, and `y + alpha`
 * below.
 *
 * @category constructors
 * @since 0.1.0
 */
export const elu = <S extends Shape>(alpha = 1): Lens<None, Expr<S>, Expr<S>> => {
  const above = (x: Expr<S>): Expr<S> => X.less(X.zeros(x.shape), x)
  return L.elementwise(
    (x) => X.select(above(x), x, X.scale(X.sub(X.exp(X.min(x, X.scalar(0))), one), alpha)),
    (x, y) => X.select(above(x), X.broadcastTo(one, x.shape), X.add(y, X.scalar(alpha)))
  )
}
