/**
 * A smooth relu.
 *
 * @since 0.1.0
 */
import * as X from '../../../src/tensor/Expr.js'
import type { Expr } from '../../../src/tensor/Expr.js'
import type { Shape } from '../../../src/tensor/Shape.js'
import * as L from '../../../src/lens/Lens.js'
import type { Lens, None } from '../../../src/lens/Lens.js'

/**
 * `max(x, 0) + log(1 + e^-|x|)`, which is `log(1 + e^x)` without overflow. Derivative: the logistic function.
 *
 * @category constructors
 * @since 0.1.0
 */
export const softplus = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> =>
  L.elementwise(
    (x) => X.add(X.max(x, X.scalar(0)), X.log(X.add(X.exp(X.neg(X.abs(x))), X.scalar(1)))),
    (x) => X.sigmoid(x)
  )
