/**
 * Choosing an estimator for a budget: the paper's rule for the length of the half-order segment, and a planner over
 * measured estimators.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Measured } from './Variance.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What the paper's rule is a function of: the number of steps, the memory in bytes, memory a step of half- and zeroth-order
 * in bytes, and the standard deviation a step of each.
 *
 * @category model
 * @since 0.1.0
 */
export interface RuleInputs {
  readonly T: number
  readonly memory: number
  readonly halfOrderMemory: number
  readonly zerothOrderMemory: number
  readonly halfOrderDeviation: number
  readonly zerothOrderDeviation: number
}

/**
 * Why there is no choice.
 *
 * @category model
 * @since 0.1.0
 */
export type BudgetError =
  | { readonly _tag: 'TooLittleMemory'; readonly needed: number; readonly got: number }
  | { readonly _tag: 'NoGain'; readonly halfOrderDeviation: number; readonly zerothOrderDeviation: number }
  | { readonly _tag: 'NothingFits'; readonly bytes: number; readonly evaluations: number; readonly least: Limits }

/**
 * The most bytes of activations, and network evaluations a step of the optimizer; and seconds, for what was measured by a clock.
 *
 * @category model
 * @since 0.1.0
 */
export interface Limits {
  readonly bytes: number
  readonly evaluations: number
  readonly seconds?: number
}

/**
 * A choice: the estimator, how many of its measured gradients (samples, or means of batches) the evaluations buy, and the
 * variance of their mean.
 *
 * @category model
 * @since 0.1.0
 */
export interface Choice {
  readonly measured: Measured
  readonly samples: number
  readonly variance: number
}

// -------------------------------------------------------------------------------------
// the paper's rule
// -------------------------------------------------------------------------------------

/**
 * The segment length of equation (8) of arXiv 2502.00639: the smaller of what fits the memory,
 * `floor((B - B_z (T - 1)) / (B_h - B_z))`, and of `floor(T V_z / (2 (V_z - V_h)) - 1)`. Left: memory for less than one step,
 * or half-order steps that are no less noisy than zeroth-order ones, where the rule's premise fails.
 *
 * @category the paper's rule
 * @since 0.1.0
 */
export const segmentLength = (inputs: RuleInputs): E.Either<BudgetError, number> => {
  const {
    T,
    memory,
    halfOrderMemory: bh,
    zerothOrderMemory: bz,
    halfOrderDeviation: vh,
    zerothOrderDeviation: vz
  } = inputs
  const fits = Math.floor((memory - bz * (T - 1)) / (bh - bz))
  if (!(bh > bz) || fits < 1)
    return E.left({ _tag: 'TooLittleMemory', needed: bz * (T - 1) + Math.max(bh - bz, 0), got: memory })
  if (!(vz > vh)) return E.left({ _tag: 'NoGain', halfOrderDeviation: vh, zerothOrderDeviation: vz })
  const pays = Math.floor((T * vz) / (2 * (vz - vh)) - 1)
  return pays < 1
    ? E.left({ _tag: 'NoGain', halfOrderDeviation: vh, zerothOrderDeviation: vz })
    : E.right(Math.min(fits, pays, T - 1))
}

// -------------------------------------------------------------------------------------
// the planner
// -------------------------------------------------------------------------------------

/** What one measured gradient takes: a sample's evaluations, or a batch's. */
const evaluations = ({ batch, cost }: Measured): number => batch * cost.networkEvaluations

/** How many gradients the limits buy; what was not timed has no price in seconds. */
const affordable = (one: Measured, { evaluations: most, seconds }: Limits): number => {
  const byEvaluations = Math.floor(most / evaluations(one))
  return seconds === undefined || one.seconds === undefined || one.seconds === 0
    ? byEvaluations
    : Math.min(byEvaluations, Math.floor(seconds / one.seconds))
}

/**
 * Of some measured estimators, those that are exact and fit the limits, least variance first: with `evaluations` and `seconds` to
 * spend, as many measured gradients are averaged as both allow, `n = floor(evaluations / cost)`, and the variance is one's over
 * `n`. Pullbacks are counted by the seconds that they take. Left: nothing fits, with the least that would.
 *
 * @category the planner
 * @since 0.1.0
 */
export const plan = (
  measured: ReadonlyArray<Measured>,
  limits: Limits
): E.Either<BudgetError, readonly [Choice, ...ReadonlyArray<Choice>]> => {
  const choices = measured
    .filter(({ estimator }) => estimator._tag === 'exact')
    .filter((one) => one.peakBytes <= limits.bytes && affordable(one, limits) >= 1)
    .map((one): Choice => {
      const samples = affordable(one, limits)
      return { measured: one, samples, variance: one.gradient.variance / samples }
    })
    .sort((a, b) => a.variance - b.variance)
  const [best, ...rest] = choices
  return best === undefined
    ? E.left({
        _tag: 'NothingFits',
        bytes: limits.bytes,
        evaluations: limits.evaluations,
        least: {
          bytes: Math.min(...measured.map(({ peakBytes }) => peakBytes)),
          evaluations: Math.min(...measured.map(evaluations))
        }
      })
    : E.right([best, ...rest])
}

/**
 * One line for a person: what is wrong and what to do.
 *
 * @category utils
 * @since 0.1.0
 */
export const showError = (error: BudgetError): string => {
  switch (error._tag) {
    case 'TooLittleMemory':
      return `memory: expected at least ${error.needed} bytes for one half-order step, got ${error.got}; free some, or use zeroth-order alone`
    case 'NoGain':
      return `half-order steps deviate by ${error.halfOrderDeviation} and zeroth-order ones by ${error.zerothOrderDeviation}; the rule needs half-order to be less noisy by enough, so measure again or choose by 'plan'`
    case 'NothingFits':
      return `nothing fits ${error.bytes} bytes and ${error.evaluations} evaluations; the least in each is ${error.least.bytes} bytes and ${error.least.evaluations} evaluations`
  }
}
