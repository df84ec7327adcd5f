/**
 * The log of a run: one JSON object a line.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import * as JsonLines from './JsonLines.js'

/** JSON has no NaN: a standard error of one sample is written as null. */
const numberOrNull = t.union([t.number, t.null])

const Line = t.type({
  step: t.number,
  rewardMean: numberOrNull,
  rewardStandardError: numberOrNull,
  gradientNorm: numberOrNull,
  // older logs have none of these
  klMean: t.union([numberOrNull, t.undefined]),
  objectiveMean: t.union([numberOrNull, t.undefined]),
  skipped: t.union([t.number, t.undefined]),
  clippedShare: t.union([t.number, t.undefined]),
  seconds: t.number
})

/**
 * One line of `metrics.jsonl`: the mean reward of a step's batch and its standard error, the mean divergence from the base model
 * (not a number where it has no price) and what is left of the reward after its price, the Euclidean norm of the gradient, how many rows were skipped because their reward is not
 * finite, the share of terms that were dropped because their ratio was out of bounds, and the seconds since the run began. What is
 * not a number is NaN here and null in the file.
 *
 * @category model
 * @since 0.1.0
 */
export interface Metrics {
  readonly step: number
  readonly rewardMean: number
  readonly rewardStandardError: number
  readonly klMean: number
  readonly objectiveMean: number
  readonly gradientNorm: number
  readonly skipped: number
  readonly clippedShare: number
  readonly seconds: number
}

/**
 * The line of a step, with its end of line.
 *
 * @category utils
 * @since 0.1.0
 */
export const showMetrics = (metrics: Metrics): string => `${JSON.stringify(metrics)}\n`

/**
 * The lines of a log. Left: the first line that is no such object.
 *
 * @category utils
 * @since 0.1.0
 */
export const readMetrics: (text: string) => E.Either<string, ReadonlyArray<Metrics>> = JsonLines.read(
  Line,
  'metrics.jsonl',
  'an object with step, rewardMean and so on; the log is damaged, so the run can not be resumed',
  (read): Metrics => ({
    step: read.step,
    rewardMean: read.rewardMean ?? NaN,
    rewardStandardError: read.rewardStandardError ?? NaN,
    klMean: read.klMean ?? NaN,
    objectiveMean: read.objectiveMean ?? read.rewardMean ?? NaN,
    gradientNorm: read.gradientNorm ?? NaN,
    skipped: read.skipped ?? 0,
    clippedShare: read.clippedShare ?? 0,
    seconds: read.seconds
  })
)

/**
 * The lines of the first `steps` steps of a log. Left: a line that is none, or steps that are not 1, 2, 3 and so on.
 *
 * @category utils
 * @since 0.1.0
 */
export const historyOf =
  (steps: number) =>
  (text: string): E.Either<string, ReadonlyArray<Metrics>> =>
    pipe(
      readMetrics(text),
      E.map((metrics) => metrics.slice(0, steps)),
      E.filterOrElse(
        (metrics) => metrics.length === steps && metrics.every(({ step }, i) => step === i + 1),
        () =>
          `metrics.jsonl: expected the steps 1 to ${steps} in order; the log is damaged, so the run can not be resumed`
      )
    )
