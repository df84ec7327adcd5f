/**
 * Outputs as pictures, however their task shows them: stills, clips, points, or what the task draws itself; and as text.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { identity, pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Image } from 'halforder/network/Model'
import type { Show } from 'halforder/task/Task'
import { rows, type Tensor } from 'halforder/tensor/Tensor'
import { animation } from './Animation.js'
import { contactSheet, defaultLayout, ofGrey, showError, type Layout } from './Images.js'
import { scatter } from './Scatter.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What kind of file.
 *
 * @category model
 * @since 0.1.0
 */
export type Format = 'png' | 'gif' | 'txt'

/** An animation of a chain has this many frames at most. */
const shown = 26

/** So many of the states that points came through are drawn as a way. */
const waypoints = 50

// milliseconds a frame: an image at the end of its chain stays a while
const working = { frame: 80, last: 2000 } as const
const moving = { frame: 120, last: 120 } as const

/**
 * How many outputs a picture shows, unless it is told.
 *
 * @category utils
 * @since 0.1.0
 */
export const pictured = (show: Show): number => (show._tag === 'Points' ? 1024 : 64)

// -------------------------------------------------------------------------------------
// stills
// -------------------------------------------------------------------------------------

/** A row of a clip is its frames one after another, so lines of frames need no moving of numbers. */
const lines = ({ shape: [count = 0, features = 0], data }: Tensor, frames: number): Tensor => ({
  shape: [count * frames, features / frames],
  data
})

const sheet =
  (layout: Layout) =>
  (images: Tensor): TE.TaskEither<string, Uint8Array> =>
    pipe(contactSheet(layout)(images), E.mapLeft(showError), TE.fromEither)

/** Rows of `images` pictures of `side x side` pixels each. Left: rows that are none. */
const square =
  (side: number, images = 1, colors = 3) =>
  (outputs: Tensor): TE.TaskEither<string, Tensor> =>
    outputs.shape.length === 2 && outputs.shape[1] === images * colors * side * side
      ? TE.right(outputs)
      : TE.left(
          `pictures: expected the shape [N, ${images * colors * side * side}], ${images === 1 ? '' : `${images} times `}${side} x ${side} pixels ` +
            `of ${colors === 1 ? 'grey' : `${colors} colors`}, got [${outputs.shape.join(', ')}]; correct the model, or what the task's 'show' says of its outputs`
        )

/** Rows as squares of RGB pixels in [-1, 1], whatever images they are; what is not there is black. Left: rows of another size. */
const colored =
  ({ height, width, channels, range: [least, most] }: Image) =>
  (outputs: Tensor): TE.TaskEither<string, Tensor> => {
    const [count = 0, features] = outputs.shape
    if (features !== height * width * channels) {
      const expected = `${height} x ${width} pixels of ${channels}`
      return TE.left(
        `pictures: expected the shape [N, ${height * width * channels}], ${expected}, got [${outputs.shape.join(', ')}]; correct the model`
      )
    }
    const side = Math.max(height, width)
    const data = new Float32Array(count * side * side * 3).fill(-1)
    for (let pixel = 0; pixel < count * height * width; pixel++) {
      const [row, place] = [Math.floor(pixel / (height * width)), pixel % (height * width)]
      const to = ((row * side + Math.floor(place / width)) * side + (place % width)) * 3
      for (let color = 0; color < 3; color++) {
        const value = outputs.data[pixel * channels + (channels < 3 ? 0 : color)] ?? 0
        data[to + color] = (2 * (value - least)) / (most - least) - 1
      }
    }
    return TE.right({ shape: [count, 3 * side * side], data })
  }

/** Points of the plane. Left: rows that are none. */
const planar = (outputs: Tensor): TE.TaskEither<string, Tensor> =>
  outputs.shape.length === 2 && outputs.shape[1] === 2
    ? TE.right(outputs)
    : TE.left(`points: expected the shape [N, 2], got [${outputs.shape.join(', ')}]; pass one point of the plane a row`)

/**
 * In which format outputs that stand still are shown.
 *
 * @category utils
 * @since 0.1.0
 */
export const formatFor = (show: Show): Exclude<Format, 'gif'> => (show._tag === 'Text' ? 'txt' : 'png')

/**
 * Outputs as lines of words.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const linesOf = (
  { words }: Extract<Show, { readonly _tag: 'Text' }>,
  { shape: [count = 0, width = 0], data }: Tensor
): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, row) => words(data.subarray(row * width, (row + 1) * width)))

/**
 * Outputs as one file: a sheet of stills, a clip a line, a cloud of points, or lines of words. Left: rows that are no such outputs.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const picture =
  (show: Show, layout: Layout = defaultLayout) =>
  (outputs: Tensor): TE.TaskEither<string, Uint8Array> => {
    switch (show._tag) {
      case 'Stills':
        if (show.image !== undefined) return pipe(outputs, colored(show.image), TE.flatMap(sheet(layout)))
        return pipe(
          show.side === undefined ? TE.right(outputs) : square(show.side, 1, show.colors)(outputs),
          TE.map(show.colors === 1 ? ofGrey : identity),
          TE.flatMap(sheet(layout))
        )
      case 'Clips':
        return pipe(
          square(show.side, show.frames)(outputs),
          TE.flatMap((clips) => sheet({ ...layout, columns: show.frames })(lines(clips, show.frames)))
        )
      case 'Points':
        return pipe(
          planar(outputs),
          TE.map((points) => scatter(show.reach)([{ title: `${points.shape[0] ?? 0} samples`, points }]))
        )
      case 'Text':
        return TE.right(new TextEncoder().encode(`${linesOf(show, outputs).join('\n')}\n`))
      case 'Own':
        return show.png(outputs)
    }
  }

// -------------------------------------------------------------------------------------
// chains
// -------------------------------------------------------------------------------------

/** At most `most` of some states, evenly spaced, the first and the last among them. */
const some = (states: ReadonlyArray<Tensor>, most: number): ReadonlyArray<Tensor> => {
  const n = Math.min(most, states.length)
  return Array.from({ length: n }, (_, i) => Math.round((i * (states.length - 1)) / Math.max(n - 1, 1))).flatMap(
    (i) => states[i] ?? []
  )
}

/**
 * The states that a file shows of `x_T, ..., x_0`: the last one, and where the chain is seen at work some more, the first and
 * the last among them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const needed = (show: Show, format: Format, states: ReadonlyArray<Tensor>): ReadonlyArray<Tensor> => {
  if (show._tag === 'Points') return some(states, format === 'png' ? waypoints : shown)
  return format !== 'gif' || show._tag === 'Clips' ? states.slice(-1) : some(states, shown)
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
 * The file of the states that `needed` chose. A `png` shows the outputs, and beside points the ways that they came. A `gif`
 * shows clips moving, and everything else as the chain makes it. Left: states that are no such outputs, or an error of the
 * encoder.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const pictures =
  (show: Show, format: Format, layout: Layout) =>
  (states: ReadonlyArray<Tensor>): TE.TaskEither<string, Uint8Array> => {
    const outputs = states.at(-1) ?? { shape: [0, 0], data: new Float32Array(0) }
    if (format !== 'gif') {
      return show._tag === 'Points'
        ? pipe(
            planar(outputs),
            TE.map((points) => ways(show.reach, states, points))
          )
        : picture(show, layout)(outputs)
    }
    return show._tag === 'Clips'
      ? pipe(
          square(show.side, show.frames)(outputs),
          TE.flatMap((clips) => pipe(framesIn(clips, show.frames), TE.traverseArray(sheet(layout)))),
          TE.flatMap(animation(moving))
        )
      : pipe(states, TE.traverseArray(picture(show, layout)), TE.flatMap(animation(working)))
  }

/** So many points have their way drawn: more would hide one another. */
const drawn = 96

const ways = (reach: number, states: ReadonlyArray<Tensor>, outputs: Tensor): Uint8Array => {
  const few = rows(0, drawn)
  return scatter(reach)([
    { title: `${outputs.shape[0] ?? 0} samples`, points: outputs },
    { title: 'trajectories', points: few(outputs), trail: states.slice(0, -1).map(few) }
  ])
}
