/**
 * Parametric lenses: network layers with hand-written pullbacks, and how they compose.
 *
 * @since 0.1.0
 */
export * as Adapter from './Adapter.js'
export * as Carried from './Carried.js'
export * as Columns from './Columns.js'
export * as Erase from './Erase.js'
export * as Forward from './Forward.js'
export * as Initial from './Initial.js'
export * as Lens from './Lens.js'
export * as Recompute from './Recompute.js'
export * as Spread from './Spread.js'

export * from './layer/All.gen.js'
export { elu, gelu, geluTanh, relu, sigmoid, silu, tanh } from './layer/Activation.js'
export { freeze, lora } from './Adapter.js'
export { attend, crossAttention, selfAttention } from './layer/Attention.js'
export { film, labelEmbedding, timeEmbedding } from './layer/Conditioning.js'
export { conv1d, conv2d, conv3d } from './layer/Convolution.js'
export { initial } from './Initial.js'
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
export { level } from './layer/Unet.js'
export {
  averagePool1d,
  averagePool2d,
  averagePool3d,
  upsample1d,
  upsample2d,
  upsample3d
} from './layer/Pooling.js'
export { recompute } from './Recompute.js'
export type { InputOf, OutputOf, ParamsOf } from './Lens.js'
export type { Rows } from './Rows.js'
