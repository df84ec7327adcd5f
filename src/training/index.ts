/**
 * Training as pure steps over a state: fine-tuning, pretraining, sampling, and measuring.
 *
 * @since 0.1.0
 */
export * as Adapters from './Adapters.js'
export * as Batches from './Batches.js'
export * as Chains from './Chains.js'
export * as Checkpoint from './Checkpoint.js'
export * as Conditions from './Conditions.js'
export * as Config from './Config.js'
export * as Critic from './Critic.js'
export * as Decode from './Decode.js'
export * as Descent from './Descent.js'
export * as Diversity from './measure/Diversity.js'
export * as Evaluation from './measure/Evaluation.js'
export * as Finetune from './Finetune.js'
export * as Frechet from './measure/Frechet.js'
export * as Inner from './policy/Inner.js'
export * as Memory from './measure/Memory.js'
export * as Normalising from './Normalising.js'
export * as Objective from './Objective.js'
export * as Penalty from './Penalty.js'
export * as Presets from './policy/Presets.js'
export * as Pretrain from './Pretrain.js'
export * as Requests from './Requests.js'
export * as Sampling from './Sampling.js'
export * as Setup from './Setup.js'

export { untold } from './Conditions.js'
export { compile, unfold } from './Finetune.js'
export { request } from './Requests.js'
export { sample } from './Sampling.js'
