/**
 * Words that claims share: their contrasts, and why they end as they do.
 *
 * @since 0.1.0
 */
import type { Claim, Contrast } from '../../Claims.js'
import type { Quantity } from '../../Study.js'
import { asPrinted } from '../Conditions.js'

/**
 * What is to be known of how a claim ended, by its verdict.
 *
 * @category model
 * @since 0.1.0
 */
export type Why = Claim['why']

/**
 * Of two conditions of a study, at the end of their budgets or after a share of them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const more = (of: string, over: string, quantity: Quantity = 'heldOut', after = 1): Contrast => ({
  _tag: 'Finetunes',
  quantity,
  of,
  over,
  after
})

/**
 * Where leaving the base has a price, what is raised is the reward less that price.
 *
 * @category combinators
 * @since 0.1.0
 */
export const asOn = (isPriced: boolean, contrast: Contrast): Contrast =>
  isPriced && (contrast._tag === 'Finetunes' || contrast._tag === 'Tuned')
    ? { ...contrast, quantity: 'objective' }
    : contrast

/**
 * The paper’s estimator, by its name.
 *
 * @category constants
 * @since 0.1.0
 */
export const { name: printed } = asPrinted

/**
 * Where RLR as printed falls behind: see the variances by cell of the study `dimension`.
 *
 * @category constants
 * @since 0.1.0
 */
export const zerothOrder =
  'the zeroth-order cell, which pays for nearly all steps, has most of the variance and of the evaluations: see the variance by cell of *dimension*'

/**
 * A step that leaves the data, where that costs something.
 *
 * @category constants
 * @since 0.1.0
 */
export const leaves = 'its one step leaves the data for the reward, and pays for it'

/**
 * Why another task ends as faces do.
 *
 * @category constructors
 * @since 0.1.0
 */
export const asOnFaces = (verdict: keyof Why): Why => ({ [verdict]: 'as on faces' })
