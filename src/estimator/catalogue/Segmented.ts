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
import type { Looking, StateOptions } from './Fields.js'
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
export interface Options extends StateOptions {
  readonly h: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Segmented half-order: first-order on step 1, then half-order segments of `h` steps each, the last one perhaps shorter.
 * No zeroth-order cell at all, so unbiased for J, at RLR's memory. `looking` is told to each half-order cell.
 * Left: an `h` that does not fit `T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const segmented = ({
  T,
  h,
  ...looking
}: {
  readonly T: number
  readonly h: number
} & Looking): E.Either<CoverError, Estimator<'exact'>> =>
  !Number.isInteger(h) || h < 1
    ? E.left({ _tag: 'BadOption', option: 'h', expected: 'a whole number of at least 1', got: `${h}` })
    : Est.fromExactCells(`segmented half-order(h = ${h})`, T, [C.firstOrder(1), ...above(T, h, looking)])

/** Half-order segments of `h` steps on the steps above the first. */
const above = (T: number, h: number, looking: Looking): ReadonlyArray<C.Cell> =>
  C.range(2, T)
    .filter((t) => (t - 2) % h === 0)
    .map((t) => C.halfOrder(t, Math.min(t + h - 1, T), looking))

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
  options: { h: F.h, ...F.state },
  defaults: { h: 2, ...F.stateDefaults },
  make: (facts, { h, ...state }) =>
    facts.differentiable
      ? segmented({ T: facts.T, h, ...F.looking(facts, state) })
      : noGradient('segmented', 'reinforce', 'blackBoxRlr'),
  compared: ({ T, differentiable, clean, radius }) =>
    differentiable
      ? [2, 4, 8].flatMap((h) => [
          { options: { h } },
          ...(clean
            ? [{ name: `segmented half-order(h = ${h}), leave-one-out`, options: { h, baseline: 'none' as const } }]
            : [])
        ])
      : [
          {
            name: 'segmented half-order(h = 4), zeroth-order on step 1',
            cells: [C.zerothOrder([1], { radius }), ...above(T, 4, {})]
          }
        ],
  verified: ({ T }) => [1, 2, 3, 9].filter((h) => h < T).map((h) => ({ options: { h }, baseline: 'with' as const }))
})
