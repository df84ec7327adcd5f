/**
 * Student's distribution: its tails, and the quantile that a test of a mean needs.
 *
 * @since 0.1.0
 */
import { logGamma } from '../../src/random/Gamma.js'

/**
 * The probability that Student's t with `degrees` degrees of freedom, not necessarily whole, exceeds `t >= 0`: half
 * of the regularised incomplete beta function `I_x(degrees / 2, 1 / 2)` at `x = degrees / (degrees + t^2)`.
 *
 * @category readings
 * @since 0.1.0
 */
export const upperTail = (degrees: number, t: number): number => {
  const a = degrees / 2
  const square = (t * t) / degrees
  // of the two fractions for I_x(a, 1 / 2) and its complement each converges fast on one side of the mean
  const x = 1 / (1 + square)
  const rest = square / (1 + square)
  const log = logGamma(a + 0.5) - logGamma(a) - logGamma(0.5) - a * Math.log1p(square) + 0.5 * Math.log(rest)
  if (t === 0) return 0.5
  return x < (a + 1) / (a + 2.5)
    ? (Math.exp(log) * fraction(a, 0.5, x)) / a / 2
    : 0.5 - Math.exp(log) * fraction(0.5, a, rest)
}

/** The continued fraction of the incomplete beta function, by Lentz's method (NIST DLMF 8.17.22). */
const fraction = (a: number, b: number, x: number): number => {
  const tiny = 1e-300
  const away = (v: number): number => (Math.abs(v) < tiny ? tiny : v)
  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let value = d
  for (let m = 1; m < 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    value *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    const step = d * c
    value *= step
    if (Math.abs(step - 1) < 2 ** -52) return value
  }
  return value
}

/**
 * What Student's t with `degrees` degrees of freedom exceeds with probability `p`, in (0, 1 / 2]; by bisection.
 *
 * @category readings
 * @since 0.1.0
 */
export const upperQuantile = (degrees: number, p: number): number => {
  let low = 0
  let high = 1
  while (upperTail(degrees, high) > p && high < 1e300) high *= 2
  for (let i = 0; i < 100 && high - low > 2 ** -50 * high; i++) {
    const middle = (low + high) / 2
    if (upperTail(degrees, middle) > p) low = middle
    else high = middle
  }
  return high
}
