/**
 * REINFORCE after a first-order step.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as F from './Fields.js'
import type { Looking, StateOptions } from './Fields.js'
import { define, noGradient, type Row } from './Row.js'
import { segmented } from './Segmented.js'

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * REINFORCE for chains whose last step is deterministic: first-order on step 1, half-order on each other step by
 * itself. Unbiased for J. Left: `T` is no length of a chain.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reinforceAfterFirst = (T: number, looking: Looking = {}): E.Either<CoverError, Estimator<'exact'>> =>
  segmented({ T, h: 1, ...looking })

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `reinforceAfterFirst` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'reinforceAfterFirst', StateOptions> = /*#__PURE__*/ define({
  name: 'reinforceAfterFirst',
  prose: 'first-order on step 1, whether it has noise or not, and half-order on each other step by itself',
  cover: 'FO(1) + HO(t..t) for every other t',
  unbiasedFor: 'J',
  options: F.state,
  defaults: F.stateDefaults,
  make: (facts, state) =>
    facts.differentiable
      ? reinforceAfterFirst(facts.T, F.looking(facts, state))
      : noGradient('reinforceAfterFirst', 'reinforce'),
  // on a chain whose step 1 has no noise it is `reinforce`
  compared: ({ noisyFirst, differentiable }) =>
    noisyFirst && differentiable ? [{ name: 'reinforce (first-order on step 1)', options: {} }] : [],
  verified: () => [{ name: 'reinforce after a first-order step', options: {}, baseline: 'with' }]
})
