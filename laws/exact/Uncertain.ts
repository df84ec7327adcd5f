/**
 * Vectors of numbers that are known up to errors of arithmetic.
 *
 * @since 0.1.0
 */

/**
 * Numbers, one a trained component, and how far each may be off for reasons of arithmetic.
 *
 * @category model
 * @since 0.1.0
 */
export interface Uncertain {
  readonly value: ReadonlyArray<number>
  readonly error: ReadonlyArray<number>
}

/**
 * The sum of two uncertain vectors, the second one scaled.
 *
 * @category utils
 * @since 0.1.0
 */
export const plus = (a: Uncertain, b: Uncertain, factor = 1): Uncertain => ({
  value: a.value.map((x, i) => x + factor * (b.value[i] ?? 0)),
  error: a.error.map((x, i) => x + Math.abs(factor) * (b.error[i] ?? 0))
})
