/**
 * Pictures of garments: 70,000 of 28 x 28 grey pixels in ten classes (Xiao, Rasul and Vollgraf, arXiv 1708.07747).
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Source } from 'halforder/training/Batches'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The pictures as bytes, one after another: class by class, and of each class first those to test by, then those to train on.
 *
 * @category model
 * @since 0.1.0
 */
export interface Garments {
  readonly pixels: Uint8Array
}

/**
 * Which pictures: all that are to train on, every other one of them, those between, or those to test by. The two halves have
 * no picture in common.
 *
 * @category model
 * @since 0.1.0
 */
export type Part = 'all' | 'first half' | 'second half' | 'test'

/**
 * The classes, in the order of the labels.
 *
 * @category constants
 * @since 0.1.0
 */
export const classes = [
  't-shirt',
  'trousers',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'boot'
] as const

/**
 * The pixels of a line and of a column.
 *
 * @category constants
 * @since 0.1.0
 */
export const side = 28

/**
 * The numbers of a picture.
 *
 * @category constants
 * @since 0.1.0
 */
export const features: number = side * side

/** Of each class: to test by, and in all. */
const tested = 1000
const each = 7000

/**
 * How many pictures there are.
 *
 * @category constants
 * @since 0.1.0
 */
export const total: number = classes.length * each

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The pictures of `total * features` bytes. Left: another number of them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofBytes = (pixels: Uint8Array): E.Either<string, Garments> =>
  pixels.length === total * features
    ? E.right({ pixels })
    : E.left(`expected ${total} pictures of ${features} bytes, got ${pixels.length} bytes; fetch them again`)

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/** The first of a part among the pictures of a class, and how far it is to the next. */
const place: Readonly<Record<Part, readonly [first: number, stride: number]>> = {
  all: [tested, 1],
  'first half': [tested, 2],
  'second half': [tested + 1, 2],
  test: [0, 1]
}

/**
 * How many pictures a part has.
 *
 * @category readings
 * @since 0.1.0
 */
export const count = (part: Part): number =>
  part === 'test' ? classes.length * tested : (classes.length * (each - tested)) / place[part][1]

/**
 * Rows `from` to `to` of a part as a source of batches: pictures in [-1, 1], where -1 is black, with the one-hot codes of their
 * classes. The classes take turns, so that any ten rows in succession have each of them.
 *
 * @category readings
 * @since 0.1.0
 */
export const source =
  ({ pixels }: Garments) =>
  (part: Part, from = 0, to: number = count(part)): Source => {
    const [first, stride] = place[part]
    return {
      count: to - from,
      features,
      spans: [{ offset: 0, width: classes.length }],
      rows: (indices) => {
        const x0 = new Float32Array(indices.length * features)
        const labels = new Float32Array(indices.length * classes.length)
        Array.from(indices).forEach((index, row) => {
          const garment = (from + index) % classes.length
          const at = (garment * each + first + stride * Math.floor((from + index) / classes.length)) * features
          for (let k = 0; k < features; k++) x0[row * features + k] = (pixels[at + k] ?? 0) / 127.5 - 1
          labels[row * classes.length + garment] = 1
        })
        return {
          x0: { shape: [indices.length, features], data: x0 },
          labels: { shape: [indices.length, classes.length], data: labels }
        }
      }
    }
  }
