/**
 * What the reference interpreter computes with: the values of a node, with their error bounds where those are asked for, and how
 * they are moved.
 *
 * @since 0.1.0
 */
import * as Bound from './Bound.js'
import type { Accuracy } from './Op.js'
import { strides, walk } from './Strides.js'
import { size } from './Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The value of a node, and its error bound where one is asked for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Cell {
  readonly shape: ReadonlyArray<number>
  readonly value: Float64Array
  readonly error: Float64Array | undefined
}

/**
 * How accurate the device is, where bounds are asked for.
 *
 * @category model
 * @since 0.1.0
 */
export type Bounds = Accuracy | undefined

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * One zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty: Cell = { shape: [], value: new Float64Array(1), error: undefined }

/**
 * Numbers that are given: inputs and literals.
 *
 * @category constructors
 * @since 0.1.0
 */
export const leaf = (shape: ReadonlyArray<number>, value: Float64Array, bounded: Bounds): Cell => ({
  shape,
  value,
  error: bounded && value.map(Bound.ofGiven)
})

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * A strided view, copied out.
 *
 * @category combinators
 * @since 0.1.0
 */
export const view = (shape: ReadonlyArray<number>, a: Cell, stride: ReadonlyArray<number>, offset: number): Cell => {
  const copy = (source: Float64Array): Float64Array => {
    const out = new Float64Array(size(shape))
    walk(shape, stride, offset, (flat, at) => {
      out[flat] = source[at] ?? 0
    })
    return out
  }
  return { shape, value: copy(a.value), error: a.error && copy(a.error) }
}

/**
 * The first cell, with an error bound that covers the others too.
 *
 * @category combinators
 * @since 0.1.0
 */
export const widen = (cell: Cell, others: ReadonlyArray<Cell>): Cell => ({
  ...cell,
  error: cell.error?.map((e, i) =>
    Math.max(
      e,
      ...others.map((other) => Bound.apart(other.value[i] ?? 0, cell.value[i] ?? 0) + (other.error?.[i] ?? 0))
    )
  )
})

/**
 * Parts side by side along an axis, zeros elsewhere.
 *
 * @category combinators
 * @since 0.1.0
 */
export const join = (
  shape: ReadonlyArray<number>,
  axis: number,
  parts: ReadonlyArray<{ readonly cell: Cell; readonly at: number }>
): Cell => {
  const stride = strides(shape)
  const write = (read: (cell: Cell) => Float64Array): Float64Array => {
    const out = new Float64Array(size(shape))
    for (const { cell, at } of parts) {
      const source = read(cell)
      walk(cell.shape, stride, at * (stride[axis] ?? 0), (flat, target) => {
        out[target] = source[flat] ?? 0
      })
    }
    return out
  }
  const bounded = parts.some(({ cell }) => cell.error !== undefined)
  return {
    shape,
    value: write((cell) => cell.value),
    error: bounded ? write((cell) => cell.error ?? new Float64Array(cell.value.length)) : undefined
  }
}
