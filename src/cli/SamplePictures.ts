/**
 * Samples as a file: a sheet of stills, a sheet with a clip a line, clips that move, or a chain at work.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Tensor } from '../tensor/Tensor.js'
import { animation } from './Animation.js'
import { contactSheet, showError, type Layout } from './Images.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What kind of file.
 *
 * @category model
 * @since 0.1.0
 */
export type Format = 'png' | 'gif'

/**
 * How samples are shown. A row of a sample has `frames` images one after another; 1 for stills.
 *
 * @category model
 * @since 0.1.0
 */
export interface Showing {
  readonly format: Format
  readonly layout: Layout
  readonly frames: number
}

/** An animation of a chain has this many frames at most. */
const shown = 26

// milliseconds a frame: an image at the end of its chain stays a while
const working = { frame: 80, last: 2000 } as const
const moving = { frame: 120, last: 120 } as const

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The states that are shown: the last one, and of a chain at work at most 26, evenly spaced, the first and the last among
 * them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const needed = (
  { format, frames }: Pick<Showing, 'format' | 'frames'>,
  states: ReadonlyArray<Tensor>
): ReadonlyArray<Tensor> => {
  if (format === 'png' || frames > 1) return states.slice(-1)
  const last = states.length - 1
  const n = Math.min(shown, states.length)
  return Array.from({ length: n }, (_, i) => Math.round((i * last) / Math.max(n - 1, 1))).flatMap(
    (i) => states[i] ?? []
  )
}

/** The frames of clips, each `[N, features / frames]`. */
const framesIn = (clips: Tensor, frames: number): ReadonlyArray<Tensor> => {
  const [count = 0, features = 0] = clips.shape
  const width = features / frames
  return Array.from({ length: frames }, (_, frame) => ({
    shape: [count, width],
    data: Float32Array.from(
      { length: count * width },
      (__, i) => clips.data[Math.floor(i / width) * features + frame * width + (i % width)] ?? 0
    )
  }))
}

/**
 * The file of the states `x_T, ..., x_0` of a batch, each `[N, frames * 3 * side * side]` in [-1, 1].
 *
 * Of stills a `png` is a sheet of `x_0`, a `gif` the chain at work. Of clips a `png` is a sheet with the frames of a clip a
 * line, a `gif` a sheet of clips that move. Left: states that are no such images, or an error of the encoder.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const pictures = (showing: Showing, states: ReadonlyArray<Tensor>): TE.TaskEither<string, Uint8Array> => {
  const { format, layout, frames } = showing
  const images = states.at(-1) ?? { shape: [0, 0], data: new Float32Array(0) }
  if (format === 'gif') {
    return frames === 1
      ? animation(layout, working)(needed(showing, states))
      : animation(layout, moving)(framesIn(images, frames))
  }
  const [count = 0, features = 0] = images.shape
  // a row of clips is its frames one after another, so lines of frames need no moving of numbers
  const sheet = frames === 1 ? images : { ...images, shape: [count * frames, features / frames] }
  return pipe(
    contactSheet(frames === 1 ? layout : { ...layout, columns: frames })(sheet),
    E.mapLeft(showError),
    TE.fromEither
  )
}
