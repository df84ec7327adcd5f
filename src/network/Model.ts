/**
 * Networks as files: a safetensors checkpoint whose metadata has the network's description.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type * as t from 'io-ts'
import type { Denoiser } from '../chain/Denoiser.js'
import type { Own } from '../chain/SamplerRow.js'
import type { Schedule } from '../chain/Schedule.js'
import type { ShareName } from '../chain/Share.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Parameter, Parameters, Params } from '../lens/Lens.js'
import { decodeWith, type DocumentError } from '../document/Document.js'
import * as Json from '../document/Json.js'
import { quote } from '../document/Shown.js'
import * as Finite from '../tensor/Finite.js'
import type { Values } from '../tensor/Program.js'
import { equals, show } from '../tensor/Shape.js'
import { toFloat32 } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'
import { classifier } from './Classifier.js'
import {
  ClassifierCodec,
  DenoiserCodec,
  type ClassifierDescription,
  type DenoiserDescription,
  type Description
} from './Description.js'
import * as Network from './Network.js'
import * as Size from './Size.js'
import * as Safetensors from '../format/Safetensors.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Free text about a model: `description` (JSON), and for shipped ones `command`, `seed`, `steps` and `metrics` (JSON).
 *
 * @category model
 * @since 0.1.0
 */
export type Metadata = Readonly<Record<string, string>>

/**
 * A denoiser with the values of its parameters, by path (such as `blocks.0.film.scale.weight`), in f32.
 *
 * - `share`: the schedule whose times it is told, and was trained at.
 * - `levels`: where it was trained at levels of its own, those of a chain of `T` steps, at its own times.
 * - `own`: the chain that it comes with, which is called `own`.
 * - `decoder`: where it denoises latents, what turns them into outputs; then `parameters` has those of the decoder too, below
 *   `decoder`.
 * - `encode`: the file of the same model with other values.
 * - `file`: how a run calls that file, below its folder. Default: `model.safetensors`.
 * - `beside`: what is written beside it, by name, such as a configuration that the weights need.
 * - `spread`: may a vector of its parameters have a copy for each row of the batch? Default: true. A graph of another tool may not take it.
 * - `image`: where rows are images (height, width, channel), their size and the range of their numbers.
 *
 * @category model
 * @since 0.1.0
 */
export interface Model {
  readonly denoiser: Denoiser<Params, number, number>
  readonly share: ShareName
  readonly levels?: (T: number) => Schedule
  readonly own?: Own
  readonly decoder: O.Option<Lens<Params, Rows<number>, Rows<number>>>
  readonly parameters: Values
  readonly metadata: Metadata
  readonly file?: string
  readonly beside?: (parameters: Values) => E.Either<ModelError, Readonly<Record<string, Uint8Array>>>
  readonly spread?: boolean
  readonly image?: Image
  readonly encode: (
    parameters: Values,
    metadata: Metadata,
    precision: Safetensors.Precision
  ) => E.Either<ModelError, Uint8Array>
}

/**
 * How images lie in rows of numbers.
 *
 * @category model
 * @since 0.1.0
 */
export interface Image {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly range: readonly [least: number, most: number]
}

/**
 * A model that has a description, from which its network is rebuilt.
 *
 * @category model
 * @since 0.1.0
 */
export interface DescribedModel extends Model {
  readonly description: DenoiserDescription
}

/**
 * A classifier with the values of its parameters, by path, in f32.
 *
 * @category model
 * @since 0.1.0
 */
export interface TrainedClassifier {
  readonly description: ClassifierDescription
  readonly parameters: Values
  readonly metadata: Metadata
}

/**
 * Why a file is no model. `Unreadable`: it is no checkpoint. `Undescribed`: its description is missing or wrong at
 * `path`. `Oversized`: its description asks for many more numbers or tensors than it has. `Unfit`: its tensors are not those of
 * the description; every difference is listed. `NotFinite`: a parameter is NaN or infinite, or would be in f32.
 *
 * @category model
 * @since 0.1.0
 */
export type ModelError =
  | { readonly _tag: 'Unreadable'; readonly error: Safetensors.SafetensorsError }
  | { readonly _tag: 'Undescribed'; readonly path: string; readonly expected: string; readonly got: string }
  | { readonly _tag: 'Oversized'; readonly asked: Size.Size; readonly stored: Size.Size }
  | {
      readonly _tag: 'Unfit'
      readonly differences: ReadonlyArray<Difference>
      readonly asked: Size.Size
      readonly stored: Size.Size
    }
  | { readonly _tag: 'NotFinite'; readonly found: Finite.NotFinite }

/**
 * One tensor that is missing, of another shape, or not asked for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Difference {
  readonly tensor: string
  readonly expected: string
  readonly got: string
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * The denoiser in a file's bytes. Left: bytes that are no model, with what is wrong (`ModelError`).
 *
 * @category constructors
 * @since 0.1.0
 */
export const loadModel = (bytes: Uint8Array): E.Either<ModelError, DescribedModel> =>
  pipe(
    load(DenoiserCodec, Network.parameters, Size.described)(bytes),
    E.map((loaded) => ({
      ...loaded,
      denoiser: Network.denoiser(loaded.description),
      share: Network.shareOf(loaded.description),
      decoder: Network.decoder(loaded.description),
      encode: (parameters, metadata, precision) => encodeModel(loaded.description, parameters, metadata, precision)
    }))
  )

/**
 * A model whose denoiser is one's own: its file has the parameters by path, and nothing that says what they are of.
 * Left: values that do not fit the denoiser's parameters.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ownModel =
  (denoiser: Denoiser<Params, number, number>, share: ShareName) =>
  (bytes: Uint8Array): E.Either<ModelError, Model> =>
    pipe(
      Safetensors.decode(bytes),
      E.mapLeft((error): ModelError => ({ _tag: 'Unreadable', error })),
      E.flatMap(({ tensors, metadata }) => {
        const error = compare(denoiser.lens.parameters, tensors) ?? notFinite(tensors)
        return error === undefined
          ? E.right<ModelError, Model>({
              denoiser,
              share,
              decoder: O.none,
              parameters: tensors,
              metadata,
              encode: encodeOwn
            })
          : E.left(error)
      })
    )

const encodeOwn: Model['encode'] = (tensors, metadata, precision) =>
  pipe(
    Safetensors.encode(precision)({ tensors, metadata }),
    E.mapLeft((error): ModelError => ({ _tag: 'Unreadable', error }))
  )

/**
 * The classifier in a file's bytes. Left: bytes that are no classifier, with what is wrong (`ModelError`).
 *
 * @category constructors
 * @since 0.1.0
 */
export const loadClassifier: (bytes: Uint8Array) => E.Either<ModelError, TrainedClassifier> = (bytes) =>
  load(ClassifierCodec, (description) => classifier(description).parameters, Size.described)(bytes)

/**
 * A description with the values of its parameters, by path, in f32.
 *
 * @category model
 * @since 0.1.0
 */
export interface Loaded<D> {
  readonly description: D
  readonly parameters: Values
  readonly metadata: Metadata
}

/**
 * What a description may ask for before it is compared tensor by tensor: `tensors`, few enough to declare in a fraction of a
 * second; and `numbers`, or `ratio` times those that the file has, where that is more.
 *
 * @category constants
 * @since 0.1.0
 */
export const most = { tensors: 8192, numbers: 2 ** 20, ratio: 4 } as const

/**
 * Any network in a file's bytes, from the codec of its description and the parameters that a description declares. `sizeOf` says
 * how many those are before they are made, for networks that a description could make large: then a description that asks for much
 * more than the file has is refused by arithmetic (`most`).
 *
 * @category constructors
 * @since 0.1.0
 */
export const load =
  <D>(
    codec: t.Type<D, unknown, unknown>,
    parametersOf: (description: D) => Parameters,
    sizeOf: (description: D) => Size.Size = (description) => Size.declared(parametersOf(description))
  ) =>
  (bytes: Uint8Array): E.Either<ModelError, Loaded<D>> =>
    pipe(
      Safetensors.decode(bytes),
      E.mapLeft((error): ModelError => ({ _tag: 'Unreadable', error })),
      E.bindTo('checkpoint'),
      E.bind('description', ({ checkpoint: { metadata } }) =>
        readDescription(codec, Object.hasOwn(metadata, 'description') ? metadata['description'] : undefined)
      ),
      E.flatMap(({ checkpoint: { tensors, metadata }, description }) => {
        const error =
          oversized(sizeOf(description), Size.stored(tensors)) ??
          compare(parametersOf(description), tensors) ??
          notFinite(tensors)
        return error === undefined ? E.right({ description, parameters: tensors, metadata }) : E.left(error)
      })
    )

const readDescription = <D>(codec: t.Type<D, unknown, unknown>, text: string | undefined): E.Either<ModelError, D> =>
  text === undefined
    ? E.left({
        _tag: 'Undescribed',
        path: 'description',
        expected: `${codec.name} as JSON in the metadata`,
        got: 'no description'
      })
    : pipe(
        Json.parse(text),
        E.mapLeft((error) => ({ ...error, path: within(error.path) })),
        E.flatMap((json) => decodeWith(codec, json, 'description')),
        E.mapLeft(
          ({ path, expected, got }: DocumentError): ModelError => ({ _tag: 'Undescribed', path, expected, got })
        )
      )

const within = (path: string): string => (path === 'the document' ? 'description' : `description.${path}`)

const oversized = (asked: Size.Size, stored: Size.Size): ModelError | undefined => {
  const fits = asked.tensors <= most.tensors && asked.numbers <= Math.max(most.numbers, most.ratio * stored.numbers)
  return fits ? undefined : { _tag: 'Oversized', asked, stored }
}

/** What tensors differ from the declared ones. */
const compare = (parameters: Parameters, tensors: Values): ModelError | undefined => {
  const declared = Tree.leaves<Parameter>(L.isParameter, parameters)
  const names = new Set(declared.map(([name]) => name))
  const differences = [
    ...declared.flatMap(([tensor, { shape }]): ReadonlyArray<Difference> => {
      const found = Object.hasOwn(tensors, tensor) ? tensors[tensor] : undefined
      if (found !== undefined && equals(found.shape, shape)) return []
      return [{ tensor, expected: show(shape), got: found === undefined ? 'nothing' : show(found.shape) }]
    }),
    ...Object.entries(tensors).flatMap(
      ([tensor, { shape }]): ReadonlyArray<Difference> =>
        names.has(tensor) ? [] : [{ tensor, expected: 'no such tensor', got: show(shape) }]
    )
  ]
  return differences.length === 0
    ? undefined
    : { _tag: 'Unfit', differences, asked: Size.declared(parameters), stored: Size.stored(tensors) }
}

/** The first parameter that is no number where it is computed with, in f32. */
const notFinite = (tensors: Values): ModelError | undefined => {
  for (const [name, tensor] of Object.entries(tensors)) {
    const found = Finite.firstIn(name)(toFloat32(tensor))
    if (found !== undefined) return { _tag: 'NotFinite', found }
  }
  return undefined
}

// -------------------------------------------------------------------------------------
// writing
// -------------------------------------------------------------------------------------

/**
 * The bytes of a model's file: the parameters, rounded to f16 unless `precision` is `own`, and the description among the
 * metadata.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encodeModel = (
  description: Description,
  parameters: Values,
  metadata: Metadata,
  precision: Safetensors.Precision = 'F16'
): E.Either<ModelError, Uint8Array> =>
  pipe(
    Safetensors.encode(precision)({
      tensors: parameters,
      metadata: { ...metadata, description: JSON.stringify(description) }
    }),
    E.mapLeft((error): ModelError => ({ _tag: 'Unreadable', error }))
  )

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

// a file that is none of the expected has a difference for each of its tensors
const mostLines = 100

const drawn = ({ numbers, tensors }: Size.Size): string => `${numbers} numbers in ${tensors} tensors`

/**
 * Lines for a person: what, expected, got, what to do. Of many differences the first hundred.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: ModelError): string => {
  switch (error._tag) {
    case 'Unreadable':
      return Safetensors.showError(error.error)
    case 'Undescribed':
      return `${error.path}: expected ${error.expected}, got ${error.got}; use a file that \`halforder pretrain\` wrote`
    case 'Oversized':
      return error.asked.numbers <= error.stored.numbers
        ? `description: expected at most ${most.tensors} tensors, got ${error.asked.tensors}; use fewer layers`
        : `description: expected no more than the file has, ${drawn(error.stored)}, got ${drawn(error.asked)}; use a file that \`halforder pretrain\` wrote`
    case 'Unfit':
      return error.differences
        .slice(0, mostLines)
        .map(({ tensor, expected, got }) => `${quote(tensor)}: expected ${expected}, got ${got}`)
        .concat(error.differences.length > mostLines ? [`... (${error.differences.length} in all)`] : [])
        .concat(
          `the tensors are not those of the description, which has ${drawn(error.asked)}, and the file ${drawn(error.stored)}: use a file that \`halforder pretrain\` wrote`
        )
        .join('\n')
    case 'NotFinite':
      return `expected finite numbers in f32, got some where ${Finite.show(error.found)}; the model is spoilt, use another or train it again`
  }
}
