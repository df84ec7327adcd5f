/**
 * Fine-tuning and pretraining as pure steps over a state.
 *
 * @since 0.1.0
 */
export * as Adapters from './Adapters.js'
export * as AestheticObjective from './AestheticObjective.js'
export * as Checkpoint from './Checkpoint.js'
export * as Config from './Config.js'
export * as Evaluation from './Evaluation.js'
export * as Finetune from './Finetune.js'
export * as Pretrain from './Pretrain.js'
export * as PretrainBatch from './PretrainBatch.js'
export * as PretrainMetrics from './PretrainMetrics.js'
export * as PretrainObjective from './PretrainObjective.js'
export * as Rewards from './Rewards.js'
export * as Setup from './Setup.js'

export { compile, request, unfold } from './Finetune.js'
