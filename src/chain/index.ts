/**
 * Chains: noise schedules, samplers, and what can be read off a chain of steps.
 *
 * @since 0.1.0
 */
export * as Chain from './Chain.js'
export * as Clean from './Clean.js'
export * as Ddim from './Ddim.js'
export * as Ddpm from './Ddpm.js'
export * as Denoiser from './Denoiser.js'
export * as EpsilonSampler from './EpsilonSampler.js'
export * as Noise from './Noise.js'
export * as Schedule from './Schedule.js'

export { rollout, segment } from './Chain.js'
export { ddim } from './Ddim.js'
export { ddpm } from './Ddpm.js'
export { guided } from './Denoiser.js'
export { cosine, linear } from './Schedule.js'
