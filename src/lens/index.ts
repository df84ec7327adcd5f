/**
 * Parametric lenses: network layers with hand-written pullbacks, and how they compose.
 *
 * @since 0.1.0
 */
export * as Activation from './layer/Activation.js'
export * as Adapter from './Adapter.js'
export * as Attention from './layer/Attention.js'
export * as Carried from './Carried.js'
export * as Conditioning from './layer/Conditioning.js'
export * as Convolution from './layer/Convolution.js'
export * as Columns from './Columns.js'
export * as Dense from './layer/Dense.js'
export * as Embedding from './layer/Embedding.js'
export * as Erase from './Erase.js'
export * as Forward from './Forward.js'
export * as Initial from './Initial.js'
export * as Lens from './Lens.js'
export * as LogSumExp from './layer/LogSumExp.js'
export * as Loss from './layer/Loss.js'
export * as Normalization from './layer/Normalization.js'
export * as Patches from './layer/Patches.js'
export * as Pooling from './layer/Pooling.js'
export * as Recompute from './Recompute.js'
export * as ResidualBlock from './layer/ResidualBlock.js'
export * as Unet from './layer/Unet.js'

export { relu, sigmoid, silu, tanh } from './layer/Activation.js'
export { freeze, lora } from './Adapter.js'
export { attend, crossAttention, selfAttention } from './layer/Attention.js'
export { film, labelEmbedding, timeEmbedding } from './layer/Conditioning.js'
export { conv1d, conv2d, conv3d } from './layer/Convolution.js'
export { dense } from './layer/Dense.js'
export { initial } from './Initial.js'
export { embedding } from './layer/Embedding.js'
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
export { logSoftmax, meanSquaredError, softmaxCrossEntropy } from './layer/Loss.js'
export { groupNorm, layerNorm, softmax } from './layer/Normalization.js'
export { residualBlock } from './layer/ResidualBlock.js'
export { level, unet } from './layer/Unet.js'
export {
  averagePool1d,
  averagePool2d,
  averagePool3d,
  upsample1d,
  upsample2d,
  upsample3d
} from './layer/Pooling.js'
export { recompute } from './Recompute.js'
export type { Rows } from './Rows.js'
