/**
 * Conditions that several studies have.
 *
 * @since 0.1.0
 */
import type { Condition, Group } from '../Study.js'

const by =
  (name: string) =>
  (estimator: Group): Condition => ({ name, config: { estimator } })

/** @category constants @since 0.1.0 */
export const base: Condition = { name: 'base model', config: {}, steps: 0 }

/** The paper's estimator with the erratum of its equation (6) mended: every step is paid once. @category constants @since 0.1.0 */
export const asPrinted: Condition = /*#__PURE__*/ by('RLR, zeroth-order rest')({ name: 'rlr', baseline: 'none' })

/** @category constants @since 0.1.0 */
export const halfOrderRest: Condition = /*#__PURE__*/ by('RLR, half-order rest')({ name: 'rlr', rest: 'halfOrder' })

/** DDPO's gradient before its ratios: scores of each step, the mean of the other rows taken off. @category constants @since 0.1.0 */
export const reinforce: Condition = /*#__PURE__*/ by('REINFORCE (DDPO)')({ name: 'reinforce', baseline: 'none' })

/** @category constants @since 0.1.0 */
export const clean: Condition = /*#__PURE__*/ by('half-order, clean baseline')({ name: 'reinforce', baseline: 'clean' })

/** @category constants @since 0.1.0 */
export const full: Condition = /*#__PURE__*/ by('full backpropagation')({ name: 'fullBackprop' })

/** DRaFT-1 and AlignProp's shortest. @category constants @since 0.1.0 */
export const truncated = (k: number): Condition => by(`truncated, last ${k}`)({ name: 'truncatedBackprop', k })

/** @category constants @since 0.1.0 */
export const randomTruncation: Condition = /*#__PURE__*/ by('truncated at random (AlignProp)')({
  name: 'randomTruncation'
})
