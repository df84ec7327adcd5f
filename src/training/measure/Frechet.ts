/**
 * The Fréchet distance of two samples in a space of features (Dowson and Landau 1982; for images Heusel et al., arXiv
 * 1706.08500): the 2-Wasserstein distance, squared, of the normals with the samples' means and covariances.
 *
 * It is biased upwards by an amount that falls with the size of the samples, so it means something only beside the distance
 * of two samples of the same sizes from one population.
 *
 * @since 0.1.0
 */
import type { Tensor } from '../../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Mean and covariance (unbiased) of rows of features; the covariance row by row.
 *
 * @category model
 * @since 0.1.0
 */
export interface Moments {
  readonly mean: Float64Array
  readonly covariance: Float64Array
}

/** A symmetric matrix by its eigenvalues and, as columns row by row, its eigenvectors. */
interface Spectrum {
  readonly values: Float64Array
  readonly vectors: Float64Array
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The moments of at least two rows `[N, features]`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const moments = ({ shape, data }: Tensor): Moments => {
  const [rows = 0, n = 0] = shape
  const mean = new Float64Array(n)
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < n; i++) mean[i] = (mean[i] ?? 0) + (data[row * n + i] ?? 0) / rows
  const covariance = new Float64Array(n * n)
  const centred = new Float64Array(n)
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < n; i++) centred[i] = (data[row * n + i] ?? 0) - (mean[i] ?? 0)
    for (let i = 0; i < n; i++) {
      const scaled = (centred[i] ?? 0) / (rows - 1)
      for (let j = 0; j < n; j++) covariance[i * n + j] = (covariance[i * n + j] ?? 0) + scaled * (centred[j] ?? 0)
    }
  }
  return { mean, covariance }
}

// -------------------------------------------------------------------------------------
// the distance
// -------------------------------------------------------------------------------------

/**
 * `|m - m'|^2 + tr(C + C' - 2 (C^(1/2) C' C^(1/2))^(1/2))`.
 *
 * @category utils
 * @since 0.1.0
 */
export const frechet = (a: Moments, b: Moments): number => {
  const n = a.mean.length
  const root = squareRoot(spectrum(a.covariance, n), n)
  const { values } = spectrum(product(product(root, b.covariance, n), root, n), n)
  let total = 0
  for (let i = 0; i < n; i++) {
    const difference = (a.mean[i] ?? 0) - (b.mean[i] ?? 0)
    const spread = (a.covariance[i * n + i] ?? 0) + (b.covariance[i * n + i] ?? 0)
    // rounding can make an eigenvalue of 0 negative
    total += difference * difference + spread - 2 * Math.sqrt(Math.max(values[i] ?? 0, 0))
  }
  return total
}

const product = (a: Float64Array, b: Float64Array, n: number): Float64Array => {
  const result = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      const factor = a[i * n + k] ?? 0
      for (let j = 0; j < n; j++) result[i * n + j] = (result[i * n + j] ?? 0) + factor * (b[k * n + j] ?? 0)
    }
  }
  return result
}

const squareRoot = ({ values, vectors }: Spectrum, n: number): Float64Array => {
  const scaled = vectors.map((v, at) => v * Math.sqrt(Math.max(values[at % n] ?? 0, 0)))
  const transposed = vectors.map((_, at) => vectors[(at % n) * n + Math.floor(at / n)] ?? 0)
  return product(scaled, transposed, n)
}

/** Cyclic Jacobi rotations (Golub and Van Loan, section 8.5) until what is off the diagonal is lost in rounding. */
const spectrum = (symmetric: Float64Array, n: number): Spectrum => {
  const a = Float64Array.from(symmetric)
  const vectors = Float64Array.from(a, (_, at) => (at % n === Math.floor(at / n) ? 1 : 0))
  const at = (i: number, j: number): number => a[i * n + j] ?? 0
  const trace = Math.sqrt(a.reduce((sum, x) => sum + x * x, 0))
  const rotate = (m: Float64Array, from: number, to: number, stride: number, c: number, s: number): void => {
    for (let k = 0; k < n; k++) {
      const [i, j] = [from + k * stride, to + k * stride]
      const [x, y] = [m[i] ?? 0, m[j] ?? 0]
      m[i] = c * x - s * y
      m[j] = s * x + c * y
    }
  }
  for (let sweep = 0; sweep < 30; sweep++) {
    let off = 0
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += at(p, q) ** 2
    if (Math.sqrt(off) <= 1e-15 * trace) break
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        if (at(p, q) === 0) continue
        const theta = (at(q, q) - at(p, p)) / (2 * at(p, q))
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1))
        const c = 1 / Math.sqrt(t * t + 1)
        rotate(a, p, q, n, c, t * c)
        rotate(a, p * n, q * n, 1, c, t * c)
        rotate(vectors, p, q, n, c, t * c)
      }
    }
  }
  return { values: Float64Array.from({ length: n }, (_, i) => at(i, i)), vectors }
}
