/**
 * Exponential moving averages of parameters, which are often better than the parameters (Polyak and Juditsky, 1992).
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Scalar } from '../tensor/Expr.js'
import { below, type Values } from '../tensor/Program.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs, Shapes } from '../tensor/Tree.js'
import type { Optimizer } from './Optimizer.js'
import { apply } from './Optimizer.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A running average of parameters `P`: `init` from what they start at, `update` with what they are after a step.
 *
 * @category model
 * @since 0.1.0
 */
export interface Average {
  readonly init: <P extends Exprs>(parameters: P) => Averaged<P>
  readonly update: <P extends Exprs>(before: Averaged<P>, parameters: P) => Averaged<P>
}

/**
 * The state of an average: how many updates it has seen, and the average.
 *
 * @category model
 * @since 0.1.0
 */
export type Averaged<P extends Exprs> = { readonly count: Scalar; readonly average: P }

/**
 * - `warmUp`: the decay at update `n`, counted from 0, is `min(decay, (1 + n) / (10 + n))`, so that the start is soon
 *   forgotten. Default: false.
 *
 * @category model
 * @since 0.1.0
 */
export interface AverageOptions {
  readonly warmUp?: boolean
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * `average <- d average + (1 - d) parameters` with decay `d`, from the parameters themselves. After `n` updates without
 * warm-up the parameters of `k` updates ago have the share `(1 - d) d^k`, and those of the start `d^n`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const exponential = (decay: number, { warmUp = false }: AverageOptions = {}): Average => ({
  init: (parameters) => ({ count: X.scalar(0), average: parameters }),
  update: <P extends Exprs>({ count, average }: Averaged<P>, parameters: P): Averaged<P> => {
    const soft = X.div(X.add(count, X.scalar(1)), X.add(count, X.scalar(10)))
    const kept = warmUp ? X.min(X.scalar(decay), soft) : X.scalar(decay)
    // `a + (1 - d) (p - a)`: parameters that do not move leave the average as it is, to the last bit
    const share = X.sub(X.scalar(1), kept)
    const next = Tree.mergeWith((a, p) => X.add(a, X.mul(X.sub(p, a), share)))(average, parameters)
    return { count: X.add(count, X.scalar(1)), average: next }
  }
})

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * An average as a transformation of gradients that changes none: it goes last in an `Optimizer.chain`, where the step is
 * final, and its state holds the average of the parameters after each step. `averages` reads it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const tracked = (average: Average): Optimizer => ({
  state: (parameters: Shapes) => ({ count: [] as const, average: parameters }),
  update: (step, state, parameters) => {
    const { count: seen = X.scalar(0), average: held = parameters } = state
    const count = Tree.isExpr(seen) ? X.retype(seen, []) : X.scalar(0)
    // every state of an optimizer starts at zero: the first update starts from the parameters
    const fresh = X.equal(count, X.scalar(0))
    const from = Tree.mergeWith((old, now) => X.select(X.broadcastTo(fresh, now.shape), now, old))(held, parameters)
    return { step, state: average.update({ count, average: from }, apply(parameters, step)) }
  }
})

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The averages in an optimizer's state, by parameter path. `place` is where `tracked` stands in it, such as `state.1` for
 * the second of a chain. Before the first step there are none but zeros.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const averages = (state: Values, place: string): Values => below(`${place}.average`, state)
