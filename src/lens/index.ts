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
