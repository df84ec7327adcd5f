/**
 * Truncated backpropagation.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import { whole } from '../../document/Document.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import { define, field, noGradient, type Row } from './Row.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly k: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Truncated backpropagation: first-order on the last `k` steps alone, as AlignProp (arXiv 2310.03739), DRaFT-K
 * (arXiv 2309.17400) and VADER (arXiv 2407.08737) do. Its bias is minus the terms of steps `k+1..T`.
 * Left: a `k` that is not within 1..`T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const truncatedBackprop = ({
  T,
  k
}: {
  readonly T: number
  readonly k: number
}): E.Either<CoverError, Estimator> => Est.fromCells(`truncated backpropagation(k = ${k})`, T, [C.firstOrder(k)])

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `truncatedBackprop` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'truncatedBackprop', Options> = /*#__PURE__*/ define({
  name: 'truncatedBackprop',
  prose: 'first-order on the last k steps alone: biased, however many samples are drawn',
  cover: 'FO(1..k)',
  unbiasedFor: { bias: 'minus the terms of steps k+1..T' },
  options: { k: /*#__PURE__*/ field('steps that are kept, next to the output', whole) },
  defaults: { k: 1 },
  make: ({ T, differentiable }, { k }) =>
    differentiable
      ? truncatedBackprop({ T, k })
      : noGradient('truncatedBackprop', 'reinforce', 'blackBoxRlr', 'evolutionStrategies'),
  compared: ({ differentiable }) => (differentiable ? [{ options: { k: 1 } }] : []),
  verified: ({ T }) => [1, 2].filter((k) => k < T).map((k) => ({ options: { k }, baseline: 'without' as const }))
})
