/**
 * Values of a chain's state that are lenses: critics, which guess what a state will be rewarded with, and surrogates of black-box
 * rewards.
 *
 * @since 0.1.0
 */
import type { Lens, Parameters, Params } from '../lens/Lens.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import type { Batched } from '../tensor/Shape.js'
import type { Exprs } from '../tensor/Tree.js'

/**
 * A value `Q_t(x_t, c)`, one number a row, for each step `t = 0..T`, a run-time index. `shapes` declares its own parameters, whose
 * values are given with each request, for they may be learned as a run goes.
 *
 * @category model
 * @since 0.1.0
 */
export interface StateLens<S extends Batched, C extends Exprs> {
  readonly shapes: Parameters
  readonly lens: (t: Scalar) => Lens<Params, { readonly x: Expr<S>; readonly c: C }, Expr<readonly ['batch']>>
}
