/**
 * What a run is judged by: the reward that it raises, a held-out one that it never saw, how different its outputs are, and how far they
 * are from those of the base model.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Gradient from 'halforder/estimator/Gradient'
import type { Key } from 'halforder/random/Key'
import { type Features, type Judges, projections } from 'halforder/task/Judges'
import type { Values } from 'halforder/tensor/Program'
import type { Target } from 'halforder/tensor/Target'
import type { Tensor } from 'halforder/tensor/Tensor'
import type * as Config from 'halforder/training/Config'
import { mostRows, pairwiseDistance } from 'halforder/training/measure/Diversity'
import * as Evaluation from 'halforder/training/measure/Evaluation'
import { frechet, moments } from 'halforder/training/measure/Frechet'
import { rows } from 'halforder/tensor/Tensor'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A mean; `skipped` are the samples without a finite value, which it leaves out.
 *
 * @category model
 * @since 0.1.0
 */
export interface Level {
  readonly mean: number
  readonly standardError: number
  readonly skipped: number
}

/**
 * Where a model stands: its mean reward, and beside it the held-out one (null where there is no judge), the divergence of its chain
 * from the base's (null where the chain has none), and what of the reward is left after its price; the mean distance of two outputs;
 * and the Fréchet distance of its outputs from those of the base on the same noise, which is 0 for a model that did not move. `measures`
 * are other numbers of the outputs by name, where the task has any.
 *
 * @category model
 * @since 0.1.0
 */
export interface Standing extends Level {
  readonly heldOut: Level | null
  readonly kl: Level | null
  readonly objective: Level
  readonly pairwiseDistance: number
  readonly frechetToBase: number
  readonly measures?: Readonly<Record<string, Level>>
}

/**
 * A standing with the outputs, and what is compared with other models' outputs.
 *
 * @category model
 * @since 0.1.0
 */
export interface Measured {
  readonly standing: Standing
  readonly images: Tensor
  readonly features: Tensor
}

/**
 * What measures: an evaluator whose first other reward is the held-out one, where there is one, and the rest the measures, by name;
 * with the divergence from the base as the rewards on its way, where there is one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Judge {
  readonly evaluator: Evaluation.Evaluator
  readonly heldOut: O.Option<string>
  readonly measures: ReadonlyArray<string>
  readonly features: Features
  readonly diverges: boolean
  readonly decoded: (outputs: Tensor) => TE.TaskEither<string, Tensor>
  readonly target: Target
}

// -------------------------------------------------------------------------------------
// measuring
// -------------------------------------------------------------------------------------

/**
 * The space in which Fréchet distances are taken.
 *
 * @category readings
 * @since 0.1.0
 */
export const featuresOf = ({ features = projections }: Judges): Features => features

const level = (values: ReadonlyArray<number>): Level => {
  const finite = values.filter(Number.isFinite)
  return { ...Evaluation.summary(finite), skipped: values.length - finite.length }
}

/**
 * Measures a model on the held-out noise of a key, beside the base where that was measured: without it, the model is the base. Left:
 * a line for a person.
 *
 * @category effects
 * @since 0.1.0
 */
export const measure =
  (judge: Judge, { evaluationSamples, kl }: Pick<Config.Config, 'evaluationSamples' | 'kl'>, key: Key) =>
  (params: Values, base: Measured | undefined): TE.TaskEither<string, Measured> =>
    pipe(
      judge.evaluator.run(params, key, evaluationSamples, { steps: base !== undefined }),
      TE.mapLeft(Gradient.showError),
      TE.bindTo('found'),
      TE.bind('shown', ({ found }) => judge.decoded(found.images)),
      TE.bind('features', ({ shown }) => judge.features.read(judge.target)(rows(0, mostRows)(shown))),
      TE.map(({ found, shown, features }): Measured => {
        const columns = found.also.slice(O.isSome(judge.heldOut) ? 1 : 0).map(level)
        const divergences = found.stepRewards.map((total) => (total === 0 ? 0 : -total))
        return {
          images: found.images,
          features,
          standing: {
            ...Evaluation.summary(found.rewards),
            skipped: found.skipped,
            heldOut: O.isSome(judge.heldOut) ? level(found.also[0] ?? []) : null,
            kl: judge.diverges ? level(divergences) : null,
            objective: level(found.rewards.map((reward, i) => reward - kl.beta * (divergences[i] ?? 0))),
            pairwiseDistance: pairwiseDistance(shown),
            frechetToBase: base === undefined ? 0 : distance(base.features, features),
            ...(columns.length === 0 ? {} : { measures: Object.fromEntries(RA.zip(judge.measures, columns)) })
          }
        }
      })
    )

/** Rounding may bring the distance of equals below 0. */
const distance = (a: Tensor, b: Tensor): number => Math.max(0, frechet(moments(a), moments(b)))

// -------------------------------------------------------------------------------------
// judging
// -------------------------------------------------------------------------------------

/**
 * How much a level rose, in joint standard errors.
 *
 * @category readings
 * @since 0.1.0
 */
export const gain = (before: Level, after: Level): number =>
  (after.mean - before.mean) / Math.hypot(after.standardError, before.standardError)

/** By how many joint standard errors something has to rise or fall to be said to. */
const decided = 2

/**
 * What is to be warned of: the reward rose and the held-out one fell, each by more than two joint standard errors.
 *
 * @category readings
 * @since 0.1.0
 */
export const warning = (before: Standing, after: Standing): string | null =>
  before.heldOut !== null &&
  after.heldOut !== null &&
  gain(before, after) > decided &&
  gain(before.heldOut, after.heldOut) < -decided
    ? 'the reward rose and the held-out one fell: the reward is being gamed; raise --kl, or stop earlier'
    : null
