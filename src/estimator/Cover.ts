/**
 * Covers: which cell pays for which step's term of the gradient.
 *
 * With one copy of the parameters for each step, the gradient of the expected reward is the sum over steps of the
 * gradients in the copies. A cell estimates the terms of its steps; a cover is a list of cells that do not overlap.
 * If every step is paid for once, the sum of the cells' estimates over one shared trajectory is unbiased (Theorem 6.3 of
 * arXiv 2502.00639, as a statement about covers).
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Eq as Eq_ } from 'fp-ts/lib/Eq.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Monoid } from 'fp-ts/lib/Monoid.js'
import * as O from 'fp-ts/lib/Option.js'
import { several } from '../document/Shown.js'
import type { Cell, HalfOrder, ZerothOrder } from './Cell.js'
import { branchOf, share, shareAt, showCell, showRuns, showSteps, steps } from './Cell.js'

export * from './Cell.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Does a cover pay for every step, or only for some?
 *
 * @category model
 * @since 0.1.0
 */
export type Exactness = 'exact' | 'partial'

/**
 * Cells over the steps `1..T` that do not overlap. An `exact` one pays for every step; a `partial` one is biased by minus
 * the terms of its unpaid steps.
 *
 * @category model
 * @since 0.1.0
 */
export interface Cover<out X extends Exactness = Exactness> {
  readonly _tag: X
  readonly T: number
  readonly cells: ReadonlyArray<Cell>
}

/**
 * Why cells are no cover.
 *
 * @category model
 * @since 0.1.0
 */
export type CoverError =
  | { readonly _tag: 'BadLength'; readonly T: number }
  | { readonly _tag: 'OutOfRange'; readonly cell: Cell; readonly T: number; readonly steps: ReadonlyArray<number> }
  | { readonly _tag: 'Overlap'; readonly step: number; readonly cells: ReadonlyArray<Cell> }
  | { readonly _tag: 'BadRadius'; readonly radius: number }
  | { readonly _tag: 'BadShares'; readonly cell: Cell; readonly expected: number; readonly got: ReadonlyArray<number> }
  | { readonly _tag: 'TwoZerothOrder'; readonly cells: ReadonlyArray<Cell> }
  | { readonly _tag: 'Unpaid'; readonly steps: ReadonlyArray<number> }
  | { readonly _tag: 'Unbalanced'; readonly step: number; readonly paid: number }
  | { readonly _tag: 'BadOption'; readonly option: string; readonly expected: string; readonly got: string }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The longest chain that can be covered: four times those of the literature. Estimators keep each step of it by itself, those
 * with a random segment for each start, and a rollout is one program: at this length `halforder plan --task points` takes 3.5 GB.
 *
 * @category constants
 * @since 0.1.0
 */
export const longest = 4096

/**
 * The cover of steps `1..T` by some cells, tagged `exact` or `partial`; empty sets are dropped. Left: the first of a chain that
 * is too long, a step out of range, a step paid for more than once, a radius that is not positive, shares that do not fit their segment, or
 * two zeroth-order cells (join their sets).
 *
 * @category constructors
 * @since 0.1.0
 */
export const cover = (T: number, cells: ReadonlyArray<Cell>): E.Either<CoverError, Cover<'exact'> | Cover<'partial'>> =>
  checked(T, cells, 1)

/**
 * One of several covers to be drawn at random, whose shares may exceed 1: half of the steps, each paid twice. It is `partial`
 * whatever it pays; `Estimator.balanced` tells whether a mixture of such pays for every step on average.
 * Left: as of `cover`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const portion = (T: number, cells: ReadonlyArray<Cell>): E.Either<CoverError, Cover<'partial'>> =>
  pipe(
    checked(T, cells, Infinity),
    E.map(({ cells: used }) => ({ _tag: 'partial', T, cells: used }))
  )

const checked = (
  T: number,
  cells: ReadonlyArray<Cell>,
  most: number
): E.Either<CoverError, Cover<'exact'> | Cover<'partial'>> => {
  if (!Number.isInteger(T) || T < 1 || T > longest) return E.left({ _tag: 'BadLength', T })
  const used = cells.filter((cell) => cell._tag !== 'ZerothOrder' || cell.steps.length > 0)
  for (const cell of used) {
    const error = checkCell(T, cell)
    if (error !== undefined) return E.left(error)
  }
  const totals = totalsOf(T, used)
  const repeated = used.flatMap((cell) => {
    const own = steps(cell)
    return own.length === new Set(own).size ? [] : [own.find((t, i) => own.indexOf(t) < i) ?? 0]
  })
  const step = repeated[0] ?? totals.findIndex((sum) => sum > most + tolerance) + 1
  if (step > 0) {
    const payers = used.filter((cell) => share(cell, step) !== 0)
    return E.left({ _tag: 'Overlap', step, cells: payers.length > 1 ? payers : [...payers, ...payers] })
  }
  const zeroth = used.filter((cell) => cell._tag === 'ZerothOrder')
  if (zeroth.length > 1) return E.left({ _tag: 'TwoZerothOrder', cells: zeroth })
  const perturbed = zeroth.some((cell) => cell._tag === 'ZerothOrder' && cell.form === 'onePoint')
  if (perturbed && used.some((cell) => cell._tag === 'HalfOrder' && cell.siblings !== undefined)) {
    return E.left(badSiblings('a difference form beside them', 'a one-point cell, which perturbs the trajectory alone'))
  }
  const paid = totals.every(isWhole)
  return E.right(paid ? { _tag: 'exact', T, cells: used } : { _tag: 'partial', T, cells: used })
}

const checkCell = (T: number, cell: Cell): CoverError | undefined => {
  const own = steps(cell)
  const outside = own.filter((t) => !Number.isInteger(t) || t < 1 || t > T)
  if (own.length === 0 || outside.length > 0) {
    return { _tag: 'OutOfRange', cell, T, steps: outside.slice(0, longest) }
  }
  if (cell._tag === 'ZerothOrder') {
    const { draws = 1, form, radius } = cell
    if (!(radius > 0 && Number.isFinite(radius))) return { _tag: 'BadRadius', radius }
    const most = form === 'onePoint' ? 1 : mostDraws
    return Number.isInteger(draws) && draws >= 1 && draws <= most
      ? undefined
      : {
          _tag: 'BadOption',
          option: 'draws',
          expected: `a whole number in 1..${most} for the form ${form}`,
          got: `${draws}`
        }
  }
  const { shares } = cell
  return shares === undefined || (shares.length === own.length && shares.every((w) => Number.isFinite(w) && w >= 0))
    ? cell._tag === 'HalfOrder'
      ? checkSiblings(T, cell)
      : undefined
    : { _tag: 'BadShares', cell, expected: own.length, got: shares }
}

const badSiblings = (expected: string, got: string): CoverError => ({
  _tag: 'BadOption',
  option: 'siblings',
  expected,
  got
})

/** A number of siblings that branch where a segment ends, at its top or above, and have each other for a baseline. */
const checkSiblings = (T: number, cell: HalfOrder): CoverError | undefined => {
  const { siblings, from, to, baseline, control } = cell
  if (siblings === undefined) return undefined
  const { count, below } = siblings
  const at = branchOf(cell)
  if (below === 'shared' && at !== from) {
    return badSiblings(
      `a branch at step ${from} where noise is shared below, or the noise that is scored would be`,
      `${at}`
    )
  }
  if (!(Number.isInteger(count) && count >= 2 && count <= mostSiblings)) {
    return badSiblings(`a whole number in 2..${mostSiblings}`, `${count}`)
  }
  if (!(Number.isInteger(at) && (at === from || (at >= to && at <= T)))) {
    const above = to === T ? `${T}` : `${to}..${T}`
    return badSiblings(`a branch at step ${from}${from === T ? '' : ` or ${above}`}, for ${showCell(cell)}`, `${at}`)
  }
  return baseline === undefined && control === undefined
    ? undefined
    : badSiblings('neither baseline nor control beside them', baseline === undefined ? 'a control' : 'a baseline')
}

/** More continuations are better spent on samples. */
const mostSiblings = 1000

/** Each direction is a rollout of its own, or two: more are better spent on samples. */
const mostDraws = 1000

/** Shares are sums of a few rounded fractions: this is far above their rounding and far below any share of use. */
const tolerance = 1e-9

const isWhole = (paid: number): boolean => Math.abs(paid - 1) <= tolerance

/** The sum of the cells' shares of each step, `t = 1..T` at positions `0..T-1`; a step that a cell has twice counts twice. */
const totalsOf = (T: number, cells: ReadonlyArray<Cell>): ReadonlyArray<number> => {
  const totals = new Array<number>(T).fill(0)
  for (const cell of cells) {
    steps(cell).forEach((t, i) => {
      totals[t - 1] = (totals[t - 1] ?? 0) + shareAt(cell, i)
    })
  }
  return totals
}

/**
 * The cover of every step by some cells. Left where one is unpaid, too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const exact = (T: number, cells: ReadonlyArray<Cell>): E.Either<CoverError, Cover<'exact'>> => {
  const result = cover(T, cells)
  if (E.isLeft(result)) return result
  return result.right._tag === 'exact' ? E.right(result.right) : E.left({ _tag: 'Unpaid', steps: unpaid(result.right) })
}

/**
 * The cover without cells: neutral for `union`. Left: a length that is no chain's.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty = (T: number): E.Either<CoverError, Cover> => cover(T, [])

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Both covers' cells: a partial commutative monoid with `empty`, defined where the two are disjoint and equally long.
 * Left: the lengths differ, or a step is paid by both.
 *
 * @category combinators
 * @since 0.1.0
 */
export const union = (a: Cover, b: Cover): E.Either<CoverError, Cover> =>
  a.T === b.T
    ? cover(a.T, [...a.cells, ...b.cells])
    : E.left({ _tag: 'BadOption', option: 'T', expected: `two covers of ${a.T} steps`, got: `${b.T} steps` })

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The fraction of each step's term that a cover pays, `t = 1..T` at positions `0..T-1`.
 *
 * @category readings
 * @since 0.1.0
 */
export const paid = (self: Cover): ReadonlyArray<number> => totalsOf(self.T, self.cells)

/**
 * The steps that are not paid for in full: minus the sum of what is missing of their terms is the cover's bias
 * (Proposition 6.1).
 *
 * @category readings
 * @since 0.1.0
 */
export const unpaid = (self: Cover): ReadonlyArray<number> =>
  paid(self).flatMap((fraction, i) => (isWhole(fraction) ? [] : [i + 1]))

/**
 * The zeroth-order cell of a cover, if it has one.
 *
 * @category readings
 * @since 0.1.0
 */
export const zerothOrderCell = (self: Cover): ZerothOrder | undefined =>
  self.cells.find((cell): cell is ZerothOrder => cell._tag === 'ZerothOrder')

/**
 * Draws a cover for a person: `FO(1..1) + HO(2..3) + ZO(4..50; central, shared, s = 0.05)`. Of more than six cells the ones
 * in the middle are left out.
 *
 * @category readings
 * @since 0.1.0
 */
export const show = (self: Cover): string => {
  const cells = self.cells.map(showCell)
  const shown = cells.length > 6 ? [...cells.slice(0, 3), '...', ...cells.slice(-1)] : cells
  return shown.join(' + ') || 'nothing'
}

/** Of a segment the whole of what lies outside, however long, and of a set its steps. */
const showOutside = ({ cell, T, steps: outside }: CoverError & { readonly _tag: 'OutOfRange' }): string => {
  if (outside.length === 0) return 'an empty range'
  if (cell._tag === 'ZerothOrder') return showSteps(outside)
  const from = cell._tag === 'FirstOrder' ? 1 : cell.from
  return showRuns([
    [from, Math.min(cell.to, 0)],
    [Math.max(from, T + 1), cell.to]
  ])
}

/**
 * One line for a person: what is wrong and what to do.
 *
 * @category readings
 * @since 0.1.0
 */
export const showError = (error: CoverError): string => {
  switch (error._tag) {
    case 'BadLength':
      return `T: expected a whole number in 1..${longest}, got ${error.T}; pass the number of steps of the chain`
    case 'OutOfRange':
      return `${showCell(error.cell)}: expected steps within 1..${error.T}, got ${showOutside(error)}; move or shorten the cell`
    case 'Overlap':
      return `step ${error.step} is paid for twice, by ${error.cells.map(showCell).join(' and ')}; its term would be counted twice: give it to one of them, or shares that add up to 1`
    case 'BadRadius':
      return `radius: expected a number above 0, got ${error.radius}; a common choice is 0.05 of the parameters' own scale`
    case 'BadShares':
      return `${showCell(error.cell)}: expected ${error.expected} finite shares of at least 0, one a step, got [${several(error.got.map(String))}]; give each step one`
    case 'TwoZerothOrder':
      return `expected one zeroth-order cell, got ${error.cells.map(showCell).join(' and ')}; join their steps in one`
    case 'Unpaid':
      return `no cell pays for ${showSteps(error.steps)}; add a cell, or use 'cover' where the bias is wanted`
    case 'Unbalanced':
      return `step ${error.step} is paid ${Number(error.paid.toPrecision(6))} times on average; give the covers that pay for it shares that make it 1, or use 'mixtureOf' where the bias is wanted`
    case 'BadOption':
      return `${error.option}: expected ${error.expected}, got ${error.got}`
  }
}

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * Equal covers have the same length and the same cells, in whatever order.
 *
 * @category instances
 * @since 0.1.0
 */
export const Eq: Eq_<Cover> = {
  equals: (a, b) => {
    const cells = (self: Cover): string =>
      self.cells
        .map((cell) => JSON.stringify(cell))
        .sort()
        .join()
    return a.T === b.T && cells(a) === cells(b)
  }
}

/**
 * Disjoint union as a monoid, the partial one completed by `none`: covers that overlap have no union, and neither has anything
 * with `none`. Commutative; neutral is the cover of `T` steps without cells.
 *
 * @category instances
 * @since 0.1.0
 */
export const getMonoid = (T: number): Monoid<O.Option<Cover>> => ({
  empty: O.fromEither(empty(T)),
  concat: (a, b) =>
    pipe(
      O.Do,
      O.bind('x', () => a),
      O.bind('y', () => b),
      O.flatMap(({ x, y }) => O.fromEither(union(x, y)))
    )
})
