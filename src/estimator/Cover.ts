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

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How a zeroth-order cell turns rewards into an estimate, at radius `s` along directions `xi`:
 * `onePoint`: `A(theta + s xi) xi / s`, one rollout; `forward`: `(R(theta + s xi) - R(theta)) xi / s`, two; `central`:
 * `(R(theta + s xi) - R(theta - s xi)) xi / (2 s)`, two besides a clean one where other cells read it.
 *
 * @category model
 * @since 0.1.0
 */
export type Form = 'onePoint' | 'forward' | 'central'

/**
 * One direction for all the steps of a zeroth-order cell, or an independent one for each.
 *
 * @category model
 * @since 0.1.0
 */
export type Perturbation = 'shared' | 'perStep'

/**
 * How a differentiated segment keeps its activations: all of them (`store`), or only the states, running each step forward
 * once more when its turn comes (`recompute`): then the memory is one step's, whatever the segment's length.
 *
 * @category model
 * @since 0.1.0
 */
export type Memory = 'store' | 'recompute'

/**
 * What first- and half-order cells may be told besides their steps. `memory` is `store` by default. `shares` are the
 * fractions of their steps' terms that they pay, lowest step first, 1 each by default: several cells may share a step, and
 * the estimate is unbiased for any shares that add up to 1 at every step. That is generalised half-order, in which
 * credit flows pathwise from a step down to several scores at once, as it does to several returns in TD(lambda). Shares are not
 * negative: with negative ones unions would not be associative.
 *
 * @category model
 * @since 0.1.0
 */
export interface SegmentOptions {
  readonly memory?: Memory
  readonly shares?: ReadonlyArray<number>
}

/**
 * Pays for steps `1..to` by pulling the reward's gradient back through them.
 *
 * @category model
 * @since 0.1.0
 */
export interface FirstOrder extends SegmentOptions {
  readonly _tag: 'FirstOrder'
  readonly to: number
}

/**
 * Pays for steps `from..to` by the likelihood ratio on the noise of step `from`, pulled back through them.
 *
 * @category model
 * @since 0.1.0
 */
export interface HalfOrder extends SegmentOptions {
  readonly _tag: 'HalfOrder'
  readonly from: number
  readonly to: number
}

/**
 * Pays for a set of steps by perturbing the parameters they use.
 *
 * @category model
 * @since 0.1.0
 */
export interface ZerothOrder {
  readonly _tag: 'ZerothOrder'
  readonly steps: ReadonlyArray<number>
  readonly form: Form
  readonly perturbation: Perturbation
  readonly radius: number
}

/**
 * A way to pay for some steps.
 *
 * @category model
 * @since 0.1.0
 */
export type Cell = FirstOrder | HalfOrder | ZerothOrder

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
  | { readonly _tag: 'BadOption'; readonly option: string; readonly expected: string; readonly got: string }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The longest chain that can be covered: ten times those of the literature. Estimators keep each step of it by itself.
 *
 * @category constants
 * @since 0.1.0
 */
export const longest = 10_000

/**
 * The first-order cell on steps `1..to`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const firstOrder = (to: number, options: SegmentOptions = {}): Cell => ({ _tag: 'FirstOrder', to, ...options })

/**
 * The half-order cell on steps `from..to`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const halfOrder = (from: number, to: number, options: SegmentOptions = {}): Cell => ({
  _tag: 'HalfOrder',
  from,
  to,
  ...options
})

/**
 * The zeroth-order cell on a set of steps. By default: central differences along one shared direction, radius 0.05.
 *
 * @category constructors
 * @since 0.1.0
 */
export const zerothOrder = (
  steps: ReadonlyArray<number>,
  options: { readonly form?: Form; readonly perturbation?: Perturbation; readonly radius?: number } = {}
): Cell => ({
  _tag: 'ZerothOrder',
  steps,
  form: options.form ?? 'central',
  perturbation: options.perturbation ?? 'shared',
  radius: options.radius ?? 0.05
})

/**
 * The cover of steps `1..T` by some cells, tagged `exact` or `partial`; empty sets are dropped. Left: the first of a chain that
 * is too long, a step out of range, a step paid for more than once, a radius that is not positive, shares that do not fit their segment, or
 * two zeroth-order cells (join their sets).
 *
 * @category constructors
 * @since 0.1.0
 */
export const cover = (
  T: number,
  cells: ReadonlyArray<Cell>
): E.Either<CoverError, Cover<'exact'> | Cover<'partial'>> => {
  if (!Number.isInteger(T) || T < 1 || T > longest) return E.left({ _tag: 'BadLength', T })
  const used = cells.filter((cell) => cell._tag !== 'ZerothOrder' || cell.steps.length > 0)
  for (const cell of used) {
    const error = checkCell(T, cell)
    if (error !== undefined) return E.left(error)
  }
  const totals = totalsOf(T, used)
  const step = totals.findIndex((sum) => sum > 1 + tolerance) + 1
  if (step > 0) {
    const payers = used.filter((cell) => share(cell, step) !== 0)
    return E.left({ _tag: 'Overlap', step, cells: payers.length > 1 ? payers : [...payers, ...payers] })
  }
  const zeroth = used.filter((cell) => cell._tag === 'ZerothOrder')
  if (zeroth.length > 1) return E.left({ _tag: 'TwoZerothOrder', cells: zeroth })
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
    return cell.radius > 0 && Number.isFinite(cell.radius) ? undefined : { _tag: 'BadRadius', radius: cell.radius }
  }
  const { shares } = cell
  return shares === undefined || (shares.length === own.length && shares.every((w) => Number.isFinite(w) && w >= 0))
    ? undefined
    : { _tag: 'BadShares', cell, expected: own.length, got: shares }
}

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

const shareAt = (cell: Cell, position: number): number =>
  cell._tag === 'ZerothOrder' ? 1 : (cell.shares?.[position] ?? 1)

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
 * The cover without cells: neutral for `union`.
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
 * The steps that a cell pays for, in its own order.
 *
 * @category readings
 * @since 0.1.0
 */
export const steps = (cell: Cell): ReadonlyArray<number> => {
  switch (cell._tag) {
    case 'FirstOrder':
      return range(1, cell.to)
    case 'HalfOrder':
      return range(cell.from, cell.to)
    case 'ZerothOrder':
      return cell.steps
  }
}

/**
 * The fraction of step `t`'s term that a cell pays: 0 for steps that are not its own.
 *
 * @category readings
 * @since 0.1.0
 */
export const share = (cell: Cell, t: number): number => {
  const position = positionOf(cell, t)
  return position < 0 ? 0 : shareAt(cell, position)
}

const positionOf = (cell: Cell, t: number): number => {
  if (cell._tag === 'ZerothOrder') return cell.steps.indexOf(t)
  const from = cell._tag === 'FirstOrder' ? 1 : cell.from
  return Number.isInteger(t) && from <= t && t <= cell.to ? t - from : -1
}

/**
 * The fraction of each step's term that a cover pays, `t = 1..T` at positions `0..T-1`.
 *
 * @category readings
 * @since 0.1.0
 */
export const paid = (self: Cover): ReadonlyArray<number> => totalsOf(self.T, self.cells)

/**
 * The whole numbers `from..to`, none where `to < from` or where an end is not whole, and no more than the first million: a
 * hundred times what a cover may have, so that a range that is too long for one stays too long.
 *
 * @category utils
 * @since 0.1.0
 */
export const range = (from: number, to: number): ReadonlyArray<number> =>
  Number.isInteger(from) && Number.isInteger(to) && to >= from
    ? Array.from({ length: Math.min(to - from + 1, mostSteps) }, (_, i) => from + i)
    : []

const mostSteps = 1_000_000

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
 * Draws a cell for a person: `HO(2..3)`.
 *
 * @category readings
 * @since 0.1.0
 */
export const showCell = (cell: Cell): string => {
  switch (cell._tag) {
    case 'FirstOrder':
      return `FO(1..${cell.to}${showOptions(cell)})`
    case 'HalfOrder':
      return `HO(${cell.from}..${cell.to}${showOptions(cell)})`
    case 'ZerothOrder':
      return `ZO(${showSteps(cell.steps)}; ${cell.form}, ${cell.perturbation}, s = ${cell.radius})`
  }
}

const showOptions = ({ memory, shares }: SegmentOptions): string =>
  (shares === undefined ? '' : `; shares ${shares.map((w) => Number(w.toPrecision(3))).join(', ')}`) +
  (memory === 'recompute' ? '; recompute' : '')

/**
 * Draws a set of steps with its runs joined: `1, 4..50`. Of more than twenty runs those in the middle are left out.
 *
 * @category readings
 * @since 0.1.0
 */
export const showSteps = (set: ReadonlyArray<number>): string => {
  const runs: Array<[number, number]> = []
  for (const t of [...set].sort((a, b) => a - b)) {
    const last = runs.at(-1)
    if (last !== undefined && last[1] === t - 1) last[1] = t
    else runs.push([t, t])
  }
  return showRuns(runs)
}

const showRuns = (runs: ReadonlyArray<readonly [from: number, to: number]>): string => {
  const drawn = runs.flatMap(([a, b]) => (a > b ? [] : [a === b ? `${a}` : `${a}..${b}`]))
  return (drawn.length > 20 ? [...drawn.slice(0, 18), '...', ...drawn.slice(-1)] : drawn).join(', ')
}

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
      return `${showCell(error.cell)}: expected ${error.expected} finite shares of at least 0, one a step, got [${error.got.join(', ')}]; give each step one`
    case 'TwoZerothOrder':
      return `expected one zeroth-order cell, got ${error.cells.map(showCell).join(' and ')}; join their steps in one`
    case 'Unpaid':
      return `no cell pays for ${showSteps(error.steps)}; add a cell, or use 'cover' where the bias is wanted`
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
