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
 * A tensor whose element at flat, row-major position `i` is `f(i)`, in f64.
 *
 * @category constructors
 * @since 0.1.0
 */
export const tabulate = (shape: ReadonlyArray<number>, f: (flat: number) => number): Tensor => {
  const data = new Float64Array(size(shape))
  for (let i = 0; i < data.length; i++) data[i] = f(i)
  return { shape, data }
}

/**
 * A tensor of one repeated value, in f64.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fill = (shape: ReadonlyArray<number>, value: number): Tensor => ({
  shape,
  data: new Float64Array(size(shape)).fill(value)
})

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
    : { shape: tensor.shape, data: Float32Array.from(tensor.data) }

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
    const low = Math.min(Math.max(from, 0), count)
    const high = Math.min(Math.max(to, low), count)
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
    const data = new Float32Array((to - from) * size(row))
    data.set(rows(from, to)(tensor).data)
    return { shape: [to - from, ...row], data }
  }

/**
 * Tensors of equal rows, one below the other, in f32. None are a tensor without rows.
 *
 * @category combinators
 * @since 0.1.0
 */
export const joinRows = (parts: ReadonlyArray<Tensor>): Tensor => {
  const [, ...row] = parts[0]?.shape ?? [0]
  const data = new Float32Array(parts.reduce((total, part) => total + part.data.length, 0))
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
  }
  return { shape: [parts.reduce((total, { shape }) => total + (shape[0] ?? 0), 0), ...row], data }
}

/**
 * The `i`-th entry along the first axis, sharing the buffer.
 *
 * @category combinators
 * @since 0.1.0
 */
export const at =
  (i: number) =>
  (tensor: Tensor): Tensor => {
    const stride = size(tensor.shape.slice(1))
    return { shape: tensor.shape.slice(1), data: tensor.data.subarray(i * stride, (i + 1) * stride) }
  }
