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
import { diffusersGraph, showDiffusersError } from 'halforder/network/FromDiffusers'
import { fromOnnx, showOnnxError } from 'halforder/network/FromOnnx'
import { fromGraph, type Imported, known } from 'halforder/network/graph/Import'
import { showImportError } from 'halforder/network/graph/ImportError'
import type { Source } from 'halforder/network/Meant'
import { toOnnx } from 'halforder/network/graph/ToOnnx'
import type { Values } from 'halforder/tensor/Program'
import { file, type Failure, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import { diffusersSource, onnxSource } from './file/Sources.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a file holds: a model that runs, or weights without one, in groups where there are several. `source`: the file that the model goes
 * back to. `record`: where the record of what its numbers mean is looked for, and `scheduler`, where those of a scheduler are. `onnx`: the
 * model as bytes of ONNX.
 *
 * @category model
 * @since 0.1.0
 */
export type Found =
  | {
      readonly _tag: 'Model'
      readonly format: string
      readonly model: Imported
      readonly source: Source
      readonly onnx: () => E.Either<Failure, Uint8Array>
      readonly record: string
      readonly scheduler: ReadonlyArray<string>
    }
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
        E.bimap(
          said(path, showOnnxError),
          (model): Found => ({
            _tag: 'Model',
            format: 'ONNX',
            model,
            source: onnxSource(bytes, Object.fromEntries(beside)),
            onnx: () => E.left(usage(`${path}: expected a folder of diffusers, got ONNX already`)),
            record: path.replace(/\.onnx$/, '.json'),
            scheduler: []
          })
        )
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

const diffusers = (folder: string, options: ForeignOptions): Step<Found> => {
  const path = join(folder, 'config.json')
  return pipe(
    TE.Do,
    TE.bind('bytes', () => file(Files.read(path))),
    TE.bind('config', ({ bytes }) => TE.fromEither(pipe(Json.parse(text(bytes)), E.mapLeft(said(path, showDocument))))),
    TE.bind('at', () => firstOf(folder, weightFiles)),
    TE.bind('stored', ({ at }) => file(Files.read(at))),
    TE.bind('weights', ({ at }) => weightsOf(at, options.weightsKey)),
    TE.bind('graph', ({ config, weights }) =>
      TE.fromEither(
        pipe(
          diffusersGraph(config, weights, {
            ...(options.part === undefined ? {} : { part: options.part }),
            ...(options.size === undefined ? {} : { size: options.size })
          }),
          E.mapLeft(said(folder, showDiffusersError))
        )
      )
    ),
    TE.flatMapEither(({ bytes, graph, at, stored, weights }) =>
      pipe(
        fromGraph(graph),
        E.bimap(
          said(folder, (error) => showImportError(error, known)),
          (model): Found => ({
            _tag: 'Model',
            format: 'diffusers',
            model,
            source: diffusersSource(bytes, at, stored, weights),
            onnx: () => pipe(toOnnx(graph), E.mapLeft(said(folder, showOnnxError))),
            record: join(folder, 'meaning.json'),
            scheduler: [join(folder, 'scheduler_config.json'), join(folder, '..', 'scheduler', 'scheduler_config.json')]
          })
        )
      )
    )
  )
}

/** The folder of a pipeline's network, which its index names. */
const networks = ['unet', 'transformer']

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
    folders(path).map((folder) => join(folder, 'config.json')),
    firstThere,
    TE.flatMap((there) =>
      there === undefined
        ? TE.left(
            usage(
              `${path}: expected *.onnx, *.safetensors, *.pt, *.pth, *.ckpt, *.bin, or a folder with config.json, got none of them`
            )
          )
        : diffusers(dirname(there), options)
    )
  )
}

/** Where a folder may have the network of diffusers: in itself, as a pipeline, or as a run leaves it. */
const folders = (path: string): ReadonlyArray<string> => [
  join(path, 'model'),
  ...networks.map((name) => join(path, name)),
  path
]

/** The first of some files that is there. */
const firstThere = (paths: ReadonlyArray<string>): Step<string | undefined> =>
  pipe(
    paths,
    TE.traverseSeqArray((path) => file(Files.exists(path))),
    TE.map((there) => paths.find((_, i) => there[i] === true))
  )

/**
 * Is there a model with its network at a path: ONNX, a folder of diffusers, or that of a run on one of them? If so, the path to open.
 *
 * @category effects
 * @since 0.1.0
 */
export const networkAt = (path: string): Step<string | undefined> => {
  if (path.endsWith('.onnx')) return TE.right(path)
  if (path.endsWith('config.json')) return TE.right(dirname(path))
  // the weights of a folder of diffusers, by their own name
  if (weightFiles.includes(basename(path))) {
    return pipe(
      firstThere([join(dirname(path), 'config.json')]),
      TE.map((there) => (there === undefined ? undefined : dirname(there)))
    )
  }
  return pipe(
    firstThere([join(path, 'checkpoint.safetensors')]),
    TE.flatMap((run) =>
      firstThere([
        join(path, 'model.onnx'),
        // the configuration in the folder of a run is that of the run
        ...folders(path)
          .slice(0, run === undefined ? undefined : 1)
          .map((folder) => join(folder, 'config.json'))
      ])
    ),
    TE.map((there) => (there === undefined ? undefined : there.endsWith('.onnx') ? there : dirname(there)))
  )
}
