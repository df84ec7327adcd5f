/**
 * How the axes of a weight lie elsewhere: shapes there, and moving numbers there and back.
 *
 * @since 0.1.0
 */
import { size, type Tensor } from '../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A tensor of shape `ours` seen in another layout. Theirs has the shape `theirs`; reshaped to `unfolded` its axis
 * `axes[i]` is axis `i` of ours, unfolded likewise.
 *
 * @category model
 * @since 0.1.0
 */
export interface View {
  readonly ours: ReadonlyArray<number>
  readonly theirs: ReadonlyArray<number>
  readonly unfolded: ReadonlyArray<number>
  readonly axes: ReadonlyArray<number>
}

/**
 * A layout: the view of each shape that it fits.
 *
 * @category model
 * @since 0.1.0
 */
export interface Layout {
  readonly name: string
  readonly view: (ours: ReadonlyArray<number>) => View | undefined
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const permuted = (ours: ReadonlyArray<number>, axes: ReadonlyArray<number>): View => {
  const theirs = ours.map((_, axis) => ours[axes.indexOf(axis)] ?? 1)
  return { ours, theirs, unfolded: theirs, axes }
}

/**
 * The same layout.
 *
 * @category constructors
 * @since 0.1.0
 */
export const same: Layout = { name: 'same', view: (ours) => permuted(ours, [...ours.keys()]) }

/**
 * A dense weight, `[in, out]` here and `[out, in]` there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reversed: Layout = {
  name: 'linear',
  view: (ours) => (ours.length === 2 ? permuted(ours, [1, 0]) : undefined)
}

/**
 * A weight with any number of window axes, none for a dense one: `[...window, in, out]` here, `[out, in, ...window]` there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const channelsFirst: Layout = {
  name: 'convolution',
  view: (ours) =>
    ours.length < 2 ? undefined : permuted(ours, [...Array.from({ length: ours.length - 2 }, (_, i) => i + 2), 1, 0])
}

/**
 * A dense weight `[in, out]` here, that of a convolution with a window of one there: `[out, in, 1, ...]`, with `rank` ones.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pointwise = (rank: number): Layout => ({
  name: 'pointwise',
  view: (ours) => {
    const view = reversed.view(ours)
    return view && { ...view, theirs: [...view.theirs, ...Array.from({ length: rank }, () => 1)] }
  }
})

/**
 * A vector over the features of flattened images, or the matching axis of a dense weight: height, width, channel here;
 * channel, height, width there. `side` says what the images are of the layer, and `height` and `width` their size.
 *
 * - `'vector'`: `[h w c]` here, `[c h w]` there.
 * - `'inputs'`: a weight `[h w c, out]` here, `[out, c h w]` there.
 * - `'outputs'`: a weight `[in, h w c]` here, `[c h w, in]` there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flattened = (side: 'vector' | 'inputs' | 'outputs', height: number, width: number): Layout => ({
  name: `flattened ${height} x ${width} ${side}`,
  view: (ours) => {
    const [first = 0, second = 0] = ours
    const features = side === 'outputs' ? second : first
    const channels = features / (height * width)
    if (ours.length !== (side === 'vector' ? 1 : 2) || !Number.isInteger(channels)) return undefined
    const image = [channels, height, width]
    switch (side) {
      case 'vector':
        return { ours, theirs: [features], unfolded: image, axes: [1, 2, 0] }
      case 'inputs':
        return { ours, theirs: [second, features], unfolded: [second, ...image], axes: [2, 3, 1, 0] }
      case 'outputs':
        return { ours, theirs: [features, first], unfolded: [...image, first], axes: [3, 1, 2, 0] }
    }
  }
})

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/** For each flat position of ours, that of the same number in theirs. */
const places = ({ unfolded, axes }: View): Uint32Array => {
  const sizes = axes.map((axis) => unfolded[axis] ?? 1)
  const strides = axes.map((axis) => size(unfolded.slice(axis + 1)))
  return Uint32Array.from({ length: size(sizes) }, (_, i) => {
    let rest = i
    return sizes.reduceRight((at, d, axis) => {
      const index = rest % d
      rest = Math.floor(rest / d)
      return at + index * (strides[axis] ?? 0)
    }, 0)
  })
}

/**
 * A tensor of the shape `theirs` as ours: the same numbers, each in its place.
 *
 * @category combinators
 * @since 0.1.0
 */
export const toOurs = (view: View, theirs: Tensor): Tensor => {
  const from = places(view)
  const data = theirs.data.slice()
  for (let i = 0; i < data.length; i++) data[i] = theirs.data[from[i] ?? 0] ?? 0
  return { shape: view.ours, data }
}

/**
 * A tensor of the shape `ours` as theirs. Inverts `toOurs`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const toTheirs = (view: View, ours: Tensor): Tensor => {
  const to = places(view)
  const data = ours.data.slice()
  for (let i = 0; i < data.length; i++) data[to[i] ?? 0] = ours.data[i] ?? 0
  return { shape: view.theirs, data }
}
