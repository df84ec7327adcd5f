/**
 * Losses, one number a row.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import type { Rows } from '../Rows.js'
import * as L from '../Lens.js'
import type { Lens, None } from '../Lens.js'

/**
 * A number for each row of the batch.
 *
 * @category model
 * @since 0.1.0
 */
export type PerRow = Expr<readonly ['batch']>

/**
 * The mean over features of the squared difference to a target, for each row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const meanSquaredError = <N extends number>(
  features: N
): Lens<None, { readonly x: Rows<N>; readonly c: Rows<N> }, PerRow> =>
  L.pure(({ x, c }) => {
    // `features` is what divides: rows of another width are refused
    const difference = X.retype(X.sub(x, c), ['batch', features])
    const loss = X.scale(
      X.retype(X.sum<readonly ['batch', number], [1]>(X.mul(difference, difference), [1]), ['batch']),
      1 / features
    )
    return [
      loss,
      (bar) => {
        const spread = X.broadcastTo(X.reshape(bar, ['batch', 1]), ['batch', features])
        const xBar = X.scale(X.mul(spread, difference), 2 / features)
        return { x: xBar, c: X.neg(xBar) }
      }
    ]
  })

/**
 * The log-probabilities of `classes` categories from their logits, row by row: `x - log(sum(exp(x)))`, computed after
 * subtracting the largest so that nothing overflows. Pullback: `bar - softmax(x) sum(bar)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const logSoftmax = <N extends number>(classes: N): Lens<None, Rows<N>, Rows<N>> => {
  const row = ['batch', classes] as const
  const column = (x: Expr): Rows<N> => X.broadcastTo(X.reshape(x, ['batch', 1]), row)
  return L.pure((given) => {
    const x = X.retype(given, row)
    const shifted = X.sub(x, column(X.maximum<readonly ['batch', number], [1]>(x, [1])))
    const total = X.sum<readonly ['batch', number], [1]>(X.exp(shifted), [1])
    const value = X.sub(shifted, column(X.log<readonly ['batch']>(X.retype(total, ['batch']))))
    return [value, (bar) => X.sub(bar, X.mul(X.exp(value), column(X.sum<readonly ['batch', number], [1]>(bar, [1]))))]
  })
}

/**
 * Softmax cross-entropy, for each row: minus the log-probability of the target, which is one-hot or any distribution
 * over the classes. A class without a share in the target counts nothing, though its logit be `-Infinity`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const softmaxCrossEntropy = <N extends number>(
  classes: N
): Lens<None, { readonly x: Rows<N>; readonly c: Rows<N> }, PerRow> => {
  const normalise = logSoftmax(classes)
  return L.pure(({ x, c }) => {
    const [logs, back] = normalise.run({}, x)
    const loss = X.neg(X.retype(X.sum<readonly ['batch', number], [1]>(X.weigh(logs, c), [1]), ['batch']))
    return [
      loss,
      (bar) => {
        const spread = X.broadcastTo(X.reshape(bar, ['batch', 1]), ['batch', classes])
        const [, xBar] = back(X.neg(X.mul(spread, c)))
        return { x: xBar, c: X.neg(X.mul(spread, logs)) }
      }
    ]
  })
}
