/**
 * Half-order on single steps: on all of them, or on some that count more.
 *
 * @since 0.1.0
 */
import { whole } from '../../document/Document.js'
import * as C from '../Cover.js'
import type { Looking } from './Fields.js'
import { type Field, field } from './Row.js'

/**
 * One of how many steps is scored in a sample.
 *
 * @category fields
 * @since 0.1.0
 */
export const every: Field<number> = /*#__PURE__*/ field(
  'one step of so many is scored in a sample, and counts so often',
  whole
)

/**
 * Half-order on each of some steps by itself.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scored = (steps: ReadonlyArray<number>, looking: Looking): ReadonlyArray<C.Cell> =>
  steps.map((t) => C.halfOrder(t, t, looking))

/**
 * Half-order on a step by itself, counted `times` times.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scoredFor =
  (times: number, looking: Looking) =>
  (t: number): C.Cell =>
    C.halfOrder(t, t, { shares: [times], ...looking })

/**
 * Some steps in `n` classes: the first, the one `n` places on, and so on; then those from the second place. Some are empty where
 * there are fewer steps than classes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const classes = (steps: ReadonlyArray<number>, n: number): ReadonlyArray<ReadonlyArray<number>> =>
  C.range(0, n - 1).map((k) => steps.filter((_, i) => i % n === k))
