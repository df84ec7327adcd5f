/**
 * Which programs a cover runs, by name: its rollouts, and the credit program of each cell.
 *
 * @since 0.1.0
 */
import type { Cell, Cover, Form } from './Cover.js'
import * as C from './Cover.js'
import { segmentKind } from './program/SegmentKind.js'
import type { StateValue } from './StateValue.js'

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * The name of the credit program that serves a cell.
 *
 * @category readings
 * @since 0.1.0
 */
export const creditName = (cell: Cell): string => {
  if (cell._tag === 'ZerothOrder') return `zerothOrder(${cell.perturbation})`
  const { h, memory, weighted, controlled, siblings = 1, through } = segmentKind(cell)
  const order = cell._tag === 'FirstOrder' ? 'firstOrder' : 'halfOrder'
  const carried = through === undefined ? '' : `, ${through}`
  return `${order}(${h}${weighted ? ', weighted' : ''}${memory === 'recompute' ? ', recompute' : ''}${controlled ? ', control' : ''}${siblings === 1 ? '' : `, ${siblings} siblings`}${carried})`
}

/**
 * How the parameters of the base rollout are perturbed: as a one-point cell asks, or not at all.
 *
 * @category readings
 * @since 0.1.0
 */
export const basePerturbation = (cover: Cover): C.Perturbation | 'none' => {
  const zeroth = C.zerothOrderCell(cover)
  return zeroth?.form === 'onePoint' ? zeroth.perturbation : 'none'
}

/**
 * The rollouts of a cover: a base one that first- and half-order cells read (perturbed for the one-point form, clean else), and
 * the sides of a difference, as signs, for each of `draws` directions. Sides run from step `from` down, the highest that is
 * perturbed: from the start where it is `T` or where there is no base rollout to start from. A `twin` is the base once more with the noises
 * of the steps negated, for differences of outputs.
 *
 * @category readings
 * @since 0.1.0
 */
export const rollouts = (cover: Cover): Rollouts => {
  const zeroth = C.zerothOrderCell(cover)
  const sides = zeroth === undefined ? [] : sidesOf(zeroth.form)
  const highest = Math.max(...(zeroth?.steps ?? [cover.T]))
  const draws = zeroth?.draws ?? 1
  const read = zeroth === undefined || zeroth.form !== 'central' || cover.cells.length > 1
  // two sides from the start, or the base and two parts
  const shorter = cover.T + 2 * draws * highest < 2 * draws * cover.T
  const base = read || shorter ? `rollout(${basePerturbation(cover)})` : undefined
  const twin = cover.cells.some((cell) => cell._tag === 'FirstOrder' && cell.gradient !== undefined)
  return { base, sides, draws, from: base === undefined ? cover.T : highest, twin }
}

/**
 * What `rollouts` tells.
 *
 * @category model
 * @since 0.1.0
 */
export interface Rollouts {
  readonly base: string | undefined
  readonly sides: ReadonlyArray<1 | -1>
  readonly draws: number
  readonly from: number
  readonly twin: boolean
}

/**
 * The name of the program that runs the sides of a cover's difference.
 *
 * @category readings
 * @since 0.1.0
 */
export const sideName = (cover: Cover): string => {
  const { from } = rollouts(cover)
  return `side(${C.zerothOrderCell(cover)?.perturbation ?? 'none'}${from === cover.T ? '' : `, ${from} steps`})`
}

const sidesOf = (form: Form): ReadonlyArray<1 | -1> => (form === 'onePoint' ? [] : form === 'forward' ? [1] : [1, -1])

/**
 * Where the trajectory of a cover branches, lowest first, and into how many continuations, itself among them: cells that branch at one
 * state share them.
 *
 * @category readings
 * @since 0.1.0
 */
export const branches = (cover: Cover): ReadonlyArray<Branch> => {
  const all = new Map<string, Branch>()
  for (const cell of cover.cells) {
    if (cell._tag !== 'HalfOrder' || cell.siblings === undefined) continue
    const { count, below = 'fresh' } = cell.siblings
    const name = branchName(cell)
    all.set(name, { name, at: C.branchOf(cell), below, count: Math.max(all.get(name)?.count ?? 0, count) })
  }
  return [...all.values()].sort((a, b) => a.at - b.at)
}

/**
 * Continuations of a trajectory from one state, and what noise they have below its step.
 *
 * @category model
 * @since 0.1.0
 */
export interface Branch {
  readonly name: string
  readonly at: number
  readonly below: C.Below
  readonly count: number
}

/**
 * The name of the branch that a cell's siblings are on.
 *
 * @category readings
 * @since 0.1.0
 */
export const branchName = (cell: C.HalfOrder): string => `${C.branchOf(cell)}, ${cell.siblings?.below ?? 'fresh'}`

/**
 * The name of the program that runs one step of a continuation, whichever it is.
 *
 * @category readings
 * @since 0.1.0
 */
export const stepName = 'step'

/**
 * The name of the program that evaluates a value of a state with its gradient.
 *
 * @category readings
 * @since 0.1.0
 */
export const valueName = (value: StateValue): string =>
  value._tag === 'Polynomial'
    ? `value(polynomial ${value.coefficients.join(', ')})`
    : `value(${value._tag === 'Clean' ? 'clean' : value.name})`

/**
 * The name of the program that makes of a value the control of a step with discrete outcomes.
 *
 * @category readings
 * @since 0.1.0
 */
export const tangentName = (value: StateValue): string => `tangent of ${valueName(value)}`

/**
 * The values that a cover's cells look at: baselines at the state that a segment ends on, and controls below it.
 *
 * @category readings
 * @since 0.1.0
 */
export const values = (
  cover: Cover
): { readonly baselines: ReadonlyArray<StateValue>; readonly controls: ReadonlyArray<StateValue> } => {
  const cells = cover.cells.flatMap((cell) => (cell._tag === 'HalfOrder' ? [cell] : []))
  return {
    baselines: cells.flatMap(({ baseline }) => (baseline === undefined ? [] : [baseline])),
    controls: cells.flatMap(({ control }) => (control === undefined ? [] : [control]))
  }
}
