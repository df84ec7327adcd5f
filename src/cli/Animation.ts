/**
 * Moving pictures: contact sheets over time as an animated GIF.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { decode } from 'fast-png'
import sharp from 'sharp'
import type { Tensor } from '../tensor/Tensor.js'
import { contactSheet, showError, type Layout } from './Images.js'

/**
 * How an animation runs: milliseconds a frame, and of the last one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Timing {
  readonly frame: number
  readonly last: number
}

/**
 * Batches `[N, 3 * side * side]` in [-1, 1], one a frame, as one GIF that repeats: frame `i` is the contact sheet of batch
 * `i`. Colors are those nearest in a palette of at most 256. Left: batches that are no images, or an error of the encoder.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const animation =
  (layout: Layout, timing: Timing) =>
  (frames: ReadonlyArray<Tensor>): TE.TaskEither<string, Uint8Array> =>
    pipe(
      frames,
      E.traverseArray(contactSheet(layout)),
      E.mapLeft(showError),
      E.map((sheets) => sheets.map((sheet) => decode(sheet))),
      TE.fromEither,
      TE.flatMap((sheets) =>
        TE.tryCatch(
          () => {
            const { width = 1, height = 1 } = sheets[0] ?? {}
            const pages = Buffer.concat(sheets.map(({ data }) => Uint8Array.from(data)))
            const raw = { width, height: height * sheets.length, channels: 3, pageHeight: height } as const
            const delay = sheets.map((_, i) => (i === sheets.length - 1 ? timing.last : timing.frame))
            return sharp(pages, { raw }).gif({ delay, loop: 0, dither: 0, effort: 4 }).toBuffer()
          },
          (reason) =>
            `gif: expected a file, got an error of the encoder (${String(reason)}); check the installation of sharp`
        )
      )
    )
