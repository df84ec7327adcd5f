/**
 * diffusers' schedulers from their `scheduler_config.json`: shares of data, steps to visit, and the chain on a denoiser.
 *
 * `DDPMScheduler`, `DDIMScheduler` and `EulerAncestralDiscreteScheduler`, with betas that are linear, linear in their root, or of the
 * cosine schedule, and every spacing of steps; `FlowMatchEulerDiscreteScheduler`. What is not there is refused by its field.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { refused } from '../../chain/Chain.js'
import type { Denoiser } from '../../chain/Denoiser.js'
import { clippedTo } from '../../chain/EpsilonSampler.js'
import * as Ddim from '../../chain/sampler/Ddim.js'
import * as Ddpm from '../../chain/sampler/Ddpm.js'
import { withoutLastNoise } from '../../chain/Chain.js'
import { check } from '../../chain/Schedule.js'
import type { RowChain } from '../../chain/SamplerRow.js'
import type { Params } from '../../lens/Lens.js'
import * as Need from '../../tensor/Need.js'
import * as Meaning from '../Meaning.js'
import { among, type Config, type ConfigError, count, list, optional, reader, real, truth } from './Config.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A scheduler: what the model was trained at and predicts, and how a chain of it goes.
 *
 * - `last`: the share of data behind the last step.
 * - `clip`: how large data are held at most, or not.
 * - `steps`: the training steps that a chain of `T` steps visits, from the least noise to the most.
 *
 * @category model
 * @since 0.1.0
 */
export interface Scheduler {
  readonly kind: 'DDPMScheduler' | 'DDIMScheduler' | 'EulerAncestralDiscreteScheduler'
  readonly alphaBar: ReadonlyArray<number>
  readonly prediction: 'epsilon' | 'clean' | 'velocity'
  readonly spacing: Spacing
  readonly last: number
  readonly clip: number | undefined
  readonly variance: Ddpm.Variance
  readonly steps: (T: number) => ReadonlyArray<number>
}

/**
 * The scheduler of straight paths: how many `times` a model can be told, and how the noises are shifted.
 *
 * @category model
 * @since 0.1.0
 */
export interface FlowScheduler {
  readonly kind: 'FlowMatchEulerDiscreteScheduler'
  readonly times: number
  readonly shift: number
}

/**
 * Which steps a chain visits.
 *
 * @category model
 * @since 0.1.0
 */
export type Spacing = 'leading' | 'linspace' | 'trailing'

// -------------------------------------------------------------------------------------
// tables
// -------------------------------------------------------------------------------------

const between = (from: number, to: number, n: number): ReadonlyArray<number> =>
  Array.from({ length: n }, (_, i) => (n === 1 ? from : from + ((to - from) * i) / (n - 1)))

type Betas = 'linear' | 'scaled_linear' | 'squaredcos_cap_v2'

/** How much of the variance each step adds. */
const betasOf = (kind: Betas, start: number, end: number, n: number): ReadonlyArray<number> => {
  switch (kind) {
    case 'linear':
      return between(start, end, n)
    case 'scaled_linear':
      return between(Math.sqrt(start), Math.sqrt(end), n).map((root) => root * root)
    case 'squaredcos_cap_v2': {
      const share = (u: number): number => Math.cos((((u + 0.008) / 1.008) * Math.PI) / 2) ** 2
      return Array.from({ length: n }, (_, i) => Math.min(1 - share((i + 1) / n) / share(i / n), 0.999))
    }
  }
}

const cumulative = (betas: ReadonlyArray<number>): ReadonlyArray<number> => {
  let product = 1
  return betas.map((beta) => (product *= 1 - beta))
}

/** Halves go to the even number, as NumPy rounds. */
const rounded = (value: number): number => {
  const low = Math.floor(value)
  const rest = value - low
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low
}

/** The steps that a chain visits, from the least noise to the most. */
const spaced = (spacing: Spacing, n: number, T: number, offset: number, whole: boolean): ReadonlyArray<number> => {
  switch (spacing) {
    case 'leading':
      return Array.from({ length: T }, (_, i) => i * Math.floor(n / T) + offset)
    case 'linspace':
      return between(0, n - 1, T).map((step) => (whole ? rounded(step) : step))
    case 'trailing':
      return Array.from({ length: T }, (_, i) => rounded(n - ((T - 1 - i) * n) / T) - 1)
  }
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const predictions = { epsilon: 'epsilon', sample: 'clean', v_prediction: 'velocity' } as const

const classes = ['DDPMScheduler', 'DDIMScheduler', 'EulerAncestralDiscreteScheduler'] as const

const flowClass = 'FlowMatchEulerDiscreteScheduler'

/**
 * The scheduler of a configuration. Left: a field that asks for what is not there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const anyScheduler = (config: Config): E.Either<ConfigError, Scheduler | FlowScheduler> =>
  config['_class_name'] === flowClass ? flowScheduler(config) : scheduler(config)

/** Straight paths, without what later versions may add. */
const flowScheduler = (config: Config): E.Either<ConfigError, FlowScheduler> => {
  const r = reader(config, [
    'base_shift',
    'max_shift',
    'base_image_seq_len',
    'max_image_seq_len',
    'shift_terminal',
    'time_shift_type'
  ])
  const times = r.read('num_train_timesteps', count, 1000)
  const shift = r.read('shift', real, 1)
  for (const field of [
    'use_dynamic_shifting',
    'invert_sigmas',
    'use_karras_sigmas',
    'use_exponential_sigmas',
    'use_beta_sigmas',
    'stochastic_sampling'
  ]) {
    r.read(field, among(false), false)
  }
  return r.finish(() => ({ kind: flowClass, times, shift }))
}

/**
 * The scheduler of a configuration, on levels of noise. Left: a field that asks for what is not there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scheduler = (config: Config): E.Either<ConfigError, Scheduler> => {
  const r = reader(config, ['dynamic_thresholding_ratio', 'sample_max_value'])
  const { read } = r
  const kind = among(...classes)(config['_class_name'])
  if (E.isLeft(kind)) {
    return E.left({
      _tag: 'ConfigError',
      field: '_class_name',
      expected: `${kind.left} or "${flowClass}"`,
      got: String(config['_class_name'])
    })
  }
  const ancestral = kind.right === 'EulerAncestralDiscreteScheduler'
  const n = read('num_train_timesteps', count, 1000)
  const table = read('beta_schedule', among('linear', 'scaled_linear', 'squaredcos_cap_v2'), 'linear')
  const [start, end] = [read('beta_start', real, 1e-4), read('beta_end', real, 0.02)]
  const betas = read('trained_betas', optional(list(real)), null) ?? betasOf(table, start, end, n)
  const prediction = read('prediction_type', among('epsilon', 'sample', 'v_prediction'), 'epsilon')
  const clips = read('clip_sample', truth, !ancestral)
  const range = read('clip_sample_range', real, 1)
  const variance = read('variance_type', among('fixed_small', 'fixed_large'), 'fixed_small')
  const usual = ancestral ? 'linspace' : 'leading'
  const spacing = read('timestep_spacing', among('leading', 'linspace', 'trailing'), usual)
  const offset = read('steps_offset', real, 0)
  const one = read('set_alpha_to_one', truth, true)
  read('thresholding', among(false), false)
  read('rescale_betas_zero_snr', among(false), false)
  return r.finish(() => {
    const alphaBar = cumulative(betas)
    return {
      kind: kind.right,
      alphaBar,
      prediction: predictions[prediction],
      spacing,
      last: one ? 1 : (alphaBar[0] ?? 1),
      clip: clips ? range : undefined,
      variance: variance === 'fixed_large' ? 'large' : 'small',
      steps: (T) => spaced(spacing, betas.length, T, offset, !ancestral)
    }
  })
}

/**
 * What a scheduler says of a model's numbers: its levels, and what it predicts.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const meaning = (of: Scheduler | FlowScheduler): Pick<Meaning.Meaning, 'alphaBar' | 'flow' | 'prediction'> =>
  of.kind === flowClass
    ? { flow: { data: 0, noise: of.times }, prediction: 'flow' }
    : { alphaBar: of.alphaBar, prediction: of.prediction }

/**
 * The chain of a scheduler, `DDPM` or `DDIM`, on a denoiser, in `T` steps. `eta` scales the noise of DDIM. As there, the last step of
 * DDPM adds none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const chain = (
  { kind, clip, variance, last, steps, alphaBar }: Scheduler,
  denoiser: Denoiser<Params, number, number>,
  { T, eta }: { readonly T: number; readonly eta: number }
): RowChain => {
  const levels = Meaning.schedule({ alphaBar }, steps(T), last)
  const clipping = clip === undefined ? {} : { clip }
  if (kind === 'DDPMScheduler') {
    const levelsToData = { ...levels, alphaBar: [1, ...levels.alphaBar.slice(1)] }
    return withoutLastNoise(Ddpm.ddpm({ denoiser, schedule: levelsToData, variance, ...clipping }))
  }
  // behind the last step the data may have a share below 1
  const wrong: typeof check = (schedule) => check({ ...schedule, alphaBar: [1, ...schedule.alphaBar.slice(1)] })
  return refused(Need.between('ddim', 'eta', eta, 0, 1))(
    clippedTo(clipping, wrong)(`ddim(eta = ${eta})`, denoiser, levels, (t) => Ddim.coefficients(levels, eta, t))
  )
}
