/**
 * Moving pictures: PNG files over time as an animated GIF.
 *
 * @since 0.1.0
 */
import * as TE from 'fp-ts/lib/TaskEither.js'
import { decode } from 'fast-png'
import sharp from 'sharp'

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
 * Pictures of one size, each a PNG file, as one GIF that repeats. Colors are those nearest in a palette of at most 256. Left: an
 * error of the encoder.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const animation =
  (timing: Timing) =>
  (frames: ReadonlyArray<Uint8Array>): TE.TaskEither<string, Uint8Array> =>
    TE.tryCatch(
      () => {
        const sheets = frames.map((frame) => decode(frame))
        const { width = 1, height = 1, channels = 3 } = sheets[0] ?? {}
        const pages = Buffer.concat(sheets.map(({ data }) => Uint8Array.from(data)))
        const raw = {
          width,
          height: height * sheets.length,
          channels: channels === 4 ? 4 : 3,
          pageHeight: height
        } as const
        const delay = sheets.map((_, i) => (i === sheets.length - 1 ? timing.last : timing.frame))
        return sharp(pages, { raw }).gif({ delay, loop: 0, dither: 0, effort: 4 }).toBuffer()
      },
      (reason) =>
        `gif: expected a file, got an error of the encoder (${String(reason)}); check the installation of sharp`
    )
