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

/**
 * The advantage of a configuration.
 *
 * @category constructors
 * @since 0.1.0
 */
export const advantage = ({ name, baseline, decay }: Config['advantage']): Advantage.Advantage => {
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
 * What a fine-tune of a configuration does besides paying for steps.
 *
 * @category readings
 * @since 0.1.0
 */
export const departures = ({
  advantage: { name },
  batch,
  group,
  optimizer: { clip }
}: Config): ReadonlyArray<Departure> => [
  ...(name === 'group'
    ? ([
        // without groups all samples are of one
        { _tag: 'OwnBaseline', group: group === 1 ? batch : group },
        { _tag: 'Normalised', over: 'group' }
      ] as const)
    : []),
  ...(clip === 0 ? [] : ([{ _tag: 'ClippedGradient', norm: clip }] as const))
]
