/**
 * Cells: the ways to pay for the terms of some steps of a chain.
 *
 * @since 0.1.0
 */
import { several } from '../document/Shown.js'
import { show as showValue, type StateValue } from './StateValue.js'

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
 * What carries a cotangent from a step to the one above it in place of the chain's own Jacobian. `sampler`: the Jacobian of the step
 * with the network's input held, as in DRTune (arXiv 2405.00760). `reference`: that of the reference's step, as in adjoint matching
 * (arXiv 2409.08861). `identity`: nothing changes it. A step reward then counts at its own step alone.
 *
 * @category model
 * @since 0.1.0
 */
export type Carrier = 'sampler' | 'reference' | 'identity'

/**
 * What a first-order cell may be told besides. `through`: what carries the cotangent (by default the chain itself). `gradient`:
 * what stands for the reward's gradient in the output, by default that itself; as `difference` it is `D dR dx / |dx|^2`, of the
 * differences `dR` and `dx` of two outputs of `D` numbers whose noises are each other's negatives: FDFO (arXiv 2603.12893).
 *
 * @category model
 * @since 0.1.0
 */
export interface FirstOrderOptions extends SegmentOptions {
  readonly through?: Carrier
  readonly gradient?: 'difference'
}

/**
 * Pays for steps `1..to` by pulling the reward's gradient back through them. What is carried by anything but the chain pays for
 * step 1 alone, which nothing is carried over; where a difference stands for the gradient, for none: above, it is
 * another term that is added, by as much as `shares` say.
 *
 * @category model
 * @since 0.1.0
 */
export interface FirstOrder extends FirstOrderOptions {
  readonly _tag: 'FirstOrder'
  readonly to: number
}

/**
 * What a half-order cell may be told besides: a `baseline`, a value of the state `x_from` that is taken off the return before the
 * advantage's own baseline, and a `control`, a value of the state `x_{from-1}` that is taken off too and whose gradient is put back
 * in. Both leave the expectation as it is, whatever the values are: the noise of step `from` is independent of the former given
 * `x_from`, and for the latter `E[Q(x_{j-1}) score / sigma_j] = E[grad Q(x_{j-1})]` (Stein's identity).
 *
 * @category model
 * @since 0.1.0
 */
export interface HalfOrderOptions extends SegmentOptions {
  readonly baseline?: StateValue
  readonly control?: StateValue
  readonly siblings?: Siblings
}

/**
 * Continuations of one trajectory that share it down to the state `x_at` and have fresh noise below: `count` of them, two or more, the
 * trajectory itself among them. The cell's estimate is their mean, and each one's baseline is the mean of the others' returns, which
 * is independent of its noise given `x_at`: a baseline that knows the state and needs no model of it (Kool et al., *Buy 4 REINFORCE Samples,
 * Get a Baseline for Free*, 2019, at one state). `at` is the cell's lowest step by default: then the segment above it is shared too,
 * and is pulled back once for all. It may be its highest or any above: then each sibling has a segment of its own. `below` says
 * what noise the steps below the scored one have: `fresh` (the default), or the trajectory's own, `shared`, so that siblings differ in the
 * noise that is scored alone. That takes off what the noise below does as well, which no function of the state can; it is for branches
 * at the cell's lowest step, since a noise that is scored must not be shared.
 *
 * @category model
 * @since 0.1.0
 */
export interface Siblings {
  readonly count: number
  readonly at?: number
  readonly below?: Below
}

/**
 * The noise of siblings below the step that is scored.
 *
 * @category model
 * @since 0.1.0
 */
export type Below = 'fresh' | 'shared'

/**
 * Pays for steps `from..to` by the likelihood ratio on the noise of step `from`, pulled back through them.
 *
 * @category model
 * @since 0.1.0
 */
export interface HalfOrder extends HalfOrderOptions {
  readonly _tag: 'HalfOrder'
  readonly from: number
  readonly to: number
}

/**
 * Pays for a set of steps by perturbing the parameters they use. `draws`: over how many directions the estimate is a mean (1 by
 * default; the one-point form has one). A difference is run from the highest of the steps only, where the cover has a trajectory to
 * start from.
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
  readonly draws?: number
}

/**
 * A way to pay for some steps.
 *
 * @category model
 * @since 0.1.0
 */
export type Cell = FirstOrder | HalfOrder | ZerothOrder

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The first-order cell on steps `1..to`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const firstOrder = (to: number, options: FirstOrderOptions = {}): Cell => ({
  _tag: 'FirstOrder',
  to,
  ...options
})

/**
 * The half-order cell on steps `from..to`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const halfOrder = (from: number, to: number, options: HalfOrderOptions = {}): Cell => ({
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
  options: {
    readonly form?: Form
    readonly perturbation?: Perturbation
    readonly radius?: number
    readonly draws?: number
  } = {}
): Cell => ({
  _tag: 'ZerothOrder',
  steps,
  form: options.form ?? 'central',
  perturbation: options.perturbation ?? 'shared',
  radius: options.radius ?? 0.05,
  ...(options.draws === undefined || options.draws === 1 ? {} : { draws: options.draws })
})

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
 * Does a cell differentiate the state below some step: is it a first-order cell, or a segment of several steps?
 *
 * @category readings
 * @since 0.1.0
 */
export const passes = (cell: Cell): boolean =>
  cell._tag === 'FirstOrder' || (cell._tag === 'HalfOrder' && cell.to > cell.from)

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
 * The fraction that a cell pays of the term of the step at a position among its own; what stands in the place of a term pays nothing.
 *
 * @category readings
 * @since 0.1.0
 */
export const shareAt = (cell: Cell, position: number): number =>
  cell._tag === 'ZerothOrder' ? 1 : replaces(cell, position) ? 0 : (cell.shares?.[position] ?? 1)

/** Is it another term than the step's own that a cell adds at a position among its steps? */
const replaces = (cell: FirstOrder | HalfOrder, position: number): boolean =>
  cell._tag === 'FirstOrder' && (cell.gradient !== undefined || (cell.through !== undefined && position > 0))

/**
 * The steps in whose place a cell adds another term: one that was carried by anything but the chain, or a difference.
 *
 * @category readings
 * @since 0.1.0
 */
export const replaced = (cell: Cell): ReadonlyArray<number> =>
  cell._tag === 'ZerothOrder' ? [] : steps(cell).filter((_, i) => replaces(cell, i) && (cell.shares?.[i] ?? 1) > 0)

/**
 * The step above which the siblings of a half-order cell share their trajectory.
 *
 * @category readings
 * @since 0.1.0
 */
export const branchOf = ({ from, siblings }: HalfOrder): number => siblings?.at ?? from

/**
 * How many segments a first- or half-order cell differentiates: one for each sibling that has one of its own.
 *
 * @category readings
 * @since 0.1.0
 */
export const segmentsOf = (cell: FirstOrder | HalfOrder): number =>
  cell._tag === 'FirstOrder' || cell.siblings === undefined || branchOf(cell) === cell.from ? 1 : cell.siblings.count

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
      return `HO(${cell.from}..${cell.to}${showOptions(cell)}${showSiblings(cell)})`
    case 'ZerothOrder':
      return `ZO(${showSteps(cell.steps)}; ${cell.form}, ${cell.perturbation}, s = ${cell.radius}${cell.draws === undefined ? '' : `, ${cell.draws} directions`})`
  }
}

const showSiblings = (cell: HalfOrder): string =>
  cell.siblings === undefined
    ? ''
    : `; ${cell.siblings.count} siblings from x_${branchOf(cell)}${cell.siblings.below === 'shared' ? ', noise below shared' : ''}`

/** The options of first- and half-order cells. */
type Shown = FirstOrderOptions & HalfOrderOptions

const showShares = (shares: ReadonlyArray<number>): string =>
  several(
    shares.map((w) => String(Number(w.toPrecision(3)))),
    12
  )

const showOptions = ({ memory, shares, baseline, control, through, gradient }: Shown): string =>
  (gradient === undefined ? '' : '; of a difference') +
  (through === undefined ? '' : `; through the ${through}`) +
  (shares === undefined ? '' : `; shares ${showShares(shares)}`) +
  (memory === 'recompute' ? '; recompute' : '') +
  (baseline === undefined ? '' : `; baseline ${showValue(baseline)}`) +
  (control === undefined ? '' : `; control ${showValue(control)}`)

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

/**
 * Draws runs of steps: `1, 4..50`.
 *
 * @category readings
 * @since 0.1.0
 */
export const showRuns = (runs: ReadonlyArray<readonly [from: number, to: number]>): string => {
  const drawn = runs.flatMap(([a, b]) => (a > b ? [] : [a === b ? `${a}` : `${a}..${b}`]))
  return (drawn.length > 20 ? [...drawn.slice(0, 18), '...', ...drawn.slice(-1)] : drawn).join(', ')
}
