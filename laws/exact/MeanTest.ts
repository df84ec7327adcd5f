/**
 * Tests of a mean by samples that need not be normal: how far it may be off.
 *
 * Student's quantile is right for normal samples. For others the studentised mean has a tail that is heavier on one
 * side by the factor `exp(|g| t^3 / 3)` in the limit of many samples, where `g` is the skewness of the *mean*, the
 * samples' over `sqrt(n)` (Shao and Wang, *Self-normalized limit theorems: a survey*, Probability Surveys 10, 2013).
 * So a bound `t` is widened until that much is made up for. The bounds are asymptotic; how often true claims are
 * refuted in fact is measured in `docs/results/error-rates.md`.
 *
 * @since 0.1.0
 */
import { upperQuantile } from './Student.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A mean of samples, perhaps of several groups: its standard error, the skewness of the mean (that of the samples over
 * `sqrt(n)`), the degrees of freedom of the standard error, and the largest share that one sample has of its square.
 *
 * @category model
 * @since 0.1.0
 */
export interface Estimated {
  readonly standardError: number
  readonly skewness: number
  readonly degrees: number
  readonly heaviest: number
}

/**
 * Samples of one group of a stratified mean: its weight, how many there are, and their moments.
 *
 * @category model
 * @since 0.1.0
 */
export interface Stratum {
  readonly weight: number
  readonly n: number
  readonly standardError: number
  readonly skewness: number
  readonly heaviest: number
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * Fewer samples than this say nothing about tails: with a few hundred of a skewed law the samples look alike, and the
 * rare ones that make up its mean are not among them.
 *
 * @category constants
 * @since 0.1.0
 */
export const leastSamples = 1000

/**
 * Where one sample has more of the square than this, the standard error is about that sample.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostOfOne = 1 / 4

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The weighted sum of the means of independent groups: variances and third cumulants add up, and the degrees of
 * freedom are Welch's and Satterthwaite's.
 *
 * @category readings
 * @since 0.1.0
 */
export const stratified = (strata: ReadonlyArray<Stratum>): Estimated => {
  const parts = strata.map(({ weight, n, standardError, skewness, heaviest }) => {
    const error = weight * standardError
    return { square: error ** 2, n, third: (error ** 3 * skewness) / Math.sqrt(n), heaviest }
  })
  const square = parts.reduce((sum, part) => sum + part.square, 0)
  if (!(square > 0))
    return { standardError: Math.sqrt(square), skewness: 0, degrees: Number.POSITIVE_INFINITY, heaviest: 0 }
  return {
    standardError: Math.sqrt(square),
    skewness: parts.reduce((sum, part) => sum + part.third, 0) / square ** 1.5,
    degrees: square ** 2 / parts.reduce((sum, part) => sum + part.square ** 2 / Math.max(part.n - 1, 1), 0),
    heaviest: Math.max(...parts.map((part) => (part.heaviest * part.square) / square))
  }
}

/**
 * How many standard errors a mean is off with probability `p` at most, on the heavier side: the least `t` with `t^2 /
 * 2 - |g| t^3 / 3 = q^2 / 2`, where `q` is Student's quantile. Infinite where no `t` does, so where the samples are
 * too skewed for their number.
 *
 * @category readings
 * @since 0.1.0
 */
export const allowance = (p: number, { skewness, degrees }: Pick<Estimated, 'skewness' | 'degrees'>): number => {
  // beyond a million degrees the quantile is the normal's to a hundred thousandth
  const q = upperQuantile(Math.min(degrees, 1e6), p)
  const slope = Math.abs(skewness) / 3
  const rate = (t: number): number => (t * t) / 2 - slope * t ** 3
  // the rate rises up to here
  const top = slope > 0 ? 1 / (3 * slope) : Number.POSITIVE_INFINITY
  if (top < Number.POSITIVE_INFINITY && rate(top) < (q * q) / 2) return Number.POSITIVE_INFINITY
  if (slope === 0) return q
  let [low, high] = [q, top]
  for (let i = 0; i < 100 && high - low > 2 ** -50 * high; i++) {
    const middle = (low + high) / 2
    if (rate(middle) < (q * q) / 2) low = middle
    else high = middle
  }
  return high
}

/**
 * Why samples do not decide anything, if they do not: too few, one that outweighs the others, too skewed for the bound.
 *
 * @category readings
 * @since 0.1.0
 */
export const undecided = (samples: number, means: ReadonlyArray<Estimated>, p: number): string | undefined => {
  if (samples < leastSamples) return `${samples} samples, where at least ${leastSamples} are needed`
  const heaviest = Math.max(0, ...means.map((one) => one.heaviest))
  if (heaviest > mostOfOne) {
    return `one of ${samples} samples makes up ${Math.round(100 * heaviest)} % of the variance; take more`
  }
  const skewed = means.find((one) => !Number.isFinite(allowance(p, one)))
  return skewed === undefined
    ? undefined
    : `${samples} samples are too few for their skewness, ${Math.abs(skewed.skewness).toPrecision(2)} in the mean; take more`
}

/**
 * Why no number of samples decides anything, if none does: what rounding leaves open is more than what is looked for, the
 * gradient or, if that is larger, a sample's deviation. Differences of rewards over a tiny radius are so, noise of the last
 * digit.
 *
 * @category readings
 * @since 0.1.0
 */
export const unseen = (open: number, scale: number): string | undefined =>
  scale > 0 && open > scale
    ? `rounding leaves ${open.toPrecision(2)} open, more than the gradient (${scale.toPrecision(2)}) that is looked for; take a larger radius`
    : undefined
