/**
 * How a configured fine-tune descends: what stands for the reward in likelihood ratios, how the gradient moves the parameters, and what
 * is done besides.
 *
 * @since 0.1.0
 */
import * as Advantage from '../estimator/Advantage.js'
import type { Departure } from '../estimator/reading/Ledger.js'
import * as Optimizer from '../optimizer/Optimizer.js'
import type { Config } from './Config.js'
import * as Inner from './policy/Inner.js'

/**
 * The advantage of a configuration.
 *
 * @category constructors
 * @since 0.1.0
 */
export const advantage = ({ clip, ...config }: Config['advantage']): Advantage.Advantage => {
  const made = named(config)
  return clip === 0 ? made : Advantage.clipped(clip)(made)
}

const named = ({ name, baseline, decay }: Omit<Config['advantage'], 'clip'>): Advantage.Advantage => {
  switch (name) {
    case 'none':
      return Advantage.none
    case 'constant':
      return Advantage.constant(baseline)
    case 'leaveOneOut':
      return Advantage.leaveOneOut
    case 'perPrompt':
      return Advantage.perPrompt
    case 'group':
      return Advantage.group
    case 'groupByBatch':
      return Advantage.groupByBatch
    case 'runningMean':
      return Advantage.runningMean(decay, baseline)
  }
}

/**
 * The optimizer of a configuration.
 *
 * @category constructors
 * @since 0.1.0
 */
export const optimizer = (config: Config['optimizer']): Optimizer.Optimizer => {
  const { learningRate, weightDecay: decay, beta1, beta2, momentum, nesterov, clip } = config
  const descend =
    config.name === 'sgd'
      ? Optimizer.sgd(learningRate, { momentum, nesterov })
      : Optimizer.adamW(learningRate, { beta1, beta2, decay })
  return clip === 0 ? descend : Optimizer.chain(Optimizer.clipByGlobalNorm(clip), descend)
}

/**
 * What a fine-tune of a configuration does besides paying for steps; `elements` are the numbers of a state.
 *
 * @category readings
 * @since 0.1.0
 */
export const departures = (
  { advantage: { name, clip: limit }, batch, group, kl, optimizer: { clip }, policy }: Config,
  elements: number
): ReadonlyArray<Departure> => {
  const updates = Inner.updates(policy)
  // without groups all samples are of one
  const own = name === 'group' || name === 'groupByBatch'
  return [
    ...(policy.density === 'sum' ? [] : ([{ _tag: 'MeanDensity', elements }] as const)),
    ...(own
      ? ([
          { _tag: 'OwnBaseline', group: group === 1 ? batch : group },
          { _tag: 'Normalised', over: name === 'group' ? 'group' : 'batch' }
        ] as const)
      : []),
    ...(limit === 0 ? [] : ([{ _tag: 'ClippedAdvantage', limit }] as const)),
    ...(updates === 1 ? [] : ([{ _tag: 'ReusedSamples', updates }] as const)),
    // the ratio of a single update is 1
    ...(updates === 1 || policy.clip === 0
      ? []
      : ([{ _tag: 'ClippedRatio', low: policy.clip, high: policy.clip }] as const)),
    ...(kl.beta === 0 || kl.as === 'objective' ? [] : ([{ _tag: 'PartOfPenalty', as: kl.as }] as const)),
    ...(clip === 0 ? [] : ([{ _tag: 'ClippedGradient', norm: clip }] as const))
  ]
}
