/**
 * What a cover's terms are terms of: the expected reward, or a smoothed one.
 *
 * @since 0.1.0
 */
import type { Cover } from './Cover.js'
import * as C from './Cover.js'
import type { Estimator } from './Estimator.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What paid terms are terms of: `J`; or `J_s`, in which the parameters of zeroth-order steps are smoothed by a normal
 * of standard deviation `s`; or each of its own, `J` at the first- and half-order steps and `J_s` at the zeroth-order
 * ones. That sum need not be the gradient of one function. It is within O(s^2) of the gradients of both, and equal to
 * that of `J` where the expected reward is quadratic in the copies of the parameters that the smoothed steps use,
 * jointly: that `J` is quadratic is not enough.
 *
 * @category model
 * @since 0.1.0
 */
export type Objective = 'J' | 'J_s' | 'J and J_s'

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * What a cover's terms are terms of. The one-point form has one rollout, the perturbed one, so every cell pays for
 * `J_s`; a difference form leaves the other cells on the clean rollout, and they pay for `J`.
 *
 * @category readings
 * @since 0.1.0
 */
export const ofCover = (self: Cover): Objective => {
  const cell = C.zerothOrderCell(self)
  if (cell === undefined) return 'J'
  return cell.form === 'onePoint' || self.cells.length === 1 ? 'J_s' : 'J and J_s'
}

/**
 * The steps whose terms are of `J`, and those whose terms are of `J_s`, of what a cover pays for.
 *
 * @category readings
 * @since 0.1.0
 */
export const termsOf = (self: Cover): { readonly J: ReadonlyArray<number>; readonly J_s: ReadonlyArray<number> } => {
  const cell = C.zerothOrderCell(self)
  const fractions = C.paid(self)
  const smoothed = (t: number): boolean => cell !== undefined && (cell.form === 'onePoint' || cell.steps.includes(t))
  const all = C.range(1, self.T).filter((t) => (fractions[t - 1] ?? 0) > 0)
  return { J: all.filter((t) => !smoothed(t)), J_s: all.filter(smoothed) }
}

/**
 * What the estimator's terms are terms of, its unpaid ones aside: that of its covers if they agree, else `J and J_s`.
 * Covers with the one-point form, or with a zeroth-order cell alone, smooth each their own steps: `J_s` is then the
 * mean of theirs.
 *
 * @category readings
 * @since 0.1.0
 */
export const ofEstimator = (self: Estimator): Objective => {
  const all = new Set(self.covers.map(({ cover }) => ofCover(cover)))
  const [only = 'J'] = all
  return all.size === 1 ? only : 'J and J_s'
}
