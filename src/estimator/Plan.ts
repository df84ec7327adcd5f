/**
 * Which programs a cover runs, by name: its rollouts, and the credit program of each cell.
 *
 * @since 0.1.0
 */
import type { Cell, Cover, Form } from './Cover.js'
import * as C from './Cover.js'
import * as Programs from './program/Programs.js'
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
  const { h, memory, weighted, controlled, siblings = 1 } = Programs.segmentKind(cell)
  const order = cell._tag === 'FirstOrder' ? 'firstOrder' : 'halfOrder'
  return `${order}(${h}${weighted ? ', weighted' : ''}${memory === 'recompute' ? ', recompute' : ''}${controlled ? ', control' : ''}${siblings === 1 ? '' : `, ${siblings} siblings`})`
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
 * perturbed: from the start where it is `T` or where there is no base rollout to start from.
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
  return { base, sides, draws, from: base === undefined ? cover.T : highest }
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
export const branches = (cover: Cover): ReadonlyArray<{ readonly at: number; readonly count: number }> => {
  const most = new Map<number, number>()
  for (const cell of cover.cells) {
    if (cell._tag !== 'HalfOrder' || cell.siblings === undefined) continue
    const at = C.branchOf(cell)
    most.set(at, Math.max(most.get(at) ?? 0, cell.siblings.count))
  }
  return [...most].sort(([a], [b]) => a - b).map(([at, count]) => ({ at, count }))
}

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
