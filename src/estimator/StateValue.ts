/**
 * Functions of a chain's state that lower the variance of likelihood-ratio terms: as a baseline at the state that a segment's
 * noise has not reached yet, or as a control at the state that it has, with the function's gradient put back in (Stein's identity).
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A function `Q_t(x_t, c)`, one number a row.
 *
 * - `Clean`: the reward of what the chain expects its output to be at `x_t` (`Chain.clean`). It costs no network evaluation as a
 *   baseline, for the step's own call gives it.
 * - `Learned`: a lens of the state by its name among the problem's `values`: a critic, or a surrogate of a black box, which is
 *   fitted on earlier batches.
 * - `Polynomial`: `c_0 + sum over the elements of c_1 x + c_2 x^2 + ...`, lowest degree first: for small models.
 *
 * @category model
 * @since 0.1.0
 */
export type StateValue =
  | { readonly _tag: 'Clean' }
  | { readonly _tag: 'Learned'; readonly name: string }
  | { readonly _tag: 'Polynomial'; readonly coefficients: ReadonlyArray<number> }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The reward of the chain's clean prediction.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clean: StateValue = { _tag: 'Clean' }

/**
 * A value by its name among the problem's.
 *
 * @category constructors
 * @since 0.1.0
 */
export const learned = (name: string): StateValue => ({ _tag: 'Learned', name })

/**
 * A polynomial of the state, lowest degree first.
 *
 * @category constructors
 * @since 0.1.0
 */
export const polynomial = (coefficients: ReadonlyArray<number>): StateValue => ({ _tag: 'Polynomial', coefficients })

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * A value for a person.
 *
 * @category readings
 * @since 0.1.0
 */
export const show = (value: StateValue): string => {
  switch (value._tag) {
    case 'Clean':
      return 'clean'
    case 'Learned':
      return value.name
    case 'Polynomial':
      return `polynomial ${value.coefficients.map((c) => Number(c.toPrecision(3))).join(', ')}`
  }
}
