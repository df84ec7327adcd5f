/**
 * What an estimate costs: counted from the cover, and in bytes from the compiled programs.
 *
 * @since 0.1.0
 */
import type { Cover } from '../Cover.js'
import * as C from '../Cover.js'
import { mean, type Estimator } from '../Estimator.js'
import { branches, rollouts, type Gradients } from '../Gradient.js'

/**
 * Per sample: how many rollouts, evaluations of the network (forward runs of it: all rollouts, and once more each step that
 * a first- or half-order cell differentiates, since credit re-runs its segment; twice more, but for its lowest step, where it
 * recomputes; one for each control by a clean prediction; and each sibling's steps below the state that it branches at), steps
 * pulled back through (such a control is one), rewards evaluated, those of clean predictions among them, and the most steps whose activations are alive at once. Means over the covers of
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
 * `stepCalls` times. `lookahead`: a clean prediction is the rest of the chain (`chain/Ahead`).
 *
 * @category readings
 * @since 0.1.0
 */
export const ofCover = (cover: Cover, networkCalls = 1, stepCalls = 0, lookahead = false): Cost => {
  const { base, sides, draws, from, twin } = rollouts(cover)
  const whole = (base === undefined ? 0 : 1) + (twin ? 1 : 0)
  const continued = branches(cover)
  const runs = whole + draws * sides.length + continued.reduce((total, { count }) => total + count - 1, 0)
  const steps =
    whole * cover.T + draws * sides.length * from + continued.reduce((n, { at, count }) => n + (count - 1) * at, 0)
  const segments = cover.cells.flatMap((cell) =>
    cell._tag === 'ZerothOrder'
      ? []
      : [{ h: C.steps(cell).length, recompute: cell.memory === 'recompute', times: C.segmentsOf(cell) }]
  )
  const looking = cover.cells.flatMap((cell) => (cell._tag === 'HalfOrder' ? [cell] : []))
  const baselines = looking.filter(({ baseline }) => baseline?._tag === 'Clean')
  // below step 1 lies the output, whose clean prediction it is itself
  const controls = looking.filter(({ control, from: j }) => control?._tag === 'Clean' && j > 1).length
  const differentiated = segments.reduce((total, { h, times }) => total + times * h, 0)
  // the lowest step's mean is not needed before its pullback
  const forwardSteps = segments.reduce(
    (total, { h, recompute, times }) => total + times * (recompute ? 2 * h - 1 : h),
    0
  )
  // predictions are made of every state of the rollout, and a control runs all steps, whichever it is for
  const ahead = lookahead && baselines.length > 0 ? (cover.T * (cover.T - 1)) / 2 : 0
  const controlled = controls * (lookahead ? cover.T : 1)
  return {
    rollouts: runs,
    networkEvaluations:
      networkCalls * (steps + forwardSteps + controlled + ahead) + stepCalls * (steps + differentiated),
    pullbackSteps: differentiated + controlled,
    rewardEvaluations: runs + baselines.length + controls,
    activationSteps: Math.max(0, ...segments.map(({ h, recompute }) => (recompute ? 1 : h)))
  }
}

/**
 * The expected cost of an estimator, on a chain that evaluates its network `networkCalls` times a step, with step rewards that
 * evaluate one `stepCalls` times; `lookahead` as for one cover.
 *
 * @category readings
 * @since 0.1.0
 */
export const cost = (estimator: Estimator, networkCalls = 1, stepCalls = 0, lookahead = false): Cost => {
  const expected = (read: (c: Cost) => number): number =>
    mean(estimator, (cover) => read(ofCover(cover, networkCalls, stepCalls, lookahead)))
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
