/**
 * Where numbers stop being finite.
 *
 * @since 0.1.0
 */
import type { Values } from './Program.js'
import type { Data, Tensor } from './Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A number that is not finite: the name of its tensor, its place (an index an axis, none of a scalar), and what it is.
 *
 * @category model
 * @since 0.1.0
 */
export interface NotFinite {
  readonly name: string
  readonly place: ReadonlyArray<number>
  readonly value: number
}

// -------------------------------------------------------------------------------------
// searching
// -------------------------------------------------------------------------------------

/**
 * Is a number finite in the number format of some data? 1e39 is beyond f32, in which kernels compute, and within f64.
 *
 * @category searching
 * @since 0.1.0
 */
export const isFiniteIn = (data: Data): ((value: number) => boolean) =>
  data instanceof Float32Array ? (value) => Number.isFinite(Math.fround(value)) : (value) => Number.isFinite(value)

/**
 * The first number of a tensor that is not finite, as its place; none where all are finite.
 *
 * @category searching
 * @since 0.1.0
 */
export const firstIn =
  (name: string) =>
  ({ shape, data }: Tensor): NotFinite | undefined => {
    const flat = indexIn(data)
    return flat < 0 ? undefined : { name, place: placeOf(shape, flat), value: data[flat] ?? Number.NaN }
  }

/** Loops, for `findIndex` is several times as slow, and every gradient is looked at: 0 times a number that is not finite is none. */
const indexIn = (data: Data): number => {
  if (data instanceof Float32Array) {
    let sum = 0
    const nought = 0
    for (let i = 0; i < data.length; i++) sum += nought * (data[i] ?? 0)
    if (sum === 0) return -1
  }
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i
  return -1
}

/**
 * The first number of some tensors that is not finite, in the order in which the tensors are given.
 *
 * @category searching
 * @since 0.1.0
 */
export const first = (values: Values): NotFinite | undefined => {
  for (const [name, tensor] of Object.entries(values)) {
    const found = firstIn(name)(tensor)
    if (found !== undefined) return found
  }
  return undefined
}

/** The indices of a flat, row-major position, one an axis. */
const placeOf = (shape: ReadonlyArray<number>, flat: number): ReadonlyArray<number> =>
  shape.map((size, axis) => Math.floor(flat / shape.slice(axis + 1).reduce((n, d) => n * d, 1)) % size)

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * For a person: `out.bias[3] is NaN`.
 *
 * @category utils
 * @since 0.1.0
 */
export const show = ({ name, place, value }: NotFinite): string =>
  `${name}${place.length === 0 ? '' : `[${place.join(', ')}]`} is ${value}`
