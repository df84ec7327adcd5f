/**
 * Mixtures over where one segment starts.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import * as Est from '../Estimator.js'
import type { Estimator, Weighted } from '../Estimator.js'
import * as Start from '../Start.js'

/**
 * A segment of `h` of `T` steps that starts at `lowest` or above, as `start` weighs the starts.
 *
 * @category model
 * @since 0.1.0
 */
export interface Segment {
  readonly name: string
  readonly T: number
  readonly h: number
  readonly lowest: number
  readonly start: Start.Start
}

/**
 * The mixture, over the starts `j` of a segment, of covers with the given cells, each list as often as the others of its start: exact
 * on average. Left: as for `segments`, and a step that is not paid in full on average.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mixedSegments =
  (cells: (j: number) => ReadonlyArray<ReadonlyArray<C.Cell>>) =>
  ({ name, T, h, lowest, start }: Segment): E.Either<CoverError, Estimator<'exact'>> =>
    !Number.isInteger(h) || h < 1 || h > T - lowest + 1
      ? E.left({ _tag: 'BadOption', option: 'h', expected: `a whole number in 1..${T - lowest + 1}`, got: `${h}` })
      : pipe(
          Start.on(start, lowest, T - h + 1),
          E.flatMap((weight) =>
            pipe(
              C.range(lowest, T - h + 1).flatMap((j) => {
                const lists = cells(j)
                return lists.map((one) => [weight(j) / lists.length, one] as const)
              }),
              RA.traverse(E.Applicative)(([share, one]) =>
                pipe(
                  C.portion(T, one),
                  E.map((cover): Weighted => ({ weight: share, cover }))
                )
              )
            )
          ),
          E.flatMap((covers) => Est.balanced(name, covers))
        )

/**
 * The mixture, over the starts `j` of a segment, of the exact covers with the given cells. Left: a segment that is longer than the
 * chain has room for, weights or an interval that do not fit, cells that are no exact cover.
 *
 * @category constructors
 * @since 0.1.0
 */
export const segments =
  (cells: (j: number) => ReadonlyArray<C.Cell>) =>
  ({ name, T, h, lowest, start }: Segment): E.Either<CoverError, Estimator<'exact'>> => {
    // each start has a cover of all steps, so that their number is looked at before they are made
    if (T > C.longest) return E.left({ _tag: 'BadLength', T })
    if (!Number.isInteger(T) || T < lowest) {
      return E.left({ _tag: 'BadOption', option: 'T', expected: `a whole number of at least ${lowest}`, got: `${T}` })
    }
    return !Number.isInteger(h) || h < 1 || h > T - lowest + 1
      ? E.left({ _tag: 'BadOption', option: 'h', expected: `a whole number in 1..${T - lowest + 1}`, got: `${h}` })
      : pipe(
          Start.on(start, lowest, T - h + 1),
          E.flatMap((weight) =>
            pipe(
              C.range(lowest, T - h + 1),
              RA.traverse(E.Applicative)((j) =>
                pipe(
                  C.exact(T, cells(j)),
                  E.map((cover): Weighted<'exact'> => ({ weight: weight(j), cover }))
                )
              )
            )
          ),
          E.flatMap((covers) => Est.mixture(name, covers))
        )
  }
