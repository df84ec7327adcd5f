/**
 * Estimators: distributions over covers.
 *
 * For each cover the estimate is unbiased if the cover is exact; so a mixture of exact covers with any weights that do not
 * look at the trajectory's noise is unbiased too, and needs no importance weights.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { CoverError, Cover, Exactness } from './Cover.js'
import * as C from './Cover.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A cover and how often it is drawn.
 *
 * @category model
 * @since 0.1.0
 */
export interface Weighted<out X extends Exactness = Exactness> {
  readonly weight: number
  readonly cover: Cover<X>
}

/**
 * A named, finite distribution over covers of `T` steps. Weights are not negative and add up to 1. It is `exact` where every
 * step's term is paid for once *on average*: because each cover is exact, or because the mixture is balanced.
 *
 * @category model
 * @since 0.1.0
 */
export interface Estimator<out X extends Exactness = Exactness> {
  readonly _tag: X
  readonly name: string
  readonly T: number
  readonly covers: readonly [Weighted, ...ReadonlyArray<Weighted>]
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The estimator that always uses one cover.
 *
 * @category constructors
 * @since 0.1.0
 */
export const always = <X extends Exactness>(name: string, cover: Cover<X>): Estimator<X> => ({
  _tag: cover._tag,
  name,
  T: cover.T,
  covers: [{ weight: 1, cover }]
})

/**
 * A mixture of exact covers. Weights are normalised; covers of weight 0 are dropped. Left: no cover left, a weight that is
 * negative or not finite, covers of different lengths.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mixture = (
  name: string,
  covers: ReadonlyArray<Weighted<'exact'>>
): E.Either<CoverError, Estimator<'exact'>> =>
  pipe(
    normalise(covers),
    E.map((weighted): Estimator<'exact'> => ({ _tag: 'exact', name, T: weighted[0].cover.T, covers: weighted }))
  )

/**
 * A mixture of any covers: exact if all of them are.
 * Left: no cover, covers of different lengths, or weights that are no numbers from 0 on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mixtureOf = (name: string, covers: ReadonlyArray<Weighted>): E.Either<CoverError, Estimator> =>
  pipe(
    normalise(covers),
    E.map(
      (weighted): Estimator => ({
        _tag: weighted.every(({ cover }) => cover._tag === 'exact') ? 'exact' : 'partial',
        name,
        T: weighted[0].cover.T,
        covers: weighted
      })
    )
  )

/**
 * A mixture of any covers whose ledger is balanced: the shares of each step's term, times the weights of their covers, add up to 1.
 * Left: the first step for which they do not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const balanced = (name: string, covers: ReadonlyArray<Weighted>): E.Either<CoverError, Estimator<'exact'>> =>
  pipe(
    normalise(covers),
    E.flatMap((weighted) => {
      const estimator: Estimator<'exact'> = { _tag: 'exact', name, T: weighted[0].cover.T, covers: weighted }
      const [first] = unpaid(estimator)
      return first === undefined
        ? E.right(estimator)
        : E.left<CoverError, Estimator<'exact'>>({ _tag: 'Unbalanced', step: first[0], paid: 1 - first[1] })
    })
  )

const normalise = (covers: ReadonlyArray<Weighted>): E.Either<CoverError, Estimator['covers']> => {
  const bad = covers.find(({ weight }) => !(weight >= 0 && Number.isFinite(weight)))
  if (bad !== undefined) {
    return E.left({
      _tag: 'BadOption',
      option: 'weight',
      expected: 'a finite number of at least 0',
      got: `${bad.weight}`
    })
  }
  const total = covers.reduce((n, { weight }) => n + weight, 0)
  const [first, ...rest] = covers
    .filter(({ weight }) => weight > 0)
    .map(({ weight, cover }) => ({ weight: weight / total, cover }))
  if (first === undefined) {
    return E.left({ _tag: 'BadOption', option: 'covers', expected: 'at least one of weight above 0', got: 'none' })
  }
  const other = rest.find(({ cover }) => cover.T !== first.cover.T)
  return other === undefined
    ? E.right([first, ...rest])
    : E.left({
        _tag: 'BadOption',
        option: 'covers',
        expected: `${first.cover.T} steps in each`,
        got: `${other.cover.T} in one`
      })
}

/**
 * An estimator of a single cover from its cells. Left: as of `Cover.cover`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromCells = (
  name: string,
  T: number,
  cells: ReadonlyArray<C.Cell>
): E.Either<CoverError, Estimator<'exact'> | Estimator<'partial'>> =>
  pipe(
    C.cover(T, cells),
    E.map((cover): Estimator<'exact'> | Estimator<'partial'> =>
      cover._tag === 'exact' ? always(name, cover) : always(name, cover)
    )
  )

/**
 * An estimator of a single exact cover from its cells. Left where a step is unpaid, too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromExactCells = (
  name: string,
  T: number,
  cells: ReadonlyArray<C.Cell>
): E.Either<CoverError, Estimator<'exact'>> =>
  pipe(
    C.exact(T, cells),
    E.map((cover) => always(name, cover))
  )

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The cover at a uniform number in [0, 1): inversion of the cumulative weights.
 *
 * @category readings
 * @since 0.1.0
 */
export const draw = (self: Estimator, uniform: number): Cover => {
  let cumulative = 0
  for (const { weight, cover } of self.covers) {
    cumulative += weight
    if (uniform < cumulative) return cover
  }
  return self.covers[0].cover
}

/**
 * The ledger: the expected fraction of each step's term that is paid, `t = 1..T` at positions `0..T-1`: all 1 for an exact
 * estimator.
 *
 * @category readings
 * @since 0.1.0
 */
export const paid = (self: Estimator): ReadonlyArray<number> =>
  C.range(1, self.T).map((t) => mean(self, (cover) => C.paid(cover)[t - 1] ?? 0))

/**
 * The steps whose terms are not paid in full on average, each with what is missing. The estimator's bias is minus the sum
 * of the missing parts.
 *
 * @category readings
 * @since 0.1.0
 */
export const unpaid = (self: Estimator): ReadonlyMap<number, number> =>
  new Map(paid(self).flatMap((fraction, i) => (Math.abs(1 - fraction) > 1e-9 ? [[i + 1, 1 - fraction] as const] : [])))

/**
 * The mean of a number read off the covers.
 *
 * @category readings
 * @since 0.1.0
 */
export const mean = (self: Estimator, read: (cover: Cover) => number): number =>
  self.covers.reduce((total, { weight, cover }) => total + weight * read(cover), 0)
