/**
 * Pictures from tensors: batches of square RGB images in [-1, 1] as bytes and as contact sheets.
 *
 * An image is a row of `3 * side * side` numbers, row-major in height, width, channel: the number at
 * `(y * side + x) * 3 + c` is channel c of the pixel in line y and column x.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { encode } from 'fast-png'
import { type Tensor } from 'halforder/tensor/Tensor'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A batch of square RGB images as bytes: `count` images of `side` by `side` pixels, each laid out as above.
 *
 * @category model
 * @since 0.1.0
 */
export interface Pixels {
  readonly count: number
  readonly side: number
  readonly bytes: Uint8ClampedArray
}

/**
 * How a contact sheet is laid out. `columns` is the number of images in a line, `scale` how many pixels of the sheet
 * show one pixel of an image, `padding` the width of the frame around each image, in pixels of the sheet, and
 * `background` its color.
 *
 * @category model
 * @since 0.1.0
 */
export interface Layout {
  readonly columns: number
  readonly scale: number
  readonly padding: number
  readonly background: readonly [red: number, green: number, blue: number]
}

/**
 * What can be wrong with images: rows that are no square RGB images, a layout without room, or a pair that does not
 * match.
 *
 * @category model
 * @since 0.1.0
 */
export type ImagesError =
  | { readonly _tag: 'NotImages'; readonly got: ReadonlyArray<number> }
  | { readonly _tag: 'BadLayout'; readonly field: 'columns' | 'scale' | 'padding'; readonly got: number }
  | { readonly _tag: 'UnequalPair'; readonly before: ReadonlyArray<number>; readonly after: ReadonlyArray<number> }

/**
 * Eight images in a line, eight times enlarged, on dark grey.
 *
 * @category constructors
 * @since 0.1.0
 */
export const defaultLayout: Layout = { columns: 8, scale: 8, padding: 4, background: [48, 48, 52] }

// -------------------------------------------------------------------------------------
// bytes
// -------------------------------------------------------------------------------------

/**
 * A batch `[N, 3 * side * side]` in [-1, 1] as bytes: -1 is 0 and 1 is 255. Values outside are clamped, and what is not
 * a number is 0. Left when the rows are no square RGB images.
 *
 * @category combinators
 * @since 0.1.0
 */
export const toPixels = (images: Tensor): E.Either<ImagesError, Pixels> => {
  const [count, width] = images.shape
  const side = Math.sqrt((width ?? 0) / 3)
  if (images.shape.length !== 2 || count === undefined || side < 1 || !Number.isInteger(side)) {
    return E.left({ _tag: 'NotImages', got: images.shape })
  }
  const bytes = new Uint8ClampedArray(images.data.length)
  // a clamped array rounds to the nearest byte by itself
  for (let i = 0; i < bytes.length; i++) bytes[i] = ((images.data[i] ?? 0) + 1) * 127.5
  return E.right({ count, side, bytes })
}

/**
 * Bytes as a batch `[N, 3 * side * side]` in [-1, 1], in f32. `toPixels` returns the same bytes.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fromPixels = (pixels: Pixels): Tensor => ({
  shape: [pixels.count, 3 * pixels.side * pixels.side],
  data: Float32Array.from(pixels.bytes, (byte) => byte / 127.5 - 1)
})

/**
 * Rows of grey pixels `[N, side * side]` as rows of RGB pixels `[N, 3 * side * side]`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const ofGrey = ({ shape: [count = 0, width = 0], data }: Tensor): Tensor => ({
  shape: [count, 3 * width],
  data: Float32Array.from({ length: 3 * data.length }, (_, i) => data[Math.floor(i / 3)] ?? 0)
})

/**
 * Each pixel as a square of `scale` by `scale` equal pixels (nearest neighbour).
 *
 * @category combinators
 * @since 0.1.0
 */
export const enlarge =
  (scale: number) =>
  (pixels: Pixels): Pixels => {
    const side = pixels.side * scale
    const bytes = new Uint8ClampedArray(pixels.count * side * side * 3)
    for (let image = 0; image < pixels.count; image++) paint(bytes, side, pixels, image, scale, 0, image * side)
    return { count: pixels.count, side, bytes }
  }

// Draws an image with its top left corner at (left, top) of a canvas that is `width` pixels wide.
const paint = (
  canvas: Uint8ClampedArray,
  width: number,
  pixels: Pixels,
  image: number,
  scale: number,
  left: number,
  top: number
): void => {
  const side = pixels.side * scale
  const first = image * pixels.side * pixels.side
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = (first + Math.floor(y / scale) * pixels.side + Math.floor(x / scale)) * 3
      const to = ((top + y) * width + left + x) * 3
      for (let c = 0; c < 3; c++) canvas[to + c] = pixels.bytes[from + c] ?? 0
    }
  }
}

// -------------------------------------------------------------------------------------
// contact sheets
// -------------------------------------------------------------------------------------

interface Canvas {
  readonly width: number
  readonly height: number
  readonly bytes: Uint8ClampedArray
}

const checkLayout = (layout: Layout): E.Either<ImagesError, Layout> => {
  const field = (['columns', 'scale', 'padding'] as const).find(
    (name) => !Number.isInteger(layout[name]) || layout[name] < (name === 'padding' ? 0 : 1)
  )
  return field === undefined ? E.right(layout) : E.left({ _tag: 'BadLayout', field, got: layout[field] })
}

// A canvas for `grids` grids beside one another, `gutter` pixels apart, and the offset of each grid.
const drawGrids = (grids: ReadonlyArray<Pixels>, layout: Layout, gutter: number): Canvas => {
  const cell = (grids[0]?.side ?? 0) * layout.scale + layout.padding
  const lines = Math.ceil((grids[0]?.count ?? 0) / layout.columns)
  const gridWidth = layout.columns * cell + layout.padding
  const width = grids.length * gridWidth + (grids.length - 1) * gutter
  const height = Math.max(1, lines * cell + layout.padding)
  const bytes = new Uint8ClampedArray(width * height * 3)
  for (let i = 0; i < bytes.length; i++) bytes[i] = layout.background[i % 3] ?? 0
  grids.forEach((pixels, grid) => {
    for (let image = 0; image < pixels.count; image++) {
      const left = grid * (gridWidth + gutter) + layout.padding + (image % layout.columns) * cell
      const top = layout.padding + Math.floor(image / layout.columns) * cell
      paint(bytes, width, pixels, image, layout.scale, left, top)
    }
  })
  return { width, height, bytes }
}

const toPng = (canvas: Canvas): Uint8Array =>
  encode({ width: canvas.width, height: canvas.height, data: canvas.bytes, channels: 3, depth: 8 })

/**
 * A batch `[N, 3 * side * side]` in [-1, 1] as one PNG file: a grid, filled line by line.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const contactSheet =
  (layout: Layout) =>
  (images: Tensor): E.Either<ImagesError, Uint8Array> =>
    pipe(
      checkLayout(layout),
      E.chain(() => toPixels(images)),
      E.map((pixels) => toPng(drawGrids([pixels], layout, 0)))
    )

/**
 * Two batches of one shape as one PNG file: two grids of the same layout beside one another, `before` on the left, so
 * that image i is at the same place of both. The gutter between them is as wide as half an image.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const contactSheetPair =
  (layout: Layout) =>
  (before: Tensor, after: Tensor): E.Either<ImagesError, Uint8Array> =>
    pipe(
      E.Do,
      E.bind('valid', () => checkLayout(layout)),
      E.bind('left', () => toPixels(before)),
      E.bind('right', () => toPixels(after)),
      E.chain(({ left, right }) =>
        left.count === right.count && left.side === right.side
          ? E.right(toPng(drawGrids([left, right], layout, Math.ceil((left.side * layout.scale) / 2))))
          : E.left<ImagesError, Uint8Array>({ _tag: 'UnequalPair', before: before.shape, after: after.shape })
      )
    )

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: ImagesError): string => {
  const shape = (sizes: ReadonlyArray<number>): string => `[${sizes.join(', ')}]`
  switch (error._tag) {
    case 'NotImages':
      return `images: expected the shape [N, 3 * side * side], got ${shape(error.got)}; pass one square RGB image a row`
    case 'BadLayout':
      return `layout.${error.field}: expected an integer of at least ${error.field === 'padding' ? 0 : 1}, got ${error.got}; see defaultLayout`
    case 'UnequalPair':
      return `after: expected the shape of before, ${shape(error.before)}, got ${shape(error.after)}; pass two batches of one shape`
  }
}
