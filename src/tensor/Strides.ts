/**
 * Row-major index arithmetic shared by the interpreters.
 *
 * @since 0.1.0
 */

/**
 * How many elements lie between neighbours along each axis of a row-major tensor.
 *
 * @category utils
 * @since 0.1.0
 */
export const strides = (shape: ReadonlyArray<number>): ReadonlyArray<number> => {
  const out = new Array<number>(shape.length).fill(1)
  for (let i = shape.length - 2; i >= 0; i--) out[i] = (out[i + 1] ?? 1) * (shape[i + 1] ?? 1)
  return out
}

/**
 * Calls a function with the flat position in a strided view of each element of a shape, in row-major order.
 *
 * @category utils
 * @since 0.1.0
 */
export const walk = (
  shape: ReadonlyArray<number>,
  stride: ReadonlyArray<number>,
  offset: number,
  visit: (flat: number, source: number) => void
): void => {
  const rank = shape.length
  const total = shape.reduce((n, d) => n * d, 1)
  const index = new Array<number>(rank).fill(0)
  const inner = shape[rank - 1] ?? 1
  const step = stride[rank - 1] ?? 0
  let source = offset
  for (let flat = 0; flat < total; ) {
    for (let i = 0; i < inner; i++) visit(flat++, source + i * step)
    // carry into the outer axes
    let axis = rank - 2
    for (; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1
      source += stride[axis] ?? 0
      if (next < (shape[axis] ?? 1)) {
        index[axis] = next
        break
      }
      source -= next * (stride[axis] ?? 0)
      index[axis] = 0
    }
    if (axis < 0) break
  }
}
