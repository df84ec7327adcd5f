import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { ddim } from 'halforder/chain'
import { Document } from 'halforder/document'
import { Onnx } from 'halforder/format'
import { FromOnnx, fromOnnx, Meaning } from 'halforder/network'
import type { Program } from 'halforder/tensor'

/** Trained at 8 noise levels, to predict the noise of images that lie channels first. */
const meaning: Meaning.Meaning = {
  alphaBar: [0.99, 0.95, 0.88, 0.76, 0.6, 0.4, 0.2, 0.05],
  prediction: 'epsilon',
  layout: 'channels first'
}

/** The model in a file, and a chain on it. */
export const opened = (bytes: Uint8Array) =>
  pipe(
    fromOnnx(bytes),
    E.mapLeft(FromOnnx.showOnnxError),
    E.bindTo('model'),
    E.bind('denoiser', ({ model }) => pipe(Meaning.denoiserOf(model, meaning), E.mapLeft(Document.showError))),
    E.map(({ model, denoiser }) => ({ model, chain: ddim({ denoiser, schedule: Meaning.schedule(meaning), eta: 1 }) }))
  )

/** The same file with other weights, which are by path, under the names that they have there. */
export const written = (
  bytes: Uint8Array,
  names: Readonly<Record<string, string>>,
  weights: Program.Values
): E.Either<string, Uint8Array> =>
  pipe(
    Onnx.rewrite(
      bytes,
      Object.fromEntries(Object.entries(weights).map(([path, tensor]) => [names[path] ?? path, tensor]))
    ),
    E.bimap(Onnx.showError, ({ model }) => model)
  )
