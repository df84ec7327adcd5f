/**
 * Parametric lenses: network layers with hand-written pullbacks, and how they compose.
 *
 * @since 0.1.0
 */
export * as Activation from './Activation.js'
export * as Conditioning from './Conditioning.js'
export * as Dense from './Dense.js'
export * as Lens from './Lens.js'
export * as Loss from './Loss.js'
export * as Normalization from './Normalization.js'

export { relu, sigmoid, silu, tanh } from './Activation.js'
export { film, labelEmbedding, timeEmbedding } from './Conditioning.js'
export { dense } from './Dense.js'
export { at, compose, fanout, given, identity, make, parallel, repeat, residual } from './Lens.js'
export { logSoftmax, meanSquaredError, softmaxCrossEntropy } from './Loss.js'
export { layerNorm } from './Normalization.js'
