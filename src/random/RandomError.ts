/**
 * What can be wrong with the arguments of a draw.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A weight that is negative, infinite or not a number.
 *
 * @category model
 * @since 0.1.0
 */
export interface InvalidWeight {
  readonly _tag: 'InvalidWeight'
  readonly index: number
  readonly got: number
}

/**
 * No category can be drawn: there is none, or each weight is zero.
 *
 * @category model
 * @since 0.1.0
 */
export interface NoPositiveWeight {
  readonly _tag: 'NoPositiveWeight'
  readonly categories: number
}

/**
 * Any error of this room.
 *
 * @category model
 * @since 0.1.0
 */
export type RandomError = InvalidWeight | NoPositiveWeight

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * What is wrong, where, what was expected, what was there, and what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const show = (error: RandomError): string => {
  switch (error._tag) {
    case 'InvalidWeight':
      return (
        `categorical: weights[${error.index}] is no weight\n  expected: a finite number >= 0\n  got: ${error.got}\n` +
        '  remedy: pass probabilities, or any numbers proportional to them; exponentiate logits first'
      )
    case 'NoPositiveWeight':
      return (
        `categorical: there is nothing to draw from\n  expected: at least one weight > 0\n` +
        `  got: ${error.categories === 0 ? 'no weights' : `${error.categories} weights, all zero`}\n` +
        '  remedy: give a category a positive weight'
      )
  }
}
