/**
 * Models of other tools by their files: ONNX, a folder of diffusers, or weights alone.
 *
 * @since 0.1.0
 */
import { basename, dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Json from 'halforder/document/Json'
import { showError as showDocument } from 'halforder/document/Document'
import * as Onnx from 'halforder/format/Onnx'
import * as Safetensors from 'halforder/format/Safetensors'
import * as Sharded from 'halforder/format/Sharded'
import * as Torch from 'halforder/format/Torch'
import { fromDiffusers, showDiffusersError } from 'halforder/network/FromDiffusers'
import { fromOnnx, showOnnxError } from 'halforder/network/FromOnnx'
import type { Imported } from 'halforder/network/graph/Import'
import type { Values } from 'halforder/tensor/Program'
import { file, type Failure, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a file holds: a model that runs, or weights without one, in groups where there are several.
 *
 * @category model
 * @since 0.1.0
 */
export type Found =
  | { readonly _tag: 'Model'; readonly format: string; readonly model: Imported }
  | { readonly _tag: 'Weights'; readonly format: string; readonly weights: Values }

/**
 * How a file is read: which group of a checkpoint, which part of an autoencoder, and the size of images.
 *
 * @category model
 * @since 0.1.0
 */
export interface ForeignOptions {
  readonly weightsKey?: string
  readonly part?: 'encoder' | 'decoder'
  readonly size?: readonly [number, number]
}

// -------------------------------------------------------------------------------------
// weights
// -------------------------------------------------------------------------------------

const said =
  <L>(path: string, show: (error: L) => string) =>
  (error: L): Failure =>
    usage(`${path}: ${show(error)}`)

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const sharded = (path: string): Step<Values> =>
  pipe(
    file(Files.read(path)),
    TE.flatMapEither((bytes) => pipe(Sharded.index(text(bytes)), E.mapLeft(said(path, Sharded.showShardedError)))),
    TE.flatMap((index) =>
      pipe(
        Sharded.files(index),
        TE.traverseArray((name) =>
          pipe(
            file(Files.read(join(dirname(path), name))),
            TE.map((bytes) => [name, bytes] as const)
          )
        ),
        TE.flatMapEither((files) =>
          pipe(Sharded.join(index, Object.fromEntries(files)), E.mapLeft(said(path, Sharded.showShardedError)))
        )
      )
    )
  )

const torch =
  (path: string, key: string | undefined) =>
  (bytes: Uint8Array): E.Either<Failure, Values> =>
    pipe(Torch.decode(bytes), E.flatMap(Torch.weights(key)), E.mapLeft(said(path, Torch.showError)))

/**
 * The weights of a file by its extension: `.safetensors`, `.index.json`, or what torch.save wrote.
 *
 * @category effects
 * @since 0.1.0
 */
export const weightsOf = (path: string, key: string | undefined): Step<Values> => {
  if (path.endsWith('.index.json')) return sharded(path)
  return pipe(
    file(Files.read(path)),
    TE.flatMapEither((bytes) =>
      path.endsWith('.safetensors')
        ? pipe(
            Safetensors.decode(bytes),
            E.bimap(said(path, Safetensors.showError), ({ tensors }) => tensors)
          )
        : torch(path, key)(bytes)
    )
  )
}

// -------------------------------------------------------------------------------------
// models
// -------------------------------------------------------------------------------------

const onnx = (path: string): Step<Found> =>
  pipe(
    TE.Do,
    TE.bind('bytes', () => file(Files.read(path))),
    TE.bind('beside', ({ bytes }) =>
      pipe(
        TE.fromEither(pipe(Onnx.filesBeside(bytes), E.mapLeft(said(path, Onnx.showError)))),
        // a file outside of the model's folder is not one of the model
        TE.map((names) => names.filter((name) => name === basename(name))),
        TE.flatMap(
          TE.traverseArray((name) =>
            pipe(
              file(Files.read(join(dirname(path), name))),
              TE.map((content) => [name, content] as const)
            )
          )
        )
      )
    ),
    TE.flatMapEither(({ bytes, beside }) =>
      pipe(
        fromOnnx(bytes, { beside: Object.fromEntries(beside) }),
        E.bimap(said(path, showOnnxError), (model): Found => ({ _tag: 'Model', format: 'ONNX', model }))
      )
    )
  )

/** The files that a folder of diffusers may have its weights in, the first that is there. */
const weightFiles = ['.safetensors', '.safetensors.index.json', '.bin'].map((end) => `diffusion_pytorch_model${end}`)

const firstOf = (folder: string, names: ReadonlyArray<string>): Step<string> => {
  const [first, ...rest] = names.map((name) => join(folder, name))
  if (first === undefined)
    return TE.left(usage(`${folder}: expected weights in ${weightFiles.join(' or ')}, got none of them`))
  return pipe(
    file(Files.exists(first)),
    TE.flatMap((there) =>
      there
        ? TE.right(first)
        : firstOf(
            folder,
            rest.map((path) => basename(path))
          )
    )
  )
}

const diffusers = (folder: string, options: ForeignOptions): Step<Found> =>
  pipe(
    TE.Do,
    TE.bind('config', () => {
      const path = join(folder, 'config.json')
      return pipe(
        file(Files.read(path)),
        TE.flatMapEither((bytes) => pipe(Json.parse(text(bytes)), E.mapLeft(said(path, showDocument))))
      )
    }),
    TE.bind('weights', () =>
      pipe(
        firstOf(folder, weightFiles),
        TE.flatMap((path) => weightsOf(path, options.weightsKey))
      )
    ),
    TE.flatMapEither(({ config, weights }) =>
      pipe(
        fromDiffusers(config, weights, {
          ...(options.part === undefined ? {} : { part: options.part }),
          ...(options.size === undefined ? {} : { size: options.size })
        }),
        E.bimap(said(folder, showDiffusersError), (model): Found => ({ _tag: 'Model', format: 'diffusers', model }))
      )
    )
  )

/**
 * What is in a file or a folder. Left: it is not there, is none of the formats, or is no model; the error says what to do.
 *
 * @category effects
 * @since 0.1.0
 */
export const open = (path: string, options: ForeignOptions = {}): Step<Found> => {
  if (path.endsWith('.onnx')) return onnx(path)
  if (path.endsWith('config.json')) return diffusers(dirname(path), options)
  if (/\.(?:safetensors|index\.json|pt|pth|ckpt|bin)$/.test(path)) {
    return pipe(
      weightsOf(path, options.weightsKey),
      TE.map(
        (weights): Found => ({
          _tag: 'Weights',
          format: path.endsWith('s') || path.endsWith('json') ? 'safetensors' : 'PyTorch',
          weights
        })
      )
    )
  }
  return pipe(
    file(Files.exists(join(path, 'config.json'))),
    TE.flatMap((there) =>
      there
        ? diffusers(path, options)
        : TE.left(
            usage(
              `${path}: expected *.onnx, *.safetensors, *.pt, *.pth, *.ckpt, *.bin, or a folder with config.json, got none of them`
            )
          )
    )
  )
}
