/**
 * Rewards, differentiable and black-box.
 *
 * @since 0.1.0
 */
export * as Reward from './Reward.js'
