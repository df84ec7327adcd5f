/**
 * RLR for rewards that can not be differentiated.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Start from '../Start.js'
import * as F from './Fields.js'
import type { RlrOptions, RlrRow } from './Rlr.js'
import { define, field, type Row } from './Row.js'
import { segments } from '../part/Segments.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Its options by name: those of `rlr`, and the first step that may start a segment.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends RlrRow {
  readonly lowest: 1 | 2 | null
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * RLR without a first-order cell, for rewards that can not be differentiated: half-order on a random segment,
 * zeroth-order on every other step, step 1 among them. `lowest` is the first step that may start a segment: 2 where
 * step 1 is deterministic, else 1 (the default). Unbiased term by term, as `rlr`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blackBoxRlr = ({
  T,
  h = 2,
  start = Start.uniform,
  lowest = 1,
  baseline,
  control,
  ...zeroth
}: RlrOptions & { readonly lowest?: 1 | 2 }): E.Either<CoverError, Estimator<'exact'>> =>
  segments((j) => [
    C.halfOrder(j, j + h - 1, {
      ...(baseline === undefined ? {} : { baseline }),
      ...(control === undefined ? {} : { control })
    }),
    C.zerothOrder(
      C.range(1, T).filter((t) => t < j || t > j + h - 1),
      zeroth
    )
  ])({ name: `black-box rlr(h = ${h})`, T, h, lowest, start })

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `blackBoxRlr` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'blackBoxRlr', Options> = /*#__PURE__*/ define({
  name: 'blackBoxRlr',
  prose: 'rlr for rewards without a gradient: half-order on a random segment of h steps, zeroth-order on the rest',
  cover: 'HO(j..j+h-1) + ZO(the rest)',
  unbiasedFor: 'J and J_s',
  options: {
    h: F.h,
    start: F.start,
    ...F.state,
    lowest: /*#__PURE__*/ field(
      'the first step that may start a segment; null for 1 where step 1 has noise, else 2',
      /*#__PURE__*/ t.union([t.null, t.literal(1), t.literal(2)], 'null, 1 or 2')
    ),
    ...F.zeroth
  },
  defaults: { h: 2, start: null, ...F.stateDefaults, lowest: null, ...F.zerothDefaults },
  make: (facts, { h, start, lowest, form, perturbation, radius, baseline, control }) =>
    blackBoxRlr({
      T: facts.T,
      ...F.looking(facts, { baseline, control }),
      h,
      start: F.startOf(start),
      lowest: lowest ?? (facts.noisyFirst ? 1 : 2),
      form,
      perturbation,
      radius
    }),
  compared: ({ differentiable, clean }) =>
    differentiable
      ? []
      : [
          ...[1, 2, 4, 8].map((h) => ({ options: { h } })),
          ...(clean ? [{ name: 'black-box rlr(h = 2), leave-one-out', options: { baseline: 'none' as const } }] : []),
          { name: 'black-box rlr(h = 2), one-point', options: { form: 'onePoint' } }
        ],
  verified: () => F.inForms<Options>('black-box rlr(h = 2)', (zeroth) => zeroth, true)
})
