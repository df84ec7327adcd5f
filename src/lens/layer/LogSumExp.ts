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

// the largest finite number of f32
const largestFinite = X.scalar((2 - 2 ** -23) * 2 ** 127)

/**
 * `log(sum(exp(x)))` of each row of `features` numbers, computed after subtracting the largest so that nothing
 * overflows: `-Infinity` where all are, `Infinity` where one is. Of log-probabilities it is the log-probability that one of
 * the events happens. Pullback: `bar softmax(x)`, where `-Infinity` has no share, and `Infinity` all of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const logSumExp = (features: number): Lens<None, Rows<number>, PerRow> => {
  const spread = (x: Expr): Rows<number> => X.broadcastTo(X.reshape(x, ['batch', 1]), ['batch', features])
  // the difference of two infinities is no number
  const held = (x: PerRow): PerRow => X.max(X.min(x, largestFinite), X.neg(largestFinite))
  return L.pure((rows) => {
    const x = X.retype(rows, ['batch', features])
    const largest = X.retype(X.maximum<readonly ['batch', number], [1]>(x, [1]), ['batch'])
    const base = held(largest)
    const total = X.sum<readonly ['batch', number], [1]>(X.exp(X.sub(x, spread(base))), [1])
    const value = X.add(base, X.log<readonly ['batch']>(X.retype(total, ['batch'])))
    return [value, (bar) => X.weigh(X.exp(X.sub(X.min(x, largestFinite), spread(held(value)))), spread(bar))]
  })
}
