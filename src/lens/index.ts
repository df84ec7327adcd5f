/**
 * Parametric lenses: network layers with hand-written pullbacks, and how they compose.
 *
 * @since 0.1.0
 */
export * as Activation from './Activation.js'
export * as Adapter from './Adapter.js'
export * as Attention from './Attention.js'
export * as Carried from './Carried.js'
export * as Conditioning from './Conditioning.js'
export * as Convolution from './Convolution.js'
export * as Columns from './Columns.js'
export * as LogSumExp from './LogSumExp.js'
export * as Dense from './Dense.js'
export * as Embedding from './Embedding.js'
export * as Lens from './Lens.js'
export * as Loss from './Loss.js'
export * as Normalization from './Normalization.js'
export * as Patches from './Patches.js'
export * as Pooling from './Pooling.js'
export * as Recompute from './Recompute.js'
export * as ResidualBlock from './ResidualBlock.js'
export * as Unet from './Unet.js'

export { relu, sigmoid, silu, tanh } from './Activation.js'
export { freeze, lora } from './Adapter.js'
export { attend, crossAttention, selfAttention } from './Attention.js'
export { film, labelEmbedding, timeEmbedding } from './Conditioning.js'
export { conv1d, conv2d, conv3d } from './Convolution.js'
export { dense } from './Dense.js'
export { embedding } from './Embedding.js'
export {
  at,
  compose,
  diagonal,
  fanout,
  given,
  identity,
  make,
  parallel,
  repeat,
  reparametrize,
  residual
} from './Lens.js'
export { logSoftmax, meanSquaredError, softmaxCrossEntropy } from './Loss.js'
export { groupNorm, layerNorm, softmax } from './Normalization.js'
export { residualBlock } from './ResidualBlock.js'
export { level, unet } from './Unet.js'
export {
  averagePool1d,
  averagePool2d,
  averagePool3d,
  upsample1d,
  upsample2d,
  upsample3d
} from './Pooling.js'
export { recompute } from './Recompute.js'
