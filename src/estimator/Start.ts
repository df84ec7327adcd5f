/**
 * Where RLR's half-order segment starts: weights over `j`. Any weights that do not look at the trajectory's noise leave the
 * estimator unbiased; they only move variance around.
 *
 * @since 0.1.0
 */

/**
 * Weights over the start `j` of a segment, not normalised.
 *
 * @category model
 * @since 0.1.0
 */
export type Start = (j: number) => number

/**
 * Every start alike.
 *
 * @category constructors
 * @since 0.1.0
 */
export const uniform: Start = () => 1

/**
 * Uniform on the starts `from..to`, none elsewhere: aims at the part of the chain where something is to change, as diffusive
 * chain-of-thought does (arXiv 2502.00639).
 *
 * @category constructors
 * @since 0.1.0
 */
export const interval =
  (from: number, to: number): Start =>
  (j) =>
    j >= from && j <= to ? 1 : 0

/**
 * Softmax of the norms of the steps' gradients, as a pilot measured them: `norms[j - 1]` is step `j`'s. A temperature above 1
 * flattens it. This is the paper's choice of distribution (arXiv 2502.00639), over measured norms.
 *
 * @category constructors
 * @since 0.1.0
 */
export const softmax = (norms: ReadonlyArray<number>, temperature = 1): Start => {
  const most = Math.max(...norms)
  return (j) => {
    const norm = norms[j - 1]
    return norm === undefined ? 0 : Math.exp((norm - most) / temperature)
  }
}

/**
 * Given weights: `weights[j - 1]` is start `j`'s; starts beyond the list have none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const weights =
  (given: ReadonlyArray<number>): Start =>
  (j) =>
    given[j - 1] ?? 0
