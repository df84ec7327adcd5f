/**
 * Two segments of half the chain each.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as C from '../../../src/estimator/Cover.js'
import type { CoverError } from '../../../src/estimator/Cover.js'
import type { Estimator } from '../../../src/estimator/Estimator.js'
import * as Est from '../../../src/estimator/Estimator.js'
import { define, noGradient, type Row } from '../../../src/estimator/catalogue/Row.js'

/**
 * First-order on step 1, and half-order on the lower and on the upper half of the others. Unbiased for J.
 *
 * @category constructors
 * @since 0.1.0
 */
export const halves = (T: number): E.Either<CoverError, Estimator<'exact'>> => {
  const middle = Math.floor(T / 2) + 1
  return Est.fromExactCells('halves', T, [C.firstOrder(1), C.halfOrder(2, middle), C.halfOrder(middle + 1, T)])
}

/**
 * `halves` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'halves', Readonly<Record<never, never>>> = /*#__PURE__*/ define({
  name: 'halves',
  prose: 'first-order on step 1, half-order on two halves of the rest',
  cover: 'FO(1) + HO(2..T/2+1) + HO(T/2+2..T)',
  unbiasedFor: 'J',
  options: {},
  defaults: {},
  make: ({ T, differentiable }) => (differentiable ? halves(T) : noGradient('halves', 'reinforce', 'blackBoxRlr')),
  compared: ({ differentiable }) => (differentiable ? [{ options: {} }] : []),
  verified: ({ T }) => (T >= 4 ? [{ options: {}, baseline: 'with' }] : [])
})
