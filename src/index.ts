/**
 * Fine-tuning of diffusion models by gradient estimators that are values: covers of a chain, on a typed tensor language that
 * compiles to gpu.js kernels.
 *
 * Each room is a namespace here and an entry point of its own, `halforder/chain`; a room's modules are entry points too,
 * `halforder/chain/Chain`.
 *
 * @since 0.1.0
 */
export * as chain from './chain/index.js'
export * as document from './document/index.js'
export * as estimator from './estimator/index.js'
export * as format from './format/index.js'
export * as kernel from './kernel/index.js'
export * as lens from './lens/index.js'
export * as network from './network/index.js'
export * as optimizer from './optimizer/index.js'
export * as random from './random/index.js'
export * as reward from './reward/index.js'
export * as task from './task/index.js'
export * as tensor from './tensor/index.js'
export * as training from './training/index.js'
