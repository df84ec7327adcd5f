import type { Expr } from '../../../src/tensor/Expr.js'
import { mul } from '../../../src/tensor/Elementwise.js'
import type { Shape } from '../../../src/tensor/Shape.js'

/**
 * The square of each number.
 *
 * @category elementwise
 * @since 0.1.0
 */
export const square = <S extends Shape>(a: Expr<S>): Expr<S> => mul(a, a)
