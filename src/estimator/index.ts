/**
 * Gradient estimators as covers of a chain, their readings, and their interpreter.
 *
 * @since 0.1.0
 */
export * as Advantage from './Advantage.js'
export * as Algebra from './Algebra.js'
export * as Budget from './reading/Budget.js'
export * as Catalogue from './Catalogue.js'
export * as Cost from './reading/Cost.js'
export * as Cover from './Cover.js'
export * as Ddpo from './neighbour/Ddpo.js'
export * as Estimator from './Estimator.js'
export * as Explain from './reading/Explain.js'
export * as Gradient from './Gradient.js'
export * as Named from './Named.js'
export * as Plan from './Plan.js'
export * as Problem from './Problem.js'
export * as OneStep from './neighbour/OneStep.js'
export * as Row from './catalogue/Row.js'
export * as Start from './Start.js'
export * as Variance from './reading/Variance.js'
export * as Weights from './reading/Weights.js'
export * as Programs from './Programs.js'

export { clipped, constant, leaveOneOut, none, normalised, perPrompt, runningMean } from './Advantage.js'
export * from './Catalogue.js'
export { cost, peakActivationBytes } from './reading/Cost.js'
export { cover, exact, firstOrder, halfOrder, show, zerothOrder } from './Cover.js'
export { always, mixture } from './Estimator.js'
export { explain } from './reading/Explain.js'
export { segmentLength } from './reading/Budget.js'
export { compile, problem } from './Gradient.js'
export { byStep, compare, measure } from './reading/Variance.js'
