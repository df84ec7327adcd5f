/**
 * Where RLR's half-order segment starts: weights over `j`. Any weights that do not look at the trajectory's noise leave the
 * estimator unbiased; they only move variance around.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { CoverError } from './Cover.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Weights over the start `j` of a segment, not normalised.
 *
 * @category model
 * @since 0.1.0
 */
export type Weights = (j: number) => number

/**
 * Starts confined to `from..to`, both included, with weights among them. It is data, not a function, so that a chain can
 * refuse an interval that does not lie among its starts.
 *
 * @category model
 * @since 0.1.0
 */
export interface Interval {
  readonly _tag: 'Interval'
  readonly from: number
  readonly to: number
  readonly weights: Weights
}

/**
 * Weights over all starts, or over those of an interval.
 *
 * @category model
 * @since 0.1.0
 */
export type Start = Weights | Interval

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Every start alike.
 *
 * @category constructors
 * @since 0.1.0
 */
export const uniform: Weights = () => 1

/**
 * The starts `from..to`, both included, and none elsewhere, uniform unless `weights` are given: aims at the part of the chain
 * where something is to change, as diffusive chain-of-thought does (arXiv 2502.00639).
 *
 * @example
 * import { Catalogue, Start } from 'halforder/estimator'
 *
 * const late = Catalogue.rlr({ T: 50, h: 2, start: Start.interval(2, 10) })
 *
 * @category constructors
 * @since 0.1.0
 */
export const interval = (from: number, to: number, weights: Weights = uniform): Interval => ({
  _tag: 'Interval',
  from,
  to,
  weights
})

/**
 * Softmax of the norms of the steps' gradients, as a pilot measured them: `norms[j - 1]` is step `j`'s. A temperature above 1
 * flattens it. This is the paper's choice of distribution (arXiv 2502.00639), over measured norms.
 *
 * @category constructors
 * @since 0.1.0
 */
export const softmax = (norms: ReadonlyArray<number>, temperature = 1): Weights => {
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
  (given: ReadonlyArray<number>): Weights =>
  (j) =>
    given[j - 1] ?? 0

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The weights of a start on a chain whose segments may start at `lowest..highest`. Left: an interval that is empty, has a
 * bound that is no whole number, or leaves that range.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const on = (start: Start, lowest: number, highest: number): E.Either<CoverError, Weights> => {
  if (typeof start === 'function') return E.right(start)
  const { from, to, weights: inside } = start
  return Number.isInteger(from) && Number.isInteger(to) && lowest <= from && from <= to && to <= highest
    ? E.right((j) => (j >= from && j <= to ? inside(j) : 0))
    : E.left({
        _tag: 'BadOption',
        option: 'start',
        expected: `an interval of whole numbers from..to within ${lowest}..${highest}, the starts of this chain's segments`,
        got: `${from}..${to}`
      })
}
