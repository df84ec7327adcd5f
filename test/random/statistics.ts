/**
 * Thresholds of statistical tests. A threshold comes from the declared probability `alpha` that a
 * correct generator exceeds it; every bound holds for each sample size, not only in the limit.
 */
import cephes from 'cephes'

// its functions are there once their wasm is
await cephes.compiled

/** The probability that a file of tests would fail for a perfect generator, split over the file's assertions. */
export const falseAlarm = 1e-6

/** |z| of a standard normal, exceeded with probability alpha. */
export const twoSided = (alpha: number): number => -cephes.ndtri(alpha / 2)

/**
 * The largest distance of the empirical distribution function of n draws from the true one, exceeded with probability
 * at most alpha: 2 exp(-2 n d^2) = alpha (Dvoretzky, Kiefer, Wolfowitz; Massart 1990).
 */
export const kolmogorovSmirnov = (n: number, alpha: number): number => Math.sqrt(Math.log(2 / alpha) / (2 * n))

/**
 * |count - n p| of a binomial count, exceeded with probability at most alpha. Bernstein:
 * 2 exp(-t^2 / (2 v + 2 t / 3)) = alpha with v = n p (1 - p), solved for t.
 */
export const binomial = (n: number, p: number, alpha: number): number => {
  const l = Math.log(2 / alpha)
  return l / 3 + Math.sqrt((l * l) / 9 + 2 * l * n * p * (1 - p))
}

/** The most that a binomial count is, but with probability at most alpha: the exact tail, for small counts. */
export const mostOf = (n: number, p: number, alpha: number): number => {
  let k = 0
  while (cephes.bdtrc(k, n, p) > alpha) k++
  return k
}

/**
 * |X - n| of a chi-squared X with n degrees of freedom, exceeded with probability at most alpha:
 * P(X - n >= 2 sqrt(n t) + 2 t) <= e^-t and P(n - X >= 2 sqrt(n t)) <= e^-t (Laurent and Massart 2000), t = log(2 / alpha).
 */
export const chiSquared = (n: number, alpha: number): number => {
  const t = Math.log(2 / alpha)
  return 2 * Math.sqrt(n * t) + 2 * t
}

/**
 * The correlation of two streams of standard normals as a z-score: given y, the sum of x y over the norm of y is exactly
 * standard normal when x is independent of y.
 */
export const correlationScore = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
  let product = 0
  let square = 0
  for (let i = 0; i < x.length; i++) {
    const b = y[i] ?? 0
    product += (x[i] ?? 0) * b
    square += b * b
  }
  return product / Math.sqrt(square)
}
