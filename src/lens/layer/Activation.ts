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
