/**
 * Rewards, differentiable and black-box.
 *
 * @since 0.1.0
 */
export * from './All.gen.js'

export { decodedBlackBox } from './Decoded.js'
export { dynamicDegree, meanOverFrames, smoothness } from './Clip.js'
export { brightness } from './Pixels.js'
export { weighted } from './Weighted.js'
export { blackBox, conditional, differentiable } from './Reward.js'
