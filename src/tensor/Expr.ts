/**
 * Expressions: immutable trees of tensor operations with their shape in the type.
 *
 * Building an expression computes nothing. Operations are total: one that does not fit its arguments gives an
 * `Invalid` node, and closing the program (`Program.make`) reports every one of them at once. Typed callers meet the
 * same rules as compile errors.
 *
 * @since 0.1.0
 */
import { add, less, sub } from './Elementwise.js'
import { type Expr, retype, type Scalar, scalar } from './Node.js'
import type { Shape } from './Shape.js'
import { take } from './Views.js'

export * from './Contraction.js'
export * from './Elementwise.js'
export { broadcastTo, constant, type Expr, fill, ill, input, retype, type Scalar, scalar, size, zeros } from './Node.js'
export * from './Views.js'

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * The same values as an expression, to the last bit, but another node that can not be computed before the others are: what is
 * built on it is computed anew, after them, instead of being shared with an earlier use. This is how activations are
 * recomputed on purpose.
 *
 * @category utils
 * @since 0.1.0
 */
export const after = <S extends Shape>(a: Expr<S>, others: ReadonlyArray<Expr>): Expr<S> => {
  const corner = (other: Expr): Scalar =>
    retype(
      other.shape.reduce<Expr>((rest) => take<Shape, 0>(rest, 0, scalar(0)), other),
      []
    )
  const [first, ...rest] = others.map(corner)
  if (first === undefined) return a
  const sum = rest.reduce((x, y) => add(x, y), first)
  // nothing is less than itself: 0 whatever the others are, and taking it away leaves the sign of a zero
  return sub(a, less(sum, sum))
}
