/**
 * What credit programs are run with: segments of the trajectory, and what rows heard of each other.
 *
 * @since 0.1.0
 */
import { under, type Values } from '../../tensor/Program.js'
import * as T from '../../tensor/Tensor.js'
import type { Tensor } from '../../tensor/Tensor.js'
import type { Cell, FirstOrder, ZerothOrder } from '../Cover.js'
import * as C from '../Cover.js'
import { advantagesIn, type Heard, weightsOf } from './Exchange.js'
import { rollouts, type Rollouts } from '../Plan.js'
import type { Request } from '../Problem.js'
import { withoutRows } from '../Returns.js'
import { type Context, secant, type Seen, sharesOf, siblingInputs, weighed } from './Score.js'

// -------------------------------------------------------------------------------------
// inputs
// -------------------------------------------------------------------------------------

/**
 * The directions of a request, of which a difference wants `draws`; a cover without sides runs none.
 *
 * @category inputs
 * @since 0.1.0
 */
export const directions = ({ xi, moreXi = [] }: Request, { draws, sides }: Rollouts): ReadonlyArray<Values> =>
  sides.length === 0 ? [] : [xi, ...moreXi].slice(0, draws)

/**
 * What a side starts from: the noise, or the base rollout's state above its highest perturbed step.
 *
 * @category inputs
 * @since 0.1.0
 */
export const sideInputs = (
  { cover, eps, xT }: Request,
  { from }: Rollouts,
  xi: Values,
  trajectory: Tensor | undefined
): Values => {
  if (from === cover.T || trajectory === undefined) return { ...under('xi', xi), xT, eps }
  const zeroth = C.zerothOrderCell(cover)
  const own =
    zeroth?.perturbation === 'perStep'
      ? Object.fromEntries(Object.entries(xi).map(([path, value]) => [path, T.rows(0, from)(value)]))
      : xi
  return {
    ...under('xi', own),
    mask: stepMask(from, zeroth?.steps ?? []),
    xT: T.at(from)(trajectory),
    eps: T.rows(0, from)(eps)
  }
}

/**
 * The inputs of a cell's credit program, for each time that it is run. `controls` are the gradients of the cells' controls.
 *
 * @category inputs
 * @since 0.1.0
 */
export const creditInputs = (
  context: Context,
  cell: Cell,
  { seen, controls }: { readonly seen: Seen; readonly controls: ReadonlyArray<Tensor | undefined> },
  heard: Heard
): ReadonlyArray<Values> => {
  const { request } = context
  const { base } = seen
  const { eps } = request
  const at = request.cover.cells.indexOf(cell)
  const weights = weightsOf(request, heard)
  const kept = withoutRows(heard.skipped)
  const segment = (from: number, to: number): Values =>
    base?.trajectory === undefined
      ? {}
      : { x: kept(T.at(to)(base.trajectory)), eps: T.rows(from - 1, to)(eps), weights: T.vector(weights) }
  const advantages = advantagesIn(request, cell, at, heard)
  switch (cell._tag) {
    case 'FirstOrder':
      return [{ ...segment(1, cell.to), ...sharesOf(cell), ...endOf(cell, seen, weights, kept) }]
    case 'HalfOrder': {
      if (cell.siblings !== undefined) return siblingInputs(context, cell, seen, heard.skipped, weights, advantages)
      const [advantage] = advantages
      const control = controls[at]
      return [
        {
          ...segment(cell.from, cell.to),
          ...(base?.trajectory === undefined ? {} : { below: kept(T.at(cell.from - 1)(base.trajectory)) }),
          ...sharesOf(cell),
          high: T.scalar(cell.to),
          ...(advantage === undefined ? {} : { advantage: T.vector(advantage) }),
          ...(control === undefined ? {} : { control: kept(control) })
        }
      ]
    }
    case 'ZerothOrder':
      return zerothInputs(cell, at, request, heard)
  }
}

/**
 * The inputs of a zeroth-order cell's credit program, for each direction: of numbers and directions alone, not of samples.
 *
 * @category inputs
 * @since 0.1.0
 */
export const zerothInputs = (cell: ZerothOrder, at: number, request: Request, heard: Heard): ReadonlyArray<Values> => {
  const weights = weightsOf(request, heard)
  const delta = (gaps: ReadonlyArray<number>, n: number): Tensor => T.vector(gaps.map((g) => g / (n * cell.radius)))
  if (cell.form === 'onePoint') return [{ delta: delta(weighed(heard.advantages, weights), 1) }]
  const gaps = heard.cells[at] ?? []
  return directions(request, rollouts(request.cover)).map((xi, k) => ({
    ...under('xi', xi),
    delta: delta(
      weights.map((w, n) => (w === 0 ? 0 : (w * (gaps[k]?.[n] ?? 0)) / (cell.form === 'forward' ? 1 : 2))),
      gaps.length
    )
  }))
}

/** What a first-order cell pulls back: the gradient of the weighted rewards in the output, or what stands for it. */
const endOf = (
  { gradient }: FirstOrder,
  { base, twin }: Seen,
  weights: ReadonlyArray<number>,
  kept: (tensor: Tensor) => Tensor
): Values => {
  if (gradient === undefined) return base?.x0Bar === undefined ? {} : { x0Bar: kept(base.x0Bar) }
  return base === undefined || twin === undefined ? {} : { x0Bar: kept(secant(base, twin, weights)) }
}

/**
 * 1 at the steps of a set, 0 at the others, of so many.
 *
 * @category inputs
 * @since 0.1.0
 */
export const stepMask = (length: number, set: ReadonlyArray<number>): Tensor => {
  const steps = new Set(set)
  return T.tabulate([length], (i) => (steps.has(i + 1) ? 1 : 0))
}
