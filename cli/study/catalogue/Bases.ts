/**
 * On what the studies run: tasks that ship, with what every condition of a study has in common. Budgets are such that all studies together
 * take about a hundred minutes of one core.
 *
 * @since 0.1.0
 */
import type { Basis, Group } from '../Study.js'

/** Conditions are told apart by what they pay for: no price of leaving the base, unless a study says so. */
const free: Group = { kl: { beta: 0 } }

const quickly = { chain: { T: 5 }, batch: 8, evaluationSamples: 16 } as const

/**
 * Faces by the network of dense layers: the soft prompt is trained for `log p(glasses)`, 20 steps of DDIM. A run of the paper's estimator
 * has 15 steps of the optimizer for its budget.
 *
 * @category constants
 * @since 0.1.0
 */
export const faces: Basis = {
  config: { ...free, chain: { T: 20 }, evaluationSamples: 128 },
  budget: { _tag: 'Cost', evaluationsAndPullbacks: 32_000 },
  quick: { config: quickly, budget: { _tag: 'Cost', evaluationsAndPullbacks: 1_000 } }
}

/**
 * Points of the eight Gaussians, to the right, with 20 steps; the whole network is trained. The reward has no bound, so that without a price who is fastest
 * only leaves the data sooner.
 *
 * @category constants
 * @since 0.1.0
 */
export const points: Basis = {
  config: { chain: { T: 20 }, evaluationSamples: 256 },
  price: 0.1,
  over: {
    // it has a small price of its own where the others have none
    'adjoint matching': { kl: { beta: 0.1 } },
    // losses of the forward process can not be told of it: they stay near by what they are
    'Diffusion NFT': { kl: { beta: 0 } },
    'advantage-weighted matching': { kl: { beta: 0 } }
  },
  budget: { _tag: 'Cost', evaluationsAndPullbacks: 120_000 },
  quick: { config: quickly, budget: { _tag: 'Cost', evaluationsAndPullbacks: 2_000 } }
}

/**
 * Faces by the U-Net, of which low-rank adapters of rank 4 are trained: 67,240 numbers, `log p(glasses)` without a prompt, 10 steps of DDIM. Without a
 * price they leave the faces in a few steps.
 *
 * @category constants
 * @since 0.1.0
 */
export const unetLora: Basis = {
  task: 'faces',
  config: {
    model: 'unet',
    adapter: { rank: 4 },
    optimizer: { learningRate: 0.005 },
    chain: { T: 10 },
    batch: 16,
    evaluationSamples: 64
  },
  price: 0.03,
  over: {
    'adjoint matching': { kl: { beta: 0.03 } },
    'Diffusion NFT': { kl: { beta: 0 } },
    'advantage-weighted matching': { kl: { beta: 0 } }
  },
  budget: { _tag: 'Cost', evaluationsAndPullbacks: 10_000 },
  quick: {
    config: { chain: { T: 5 }, batch: 8, evaluationSamples: 8 },
    budget: { _tag: 'Cost', evaluationsAndPullbacks: 300 }
  }
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
 * A basis whose conditions leave the base for nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unpriced = ({ task, config, budget, quick }: Basis): Basis => ({
  ...(task === undefined ? {} : { task }),
  config: { ...config, ...free },
  budget,
  quick
})

/**
 * A basis with another budget: network evaluations and pullbacks.
 *
 * @category constructors
 * @since 0.1.0
 */
export const paying =
  (evaluationsAndPullbacks: number) =>
  (basis: Basis): Basis => ({ ...basis, budget: { _tag: 'Cost', evaluationsAndPullbacks } })

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
 * A basis with more fields, and those of a quick run over them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const having =
  (config: Group, quick: Group = {}) =>
  (basis: Basis): Basis => ({
    ...basis,
    config: over(basis.config, config),
    quick: { ...basis.quick, config: over(basis.quick.config, quick) }
  })

/** Group by group, one level down. */
const over = (under: Group, given: Group): Group => ({
  ...under,
  ...Object.fromEntries(
    Object.entries(given).map(([key, value]) => {
      const own = under[key]
      return [key, isGroup(own) && isGroup(value) ? { ...own, ...value } : value]
    })
  )
})

const isGroup = (value: Group[string] | undefined): value is Group =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
