/**
 * Which programs a cover runs, by name: its rollouts, and the credit program of each cell.
 *
 * @since 0.1.0
 */
import type { Cell, Cover, Form } from './Cover.js'
import * as C from './Cover.js'
import * as Programs from './Programs.js'

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
  const { h, memory, weighted } = Programs.segmentKind(cell)
  const order = cell._tag === 'FirstOrder' ? 'firstOrder' : 'halfOrder'
  return `${order}(${h}${weighted ? ', weighted' : ''}${memory === 'recompute' ? ', recompute' : ''})`
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
 * The rollouts of a cover: a base one that first- and half-order cells read (perturbed for the one-point form, clean
 * else), and the sides of a difference, as signs.
 *
 * @category readings
 * @since 0.1.0
 */
export const rollouts = (
  cover: Cover
): { readonly base: string | undefined; readonly sides: ReadonlyArray<1 | -1> } => {
  const zeroth = C.zerothOrderCell(cover)
  const sides = zeroth === undefined ? [] : sidesOf(zeroth.form)
  const needsBase = zeroth === undefined || zeroth.form !== 'central' || cover.cells.length > 1
  return { base: needsBase ? `rollout(${basePerturbation(cover)})` : undefined, sides }
}

const sidesOf = (form: Form): ReadonlyArray<1 | -1> => (form === 'onePoint' ? [] : form === 'forward' ? [1] : [1, -1])
