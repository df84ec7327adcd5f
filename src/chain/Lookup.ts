/**
 * Numbers of the steps of a chain, read at a step.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Scalar } from '../tensor/Expr.js'
import * as Need from '../tensor/Need.js'
import { vector } from '../tensor/Tensor.js'

/**
 * Reads a table of numbers at a step: folded to a literal where the step is one, which must then be in the table. A step that
 * is known at run time only is rounded down and held within it.
 *
 * @category utils
 * @since 0.1.0
 */
export const lookup = (table: ReadonlyArray<number>, t: Scalar): Scalar =>
  t.op._tag === 'Scalar'
    ? entry(table, t.op.value)
    : finite(table).length > 0
      ? X.ill([], [], finite(table))
      : X.take<readonly [number], 0>(X.constant(vector(table), [table.length]), 0, t)

const finite = (table: ReadonlyArray<number>): Need.Faults =>
  Need.finiteAt('step', 'numbers', table, 'check the schedule and the options of the chain', 1)

const entry = (table: ReadonlyArray<number>, t: number): Scalar => {
  const value = table[t]
  const faults =
    value === undefined
      ? Need.fault('step', `a whole number of at most ${table.length - 1}`, String(t), 'count steps from 1 to T')
      : finite(table.map((one, i) => (i === t ? one : 0)))
  return faults.length === 0 ? X.scalar(value ?? 0) : X.ill([], [], faults)
}
