import { decode } from 'fast-png'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import {
  contactSheet,
  contactSheetPair,
  enlarge,
  fromPixels,
  type ImagesError,
  type Layout,
  showError,
  toPixels
} from '../../../cli/edge/Images.js'
import { defaultJpegOptions, jpegSizes, showError as showJpegError } from '../../../cli/tasks/faces/Jpeg.js'
import { type Tensor } from '../../../src/tensor/Tensor.js'

const batch = (...images: ReadonlyArray<ReadonlyArray<number>>): Tensor => ({
  shape: [images.length, images[0]?.length ?? 0],
  data: Float32Array.from(images.flat())
})

const right = <E, A>(either: E.Either<E, A>): A => {
  if (E.isLeft(either)) throw new Error(JSON.stringify(either.left))
  return either.right
}

const layout: Layout = { columns: 2, scale: 1, padding: 1, background: [1, 2, 3] }

/** The PNG as lines of pixels, each `r,g,b`. */
const lines = (png: E.Either<ImagesError, Uint8Array>): ReadonlyArray<string> => {
  const { width, height, data, channels } = decode(right(png))
  expect(channels).toBe(3)
  return Array.from({ length: height }, (_, y) =>
    Array.from({ length: width }, (__, x) => data.slice((y * width + x) * 3, (y * width + x) * 3 + 3).join(',')).join(
      ' '
    )
  )
}

describe('bytes', () => {
  test('-1 is 0 and 1 is 255, what is outside is clamped, NaN is 0', () => {
    const { bytes } = right(toPixels(batch([-1, 1, 0.004], [-7, Number.POSITIVE_INFINITY, Number.NaN])))
    expect([...bytes]).toEqual([0, 255, 128, 0, 255, 0])
  })

  test('bytes survive', () => {
    fc.assert(
      fc.property(fc.uint8ClampedArray({ minLength: 24, maxLength: 24 }), (bytes) => {
        const pixels = { count: 2, side: 2, bytes }
        expect(toPixels(fromPixels(pixels))).toEqual(E.right(pixels))
      })
    )
  })

  test('enlarging repeats each pixel', () => {
    const pixels = { count: 1, side: 2, bytes: Uint8ClampedArray.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12) }
    expect([...enlarge(2)(pixels).bytes]).toEqual(
      [
        [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6],
        [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6],
        [7, 8, 9, 7, 8, 9, 10, 11, 12, 10, 11, 12],
        [7, 8, 9, 7, 8, 9, 10, 11, 12, 10, 11, 12]
      ].flat()
    )
  })
})

describe('contact sheets', () => {
  const frame = '1,2,3'
  const black = '0,0,0'
  const white = '255,255,255'

  test('fill line by line', () => {
    expect(lines(contactSheet(layout)(batch([-1, -1, -1], [1, 1, 1], [1, 1, 1])))).toEqual([
      [frame, frame, frame, frame, frame].join(' '),
      [frame, black, frame, white, frame].join(' '),
      [frame, frame, frame, frame, frame].join(' '),
      [frame, white, frame, frame, frame].join(' '),
      [frame, frame, frame, frame, frame].join(' ')
    ])
  })

  test('a pair lies beside one another, a gutter apart', () => {
    const pair = contactSheetPair({ ...layout, columns: 1, scale: 2 })(batch([-1, -1, -1]), batch([1, 1, 1]))
    expect(lines(pair)).toEqual([
      Array(9).fill(frame).join(' '),
      [frame, black, black, frame, frame, frame, white, white, frame].join(' '),
      [frame, black, black, frame, frame, frame, white, white, frame].join(' '),
      Array(9).fill(frame).join(' ')
    ])
  })

  test('no images are an empty sheet', () => {
    expect(lines(contactSheet(layout)({ shape: [0, 3], data: new Float32Array(0) }))).toHaveLength(1)
  })

  test.each([
    [
      'rows that are no images',
      contactSheet(layout)({ shape: [1, 4], data: new Float32Array(4) }),
      'images: expected the shape [N, 3 * side * side], got [1, 4]; pass one square RGB image a row'
    ],
    [
      'no columns',
      contactSheet({ ...layout, columns: 0 })(batch([0, 0, 0])),
      'layout.columns: expected an integer of at least 1, got 0; see defaultLayout'
    ],
    [
      'a pair of two sizes',
      contactSheetPair(layout)(batch([0, 0, 0]), batch([0, 0, 0], [0, 0, 0])),
      'after: expected the shape of before, [1, 3], got [2, 3]; pass two batches of one shape'
    ]
  ])('refuse %s', (_, result, expected) => {
    expect(E.mapLeft(showError)(result)).toEqual(E.left(expected))
  })
})

describe('JPEG sizes', () => {
  const width = 768
  // a fixed sequence in [-1, 1] without visible order: the fractional parts of the squares of sqrt(2)
  const busy = Array.from({ length: width }, (_, i) => 2 * ((i * i * Math.SQRT2) % 1) - 1)
  const plain = Array<number>(width).fill(0.25)
  const half = plain.map((value, i) => (i < width / 2 ? (busy[i] ?? 0) : value))

  test('come in the order of the batch, and what is busier is larger', async () => {
    const sizes = right(await jpegSizes(defaultJpegOptions)(batch(busy, plain, half))())
    const [all = 0, none = 0, some = 0] = sizes
    expect(sizes).toHaveLength(3)
    expect(none).toBeLessThan(some)
    expect(some).toBeLessThan(all)
  })

  test('do not depend on the rest of the batch', async () => {
    const one = right(await jpegSizes(defaultJpegOptions)(batch(half))())
    const many = right(await jpegSizes(defaultJpegOptions)(batch(...Array.from({ length: 32 }, () => half)))())
    expect([...many]).toEqual(Array(32).fill(one[0]))
  })

  test('grow with quality', async () => {
    const at = async (quality: number): Promise<number> =>
      right(await jpegSizes({ ...defaultJpegOptions, quality })(batch(half))())[0] ?? 0
    expect(await at(30)).toBeLessThan(await at(90))
  })

  test.each([
    [{ quality: 0, scale: 4 }, 'jpeg quality: expected an integer from 1 to 100, got 0; see defaultJpegOptions'],
    [{ quality: 75, scale: 0.5 }, 'jpeg scale: expected an integer of at least 1, got 0.5; see defaultJpegOptions']
  ])('refuse %o', async (options, expected) => {
    expect(E.mapLeft(showJpegError)(await jpegSizes(options)(batch(plain))())).toEqual(E.left(expected))
  })

  test('refuse what is no image', async () => {
    const result = await jpegSizes(defaultJpegOptions)({ shape: [4], data: new Float32Array(4) })()
    expect(E.mapLeft(showJpegError)(result)).toEqual(
      E.left('images: expected the shape [N, 3 * side * side], got [4]; pass one square RGB image a row')
    )
  })
})
