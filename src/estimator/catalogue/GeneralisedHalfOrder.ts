/**
 * Generalised half-order.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { numberThat } from '../../document/Document.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as F from './Fields.js'
import type { Looking, StateOptions } from './Fields.js'
import { define, field, noGradient, type Row } from './Row.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Its options by name: the weight of the score at a step's own noise, at that of the step below, and so on.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends StateOptions {
  readonly scores: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Generalised half-order: step `i`'s term flows pathwise down to step `k` and is scored there, with weight `weight(i,
 * k)`, for `k = lowest..i`, and pathwise all the way through the reward with weight `weight(i, 0)`. Weights are divided
 * by their sum over `k`, so any weights are unbiased for J. Steps below `lowest` (default 2, for chains whose step 1
 * has no noise) have the pathwise term only. A cell on `k..i` re-runs those steps, so the cost grows with the band of
 * weights.
 *
 * @category constructors
 * @since 0.1.0
 */
export const generalisedHalfOrder = ({
  T,
  weight,
  lowest = 2,
  name = 'generalised half-order',
  ...looking
}: {
  readonly T: number
  readonly weight: (i: number, k: number) => number
  readonly lowest?: number
  readonly name?: string
} & Looking): E.Either<CoverError, Estimator<'exact'>> => {
  if (T > C.longest) return E.left({ _tag: 'BadLength', T })
  const scored = (i: number): ReadonlyArray<number> => C.range(lowest, i)
  const pathwise = (i: number): number => (scored(i).length === 0 ? 1 : weight(i, 0))
  const whole = (i: number): number => pathwise(i) + scored(i).reduce((sum, k) => sum + weight(i, k), 0)
  const wholes = C.range(1, T).map(whole)
  const share = (i: number, paid: number): number => paid / (wholes[i - 1] ?? 1)
  const upTo = (shares: ReadonlyArray<number>): number => shares.findLastIndex((w) => w !== 0) + 1
  const segment = (
    from: number,
    all: ReadonlyArray<number>,
    cell: (shares: ReadonlyArray<number>) => C.Cell
  ): ReadonlyArray<C.Cell> => {
    const used = all.slice(0, upTo(all))
    return used.length === 0 || from > T ? [] : [cell(used)]
  }
  return Est.fromExactCells(name, T, [
    ...segment(
      1,
      C.range(1, T).map((i) => share(i, pathwise(i))),
      (shares) => C.firstOrder(shares.length, { shares })
    ),
    ...scored(T).flatMap((k) =>
      segment(
        k,
        C.range(k, T).map((i) => share(i, weight(i, k))),
        (shares) => C.halfOrder(k, k + shares.length - 1, { shares, ...looking })
      )
    )
  ])
}

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

const notNegative = /*#__PURE__*/ numberThat('a number of at least 0', (n) => n >= 0 && Number.isFinite(n))

/**
 * `generalisedHalfOrder` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'generalisedHalfOrder', Options> = /*#__PURE__*/ define({
  name: 'generalisedHalfOrder',
  prose: 'first-order on step 1, and every other step scored at several noises, with given weights',
  cover: 'every step above 1 scored at the noises of it and of those below, shares as given',
  unbiasedFor: 'J',
  options: {
    ...F.state,
    scores: /*#__PURE__*/ field(
      "weights of the score at a step's own noise (above 0), at that of the step below, and so on",
      /*#__PURE__*/ t.refinement(
        t.readonlyArray(notNegative, 'a list of numbers of at least 0, the first above 0'),
        ([first = 0]) => first > 0,
        'a list of numbers of at least 0, the first above 0'
      )
    )
  },
  defaults: { ...F.stateDefaults, scores: [2, 1] },
  make: (facts, { scores, ...state }) =>
    facts.differentiable
      ? generalisedHalfOrder({
          T: facts.T,
          ...F.looking(facts, state),
          name: `generalised half-order(scores = ${scores.join(', ')})`,
          weight: (i, k) => (k === 0 ? 0 : (scores[i - k] ?? 0))
        })
      : noGradient('generalisedHalfOrder', 'reinforce', 'blackBoxRlr'),
  compared: ({ differentiable }) =>
    differentiable ? [{ name: 'generalised half-order(0.5 on two scores)', options: { scores: [2, 1] } }] : [],
  verified: () => [{ options: {}, baseline: 'with' }]
})
