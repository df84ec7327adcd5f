import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { Foreign, Npz } from 'halforder/format'
import type { Program } from 'halforder/tensor'
import { denoiser } from './net.js'

/** From the other tool's names and layouts to the paths of `net.ts`. */
export const mapping: Foreign.Mapping = [
  ...Foreign.linear('net.0', 'in'),
  ...Foreign.linear('time_embed', 'time'),
  ...Foreign.embedding('label_embed', 'label'),
  ...Foreign.linear('net.2', 'middle'),
  ...Foreign.normalization('net.3', 'norm'),
  ...Foreign.linear('net.5', 'out'),
  // the inputs and the output that the file has for checking
  ...Foreign.ignore('input.*'),
  ...Foreign.ignore('output')
]

export const weights = (bytes: Uint8Array): E.Either<string, Program.Values> =>
  pipe(
    Npz.decode(bytes),
    E.mapLeft(Npz.showError),
    E.chain((tensors) =>
      pipe(Foreign.fromForeign(mapping)(denoiser.lens.parameters, tensors), E.mapLeft(Foreign.showError))
    )
  )
