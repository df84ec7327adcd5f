/**
 * Derivatives from values alone: central differences, extrapolated (Richardson; the tableau of Ridders, Advances in
 * Engineering Software 4, 1982).
 *
 * With `L` halvings of the step the terms up to `step^(2 L - 2)` of the error cancel. So a polynomial of degree at most
 * `2 L` has no truncation error at all, however large the step, and a large step keeps rounding small.
 *
 * @since 0.1.0
 */
import { unitRoundoff } from './Rounding.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How to take differences: the largest step, and how many there are (at least two), each half the one before.
 *
 * @category model
 * @since 0.1.0
 */
export interface Scheme {
  readonly step: number
  readonly levels: number
}

/**
 * Derivatives, one an element, and how far each may be off.
 *
 * @category model
 * @since 0.1.0
 */
export interface Derivatives {
  readonly value: ReadonlyArray<number>
  readonly error: ReadonlyArray<number>
}

/**
 * Values with the absolute error that rounding may have left in each.
 *
 * @category model
 * @since 0.1.0
 */
export interface Sample {
  readonly value: ArrayLike<number>
  readonly error: ArrayLike<number>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Steps from 1/4, halved eight times: exact for polynomials up to degree 16, and reaching below most radii of
 * convergence.
 *
 * @category constructors
 * @since 0.1.0
 */
export const standard: Scheme = { step: 0.25, levels: 9 }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The derivative at 0 of each element of a function of one number. Of all extrapolations in the tableau it takes the
 * one whose error estimate is least. The estimate adds three parts: twice the larger distance to the two entries that
 * it was extrapolated from, which is an estimate of *their* truncation; the rounding of the values over the smallest
 * step used, times 2 (the extrapolation weights' magnitudes add up to less than the product over `k` of `(4^k + 1) /
 * (4^k - 1)`, which is below 2); and how far apart the derivatives from the right and from the left are, by the same
 * steps extrapolated. That distance is nothing where the function is smooth. Within a step of a kink central
 * differences may agree on a slope that is neither side's, and the distance is the jump of the slope. Steps beyond a
 * function's radius of convergence give entries that do not agree, and are passed over.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const derivatives = (f: (x: number) => Sample, { step, levels }: Scheme = standard): Derivatives => {
  const middle = f(0)
  const sides = Array.from({ length: levels }, (_, k) => {
    const h = step / 2 ** k
    return { h, plus: f(h), minus: f(-h) }
  })
  const size = sides[0]?.plus.value.length ?? 0
  const value: Array<number> = []
  const error: Array<number> = []
  for (let i = 0; i < size; i++) {
    const c = middle.value[i] ?? Number.NaN
    let best = Number.NaN
    let least = Number.POSITIVE_INFINITY
    let noise = 0
    let above: ReadonlyArray<number> = []
    let gapsAbove: ReadonlyArray<number> = []
    for (const { h, plus, minus } of sides) {
      const a = plus.value[i] ?? Number.NaN
      const b = minus.value[i] ?? Number.NaN
      const rounding = (plus.error[i] ?? 0) + (minus.error[i] ?? 0) + unitRoundoff * (Math.abs(a) + Math.abs(b))
      noise = Math.max(noise, rounding / (2 * h))
      // even powers of the step are the error of a central difference, odd ones that of the distance of the sides
      const row = extrapolated((a - b) / (2 * h), above, (j) => 4 ** j)
      const gaps = extrapolated((a - 2 * c + b) / h, gapsAbove, (j) => 4 ** j / 2)
      for (let j = 1; j < row.length; j++) {
        const entry = row[j] ?? 0
        const spread = Math.max(Math.abs(entry - (row[j - 1] ?? 0)), Math.abs(entry - (above[j - 1] ?? 0)))
        const estimate = 2 * spread + 2 * noise + Math.abs(gaps[j] ?? 0)
        if (estimate < least) {
          least = estimate
          best = entry
        }
      }
      above = row
      gapsAbove = gaps
    }
    value.push(best)
    error.push(least)
  }
  return { value, error }
}

/** The next row of a tableau: of each entry and the one above it, what cancels the power that falls by `factor(j)`. */
const extrapolated = (
  first: number,
  above: ReadonlyArray<number>,
  factor: (j: number) => number
): ReadonlyArray<number> => {
  const row = [first]
  for (let j = 1; j <= above.length; j++) {
    const finer = row[j - 1] ?? 0
    row.push(finer + (finer - (above[j - 1] ?? 0)) / (factor(j) - 1))
  }
  return row
}
