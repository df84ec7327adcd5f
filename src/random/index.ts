/**
 * Randomness as values: keys that are split and folded, and draws that are pure functions of a key. The bits are the
 * same on every JavaScript engine.
 *
 * @since 0.1.0
 */
export * as Density from './Density.js'
export * as Draw from './Draw.js'
export * as Gamma from './Gamma.js'
export * as Key from './Key.js'
export * as Nodes from './Nodes.js'
export * as Philox from './Philox.js'
export * as Quantile from './Quantile.js'
export * as RandomError from './RandomError.js'

export { foldIn, make as key, split } from './Key.js'
