/**
 * Chains: noise schedules, samplers, and what can be read off a chain of steps.
 *
 * @since 0.1.0
 */
export * as Affine from './Affine.js'
export * as Chain from './Chain.js'
export * as Clean from './Clean.js'
export * as Denoiser from './Denoiser.js'
export * as EpsilonSampler from './EpsilonSampler.js'
export * as Haar from './Haar.js'
export * as Latent from './Latent.js'
export * as LinearQuadratic from './other/LinearQuadratic.js'
export * as Noise from './Noise.js'
export * as PerStep from './PerStep.js'
export * as Prediction from './Prediction.js'
export * as RecurrentPolicy from './other/RecurrentPolicy.js'
export * as SamplerRow from './SamplerRow.js'
export * as Schedule from './Schedule.js'
export * as Share from './Share.js'
export * as TimeMap from './TimeMap.js'

export * from './sampler/All.gen.js'
export { affine } from './Affine.js'
export { rollout, segment } from './Chain.js'
export { autoguided, guided } from './Denoiser.js'
export { flowOde, flowSde } from './sampler/Flow.js'
export { linearQuadratic } from './other/LinearQuadratic.js'
export { perStep } from './PerStep.js'
export { recurrentPolicy } from './other/RecurrentPolicy.js'
export { cosine, linear } from './Schedule.js'
