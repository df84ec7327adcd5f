/**
 * Rewards, differentiable and black-box.
 *
 * @since 0.1.0
 */
export * from './All.gen.js'

export { decodedBlackBox } from './Decoded.js'
export { dynamicDegree, meanOverFrames, smoothness } from './Clip.js'
export { klTo } from './Kl.js'
export { brightness } from './Pixels.js'
export { seeing } from './Seeing.js'
export { blackBoxOfState, ofState } from './StepReward.js'
export { weighted } from './Weighted.js'
export { blackBox, blackBoxPromise, blackBoxTask, conditional, differentiable } from './Reward.js'
