/**
 * diffusers' models as lenses, from `config.json` and the weights.
 *
 *     const model = fromDiffusers(config, weights, { size: [32, 32] })
 *
 * The inputs are those of the model's own forward function, channels first: `sample`, `timestep`, and `class_labels` or
 * `encoder_hidden_states`; `hidden_states` for a DiT; `sample` or `latent` for an autoencoder. The output is `out`. Parameters have
 * the names of diffusers; older names are taken too.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { near } from '../document/Nearest.js'
import { isRecord } from '../document/Document.js'
import { shown } from '../document/Shown.js'
import * as Foreign from '../format/Foreign.js'
import type { Finding, ForeignError } from '../format/Foreign.js'
import type { Graph } from '../format/Onnx.js'
import type { Values } from '../tensor/Program.js'
import { equals } from '../tensor/Shape.js'
import type { Tensor } from '../tensor/Tensor.js'
import { decoder, encoder } from './diffusers/Autoencoder.js'
import { type ConfigError, showConfigError } from './diffusers/Config.js'
import { dit } from './diffusers/Transformer.js'
import { unet2d, unetCondition } from './diffusers/Unet.js'
import { graphOf, type Plan } from './graph/Builder.js'
import { fromGraph, type Imported, known } from './graph/Import.js'
import { type ImportError, showImportError } from './graph/ImportError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a model is made.
 *
 * - `size`: height and width of the images. Default: `sample_size` of the configuration.
 * - `part`: of an autoencoder, which half. Default: `decoder`.
 * - `tokens`: how many tokens a condition has. Default: a name, `tokens`.
 * - `trained`: patterns of the names that are parameters; the others are constants. Default: all.
 *
 * @category model
 * @since 0.1.0
 */
export interface DiffusersOptions {
  readonly size?: readonly [number, number]
  readonly part?: 'encoder' | 'decoder'
  readonly tokens?: number
  readonly trained?: ReadonlyArray<string>
}

/**
 * Why there is no model: a field of the configuration asks for what is not there, weights that are not those of the configuration,
 * or a graph that is no lens.
 *
 * @category model
 * @since 0.1.0
 */
export type DiffusersError =
  | ConfigError
  | { readonly _tag: 'Weights'; readonly error: ForeignError }
  | { readonly _tag: 'Graph'; readonly error: ImportError }

// -------------------------------------------------------------------------------------
// plans
// -------------------------------------------------------------------------------------

const classes = ['UNet2DModel', 'UNet2DConditionModel', 'AutoencoderKL', 'DiTTransformer2DModel', 'Transformer2DModel']

const sideOf = (config: Readonly<Record<string, unknown>>): readonly [number, number] => {
  const size = config['sample_size']
  return typeof size === 'number' ? [size, size] : [64, 64]
}

/**
 * The graph of a configuration, with the names and shapes of its parameters and no numbers.
 * Left: a class or a field of the configuration that is not known.
 *
 * @category constructors
 * @since 0.1.0
 */
export const planOf = (config: unknown, options: DiffusersOptions = {}): E.Either<ConfigError, Plan> => {
  if (!isRecord(config)) {
    return E.left({ _tag: 'ConfigError', field: 'the document', expected: 'fields', got: shown(config) })
  }
  const { size, part = 'decoder', tokens = 'tokens' } = options
  switch (config['_class_name']) {
    case 'UNet2DModel':
      return unet2d(config, size)
    case 'UNet2DConditionModel':
      return unetCondition(config, size, tokens)
    case 'AutoencoderKL':
      return part === 'encoder' ? encoder(config, size ?? sideOf(config)) : decoder(config, size ?? sideOf(config))
    case 'DiTTransformer2DModel':
    case 'Transformer2DModel':
      return dit(config, size?.[0])
    default:
      return E.left({
        _tag: 'ConfigError',
        field: '_class_name',
        expected: classes.join(' or '),
        got: shown(config['_class_name'])
      })
  }
}

// -------------------------------------------------------------------------------------
// weights
// -------------------------------------------------------------------------------------

const older: Readonly<Record<string, string>> = {
  query: 'to_q',
  key: 'to_k',
  value: 'to_v',
  proj_attn: 'to_out.0'
}

/**
 * The present name of a weight: those of attention were `query`, `key`, `value` and `proj_attn`.
 *
 * @category utils
 * @since 0.1.0
 */
export const renamed = (name: string): string =>
  name.replace(
    /(\battentions\.\d+\.)(query|key|value|proj_attn)\./,
    (_, before: string, old: string) => `${before}${older[old] ?? old}.`
  )

/** The tensor in the shape that is asked for, where they differ in axes of 1 behind: a convolution of one place is a linear map. */
const fitted = (tensor: Tensor, shape: ReadonlyArray<number>): Tensor => {
  const { shape: own } = tensor
  const longer = own.length > shape.length ? own : shape
  const same = longer.every(
    (d, i) => (own[i] ?? 1) === (shape[i] ?? 1) && (i < 2 || own.length === shape.length || d === 1)
  )
  return same ? { ...tensor, shape } : tensor
}

/** The numbers of a plan's parameters; tensors that it has none for are the other half of an autoencoder, if they may be. */
const bind = (
  { parameters }: Plan,
  weights: Values,
  others: (name: string) => boolean
): E.Either<ForeignError, Readonly<Record<string, Tensor>>> => {
  const byName = new Map(Object.entries(weights).map(([name, tensor]) => [renamed(name), tensor]))
  const names = [...byName.keys()]
  const findings: Array<Finding> = []
  const bound = [...parameters].flatMap(([name, shape]): ReadonlyArray<readonly [string, Tensor]> => {
    const found = byName.get(name)
    if (found === undefined) {
      findings.push({ _tag: 'Missing', parameter: name, name, shape, nearest: near(name, names) })
      return []
    }
    const tensor = fitted(found, shape)
    if (!equals(tensor.shape, shape)) findings.push({ _tag: 'Misshapen', name, expected: shape, got: found.shape })
    return [[name, tensor]]
  })
  for (const [name, { shape }] of byName) {
    if (!parameters.has(name) && !others(name)) findings.push({ _tag: 'Unused', name, shape, nearest: [] })
  }
  return findings.length > 0 ? E.left({ _tag: 'ForeignError', findings }) : E.right(Object.fromEntries(bound))
}

const otherHalf = (config: unknown, part: 'encoder' | 'decoder'): ((name: string) => boolean) => {
  const half = part === 'encoder' ? /^(?:decoder|post_quant_conv)\./ : /^(?:encoder|quant_conv)\./
  const isHalf = isRecord(config) && config['_class_name'] === 'AutoencoderKL'
  // a table of positions is computed, and was in the files of some versions
  return (name) => (isHalf && half.test(name)) || name === 'pos_embed.pos_embed'
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The graph of a configuration with weights by name, by operators of ONNX: `toOnnx` writes it.
 * Left: a field that asks for what is not there, or every weight that is missing, has another shape, or has no place.
 *
 * @category constructors
 * @since 0.1.0
 */
export const diffusersGraph = (
  config: unknown,
  weights: Values,
  options: DiffusersOptions = {}
): E.Either<DiffusersError, Graph> =>
  pipe(
    planOf(config, options),
    E.flatMap(
      (plan): E.Either<DiffusersError, Graph> =>
        pipe(
          bind(plan, weights, otherHalf(config, options.part ?? 'decoder')),
          E.bimap(
            (error): DiffusersError => ({ _tag: 'Weights', error }),
            (bound) => graphOf(plan, bound)
          )
        )
    )
  )

/**
 * The model of a configuration with weights by name. Left: as for `diffusersGraph`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromDiffusers = (
  config: unknown,
  weights: Values,
  options: DiffusersOptions = {}
): E.Either<DiffusersError, Imported> =>
  pipe(
    diffusersGraph(config, weights, options),
    E.flatMap((graph) =>
      pipe(
        fromGraph(graph, options.trained === undefined ? {} : { trained: options.trained }),
        E.mapLeft((error): DiffusersError => ({ _tag: 'Graph', error }))
      )
    )
  )

/**
 * Lines for a person: where, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showDiffusersError = (error: DiffusersError): string => {
  switch (error._tag) {
    case 'ConfigError':
      return showConfigError(error)
    case 'Weights':
      return Foreign.showError(error.error)
    case 'Graph':
      return showImportError(error.error, known)
  }
}
