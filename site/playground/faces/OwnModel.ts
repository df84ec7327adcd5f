/**
 * A model in a visitor's files: one that was written here, or one of another tool with the record of what its numbers mean. It is
 * what the program reads, of files that are chosen together in place of a folder.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { isRecord, showError as showDocumentError } from 'halforder/document/Document'
import * as Json from 'halforder/document/Json'
import * as Safetensors from 'halforder/format/Safetensors'
import * as Torch from 'halforder/format/Torch'
import { fromDiffusers, showDiffusersError } from 'halforder/network/FromDiffusers'
import { fromOnnx, showOnnxError } from 'halforder/network/FromOnnx'
import type { Imported } from 'halforder/network/graph/Import'
import { meant, type Source } from 'halforder/network/Meant'
import { loadModel, showError as showModelError, type Model } from 'halforder/network/Model'
import { decode, template } from 'halforder/network/Record'
import type { Values } from 'halforder/tensor/Program'
import { diffusersSource, onnxSource, withRecord } from '../../../cli/command/file/Sources.js'

/** A file that was chosen. */
export interface Chosen {
  readonly name: string
  readonly bytes: Uint8Array
}

/** What a file is by the end of its name. */
const ends = { onnx: /\.onnx$/i, safetensors: /\.safetensors$/i, torch: /\.(?:pt|pth|ckpt|bin)$/i, json: /\.json$/i }

const text = ({ bytes }: Chosen): string => new TextDecoder().decode(bytes)

/** The error of a file with its name before it. */
const of =
  <L>({ name }: Chosen, show: (error: L) => string) =>
  (error: L): string =>
    `${name}: ${show(error)}`

const parsed = (file: Chosen): E.Either<string, unknown> =>
  pipe(Json.parse(text(file)), E.mapLeft(of(file, showDocumentError)))

// -------------------------------------------------------------------------------------
// models of other tools
// -------------------------------------------------------------------------------------

/** A network that was read, and the name of the record that is looked for beside it. */
interface Read {
  readonly model: Imported
  readonly source: Source
  readonly record: string
}

const onnx = (file: Chosen, others: ReadonlyArray<Chosen>): E.Either<string, Read> => {
  const beside = Object.fromEntries(
    others.filter(({ name }) => !ends.json.test(name)).map(({ name, bytes }) => [name, bytes] as const)
  )
  return pipe(
    fromOnnx(file.bytes, { beside }),
    E.bimap(of(file, showOnnxError), (model) => ({
      model,
      source: onnxSource(file.bytes, beside),
      record: file.name.replace(ends.onnx, '.json')
    }))
  )
}

const weightsOf = (file: Chosen): E.Either<string, Values> =>
  ends.safetensors.test(file.name)
    ? pipe(
        Safetensors.decode(file.bytes),
        E.bimap(of(file, Safetensors.showError), ({ tensors }) => tensors)
      )
    : pipe(Torch.decode(file.bytes), E.flatMap(Torch.weights(undefined)), E.mapLeft(of(file, Torch.showError)))

const diffusers = (config: Chosen, weights: Chosen): E.Either<string, Read> =>
  pipe(
    E.Do,
    E.bind('document', () => parsed(config)),
    E.bind('values', () => weightsOf(weights)),
    E.flatMap(({ document, values }) =>
      pipe(
        fromDiffusers(document, values),
        E.bimap(of(config, showDiffusersError), (model) => ({
          model,
          source: diffusersSource(config.bytes, weights.name, weights.bytes, values),
          record: 'meaning.json'
        }))
      )
    )
  )

/** The model of a network by the record that was chosen with it, over what its scheduler says. */
const byRecord =
  (others: ReadonlyArray<Chosen>) =>
  ({ model, source, record }: Read): E.Either<string, Model> => {
    const scheduler = others.find(({ name }) => name === 'scheduler_config.json')
    const own =
      others.find(({ name }) => name === record) ??
      others.find((file) => ends.json.test(file.name) && file !== scheduler && file.name !== 'config.json')
    const named = own ?? scheduler
    if (named === undefined) {
      return E.left(
        `expected a record of what the numbers of the model mean, got none; choose ${record} together with it, such as ${template(model)}`
      )
    }
    return pipe(
      E.Do,
      E.bind('said', () => (own === undefined ? E.right({}) : parsed(own))),
      E.bind('config', () => (scheduler === undefined ? E.right(undefined) : parsed(scheduler))),
      E.let('document', ({ said, config }) =>
        isRecord(said) ? { ...(config === undefined ? {} : { scheduler: config }), ...said } : said
      ),
      E.bind('recorded', ({ document }) => pipe(decode(model)(document), E.mapLeft(of(named, showDocumentError)))),
      E.flatMap(({ document, recorded }) =>
        pipe(
          meant(model, { ...recorded, source: withRecord(source, document) }),
          E.mapLeft(of(named, showDocumentError))
        )
      )
    )
  }

// -------------------------------------------------------------------------------------
// models
// -------------------------------------------------------------------------------------

const expected =
  'a model: *.safetensors that was written here; *.onnx with its record, a *.json; or config.json and the weights of diffusers'

/** Weights without a network: what to choose with them. */
const alone = (file: Chosen): E.Either<string, Model> =>
  pipe(
    weightsOf(file),
    E.flatMap((values) =>
      E.left(
        `${file.name}: expected a network, got weights alone (${Object.keys(values).length} tensors); choose config.json of diffusers together with them, or export the model to ONNX`
      )
    )
  )

/** The model in files that were chosen together. Left: what is missing or wrong, and what to do. */
export const ownModel = (files: ReadonlyArray<Chosen>): E.Either<string, Model> => {
  const find = (end: RegExp): Chosen | undefined => files.find(({ name }) => end.test(name))
  const without = (...some: ReadonlyArray<Chosen>): ReadonlyArray<Chosen> =>
    files.filter((file) => !some.includes(file))
  const graph = find(ends.onnx)
  if (graph !== undefined) return pipe(onnx(graph, without(graph)), E.flatMap(byRecord(without(graph))))
  const weights = find(ends.safetensors) ?? find(ends.torch)
  const config = find(/^config\.json$/)
  if (weights === undefined) {
    return E.left(`expected ${expected}; got ${files.map(({ name }) => name).join(', ') || 'no file'}`)
  }
  if (config !== undefined) {
    return pipe(diffusers(config, weights), E.flatMap(byRecord(without(config, weights))))
  }
  if (!ends.safetensors.test(weights.name)) return alone(weights)
  const written = loadModel(weights.bytes)
  if (E.isRight(written)) return written
  return written.left._tag === 'Undescribed' && written.left.got === 'no description'
    ? alone(weights)
    : E.left(of(weights, showModelError)(written.left))
}
