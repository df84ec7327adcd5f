/**
 * halforder: the Recursive Likelihood Ratio optimizer for diffusion models (arXiv 2502.00639), as covers of a chain that
 * are interpreted into programs of a typed tensor language, which run as gpu.js kernels.
 *
 * Each room is a namespace here and a subpath of the package (`halforder/estimator`, and so on).
 *
 * @since 0.1.0
 */
export * as chain from './chain/index.js'
export * as estimator from './estimator/index.js'
export * as finetune from './finetune/index.js'
export * as kernel from './kernel/index.js'
export * as lens from './lens/index.js'
export * as model from './model/index.js'
export * as optimizer from './optimizer/index.js'
export * as random from './random/index.js'
export * as reward from './reward/index.js'
export * as tensor from './tensor/index.js'
