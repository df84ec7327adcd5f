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
import type { ShareName } from '../chain/Share.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Parameter, Parameters, Params } from '../lens/Lens.js'
import type { Values } from '../tensor/Program.js'
import { equals, show } from '../tensor/Shape.js'
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
 * - `decoder`: where it denoises latents, what turns them into outputs; then `parameters` has those of the decoder too, below
 *   `decoder`.
 * - `encode`: the file of the same model with other values.
 *
 * @category model
 * @since 0.1.0
 */
export interface Model {
  readonly denoiser: Denoiser<Params, number, number>
  readonly share: ShareName
  readonly decoder: O.Option<Lens<Params, Rows<number>, Rows<number>>>
  readonly parameters: Values
  readonly metadata: Metadata
  readonly encode: (
    parameters: Values,
    metadata: Metadata,
    precision: Safetensors.Precision
  ) => E.Either<ModelError, Uint8Array>
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
 * `path`. `Unfit`: its tensors are not those of the description; every difference is listed.
 *
 * @category model
 * @since 0.1.0
 */
export type ModelError =
  | { readonly _tag: 'Unreadable'; readonly error: Safetensors.SafetensorsError }
  | { readonly _tag: 'Undescribed'; readonly path: string; readonly expected: string; readonly got: string }
  | { readonly _tag: 'Unfit'; readonly differences: ReadonlyArray<Difference> }

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
 * The denoiser in a file's bytes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const loadModel = (bytes: Uint8Array): E.Either<ModelError, DescribedModel> =>
  pipe(
    load(DenoiserCodec, Network.parameters)(bytes),
    E.map((loaded) => ({
      ...loaded,
      denoiser: Network.denoiser(loaded.description),
      share: loaded.description.share,
      decoder: Network.decoder(loaded.description),
      encode: (parameters, metadata, precision) => encodeModel(loaded.description, parameters, metadata, precision)
    }))
  )

/**
 * A model whose denoiser is one's own: its file has the parameters by path, and nothing that says what they are of.
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
        const differences = compare(denoiser.lens.parameters, tensors)
        return differences.length > 0
          ? E.left<ModelError, Model>({ _tag: 'Unfit', differences })
          : E.right({ denoiser, share, decoder: O.none, parameters: tensors, metadata, encode: encodeOwn })
      })
    )

const encodeOwn: Model['encode'] = (tensors, metadata, precision) =>
  pipe(
    Safetensors.encode(precision)({ tensors, metadata }),
    E.mapLeft((error): ModelError => ({ _tag: 'Unreadable', error }))
  )

/**
 * The classifier in a file's bytes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const loadClassifier: (bytes: Uint8Array) => E.Either<ModelError, TrainedClassifier> = (bytes) =>
  load(ClassifierCodec, (description) => classifier(description).parameters)(bytes)

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
 * Any network in a file's bytes, from the codec of its description and the parameters that a description declares.
 *
 * @category constructors
 * @since 0.1.0
 */
export const load =
  <D>(codec: t.Type<D, unknown, unknown>, parametersOf: (description: D) => Parameters) =>
  (bytes: Uint8Array): E.Either<ModelError, Loaded<D>> =>
    pipe(
      Safetensors.decode(bytes),
      E.mapLeft((error): ModelError => ({ _tag: 'Unreadable', error })),
      E.bindTo('checkpoint'),
      E.bind('description', ({ checkpoint }) => readDescription(codec, checkpoint.metadata['description'])),
      E.chain(({ checkpoint: { tensors, metadata }, description }) => {
        const differences = compare(parametersOf(description), tensors)
        return differences.length > 0
          ? E.left<ModelError, Loaded<D>>({ _tag: 'Unfit', differences })
          : E.right({ description, parameters: tensors, metadata })
      })
    )

const readDescription = <D>(codec: t.Type<D, unknown, unknown>, text: string | undefined): E.Either<ModelError, D> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text ?? ''),
      (): ModelError => ({
        _tag: 'Undescribed',
        path: 'description',
        expected: `${codec.name} as JSON in the metadata`,
        got: text === undefined ? 'no description' : JSON.stringify(text)
      })
    ),
    E.chain((json) =>
      pipe(
        codec.decode(json),
        E.mapLeft((errors): ModelError => {
          const context = errors[0]?.context ?? []
          const fields = context.slice(1).map(({ key }) => `.${key}`)
          return {
            _tag: 'Undescribed',
            path: `description${fields.join('')}`,
            expected: context.at(-1)?.type.name ?? codec.name,
            got: JSON.stringify(errors[0]?.value) ?? 'nothing'
          }
        })
      )
    )
  )

const compare = (parameters: Parameters, tensors: Values): ReadonlyArray<Difference> => {
  const declared = Tree.leaves<Parameter>(L.isParameter, parameters)
  const names = new Set(declared.map(([name]) => name))
  return [
    ...declared.flatMap(([tensor, { shape }]): ReadonlyArray<Difference> => {
      const found = tensors[tensor]
      if (found !== undefined && equals(found.shape, shape)) return []
      return [{ tensor, expected: show(shape), got: found === undefined ? 'nothing' : show(found.shape) }]
    }),
    ...Object.entries(tensors).flatMap(
      ([tensor, { shape }]): ReadonlyArray<Difference> =>
        names.has(tensor) ? [] : [{ tensor, expected: 'no such tensor', got: show(shape) }]
    )
  ]
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

/**
 * Lines for a person: what, expected, got, what to do.
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
    case 'Unfit':
      return error.differences
        .map(({ tensor, expected, got }) => `${JSON.stringify(tensor)}: expected ${expected}, got ${got}`)
        .concat('the tensors are not those of the description: use a file that `halforder pretrain` wrote')
        .join('\n')
  }
}
