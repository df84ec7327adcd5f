/**
 * Generalised half-order with geometric weights.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { numberThat } from '../../document/Document.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import { generalisedHalfOrder } from './GeneralisedHalfOrder.js'
import * as F from './Fields.js'
import type { Looking, StateOptions } from './Fields.js'
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
export interface Options extends StateOptions {
  readonly lambda: number
  readonly pathwise: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Generalised half-order with geometric weights `lambda^(i - k)` over the scores, as TD(lambda) and GAE (arXiv
 * 1506.02438) have over returns, and a share `pathwise` (default 0) that goes through the reward. `lambda = 0` is
 * REINFORCE after a first-order step 1; weights below 1e-4 are dropped. Unbiased for J.
 *
 * @category constructors
 * @since 0.1.0
 */
export const geometricHalfOrder = ({
  T,
  lambda,
  pathwise = 0,
  ...looking
}: {
  readonly T: number
  readonly lambda: number
  readonly pathwise?: number
} & Looking): E.Either<CoverError, Estimator<'exact'>> => {
  if (!(lambda >= 0 && lambda <= 1 && pathwise >= 0 && pathwise < 1)) {
    return E.left({
      _tag: 'BadOption',
      option: 'lambda, pathwise',
      expected: 'numbers in [0, 1] and [0, 1)',
      got: `${lambda}, ${pathwise}`
    })
  }
  const power = (i: number, k: number): number => {
    const w = lambda ** (i - k)
    return w < 1e-4 ? 0 : w
  }
  // the sum of the first powers, since that over k = 2..i is one of i - 1 of them
  const sums: Array<number> = []
  for (const n of C.range(0, T)) sums.push((sums[n - 1] ?? 0) + power(n, 0))
  const scores = (i: number): number => sums[i - 2] ?? 0
  return generalisedHalfOrder({
    T,
    ...looking,
    name: `generalised half-order(lambda = ${lambda}${pathwise === 0 ? '' : `, pathwise = ${pathwise}`})`,
    weight: (i, k) => (k === 0 ? pathwise : ((1 - pathwise) * power(i, k)) / scores(i))
  })
}

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `geometricHalfOrder` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'geometricHalfOrder', Options> = /*#__PURE__*/ define({
  name: 'geometricHalfOrder',
  prose: 'first-order on step 1, and every other step scored at all noises below, with weights as in TD(lambda)',
  cover: 'every step scored at several noises, shares lambda^(i-k)',
  unbiasedFor: 'J',
  options: {
    ...F.state,
    lambda: /*#__PURE__*/ field(
      'the weight of a score over that of the next above it: 0 is reinforceAfterFirst',
      /*#__PURE__*/ numberThat('a number in 0..1', (n) => n >= 0 && n <= 1)
    ),
    pathwise: /*#__PURE__*/ field(
      "the share of a step's term that goes through the reward",
      /*#__PURE__*/ numberThat('a number of at least 0 and below 1', (n) => n >= 0 && n < 1)
    )
  },
  defaults: { ...F.stateDefaults, lambda: 0.5, pathwise: 0 },
  make: (facts, { lambda, pathwise, ...state }) =>
    facts.differentiable
      ? geometricHalfOrder({ T: facts.T, lambda, pathwise, ...F.looking(facts, state) })
      : noGradient('geometricHalfOrder', 'reinforce', 'blackBoxRlr'),
  compared: () => [],
  verified: () => [
    ...[0, 0.3, 0.5, 0.7, 0.9, 1].map((lambda) => ({ options: { lambda }, baseline: 'with' as const })),
    { options: { lambda: 0.5, pathwise: 0.2 }, baseline: 'with' }
  ]
})
