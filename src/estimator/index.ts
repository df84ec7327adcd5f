/**
 * Gradient estimators as covers of a chain, their readings, and their interpreter.
 *
 * @since 0.1.0
 */
export * as Advantage from './Advantage.js'
export * as Algebra from './Algebra.js'
export * as Apart from './apart/Apart.js'
export * as Budget from './reading/Budget.js'
export * as Catalogue from './Catalogue.js'
export * as Comparison from './reading/Comparison.js'
export * as Contenders from './reading/Contenders.js'
export * as Cost from './reading/Cost.js'
export * as Cover from './Cover.js'
export * as Estimator from './Estimator.js'
export * as Experience from './policy/Experience.js'
export * as Explain from './reading/Explain.js'
export * as Forward from './neighbour/Forward.js'
export * as Gradient from './Gradient.js'
export * as Hand from './apart/Hand.js'
export * as Help from './reading/Help.js'
export * as Ledger from './reading/Ledger.js'
export * as Inclusion from './reading/Inclusion.js'
export * as Named from './Named.js'
export * as Objective from './Objective.js'
export * as Pilot from './reading/Pilot.js'
export * as Plan from './Plan.js'
export * as Problem from './Problem.js'
export * as Origin from './apart/Origin.js'
export * as OneStep from './neighbour/OneStep.js'
export * as Row from './catalogue/Row.js'
export * as Sampler from './Sampler.js'
export * as Slope from './reading/Slope.js'
export * as Spread from './reading/Spread.js'
export * as Start from './Start.js'
export * as StateValue from './StateValue.js'
export * as Surrogate from './policy/Surrogate.js'
export * as Variance from './reading/Variance.js'
export * as Weights from './reading/Weights.js'
export * as Programs from './program/Programs.js'

export {
  clipped,
  constant,
  group,
  groupByBatch,
  leaveOneOut,
  none,
  normalised,
  perPrompt,
  runningMean
} from './Advantage.js'
export * from './Catalogue.js'
export { cost, peakActivationBytes } from './reading/Cost.js'
export { cover, exact, firstOrder, halfOrder, show, zerothOrder } from './Cover.js'
export { always, mixture } from './Estimator.js'
export { explain } from './reading/Explain.js'
export { segmentLength } from './reading/Budget.js'
export { compile, problem } from './Gradient.js'
export { byStep, compare, measure, measureAsTrained, measureBatches } from './reading/Variance.js'
