/**
 * Segmented half-order.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as F from './Fields.js'
import { define, noGradient, type Row } from './Row.js'

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
  readonly h: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Segmented half-order: first-order on step 1, then half-order segments of `h` steps each, the last one perhaps shorter.
 * No zeroth-order cell at all, so unbiased for J, at RLR's memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const segmented = ({
  T,
  h
}: {
  readonly T: number
  readonly h: number
}): E.Either<CoverError, Estimator<'exact'>> =>
  !Number.isInteger(h) || h < 1
    ? E.left({ _tag: 'BadOption', option: 'h', expected: 'a whole number of at least 1', got: `${h}` })
    : Est.fromExactCells(`segmented half-order(h = ${h})`, T, [C.firstOrder(1), ...above(T, h)])

/** Half-order segments of `h` steps on the steps above the first. */
const above = (T: number, h: number): ReadonlyArray<C.Cell> =>
  C.range(2, T)
    .filter((t) => (t - 2) % h === 0)
    .map((t) => C.halfOrder(t, Math.min(t + h - 1, T)))

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `segmented` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'segmented', Options> = /*#__PURE__*/ define({
  name: 'segmented',
  prose: 'first-order on step 1, then half-order on segments of h steps each',
  cover: 'FO(1) + HO(2..1+h) + HO(2+h..1+2h) + ...',
  unbiasedFor: 'J',
  options: { h: F.h },
  defaults: { h: 2 },
  make: ({ T, differentiable }, { h }) =>
    differentiable ? segmented({ T, h }) : noGradient('segmented', 'reinforce', 'blackBoxRlr'),
  compared: ({ T, differentiable, radius }) =>
    differentiable
      ? [2, 4, 8].map((h) => ({ options: { h } }))
      : [
          {
            name: 'segmented half-order(h = 4), zeroth-order on step 1',
            cells: [C.zerothOrder([1], { radius }), ...above(T, 4)]
          }
        ],
  verified: ({ T }) => [1, 2, 3, 9].filter((h) => h < T).map((h) => ({ options: { h }, baseline: 'with' as const }))
})
