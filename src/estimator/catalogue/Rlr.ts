/**
 * The Recursive Likelihood Ratio estimator (arXiv 2502.00639).
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Start from '../Start.js'
import * as F from './Fields.js'
import type { StartOption, Zeroth, ZerothOrderOptions } from './Fields.js'
import { define, noGradient, type Row } from './Row.js'
import { segments } from './Segments.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Options of RLR: the length of the chain, the length `h` of the half-order segment (default 2), weights for its start
 * `j = 2, ..., T - h + 1` (default: uniform) or an interval of them, and the zeroth-order cell.
 *
 * @category model
 * @since 0.1.0
 */
export interface RlrOptions extends ZerothOrderOptions {
  readonly T: number
  readonly h?: number
  readonly start?: Start.Start
}

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends Zeroth {
  readonly h: number
  readonly start: StartOption
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The Recursive Likelihood Ratio estimator (arXiv 2502.00639): first-order on step 1, half-order on steps `j..j+h-1` with
 * a random start, zeroth-order on the rest. Unbiased term by term: with a difference form for the terms of J at the first two
 * cells' steps and of J_s at the rest, with the one-point form for J_s. The paper's equation (6) as printed leaves step 1 in
 * the zeroth-order set and removes `h + 1` steps from it, which would pay for step 1 twice; here every step is paid once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rlr = ({
  T,
  h = 2,
  start = Start.uniform,
  ...zeroth
}: RlrOptions): E.Either<CoverError, Estimator<'exact'>> =>
  segments((j) => [
    C.firstOrder(1),
    C.halfOrder(j, j + h - 1),
    C.zerothOrder(
      C.range(2, T).filter((t) => t < j || t > j + h - 1),
      zeroth
    )
  ])({ name: `rlr(h = ${h})`, T, h, lowest: 2, start })

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `rlr` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'rlr', Options> = /*#__PURE__*/ define({
  name: 'rlr',
  prose:
    'first-order on step 1, half-order on a random segment of h steps, zeroth-order on the rest (arXiv 2502.00639)',
  cover: 'FO(1) + HO(j..j+h-1) + ZO(the rest), j at random',
  unbiasedFor: 'J and J_s',
  options: { h: F.h, start: F.start, ...F.zeroth },
  defaults: { h: 2, start: null, ...F.zerothDefaults },
  make: ({ T, differentiable }, { h, start, form, perturbation, radius }) =>
    differentiable
      ? rlr({ T, h, start: F.startOf(start), form, perturbation, radius })
      : noGradient('rlr', 'blackBoxRlr'),
  compared: ({ differentiable }) =>
    differentiable
      ? [
          ...[1, 2, 4, 8].map((h) => ({ options: { h } })),
          { name: 'rlr(h = 2), forward', options: { form: 'forward' } },
          { name: 'rlr(h = 2), one-point', options: { form: 'onePoint' } },
          { name: 'rlr(h = 2), per-step', options: { perturbation: 'perStep' } }
        ]
      : [],
  verified: ({ T }) => [
    ...F.inForms<Options>('rlr(h = 2)', (zeroth) => zeroth, true),
    ...[1, 4].map((h) => ({ options: { h }, baseline: 'with' as const })),
    {
      name: 'rlr(h = 2), start in the lower half',
      options: { start: [2, Math.ceil(T / 2)] },
      baseline: 'with'
    },
    { name: 'rlr(h = 2), start by given weights', options: { start: { weights: C.range(1, T) } }, baseline: 'with' }
  ]
})
