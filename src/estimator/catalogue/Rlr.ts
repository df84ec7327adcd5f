/**
 * The Recursive Likelihood Ratio estimator (arXiv 2502.00639).
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { oneOf } from '../../document/Document.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator, Weighted } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as Start from '../Start.js'
import * as F from './Fields.js'
import type { Looking, StartOption, StateOptions, Zeroth, ZerothOrderOptions } from './Fields.js'
import { define, field, noGradient, type Row } from './Row.js'
import { mixedSegments, segments } from '../part/Segments.js'
import { classes, every, scored, scoredFor } from './Scores.js'

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
export interface RlrOptions extends ZerothOrderOptions, Looking {
  readonly T: number
  readonly h?: number
  readonly start?: Start.Start
}

/**
 * By what RLR pays for the steps outside its segment: the paper's zeroth-order cell; half-order on each of them by itself; or that on
 * every `every`-th of them, drawn at random, which counts `every` times.
 *
 * @category model
 * @since 0.1.0
 */
export type Rest = 'zerothOrder' | 'halfOrder' | 'subsampled'

/**
 * As `Rest`, or nothing: what an ablation leaves out.
 *
 * @category model
 * @since 0.1.0
 */
export type RestOrNone = Rest | 'none'

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends RlrRow {
  readonly rest: RestOrNone
  readonly every: number
}

/**
 * The options by name that RLR has for any reward.
 *
 * @category model
 * @since 0.1.0
 */
export interface RlrRow extends Zeroth, StateOptions {
  readonly h: number
  readonly start: StartOption
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The Recursive Likelihood Ratio estimator (arXiv 2502.00639): first-order on step 1, half-order on steps `j..j+h-1`
 * with a random start, zeroth-order on the rest. Unbiased term by term: with a difference form for the terms of J at the
 * first two cells' steps and of J_s at the rest, with the one-point form for J_s. The paper's equation (6) as printed
 * leaves step 1 in the zeroth-order set and removes `h + 1` steps from it, which would pay for step 1 twice; here every
 * step is paid once. Left: an `h`, a start or a radius that does not fit `T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rlr = ({
  T,
  h = 2,
  start = Start.uniform,
  rest = 'zerothOrder',
  every = 8,
  baseline,
  control,
  ...zeroth
}: RlrOptions & { readonly rest?: Rest; readonly every?: number }): E.Either<CoverError, Estimator<'exact'>> => {
  const looking: Looking = {
    ...(baseline === undefined ? {} : { baseline }),
    ...(control === undefined ? {} : { control })
  }
  const segment = (j: number): ReadonlyArray<C.Cell> => [C.firstOrder(1), C.halfOrder(j, j + h - 1, looking)]
  const outside = (j: number): ReadonlyArray<number> => C.range(2, T).filter((t) => t < j || t > j + h - 1)
  const place = { T, h, lowest: 2, start }
  switch (rest) {
    case 'zerothOrder':
      return segments((j) => [...segment(j), C.zerothOrder(outside(j), zeroth)])({ name: `rlr(h = ${h})`, ...place })
    case 'halfOrder':
      return segments((j) => [...segment(j), ...scored(outside(j), looking)])({
        name: `rlr(h = ${h}, rest = halfOrder)`,
        ...place
      })
    case 'subsampled':
      return mixedSegments((j) =>
        classes(outside(j), every).map((steps) => [...segment(j), ...steps.map(scoredFor(every, looking))])
      )({
        name: `rlr(h = ${h}, rest = subsampled)`,
        ...place
      })
  }
}

/**
 * RLR without what pays for the steps outside its segment: first-order on step 1, half-order on a random segment. Biased: each step
 * above the first is paid with the probability that the segment has it. Left: an `h` or a start that does not fit `T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const segmentAlone = ({
  T,
  h = 2,
  start = Start.uniform,
  ...looking
}: RlrOptions): E.Either<CoverError, Estimator> =>
  !Number.isInteger(h) || h < 1 || h > T - 1
    ? E.left({ _tag: 'BadOption', option: 'h', expected: `a whole number in 1..${T - 1}`, got: `${h}` })
    : pipe(
        Start.on(start, 2, T - h + 1),
        E.flatMap((weight) =>
          pipe(
            C.range(2, T - h + 1),
            RA.traverse(E.Applicative)((j) =>
              pipe(
                C.cover(T, [C.firstOrder(1), C.halfOrder(j, j + h - 1, looking)]),
                E.map((cover): Weighted => ({ weight: weight(j), cover }))
              )
            )
          )
        ),
        E.flatMap((covers) => Est.mixtureOf(`rlr(h = ${h}, rest = none)`, covers))
      )

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
  options: {
    h: F.h,
    start: F.start,
    ...F.state,
    rest: /*#__PURE__*/ field(
      'what pays for the steps outside the segment',
      /*#__PURE__*/ oneOf('zerothOrder', 'halfOrder', 'subsampled', 'none')
    ),
    every,
    ...F.zeroth
  },
  defaults: { h: 2, start: null, ...F.stateDefaults, rest: 'zerothOrder', every: 8, ...F.zerothDefaults },
  make: (facts, { start, baseline, control, directions: _, rest, ...others }) => {
    if (!facts.differentiable) return noGradient('rlr', 'blackBoxRlr')
    const looking = F.looking(facts, { baseline, control })
    return rest === 'none'
      ? segmentAlone({ T: facts.T, h: others.h, start: F.startOf(start), ...looking })
      : rlr({ T: facts.T, start: F.startOf(start), ...looking, rest, ...others })
  },
  compared: ({ differentiable, clean }) =>
    differentiable
      ? [
          ...[1, 2, 4, 8].map((h) => ({ options: { h } })),
          ...(clean ? [{ name: 'rlr(h = 2), leave-one-out', options: { baseline: 'none' as const } }] : []),
          { options: { rest: 'halfOrder' } },
          { options: { rest: 'subsampled' } },
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
    ...(['halfOrder', 'subsampled'] as const).map((rest) => ({
      options: { rest, every: 2 },
      baseline: 'with' as const
    })),
    { name: 'rlr(h = 2), start by given weights', options: { start: { weights: C.range(1, T) } }, baseline: 'with' }
  ]
})
