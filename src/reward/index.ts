/**
 * Rewards, differentiable and black-box.
 *
 * @since 0.1.0
 */
export * as Decoded from './Decoded.js'
export * as Alignment from './Alignment.js'
export * as Clip from './Clip.js'
export * as Pixels from './Pixels.js'
export * as Reward from './Reward.js'
export * as Shelf from './Shelf.js'
export * as Weighted from './Weighted.js'

export { decoded, decodedBlackBox } from './Decoded.js'
export { alignment } from './Alignment.js'
export { dynamicDegree, meanOverFrames, smoothness } from './Clip.js'
export { brightness } from './Pixels.js'
export { blackBox, blackBoxPromise, blackBoxTask, conditional, differentiable } from './Reward.js'
export { shelf } from './Shelf.js'
export { weighted } from './Weighted.js'
