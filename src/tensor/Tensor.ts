/**
 * Immutable host values: a shape of literal sizes and a flat, row-major buffer.
 *
 * A `Tensor` is what goes into a program and what comes out of it. `Float32Array` data is what devices compute
 * with; `Float64Array` data is what the reference interpreter returns, so that laws can be stated to 1e-9.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The flat storage of a tensor, row-major (the last axis is contiguous).
 *
 * @category model
 * @since 0.1.0
 */
export type Data = Float32Array | Float64Array

/**
 * A dense array of real numbers. `data.length` is the product of `shape`; a scalar has the shape `[]`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Tensor {
  readonly shape: ReadonlyArray<number>
  readonly data: Data
}

/**
 * The values did not fill the shape.
 *
 * @category model
 * @since 0.1.0
 */
export interface SizeMismatch {
  readonly _tag: 'SizeMismatch'
  readonly shape: ReadonlyArray<number>
  readonly expected: number
  readonly got: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The number of elements of a shape: the product of its sizes, 1 for a scalar.
 *
 * @category utils
 * @since 0.1.0
 */
export const size = (shape: ReadonlyArray<number>): number => shape.reduce((n, d) => n * d, 1)

/** Sizes as they can be: rounded down, and 0 for what is less or none. A tensor's data always fits its shape. */
const sizes = (shape: ReadonlyArray<number>): ReadonlyArray<number> => shape.map((d) => (d >= 1 ? Math.floor(d) : 0))

/**
 * Wraps a buffer without copying it. Left when the buffer's length is not the product of the shape.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (shape: ReadonlyArray<number>, data: Data): E.Either<SizeMismatch, Tensor> =>
  data.length === size(shape)
    ? E.right({ shape, data })
    : E.left({ _tag: 'SizeMismatch', shape, expected: size(shape), got: data.length })

/**
 * A scalar, in f64.
 *
 * @category constructors
 * @since 0.1.0
 */
export const scalar = (value: number): Tensor => ({ shape: [], data: Float64Array.of(value) })

/**
 * A vector, in f64.
 *
 * @category constructors
 * @since 0.1.0
 */
export const vector = (values: ReadonlyArray<number>): Tensor => ({
  shape: [values.length],
  data: Float64Array.from(values)
})

/**
 * A matrix from its rows, in f64. Rows shorter than the first are filled with zeros.
 *
 * @category constructors
 * @since 0.1.0
 */
export const matrix = (rows: ReadonlyArray<ReadonlyArray<number>>): Tensor => {
  const columns = rows[0]?.length ?? 0
  return tabulate([rows.length, columns], (i) => rows[Math.floor(i / columns)]?.[i % columns] ?? 0)
}

/**
 * A tensor whose element at flat, row-major position `i` is `f(i)`, in f64. Sizes are rounded down, and 0 where below.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tabulate = (shape: ReadonlyArray<number>, f: (flat: number) => number): Tensor => {
  const whole = sizes(shape)
  const data = new Float64Array(size(whole))
  for (let i = 0; i < data.length; i++) data[i] = f(i)
  return { shape: whole, data }
}

/**
 * A tensor of one repeated value, in f64. Sizes are rounded down, and 0 where below.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fill = (shape: ReadonlyArray<number>, value: number): Tensor => tabulate(shape, () => value)

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The same values rounded to f32 (shared, not copied, where they are f32 already).
 *
 * @category combinators
 * @since 0.1.0
 */
export const toFloat32 = (tensor: Tensor): Tensor & { readonly data: Float32Array } =>
  tensor.data instanceof Float32Array
    ? { shape: tensor.shape, data: tensor.data }
    : { shape: tensor.shape, data: new Float32Array(tensor.data) }

/**
 * Applies a function to each element; the result keeps the precision of its argument.
 *
 * @category combinators
 * @since 0.1.0
 */
export const map =
  (f: (value: number, flat: number) => number) =>
  (tensor: Tensor): Tensor => {
    const data = tensor.data.slice()
    for (let i = 0; i < data.length; i++) data[i] = f(data[i] ?? 0, i)
    return { shape: tensor.shape, data }
  }

/** The rows `from..to-1` of `count`: whole numbers, held within them. */
const span = (from: number, to: number, count: number): readonly [low: number, high: number] => {
  const [low = 0, high = 0] = sizes([from, to])
  return [Math.min(low, count), Math.min(Math.max(high, low), count)]
}

/**
 * The rows `from..to-1`, sharing the data; those of them that there are.
 *
 * @category combinators
 * @since 0.1.0
 */
export const rows =
  (from: number, to: number) =>
  ({ shape, data }: Tensor): Tensor => {
    const [count = 0, ...row] = shape
    const n = size(row)
    const [low, high] = span(from, to, count)
    return { shape: [high - low, ...row], data: data.subarray(low * n, high * n) }
  }

/**
 * The rows `from..to-1` in f32, with zeros where there are none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const paddedRows =
  (from: number, to: number) =>
  (tensor: Tensor): Tensor => {
    const [, ...row] = tensor.shape
    const first = Math.floor(from)
    const [count = 0] = sizes([to - first])
    const data = new Float32Array(count * size(row))
    const there = rows(first, first + count)(tensor).data
    // rows before the first are zeros too
    if (there.length > 0) data.set(there, Math.max(-first, 0) * size(row))
    return { shape: [count, ...row], data }
  }

/**
 * Tensors of equal rows, one below the other, in f32. None are a tensor without rows. Rows of another length than the first
 * tensor's are cut, or filled with zeros.
 *
 * @category combinators
 * @since 0.1.0
 */
export const joinRows = (parts: ReadonlyArray<Tensor>): Tensor => {
  const [, ...row] = parts[0]?.shape ?? [0]
  const count = parts.reduce((total, { shape }) => total + (shape[0] ?? 0), 0)
  const n = size(row)
  const data = new Float32Array(count * n)
  let at = 0
  for (const { shape, data: source } of parts) {
    const own = size(shape.slice(1))
    for (let i = 0; i < (shape[0] ?? 0); i++, at += n) {
      data.set(source.subarray(i * own, i * own + Math.min(own, n)), at)
    }
  }
  return { shape: [count, ...row], data }
}

/**
 * Tensors of one shape along a new first axis, in the number format of the first; `at` is its inverse. Of none it is a tensor without
 * entries. Entries of another size than the first are cut, or filled with zeros.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stack = (parts: ReadonlyArray<Tensor>): Tensor => {
  const [first] = parts
  if (first === undefined) return { shape: [0], data: new Float32Array(0) }
  const n = first.data.length
  const data =
    first.data instanceof Float64Array ? new Float64Array(parts.length * n) : new Float32Array(parts.length * n)
  parts.forEach((part, i) => data.set(part.data.subarray(0, n), i * n))
  return { shape: [parts.length, ...first.shape], data }
}

/**
 * The Euclidean norm of numbers, however many: they are taken relative to the largest, so that no square overflows
 * or vanishes. 0 for none;
 * `NaN` or infinite where a number is.
 *
 * @category destructors
 * @since 0.1.0
 */
export const norm = (values: ArrayLike<number>): number => {
  const most = Array.from(values).reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  if (most === 0 || !Number.isFinite(most)) return most
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += ((values[i] ?? 0) / most) ** 2
  return most * Math.sqrt(squares)
}

/**
 * The `i`-th entry along the first axis, sharing the buffer. The index is rounded down and held within the axis, as in
 * `Expr.take`; of none it is zeros.
 *
 * @category combinators
 * @since 0.1.0
 */
export const at =
  (i: number) =>
  ({ shape, data }: Tensor): Tensor => {
    const [count = 1, ...entry] = shape
    const n = size(entry)
    const [held = 0] = sizes([Math.min(i, count - 1)])
    return count === 0 ? fill(entry, 0) : { shape: entry, data: data.subarray(held * n, (held + 1) * n) }
  }
