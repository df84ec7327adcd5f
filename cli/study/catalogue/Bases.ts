/**
 * On what the studies run: tasks that ship, with what every condition of a study has in common.
 *
 * @since 0.1.0
 */
import type { Basis, Group } from '../Study.js'

/** Conditions are told apart by what they pay for: no price of leaving the base, unless a study says so. */
const free: Group = { kl: { beta: 0 } }

const quickly = { chain: { T: 10 }, batch: 8, evaluationSamples: 32 } as const

/**
 * Faces by the network of dense layers: the soft prompt is trained for `log p(glasses)`, 50 steps of DDIM. A run of the paper's estimator
 * has 30 steps for its budget.
 *
 * @category constants
 * @since 0.1.0
 */
export const faces: Basis = {
  config: { ...free, evaluationSamples: 256 },
  budget: { _tag: 'Cost', evaluationsAndPullbacks: 150_000 },
  quick: { config: quickly, budget: { _tag: 'Cost', evaluationsAndPullbacks: 1_500 } }
}

/**
 * Points of the eight Gaussians, to the right, with 20 steps.
 *
 * @category constants
 * @since 0.1.0
 */
export const points: Basis = {
  config: { ...free, evaluationSamples: 512 },
  budget: { _tag: 'Cost', evaluationsAndPullbacks: 300_000 },
  quick: { config: quickly, budget: { _tag: 'Cost', evaluationsAndPullbacks: 3_000 } }
}

/**
 * Clips by the convolutional network, 10 steps of DDIM: the soft prompt is trained for `log p(glasses)` in the mean over the frames.
 *
 * @category constants
 * @since 0.1.0
 */
export const clips: Basis = {
  config: { ...free, chain: { T: 10 }, reward: 'glasses', batch: 8, evaluationSamples: 64 },
  budget: { _tag: 'Cost', evaluationsAndPullbacks: 5_000 },
  quick: {
    config: { chain: { T: 5 }, batch: 4, evaluationSamples: 16 },
    budget: { _tag: 'Cost', evaluationsAndPullbacks: 400 }
  }
}

/**
 * A basis whose budget is a number of steps.
 *
 * @category constructors
 * @since 0.1.0
 */
export const inSteps =
  (steps: number, quick: number) =>
  (basis: Basis): Basis => ({
    ...basis,
    budget: { _tag: 'Steps', steps },
    quick: { ...basis.quick, budget: { _tag: 'Steps', steps: quick } }
  })

/**
 * A basis with more fields.
 *
 * @category constructors
 * @since 0.1.0
 */
export const having =
  (config: Group) =>
  (basis: Basis): Basis => ({
    ...basis,
    config: { ...basis.config, ...config },
    quick: { ...basis.quick, config: { ...basis.quick.config, ...config } }
  })
