/**
 * Backpropagation that is truncated at a random step.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as t from 'io-ts'
import * as C from '../../Cover.js'
import type { CoverError } from '../../Cover.js'
import type { Estimator, Weighted } from '../../Estimator.js'
import * as Est from '../../Estimator.js'
import * as Start from '../../Start.js'
import * as F from '../Fields.js'
import { define, field, noGradient, type Row } from '../Row.js'

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
  readonly weights: ReadonlyArray<number> | null
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * AlignProp with random truncation (arXiv 2310.03739): first-order on the last `k` steps, `k` drawn with the given
 * weights. Its bias is minus the terms of the steps beyond `k`, each times the probability that `k` does not reach it.
 * Left: a `k` that is not within 1..`T`, or weights that are no numbers from 0 on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const randomTruncation = ({
  T,
  weight
}: {
  readonly T: number
  readonly weight: (k: number) => number
}): E.Either<CoverError, Estimator> =>
  pipe(
    C.range(1, T),
    RA.traverse(E.Applicative)((k) =>
      pipe(
        C.cover(T, [C.firstOrder(k)]),
        E.map((cover): Weighted => ({ weight: weight(k), cover }))
      )
    ),
    E.flatMap((covers) => Est.mixtureOf('random truncation', covers))
  )

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `randomTruncation` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'randomTruncation', Options> = /*#__PURE__*/ define({
  name: 'randomTruncation',
  prose: 'first-order on the last k steps, k drawn at random: biased (AlignProp, arXiv 2310.03739)',
  cover: 'FO(1..k), k at random',
  unbiasedFor: { bias: 'minus the terms of the steps, each times the probability that k does not reach it' },
  options: {
    weights: /*#__PURE__*/ field(
      'weights of k = 1, 2, ...; null for all alike',
      /*#__PURE__*/ t.union([t.null, F.weights], 'null or a list of numbers of at least 0')
    )
  },
  defaults: { weights: null },
  make: ({ T, differentiable }, { weights }) =>
    differentiable
      ? randomTruncation({ T, weight: weights === null ? Start.uniform : Start.weights(weights) })
      : noGradient('randomTruncation', 'reinforce', 'blackBoxRlr', 'evolutionStrategies'),
  compared: () => [],
  verified: () => [{ options: {}, baseline: 'without' }]
})
