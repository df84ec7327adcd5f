/**
 * Conditions that several studies have.
 *
 * @since 0.1.0
 */
import { presets } from 'halforder/training/policy/Presets'
import type { Json } from '../Line.js'
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

/** Continuations from one state, each with the mean of the others as its baseline. @category constants @since 0.1.0 */
export const siblings: Condition = /*#__PURE__*/ by('siblings, every fifth step')({
  name: 'siblings',
  family: 2,
  spacing: 5
})

/** A regression on the adjoint of the base's chain, at a price of leaving it, without which it has no optimum. @category constants @since 0.1.0 */
export const adjointMatching: Condition = {
  name: 'adjoint matching',
  config: { estimator: { name: 'adjointMatching' }, kl: { beta: 0.01 } }
}

/** The fields of a preset, which are a document. */
const preset = (name: string): Group =>
  presets.reduce<Group>((found, one) => (one.name === name ? documentOf(one.fields) : found), {})

const documentOf = (fields: (typeof presets)[number]['fields']): Group =>
  Object.fromEntries(Object.entries(fields).map(([key, value]): readonly [string, Json] => [key, value]))

/** DDPO as released, on the chain of the study. @category constants @since 0.1.0 */
export const ddpo: Condition = {
  name: 'DDPO, its ratios and advantages',
  config: { ...preset('ddpo'), chain: { kind: 'ddim' } }
}

/** Flow-GRPO as released, on its chain of ten steps. @category constants @since 0.1.0 */
export const flowGrpo: Condition = { name: 'Flow-GRPO, ten steps', config: preset('flow-grpo') }

const forwardLoss = (name: string, forward: Group): Condition => ({
  name,
  config: { forward, group: 8, advantage: { name: 'group' } }
})

/** Samples of a policy that trails the one that is trained. @category constants @since 0.1.0 */
export const nft: Condition = /*#__PURE__*/ forwardLoss('Diffusion NFT', { loss: 'negativeAware', trailing: 0.5 })

/** @category constants @since 0.1.0 */
export const weightedMatching: Condition = /*#__PURE__*/ forwardLoss('advantage-weighted matching', {
  loss: 'weighted'
})
