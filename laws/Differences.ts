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
 * How to take differences: the largest step, and how many there are, each half the one before.
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
 * Steps from 1/4, halved five times: exact for polynomials up to degree 12.
 *
 * @category constructors
 * @since 0.1.0
 */
export const standard: Scheme = { step: 0.25, levels: 6 }

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The derivative at 0 of each element of a function of one number. `error` adds two parts: the distance between the last
 * two extrapolations, which is an estimate of the truncation of the worse one, and the rounding of the values, over
 * the smallest step, times 2 (the extrapolation weights' magnitudes add up to less than the product over `k` of
 * `(4^k + 1) / (4^k - 1)`, which is below 2).
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
    let column = sides.map(({ h, plus, minus }) => ((plus.value[i] ?? 0) - (minus.value[i] ?? 0)) / (2 * h))
    let before = column.at(-1) ?? 0
    for (let k = 1; k < levels; k++) {
      before = column.at(-1) ?? 0
      const factor = 4 ** k
      column = column.slice(1).map((better, at) => better + (better - (column[at] ?? 0)) / (factor - 1))
    }
    const best = column[0] ?? 0
    const noise = sides.reduce((worst, { h, plus, minus }) => {
      const read = Math.abs(plus.value[i] ?? 0) + Math.abs(minus.value[i] ?? 0)
      return Math.max(worst, ((plus.error[i] ?? 0) + (minus.error[i] ?? 0) + unitRoundoff * read) / (2 * h))
    }, 0)
    value.push(best)
    error.push(Math.abs(best - before) + 2 * noise)
  }
  return { value, error }
}
