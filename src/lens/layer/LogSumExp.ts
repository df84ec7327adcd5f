/**
 * The logarithm of a sum of exponentials.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import type { Rows } from '../Rows.js'
import * as L from '../Lens.js'
import type { Lens, None } from '../Lens.js'
import type { PerRow } from './Loss.js'

/**
 * `log(sum(exp(x)))` of each row of `features` numbers, computed after subtracting the largest so that nothing
 * overflows. Of log-probabilities it is the log-probability that one of the events happens. Pullback: `bar softmax(x)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const logSumExp = (features: number): Lens<None, Rows<number>, PerRow> => {
  const spread = (x: Expr): Rows<number> => X.broadcastTo(X.reshape(x, ['batch', 1]), ['batch', features])
  return L.pure((rows) => {
    const x = X.retype(rows, ['batch', features])
    const largest = X.retype(X.maximum<readonly ['batch', number], [1]>(x, [1]), ['batch'])
    const total = X.sum<readonly ['batch', number], [1]>(X.exp(X.sub(x, spread(largest))), [1])
    const value = X.add(largest, X.log<readonly ['batch']>(X.retype(total, ['batch'])))
    return [value, (bar) => X.mul(spread(bar), X.exp(X.sub(x, spread(value))))]
  })
}
