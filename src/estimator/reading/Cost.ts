/**
 * What an estimate costs: counted from the cover, and in bytes from the compiled programs.
 *
 * @since 0.1.0
 */
import type { Cover } from '../Cover.js'
import * as C from '../Cover.js'
import { mean, type Estimator } from '../Estimator.js'
import { rollouts, type Gradients } from '../Gradient.js'

/**
 * Per sample: how many rollouts, evaluations of the network (forward runs of it: all rollouts, and once more each step that
 * a first- or half-order cell differentiates, since credit re-runs its segment; twice more, but for its lowest step, where it
 * recomputes; and one for each control by a clean prediction), steps pulled back through (such a control is one), rewards
 * evaluated, those of clean predictions among them, and the most steps whose activations are alive at once. Means over the covers of
 * an estimator, but for `activationSteps`, which is the most.
 *
 * @category model
 * @since 0.1.0
 */
export interface Cost {
  readonly rollouts: number
  readonly networkEvaluations: number
  readonly pullbackSteps: number
  readonly rewardEvaluations: number
  readonly activationSteps: number
}

/**
 * The cost of one cover, on a chain that evaluates its network `networkCalls` times a step, with step rewards that evaluate one
 * `stepCalls` times.
 *
 * @category readings
 * @since 0.1.0
 */
export const ofCover = (cover: Cover, networkCalls = 1, stepCalls = 0): Cost => {
  const { base, sides, draws, from, twin } = rollouts(cover)
  const whole = (base === undefined ? 0 : 1) + (twin ? 1 : 0)
  const runs = whole + draws * sides.length
  const segments = cover.cells.flatMap((cell) =>
    cell._tag === 'ZerothOrder' ? [] : [{ h: C.steps(cell).length, recompute: cell.memory === 'recompute' }]
  )
  const looking = cover.cells.flatMap((cell) => (cell._tag === 'HalfOrder' ? [cell] : []))
  const baselines = looking.filter(({ baseline }) => baseline?._tag === 'Clean').length
  // below step 1 lies the output, whose clean prediction it is itself
  const controls = looking.filter(({ control, from: j }) => control?._tag === 'Clean' && j > 1).length
  const differentiated = segments.reduce((total, { h }) => total + h, 0)
  // the lowest step's mean is not needed before its pullback
  const forwardSteps = segments.reduce((total, { h, recompute }) => total + (recompute ? 2 * h - 1 : h), 0)
  return {
    rollouts: runs,
    networkEvaluations:
      networkCalls * (whole * cover.T + draws * sides.length * from + forwardSteps + controls) +
      stepCalls * (whole * cover.T + draws * sides.length * from + differentiated),
    pullbackSteps: differentiated + controls,
    rewardEvaluations: runs + baselines + controls,
    activationSteps: Math.max(0, ...segments.map(({ h, recompute }) => (recompute ? 1 : h)))
  }
}

/**
 * The expected cost of an estimator, on a chain that evaluates its network `networkCalls` times a step, with step rewards that
 * evaluate one `stepCalls` times.
 *
 * @category readings
 * @since 0.1.0
 */
export const cost = (estimator: Estimator, networkCalls = 1, stepCalls = 0): Cost => {
  const expected = (read: (c: Cost) => number): number =>
    mean(estimator, (cover) => read(ofCover(cover, networkCalls, stepCalls)))
  return {
    rollouts: expected((c) => c.rollouts),
    networkEvaluations: expected((c) => c.networkEvaluations),
    pullbackSteps: expected((c) => c.pullbackSteps),
    rewardEvaluations: expected((c) => c.rewardEvaluations),
    activationSteps: Math.max(...estimator.covers.map(({ cover }) => ofCover(cover).activationSteps))
  }
}

/**
 * The most bytes of intermediate values that any of an estimator's credit programs holds at once on its target, and which
 * one it is. Rollouts are not counted: they store states, not activations.
 *
 * @category readings
 * @since 0.1.0
 */
export const peakActivationBytes = ({ executables }: Gradients): { readonly bytes: number; readonly program: string } =>
  Object.entries(executables)
    .filter(([name]) => name.startsWith('firstOrder') || name.startsWith('halfOrder'))
    .reduce((most, [program, { work }]) => (work.peakBytes > most.bytes ? { bytes: work.peakBytes, program } : most), {
      bytes: 0,
      program: 'none'
    })
