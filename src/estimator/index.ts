/**
 * Gradient estimators as covers of a chain, their readings, and their interpreter.
 *
 * @since 0.1.0
 */
export * as Advantage from './Advantage.js'
export * as Catalogue from './Catalogue.js'
export * as Cost from './Cost.js'
export * as Cover from './Cover.js'
export * as Estimator from './Estimator.js'
export * as Explain from './Explain.js'
export * as Gradient from './Gradient.js'
export * as Programs from './Programs.js'
