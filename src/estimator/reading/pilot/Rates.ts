/**
 * What evaluations, pullbacks and rewards take in seconds, from how long programs took: three numbers from all of them, so that an
 * estimator is not judged by the luck of its own few runs.
 *
 * @since 0.1.0
 */
import type { Cost } from '../Cost.js'
import type { Run } from './Runs.js'

/**
 * Seconds of an evaluation of the network, of a pullback through it and of a reward, for one row.
 *
 * @category model
 * @since 0.1.0
 */
export interface Rates {
  readonly evaluation: number
  readonly pullback: number
  readonly reward: number
}

/**
 * How long runs of a program took: the least seconds, and how many there were.
 *
 * @category model
 * @since 0.1.0
 */
export interface Timed {
  readonly seconds: number
  readonly runs: number
}

const median = (some: ReadonlyArray<number>, none: number): number =>
  [...some].sort((a, b) => a - b)[Math.floor(some.length / 2)] ?? none

/**
 * Rates from the times of programs on `rows` rows: an evaluation's is the median of programs that only evaluate, and a pullback's that
 * of what programs with pullbacks take beyond their evaluations. The first run of a program takes longer than any later one, so those
 * that ran once count where there is nothing else. Without any, all take alike.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromTimes = (
  times: ReadonlyMap<string, Timed>,
  programs: ReadonlyMap<string, Pick<Run, 'evaluations' | 'pullbacks'>>,
  rows: number
): Rates => {
  const all = [...programs].flatMap(([program, { evaluations, pullbacks }]) => {
    const timed = times.get(program)
    return timed === undefined ? [] : [{ evaluations, pullbacks, ...timed, seconds: timed.seconds / rows }]
  })
  const known = all.some(({ runs, pullbacks }) => runs > 1 && pullbacks === 0)
    ? all.filter(({ runs }) => runs > 1)
    : all
  const evaluation = median(
    known.flatMap(({ seconds, evaluations, pullbacks }) =>
      pullbacks === 0 && evaluations > 0 ? [seconds / evaluations] : []
    ),
    1
  )
  const pullback = median(
    known.flatMap(({ seconds, evaluations, pullbacks }) =>
      pullbacks > 0 ? [Math.max(0, seconds - evaluations * evaluation) / pullbacks] : []
    ),
    evaluation
  )
  return { evaluation, pullback, reward: (times.get('reward')?.seconds ?? 0) / rows }
}

/**
 * The seconds of one sample.
 *
 * @category readings
 * @since 0.1.0
 */
export const secondsOf =
  ({ evaluation, pullback, reward }: Rates) =>
  ({ networkEvaluations, pullbackSteps, rewardEvaluations }: Cost, networkCalls: number): number =>
    evaluation * networkEvaluations + pullback * networkCalls * pullbackSteps + reward * rewardEvaluations
