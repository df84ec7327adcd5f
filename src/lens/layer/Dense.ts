/**
 * Affine maps of vectors.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as L from '../Lens.js'
import type { Lens } from '../Lens.js'
import type { Rows } from '../Rows.js'

/**
 * The parameters of a dense layer: a weight `[inputs, outputs]` and a bias `[outputs]`.
 *
 * @category model
 * @since 0.1.0
 */
export type Dense<I extends number, O extends number> = {
  readonly weight: Expr<readonly [I, O]>
  readonly bias: Expr<readonly [O]>
}

/**
 * `x W + b` for a batch of rows. `gain` scales the initial standard deviation `gain / sqrt(inputs)`; a gain of 0 starts
 * the layer at zero, which is how residual branches and output layers are best started.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dense = <I extends number, O extends number>(
  inputs: I,
  outputs: O,
  gain = 1
): Lens<Dense<I, O>, Rows<I>, Rows<O>> =>
  L.make(
    { weight: L.parameter([inputs, outputs], gain / Math.sqrt(inputs)), bias: L.parameter([outputs]) },
    ({ weight, bias }, x) => [
      X.add(X.matmul(x, weight), X.broadcastTo(bias, ['batch', outputs])),
      (bar) => [
        { weight: X.matmul(X.transpose(x), bar), bias: X.sumTo(bar, bias.shape) },
        X.matmul(bar, X.transpose(weight))
      ]
    ]
  )
