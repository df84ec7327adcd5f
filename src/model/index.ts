/**
 * The networks that ship, how they are described and stored, and the faces that they know.
 *
 * A model's file is a safetensors checkpoint. Its metadata has `description`, JSON such as
 *
 *     { "kind": "mlp", "features": 768, "labels": 34, "hidden": 384, "blocks": 3, "embedding": 128, "share": "cosine" }
 *     { "kind": "unet", "size": [16, 16, 3], "patch": 2, "channels": [48, 96, 128], "groups": 8, ... }
 *     { "kind": "latent", "size": [16, 16, 3], "patch": 2, "channels": [32, 64], "latent": 4, "hidden": 256, ... }
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
 *     Model.loadModel(bytes): Either<ModelError, { description, denoiser, decoder, parameters: Values, metadata }>
 *     Model.loadClassifier(bytes): Either<ModelError, { description, parameters: Values, metadata }>
 *     Model.encodeModel(description, parameters, metadata): Either<ModelError, Uint8Array>
 *     Model.showError(error): string
 *     Classifier.logProbability(description, parameters, 'glasses', ['round', 'dark']): Differentiable reward
 *
 *     Aesthetic.loadAesthetic(bytes): Either<ModelError, { description, parameters: Values, metadata }>
 *     Text.parse('a smiling face with dark glasses'): Either<TextError, Prompt>
 *     TextCondition.imageCondition(prompt): Either<TextError, 34 numbers>; clipCondition(prompt): 37 numbers
 *
 * The shipped files in `assets`, each `.safetensors`: the denoisers `faces-mlp`, `unet`, `flow`, `latent` and `clip`, and
 * `classifier` and `aesthetic`. A condition is the one-hot code of `Faces`, for clips with one of a motion behind it; zeros in
 * an attribute's block leave that attribute open, zeros everywhere leave all of them open.
 * The shipped files are `faces-mlp`, `unet`, `flow`, `latent`, `clip`, `classifier` and `aesthetic` in `assets`, each
 * `.safetensors`. A chain of a denoiser is given a schedule of `Share.schedules[description.share]`. A condition is the one-hot
 * code of `Faces`, or of `Clips`; zeros in an attribute's block leave that attribute open, zeros everywhere leave all of them open.
 *
 * @since 0.1.0
 */
export * as Aesthetic from './Aesthetic.js'
export * as Classifier from './Classifier.js'
export * as Clips from './Clips.js'
export * as Description from './Description.js'
export * as Erase from './Erase.js'
export * as Faces from './Faces.js'
export * as Foreign from './Foreign.js'
export * as Forward from './Forward.js'
export * as FromClean from './FromClean.js'
export * as Half from './Half.js'
export * as Initial from './Initial.js'
export * as Latent from './Latent.js'
export * as Layout from './Layout.js'
export * as Mlp from './Mlp.js'
export * as Model from './Model.js'
export * as Nearest from './Nearest.js'
export * as Network from './Network.js'
export * as Npy from './Npy.js'
export * as Npz from './Npz.js'
export * as Preference from './Preference.js'
export * as Prompts from './Prompts.js'
export * as Safetensors from './Safetensors.js'
export * as Share from './Share.js'
export * as Text from './Text.js'
export * as TextCondition from './TextCondition.js'
export * as TextVocabulary from './TextVocabulary.js'
export * as Told from './Told.js'
export * as Unet from './Unet.js'

export { initial } from './Initial.js'
export { mlp } from './Mlp.js'
export { loadClassifier, loadModel } from './Model.js'
export { denoiser } from './Network.js'
export { anyFace } from './Prompts.js'
export { unet } from './Unet.js'
