/**
 * Rewards, differentiable and black-box.
 *
 * @since 0.1.0
 */
export * as Decoded from './Decoded.js'
export * as Pixels from './Pixels.js'
export * as Reward from './Reward.js'

export { decoded, decodedBlackBox } from './Decoded.js'
export { brightness } from './Pixels.js'
export { blackBox, conditional, differentiable } from './Reward.js'
