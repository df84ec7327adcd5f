/**
 * Rounding in f64: sums that do not lose digits, and how much a computation may.
 *
 * @since 0.1.0
 */

/**
 * Half a unit in the last place of f64: the relative error of one rounding.
 *
 * @category constants
 * @since 0.1.0
 */
export const unitRoundoff: number = 2 ** -53

/**
 * What an f32 forward error bound becomes in f64: bounds are proportional to the unit roundoff to first order.
 *
 * @category constants
 * @since 0.1.0
 */
export const fromSingle: number = 2 ** -29

/**
 * The sum of some numbers with the rounding errors added back in (Neumaier, ZAMM 54, 1974): its error is about one
 * rounding of the result and `n u^2` times the sum of magnitudes, whatever the order.
 *
 * @category utils
 * @since 0.1.0
 */
export const sum = (values: Iterable<number>): number => {
  let total = 0
  let lost = 0
  for (const value of values) {
    const next = total + value
    lost += Math.abs(total) >= Math.abs(value) ? total - next + value : value - next + total
    total = next
  }
  return total + lost
}

/**
 * The inner product of two vectors, with a compensated sum.
 *
 * @category utils
 * @since 0.1.0
 */
export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => sum(Array.from(a, (x, i) => x * (b[i] ?? 0)))

/**
 * The sum of magnitudes of products: the scale against which an inner product's rounding is measured.
 *
 * @category utils
 * @since 0.1.0
 */
export const magnitude = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  sum(Array.from(a, (x, i) => Math.abs(x * (b[i] ?? 0))))
