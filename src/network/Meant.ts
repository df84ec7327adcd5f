/**
 * A model of another tool as one of those that are sampled and fine-tuned: what it computes, what that means, and the file that it
 * goes back to.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as Affine from '../chain/Affine.js'
import { affine, straight } from '../chain/Affine.js'
import { withoutLastNoise } from '../chain/Chain.js'
import { guided } from '../chain/Denoiser.js'
import type { Coefficients } from '../chain/EpsilonSampler.js'
import * as Ddim from '../chain/sampler/Ddim.js'
import * as Ddpm from '../chain/sampler/Ddpm.js'
import type { Own } from '../chain/SamplerRow.js'
import { type DocumentError, fault } from '../document/Document.js'
import type { Values } from '../tensor/Program.js'
import { ancestral, flowEuler } from './diffusers/Euler.js'
import { chain as chainOf, type FlowScheduler, type Scheduler } from './diffusers/Scheduler.js'
import type { Imported } from './graph/Import.js'
import * as Meaning from './Meaning.js'
import type { Model, ModelError } from './Model.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where a model came from, and goes back to.
 *
 * - `name`: how the file of a run is called, below its folder, such as `model.onnx`.
 * - `encode`: the file with other numbers, by the names that its tensors have there, and `beside`, by name, what is written beside it.
 *   Left: why they do not fit.
 *
 * @category model
 * @since 0.1.0
 */
export interface Source {
  readonly name: string
  readonly encode: (values: Values) => E.Either<string, Written>
}

/**
 * The bytes of a file, and of those beside it, by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Written {
  readonly file: Uint8Array
  readonly beside: Readonly<Record<string, Uint8Array>>
}

/**
 * How a model is meant: the record, the scheduler that came with it, if one did, and its source.
 *
 * @category model
 * @since 0.1.0
 */
export interface MeantOptions {
  readonly meaning: Meaning.Meaning
  readonly scheduler?: Scheduler | FlowScheduler | undefined
  readonly source: Source
}

// -------------------------------------------------------------------------------------
// chains
// -------------------------------------------------------------------------------------

/** Steps of the model's own, evenly, the last among them. */
const evenly = (n: number, T: number): ReadonlyArray<number> =>
  Array.from({ length: T }, (_, i) => Math.round(((i + 1) * n) / T) - 1)

/**
 * The chain of a model on levels of noise: that of its scheduler, or else DDIM's. Where data are clipped it goes by the noise, and else
 * by what the network predicts, which keeps its digits next to the noise.
 */
const onLevels = (
  meaning: Meaning.Meaning,
  of: Scheduler | undefined,
  network: Own['network'],
  denoiser: Own['network']
): Own => {
  const { alphaBar, prediction } = meaning
  const kind = prediction === 'flow' ? 'epsilon' : prediction
  const build: Own['build'] = (on, { T, eta, guidance }) => {
    const levels = alphaBar?.length ?? 0
    if (of === undefined && T > levels) {
      return E.left(fault('T', `at most ${levels}, the steps that the model was trained at`, T, 'use fewer steps'))
    }
    const ancestor = of?.kind === 'DDPMScheduler'
    const last = of === undefined || ancestor ? 1 : of.last
    const schedule = Meaning.schedule({ alphaBar: alphaBar ?? [] }, of?.steps(T) ?? evenly(levels, T), last)
    const coefficients = (t: number): Coefficients =>
      ancestor ? Ddpm.coefficients(schedule, of.variance, t) : Ddim.coefficients(schedule, eta, t)
    const name = ancestor ? `ddpm(${of.variance})` : `ddim(eta = ${eta})`
    const chain = affine(name, on, Affine.onLevels({ kind, schedule, coefficients, guidance }))
    return E.right(ancestor ? withoutLastNoise(chain) : chain)
  }
  return of?.clip === undefined
    ? { network, build }
    : { network: denoiser, build: (on, options) => E.right(chainOf(of, guided(options.guidance)(on), options)) }
}

/** The chain of a model of straight paths, in even steps of the noise. */
const onPaths =
  ({ flow = { data: 0, noise: 1 }, guided: between, prediction }: Meaning.Meaning): Own['build'] =>
  (network, { T, eta, guidance }) => {
    const told = (s: number): number => flow.data + (flow.noise - flow.data) * s
    // in f32, in which the model is told them: 1 - 0.7 is 0.3 there
    const [after = 0, before = 0] = [...(between ?? [])].sort((a, b) => a - b).map(Math.fround)
    const applies = (s: number): boolean =>
      between === undefined || (Math.fround(told(s)) > after && Math.fround(told(s)) < before)
    const steps = straight({
      kind: prediction === 'clean' ? 'clean' : 'flow',
      noises: Array.from({ length: T + 1 }, (_, i) => i / T),
      eta,
      told: (s) => s,
      guidance: (s) => (applies(s) ? guidance : 1)
    })
    return E.right(affine(`flow(eta = ${eta})`, network, steps))
  }

const ownOf = (
  network: Own['network'],
  denoiser: Own['network'],
  { meaning, scheduler }: MeantOptions
): Pick<Model, 'own'> => {
  switch (scheduler?.kind) {
    case 'EulerAncestralDiscreteScheduler':
      return { own: { network, build: (on, options) => E.right(ancestral(scheduler, on, options)) } }
    case 'FlowMatchEulerDiscreteScheduler':
      return { own: { network, build: (on, options) => E.right(flowEuler(scheduler, on, options)) } }
    default:
      return {
        own:
          meaning.flow === undefined
            ? onLevels(meaning, scheduler, network, denoiser)
            : { network, build: onPaths(meaning) }
      }
  }
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const wrong = (reason: string): ModelError => ({
  _tag: 'Undescribed',
  path: 'weights',
  expected: 'those of the file',
  got: reason
})

/** How large images are, from the input that they are. */
const imageOf = (model: Imported, meaning: Meaning.Meaning): Pick<Model, 'image'> => {
  const [, ...shape] = model.inputs.find(({ name, shape: own }) => own.length === 4 && name === (meaning.x ?? name))
    ?.shape ?? ['batch']
  if (meaning.layout === 'rows' || shape.length !== 3) return {}
  const [a = 1, b = 1, c = 1] = shape.map(Number)
  const sizes =
    meaning.layout === 'channels first' ? { channels: a, height: b, width: c } : { channels: c, height: a, width: b }
  return { image: { ...sizes, range: meaning.range ?? [-1, 1] } }
}

/**
 * The model, with its own chain beside those that have names. On levels of noise, chains visit those that the model was trained at.
 *
 * Left: the field of the record that has to say something else; a model that runs forward only.
 *
 * @category constructors
 * @since 0.1.0
 */
export const meant = (model: Imported, options: MeantOptions): E.Either<DocumentError, Model> => {
  const { meaning, scheduler, source } = options
  const { alphaBar } = meaning
  return pipe(
    E.Do,
    E.bind('network', () => Meaning.networkOf(model, meaning)),
    E.bind('denoiser', () => Meaning.denoiserOf(model, meaning)),
    E.map(({ network, denoiser }): Model => {
      const steps = scheduler !== undefined && 'steps' in scheduler ? scheduler.steps : undefined
      const visited = (T: number): ReadonlyArray<number> =>
        steps?.(T).map(Math.round) ?? evenly(alphaBar?.length ?? 0, T)
      const written = (parameters: Values): E.Either<ModelError, Written> =>
        pipe(
          source.encode(
            Object.fromEntries(Object.entries(parameters).map(([path, tensor]) => [model.names[path] ?? path, tensor]))
          ),
          E.mapLeft(wrong)
        )
      return {
        denoiser,
        share: alphaBar === undefined ? 'flow' : 'linear',
        ...(alphaBar === undefined ? {} : { levels: (T) => Meaning.schedule(meaning, visited(T)) }),
        ...ownOf(network, denoiser, options),
        decoder: O.none,
        parameters: model.values,
        metadata: {},
        file: source.name,
        spread: false,
        ...imageOf(model, meaning),
        beside: (parameters) => E.map(({ beside }: Written) => beside)(written(parameters)),
        encode: (parameters) => E.map(({ file }: Written) => file)(written(parameters))
      }
    })
  )
}
