/**
 * The files that models of other tools go back to, with other numbers in them.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Onnx from 'halforder/format/Onnx'
import * as Safetensors from 'halforder/format/Safetensors'
import * as Torch from 'halforder/format/Torch'
import { renamed } from 'halforder/network/FromDiffusers'
import type { Source } from 'halforder/network/Meant'
import type { Values } from 'halforder/tensor/Program'

/**
 * The same graph with other numbers. `beside`: the files that hold numbers of its, by name.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onnxSource = (bytes: Uint8Array, beside: Readonly<Record<string, Uint8Array>>): Source => ({
  name: 'model.onnx',
  encode: (values) =>
    pipe(
      Onnx.rewrite(bytes, values, beside),
      E.bimap(Onnx.showError, (written) => ({ file: written.model, beside: written.beside }))
    )
})

const weightsName = 'diffusion_pytorch_model'

/**
 * The same weights with other numbers, under the names that they have there, and the configuration beside them. `bytes`: of the file at
 * `path`, and `weights` what it has.
 *
 * @category constructors
 * @since 0.1.0
 */
export const diffusersSource = (config: Uint8Array, path: string, bytes: Uint8Array, weights: Values): Source => {
  const own = (values: Values): Values =>
    Object.fromEntries(
      Object.entries(weights).flatMap(([name, { shape }]) => {
        const value = Object.hasOwn(values, renamed(name)) ? values[renamed(name)] : undefined
        return value === undefined ? [] : [[name, { ...value, shape }] as const]
      })
    )
  const end = path.endsWith('.bin') ? '.bin' : '.safetensors'
  const rewritten = (values: Values): E.Either<string, Uint8Array> => {
    if (end === '.bin') return pipe(Torch.rewrite(undefined)(bytes, own(values)), E.mapLeft(Torch.showError))
    // what was in several files is in one
    return path.endsWith('.index.json')
      ? pipe(
          Safetensors.encode('own')({ tensors: { ...weights, ...own(values) }, metadata: { format: 'pt' } }),
          E.mapLeft(Safetensors.showError)
        )
      : pipe(Safetensors.rewrite(bytes, own(values)), E.mapLeft(Safetensors.showError))
  }
  return {
    name: `model/${weightsName}${end}`,
    encode: (values) =>
      pipe(
        rewritten(values),
        E.map((file) => ({ file, beside: { 'model/config.json': config } }))
      )
  }
}

/**
 * The source whose record of what its numbers mean goes with the file.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withRecord = (source: Source, document: unknown): Source => {
  const name = source.name.includes('/')
    ? `${source.name.slice(0, source.name.lastIndexOf('/'))}/meaning.json`
    : source.name.replace(/\.[^.]*$/, '.json')
  const bytes = new TextEncoder().encode(`${JSON.stringify(document, null, 2)}\n`)
  return {
    ...source,
    encode: (values) =>
      pipe(
        source.encode(values),
        E.map((written) => ({ ...written, beside: { ...written.beside, [name]: bytes } }))
      )
  }
}
