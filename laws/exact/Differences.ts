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
 * Steps from 1/4, halved eight times: exact for polynomials up to degree 16, and reaching below most radii of convergence.
 *
 * @category constructors
 * @since 0.1.0
 */
export const standard: Scheme = { step: 0.25, levels: 9 }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The derivative at 0 of each element of a function of one number. Of all extrapolations in the tableau it takes the one
 * whose error estimate is least. The estimate adds two parts: twice the larger distance to the two entries that it was
 * extrapolated from, which is an estimate of *their* truncation; and the rounding of the values over the smallest step
 * used, times 2 (the extrapolation weights' magnitudes add up to less than the product over `k` of
 * `(4^k + 1) / (4^k - 1)`, which is below 2). Steps beyond a function's radius of convergence give entries that do not
 * agree, and are passed over.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const derivatives = (f: (x: number) => Sample, { step, levels }: Scheme = standard): Derivatives => {
  const sides = Array.from({ length: levels }, (_, k) => {
    const h = step / 2 ** k
    return { h, plus: f(h), minus: f(-h) }
  })
  const size = sides[0]?.plus.value.length ?? 0
  const value: Array<number> = []
  const error: Array<number> = []
  for (let i = 0; i < size; i++) {
    let best = Number.NaN
    let least = Number.POSITIVE_INFINITY
    let noise = 0
    let above: ReadonlyArray<number> = []
    for (const { h, plus, minus } of sides) {
      const a = plus.value[i] ?? Number.NaN
      const b = minus.value[i] ?? Number.NaN
      const rounding = (plus.error[i] ?? 0) + (minus.error[i] ?? 0) + unitRoundoff * (Math.abs(a) + Math.abs(b))
      noise = Math.max(noise, rounding / (2 * h))
      const row = [(a - b) / (2 * h)]
      for (let j = 1; j <= above.length; j++) {
        const finer = row[j - 1] ?? 0
        const coarser = above[j - 1] ?? 0
        const entry = finer + (finer - coarser) / (4 ** j - 1)
        row.push(entry)
        const estimate = 2 * Math.max(Math.abs(entry - finer), Math.abs(entry - coarser)) + 2 * noise
        if (estimate < least) {
          least = estimate
          best = entry
        }
      }
      above = row
    }
    value.push(best)
    error.push(least)
  }
  return { value, error }
}
