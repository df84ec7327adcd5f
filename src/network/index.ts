/**
 * Networks by description: denoisers, their decoders, and classifiers, and the files that hold them.
 *
 * A model's file is a safetensors checkpoint whose metadata has `description`, JSON such as
 *
 *     { "kind": "mlp", "features": 2, "labels": 8, "hidden": 64, "blocks": 2, "embedding": 32, "share": "cosine" }
 *     { "kind": "unet", "size": [16, 16, 3], "labels": 34, "patch": 2, "channels": [48, 96, 128], "groups": 8,
 *       "embedding": 128, "share": "cosine" }
 *     { "kind": "latent", "size": [16, 16, 3], "patch": 2, "channels": [32, 64], "groups": 8, "latent": 4, "labels": 34,
 *       "hidden": 256, "blocks": 3, "embedding": 128, "share": "cosine" }
 *     { "kind": "classifier", "features": 768, "labels": 34, "hidden": 128, "blocks": 2 }
 *
 * and its tensors are the parameters by path: `in.weight`, `in.bias`, `time.weight`, `labels.weight`,
 * `blocks.0.norm.gain`, `blocks.0.film.scale.weight`, `blocks.0.film.shift.bias`, `blocks.0.dense.weight`,
 * `norm.gain`, `out.weight` for the denoiser of dense layers; `in.weight`, `position`, `levels.0.down.enter.weight`,
 * `levels.0.up.film.scale.weight`, `middle.1.leave.weight`, `norm.gain`, `out.weight` for a U-Net, with `.space` and `.time`
 * after `enter`, `leave`, `in` and `out` where it is one of clips; those of the former below `denoiser`, beside `encoder`
 * and `decoder`, for a denoiser of latents; `in.weight`, `blocks.0.norm.gain`, `blocks.0.dense.weight`, `norm.gain`,
 * `out.weight` for the classifier.
 *
 * @since 0.1.0
 */
export * as BlackJudge from './BlackJudge.js'
export * as Builder from './graph/Builder.js'
export * as Check from './Check.js'
export * as Classifier from './Classifier.js'
export * as Consistent from './Consistent.js'
export * as Description from './Description.js'
export * as FromClean from './FromClean.js'
export * as FromDiffusers from './FromDiffusers.js'
export * as FromOnnx from './FromOnnx.js'
export * as Import from './graph/Import.js'
export * as ImportError from './graph/ImportError.js'
export * as Judge from './Judge.js'
export * as Latent from './Latent.js'
export * as Meaning from './Meaning.js'
export * as Meant from './Meant.js'
export * as Mlp from './Mlp.js'
export * as Model from './Model.js'
export * as Network from './Network.js'
export * as Record from './Record.js'
export * as Scheduler from './diffusers/Scheduler.js'
export * as ToOnnx from './graph/ToOnnx.js'
export * as Told from './Told.js'
export * as Unet from './Unet.js'

export { blackJudge } from './BlackJudge.js'
export { fromDiffusers } from './FromDiffusers.js'
export { fromOnnx } from './FromOnnx.js'
export { judge } from './Judge.js'
export { meant } from './Meant.js'
export { mlp } from './Mlp.js'
export { loadClassifier, loadModel } from './Model.js'
export { denoiser } from './Network.js'
export { toOnnx } from './graph/ToOnnx.js'
export { unet } from './Unet.js'
