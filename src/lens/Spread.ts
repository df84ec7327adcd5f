/**
 * A vector at every place of a tensor: shared by the rows of a batch, or a copy for each row.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import type { Shape } from '../tensor/Shape.js'

/** Is a vector one for each row, as `Chain.perRow` declares it? */
const hasRows = (vector: Shape): boolean => vector.length === 2 && vector[0] === 'batch'

/**
 * The vector `[n]` at every place of a tensor `[batch, ..., n]`; of copies `[batch, n]` each at the places of its row.
 *
 * @category combinators
 * @since 0.1.0
 */
export const spread = <S extends Shape>(vector: Expr, shape: S): Expr<S> =>
  X.broadcastTo(
    hasRows(vector.shape)
      ? X.reshape(vector, ['batch', ...shape.slice(1, -1).map(() => 1), ...vector.shape.slice(1)])
      : vector,
    shape
  )

/**
 * The adjoint of `spread`, for a vector of the given shape: the sum over all places, or over those of each row.
 *
 * @category combinators
 * @since 0.1.0
 */
export const gathered = <V extends Shape>(bar: Expr, vector: V): Expr<V> => {
  const inner = bar.shape.slice(1, -1).map((_, i) => i + 1)
  return X.sumTo(hasRows(vector) && inner.length > 0 ? X.sum<Shape, ReadonlyArray<number>>(bar, inner) : bar, vector)
}
