/**
 * Optimizers: pure transformations of gradients, which chain.
 *
 * @since 0.1.0
 */
export * as Average from './Average.js'
export * as Optimizer from './Optimizer.js'

export { adam, adamW, apply, chain, clipByGlobalNorm, globalNorm, scale, sgd, weightDecay } from './Optimizer.js'
