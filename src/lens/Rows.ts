/**
 * Batches of row vectors: what layers of dense networks, denoisers and conditions are made of.
 *
 * @since 0.1.0
 */
import type { Expr } from '../tensor/Expr.js'

/**
 * A batch of row vectors.
 *
 * @category model
 * @since 0.1.0
 */
export type Rows<N extends number> = Expr<readonly ['batch', N]>
