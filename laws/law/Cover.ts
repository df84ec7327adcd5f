/**
 * Laws of covers: they are a partial commutative monoid, and say of themselves what they pay for.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Cover, CoverError } from '../../src/estimator/Cover.js'
import * as C from '../../src/estimator/Cover.js'
import * as V from '../Verdict.js'
import type { Verdict } from '../Verdict.js'

/**
 * A way to join covers: the library's `union`, or another one under test.
 *
 * @category model
 * @since 0.1.0
 */
export type Union = (a: Cover, b: Cover) => E.Either<CoverError, Cover>

/** What a cover is, whatever the order of its cells. */
const essence = (cover: E.Either<CoverError, Cover>): string =>
  pipe(
    cover,
    E.match(
      () => 'undefined',
      (one) => `${one._tag}, T = ${one.T}: ${one.cells.map(C.showCell).sort().join(' + ')}`
    )
  )

const agree = (
  at: string,
  a: E.Either<CoverError, Cover>,
  b: E.Either<CoverError, Cover>
): readonly [string, boolean] => [`${at}: ${essence(a)} and ${essence(b)}`, essence(a) === essence(b)]

/**
 * **Commutative.** `union(a, b)` and `union(b, a)` are both undefined, or the same cells.
 *
 * @category laws
 * @since 0.1.0
 */
export const commutative =
  (union: Union = C.union) =>
  (a: Cover, b: Cover): Verdict =>
    V.holds('covers: commutative', [agree('a + b and b + a', union(a, b), union(b, a))])

/**
 * **Associative.** `union(union(a, b), c)` and `union(a, union(b, c))` are both undefined, or the same cells.
 *
 * @category laws
 * @since 0.1.0
 */
export const associative =
  (union: Union = C.union) =>
  (a: Cover, b: Cover, c: Cover): Verdict => {
    const left = pipe(
      union(a, b),
      E.flatMap((ab) => union(ab, c))
    )
    const right = pipe(
      union(b, c),
      E.flatMap((bc) => union(a, bc))
    )
    return V.holds('covers: associative', [agree('(a + b) + c and a + (b + c)', left, right)])
  }

/**
 * **Neutral.** The empty cover changes nothing.
 *
 * @category laws
 * @since 0.1.0
 */
export const neutral =
  (union: Union = C.union) =>
  (a: Cover): Verdict => {
    const joined = pipe(
      C.empty(a.T),
      E.flatMap((none) => union(a, none))
    )
    return V.holds('covers: neutral', [agree('a + nothing and a', joined, E.right(a))])
  }

/**
 * **Paid once.** A union that is defined pays no step's term more than once, pays the sum of what both pay, and is exact just
 * when that is all of every term; one that is not defined would pay for a step more than once, or has two zeroth-order
 * cells, or other lengths.
 *
 * @category laws
 * @since 0.1.0
 */
export const paidOnce =
  (union: Union = C.union) =>
  (a: Cover, b: Cover): Verdict => {
    const joined = union(a, b)
    const sums = C.paid(a).map((share, i) => share + (C.paid(b)[i] ?? 0))
    // shares are fractions: their sums round
    const slack = 1e-9
    const over = sums.some((share) => share > 1 + slack)
    const zeroth = C.zerothOrderCell(a) !== undefined && C.zerothOrderCell(b) !== undefined
    if (E.isLeft(joined)) {
      return V.holds('covers: paid once', [[`refused: ${C.showError(joined.left)}`, over || zeroth || a.T !== b.T]])
    }
    const paid = C.paid(joined.right)
    return V.holds('covers: paid once', [
      [`${C.show(joined.right)}: no step more than once`, !over && paid.every((share) => share <= 1 + slack)],
      ['what both pay', paid.every((share, i) => Math.abs(share - (sums[i] ?? 0)) <= slack)],
      [
        'exact if nothing is unpaid',
        (joined.right._tag === 'exact') === paid.every((share) => Math.abs(share - 1) <= slack)
      ]
    ])
  }
