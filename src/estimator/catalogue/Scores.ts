/**
 * Half-order on single steps: on all of them, or on some that count more.
 *
 * @since 0.1.0
 */
import * as t from 'io-ts'
import { numberThat, whole } from '../../document/Document.js'
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
 * A chance that is not 0.
 *
 * @category options
 * @since 0.1.0
 */
export const probability: t.Type<number, unknown, unknown> = /*#__PURE__*/ numberThat(
  'a number above 0 and at most 1',
  (n) => n > 0 && n <= 1
)

/**
 * How likely each step above the first is scored, lowest first, or null for all alike.
 *
 * @category fields
 * @since 0.1.0
 */
export const inclusion: Field<ReadonlyArray<number> | null> = /*#__PURE__*/ field(
  'how likely each step above the first is scored, lowest first, and counts one over that; null for 1 / every',
  /*#__PURE__*/ t.union([t.null, t.readonlyArray(probability)], 'null, or a list of numbers above 0 and at most 1')
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

/**
 * Steps that are drawn together, and how likely these are.
 *
 * @category model
 * @since 0.1.0
 */
export interface Drawn {
  readonly weight: number
  readonly steps: ReadonlyArray<number>
}

/**
 * Subsets of some steps, each step being in one with a probability of its own: systematic sampling (Madow, *Annals of
 * Mathematical Statistics* 20, 1949). Laid out along a line, step `i` takes a length of `inclusion[i]`, and a comb of spacing
 * 1 with a uniform offset draws what its teeth meet. Sizes differ by at most 1, and there are at most as many subsets as steps, and
 * one. Equal probabilities `1 / n` give the classes of every `n`-th step.
 *
 * @category constructors
 * @since 0.1.0
 */
export const systematic = (steps: ReadonlyArray<number>, inclusion: ReadonlyArray<number>): ReadonlyArray<Drawn> => {
  const ends = inclusion.reduce<ReadonlyArray<number>>((all, p) => [...all, (all.at(-1) ?? 0) + p], [])
  const offsets = [0, ...ends.map((end) => end - Math.floor(end)), 1].sort((a, b) => a - b)
  return offsets.flatMap((from, k) => {
    const weight = (offsets[k + 1] ?? from) - from
    // what is shorter is a rounding of two ends that are the same
    if (weight < 1e-12) return []
    const tooth = from + weight / 2
    const drawn = steps.filter((_, i) => {
      const end = ends[i] ?? 0
      return Math.ceil(end - tooth) > Math.ceil(end - (inclusion[i] ?? 0) - tooth)
    })
    return [{ weight, steps: drawn }]
  })
}
