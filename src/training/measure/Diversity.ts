/**
 * How different the outputs of a model are from each other.
 *
 * @since 0.1.0
 */
import type { Tensor } from '../../tensor/Tensor.js'

/**
 * How many rows are compared with each other at most: the pairs grow with the square.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostRows = 512

/**
 * The mean distance of two rows `[N, features]`, in root mean squares over the numbers of a row, over all pairs of the first
 * `mostRows`: 0 where all rows are one. NaN of fewer than two rows. It falls where a model collapses, whatever its reward says.
 *
 * @category statistics
 * @since 0.1.0
 */
export const pairwiseDistance = ({ shape: [rows = 0, ...row], data }: Tensor): number => {
  const n = Math.min(rows, mostRows)
  const features = row.reduce((size, d) => size * d, 1)
  let total = 0
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      let squares = 0
      for (let k = 0; k < features; k++) {
        const gap = (data[i * features + k] ?? 0) - (data[j * features + k] ?? 0)
        squares += gap * gap
      }
      total += Math.sqrt(squares / features)
    }
  }
  return n < 2 ? NaN : total / ((n * (n - 1)) / 2)
}
