/**
 * What is found out about one cell of a study, as lines of JSON: numbers that depend on the condition and the seed alone, never on
 * the clock or on the order in which cells are run.
 *
 * @since 0.1.0
 */
import * as t from 'io-ts'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A value of JSON.
 *
 * @category model
 * @since 0.1.0
 */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

const numberOrNull = t.union([t.number, t.null])

/**
 * A fine-tune after some steps: what it has spent by then (network evaluations and pullbacks of all samples), and where the model
 * stands on held-out noise. `heldOut` is the reward by another judge (null where there is none), `kl` the divergence of the chain from
 * the base's (null where no step has noise), `diversity` the mean distance of two outputs over the base's, and `frechet` the Fréchet
 * distance to the base's outputs. `objective` is the reward less the price of the divergence, where the study has one. Errors are standard errors over samples. `measures` are the means of what the task measures beside, by
 * name, where it does.
 *
 * @category model
 * @since 0.1.0
 */
export const Point = t.intersection([
  t.type({
    condition: t.string,
    seed: t.number,
    steps: t.number,
    evaluations: t.number,
    pullbacks: t.number,
    reward: numberOrNull,
    rewardError: numberOrNull,
    heldOut: numberOrNull,
    heldOutError: numberOrNull,
    kl: numberOrNull,
    diversity: numberOrNull,
    frechet: numberOrNull
  }),
  t.partial({ objective: numberOrNull, measures: t.record(t.string, numberOrNull) })
])

/**
 * @category model
 * @since 0.1.0
 */
export type Point = t.TypeOf<typeof Point>

/**
 * An estimator that was measured where it stands. `variance` is that of a sample, or that of a batch times its size where the samples of a
 * batch share what is trained; `parts` the same of each kind of cell by itself.
 *
 * @category model
 * @since 0.1.0
 */
export const Estimate = t.type({
  condition: t.string,
  seed: t.number,
  at: t.number,
  estimator: t.string,
  variance: numberOrNull,
  parts: t.record(t.string, t.number),
  varianceTimesCost: numberOrNull,
  networkEvaluations: numberOrNull,
  pullbacks: numberOrNull,
  slopeRatio: numberOrNull,
  slopeRatioError: numberOrNull,
  tailIndex: numberOrNull
})

/**
 * @category model
 * @since 0.1.0
 */
export type Estimate = t.TypeOf<typeof Estimate>

/**
 * Processor time of a step of a fine-tune, in seconds: the clock's, and so the one thing that differs from run to run.
 *
 * @category model
 * @since 0.1.0
 */
export const Computing = t.type({ condition: t.string, seed: t.number, secondsOfStep: t.number })

/**
 * @category model
 * @since 0.1.0
 */
export type Computing = t.TypeOf<typeof Computing>

/**
 * Lines of JSON.
 *
 * @category utils
 * @since 0.1.0
 */
export const show = (lines: ReadonlyArray<unknown>): string => lines.map((line) => `${JSON.stringify(line)}\n`).join('')
