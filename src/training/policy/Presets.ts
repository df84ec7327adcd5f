/**
 * Published methods as compositions of fields of a configuration: what a chain, an estimator, an advantage, a penalty and the use of
 * samples come to. None is a case of its own anywhere. What their code does that no field says is in `remarks`.
 *
 * Numbers are those of the code that was released (`docs/published-methods.md`), but for sizes of batches and groups, which are the
 * task's, and learning rates, which are a model's.
 *
 * @since 0.1.0
 */
import { longest } from '../../estimator/Cover.js'

/**
 * A method by name: one line of prose, its paper and where its code is, the fields over those of a task, as a document, and what it does
 * besides.
 *
 * @category model
 * @since 0.1.0
 */
export interface Preset<N extends string = string> {
  readonly name: N
  readonly prose: string
  readonly source: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly remarks: string
}

/** Every step but the last of sampling, whatever their number. */
const butTheLast = [2, longest] as const

/** A gradient that is longer is shortened, as all of them do but one. */
const withinOne = { clip: 1 } as const

/** Each term within a ten-thousandth of 1, of densities that are means over a state's numbers. */
const averaged = { density: 'mean', clip: 1e-4, form: 'ppo' } as const

/**
 * All presets.
 *
 * @category table
 * @since 0.1.0
 */
export const presets = [
  {
    name: 'ddpo',
    prose: 'DDPO: every step of DDIM with noise scored, advantages in units of their group, two updates a step',
    source: 'Black et al., arXiv 2305.13301; kvablack/ddpo-pytorch@1958463',
    fields: {
      chain: { kind: 'ddim', T: 50, eta: 1 },
      estimator: { name: 'mixGrpo', baseline: 'none' },
      group: 8,
      advantage: { name: 'group', clip: 5 },
      policy: { ...averaged, epochs: 1, minibatches: 2 },
      kl: { beta: 0 },
      optimizer: withinOne
    },
    remarks:
      'the last step of its sampler has noise, and here it has none and is unpaid; its groups are the last 16 or 32 rewards of a prompt, those of earlier steps with them'
  },
  {
    name: 'flow-grpo',
    prose:
      'Flow-GRPO: the SDE of flow matching, its last step unpaid, advantages in units of the batch, the KL as a loss',
    source: 'Liu et al., arXiv 2505.05470; yifan123/flow_grpo@ac4c86e',
    fields: {
      chain: { kind: 'flow-sde', T: 10, eta: 0.7 },
      estimator: { name: 'mixGrpo', steps: butTheLast, baseline: 'none' },
      group: 8,
      advantage: { name: 'groupByBatch', clip: 5 },
      policy: { ...averaged, epochs: 1, minibatches: 2 },
      kl: { beta: 0.04, as: 'loss' },
      optimizer: withinOne
    },
    remarks:
      'its divergence lacks the length of a step since July 2025, and reads the noise at the start of a step, not at its end'
  },
  {
    name: 'dance-grpo',
    prose:
      'DanceGRPO: noise that does not change along the path, six steps of ten but the last, drawn anew, four updates a step',
    source: 'Xue et al., arXiv 2505.07818; XueZeyue/DanceGRPO@15cc71d',
    fields: {
      chain: { kind: 'flow-dance', T: 16, eta: 0.3 },
      estimator: { name: 'mixGrpo', steps: butTheLast, chance: 0.6, baseline: 'none' },
      group: 8,
      advantage: { name: 'group', clip: 5 },
      policy: { ...averaged, epochs: 1, minibatches: 4 },
      kl: { beta: 0 },
      optimizer: withinOne
    },
    remarks: 'its steps are drawn for each sample by itself, and its rewards are those of the last prediction'
  },
  {
    name: 'mix-grpo',
    prose: 'MixGRPO: noise in a window of four steps, which moves down by one in 25 steps, scored there alone',
    source: 'Li et al., arXiv 2507.21802; Tencent-Hunyuan/MixGRPO@e5cdd6a',
    fields: {
      chain: { kind: 'flow-sde', T: 25, eta: 0.7, window: { size: 4, moves: 'down', every: 25 } },
      estimator: { name: 'mixGrpo', baseline: 'none' },
      group: 8,
      advantage: { name: 'group', clip: 5 },
      policy: { ...averaged, epochs: 1, minibatches: 4 },
      kl: { beta: 0 },
      optimizer: withinOne
    },
    remarks: 'its window never reaches the last two steps of sampling; each reward of a sum is normalised by itself'
  },
  {
    name: 'dpok',
    prose:
      'DPOK: a learned baseline of the state, ratios clamped on either side, five passes over the samples, the KL as a loss',
    source: 'Fan et al., arXiv 2305.16381; google-research/google-research, dpok',
    fields: {
      chain: { kind: 'ddim', T: 50, eta: 1 },
      estimator: { name: 'mixGrpo', baseline: 'critic' },
      advantage: { name: 'none' },
      policy: { ...averaged, form: 'clamp', epochs: 5, minibatches: 1 },
      kl: { beta: 0.01, as: 'loss' },
      optimizer: { clip: 0.1 }
    },
    remarks:
      'its updates are from random transitions of the last thousand, older policies with them, and its penalty is the squared change of the predicted noise'
  }
] as const satisfies ReadonlyArray<Preset>

/**
 * The name of a preset.
 *
 * @category model
 * @since 0.1.0
 */
export type PresetName = (typeof presets)[number]['name']

/**
 * The names of all presets.
 *
 * @category table
 * @since 0.1.0
 */
export const names: ReadonlyArray<PresetName> = presets.map(({ name }) => name)

/**
 * The preset of a name.
 *
 * @category readings
 * @since 0.1.0
 */
export const find = (name: string): Preset<PresetName> | undefined => presets.find((one) => one.name === name)
