/**
 * Rewards of a sum that are normalised apart: each is divided by its standard deviation on samples of the base model, so that a
 * weight says how much a reward counts, whatever its units are.
 *
 * The deviations are numbers that a pilot measures before the first step, from the seed: the objective is one fixed function, and
 * an estimator that is unbiased stays so. With deviations of the batch at hand it would not.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as RNEA from 'fp-ts/lib/ReadonlyNonEmptyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type DocumentError, fault } from '../document/Document.js'
import { type EstimatorError, showError } from '../estimator/Gradient.js'
import * as Key from '../random/Key.js'
import { parseSum } from '../reward/Shelf.js'
import type { Target } from '../tensor/Target.js'
import type { Config } from './Config.js'
import * as Evaluation from './measure/Evaluation.js'
import { type Materials, reward, setup, told } from './Setup.js'

/**
 * How many samples of the base the deviations are measured on.
 *
 * @category constants
 * @since 0.1.0
 */
export const pilot = 128

const wrong = (reason: string): DocumentError => ({
  ...fault('normalise', 'samples of the base on which each reward can be measured', undefined, 'set it to false'),
  got: reason
})

/** The deviations of rewards by name. */
const deviations = (
  names: RNEA.ReadonlyNonEmptyArray<string>,
  config: Config,
  materials: Materials,
  target: Target
): TE.TaskEither<DocumentError, ReadonlyMap<string, number>> =>
  pipe(
    E.Do,
    E.bind('ready', () => setup(config, materials, target)),
    E.bind('rewards', () =>
      pipe(
        names,
        RNEA.traverse(E.Applicative)((name) =>
          pipe(reward(name, materials, target), E.map(told(config.prompt, materials.language)))
        )
      )
    ),
    E.bind('evaluator', ({ ready: { base, conditions }, rewards: [first, ...also] }) =>
      pipe(
        Evaluation.compile({ ...base, reward: first }, conditions, target, { also }),
        E.mapLeft((error: EstimatorError) => wrong(showError(error)))
      )
    ),
    TE.fromEither,
    TE.flatMap(({ evaluator, ready: { initial } }) =>
      pipe(
        evaluator.run(initial, Key.foldInString(Key.make(config.seed), 'pilot'), pilot),
        TE.mapLeft((error) => wrong(showError(error))),
        TE.chainFirstTaskK(() => evaluator.dispose)
      )
    ),
    TE.flatMapEither(({ rewards, also }) =>
      pipe(
        [rewards, ...also],
        RA.traverseWithIndex(E.Applicative)((i, values) => {
          // the standard error is the deviation over the root of how many there are
          const deviation = Evaluation.summary(values).standardError * Math.sqrt(values.length)
          const name = names[i] ?? ''
          return deviation > 0 && Number.isFinite(deviation)
            ? E.right([name, deviation] as const)
            : E.left(wrong(`${name}, which is the same for all of ${values.length} samples, or no number`))
        })
      )
    ),
    TE.map((entries) => new Map(entries))
  )

/**
 * Materials whose rewards are divided by their deviations in sums, where the configuration asks for that. Left: a reward that is no
 * sum of several, or one of them that does not vary on the base's samples.
 *
 * @category constructors
 * @since 0.1.0
 */
export const normalised = (
  config: Config,
  materials: Materials,
  target: Target
): TE.TaskEither<DocumentError, Materials> =>
  config.normalise
    ? pipe(
        parseSum(config.reward),
        E.map(RA.map(([, name]) => name)),
        E.filterOrElse(
          (names): names is RNEA.ReadonlyNonEmptyArray<string> => names.length > 1,
          () =>
            fault(
              'normalise',
              'a sum of several rewards',
              config.reward,
              'set it to false: one reward has no other beside it'
            )
        ),
        TE.fromEither,
        TE.flatMap((names) => deviations(names, config, materials, target)),
        TE.map((scales) => ({ ...materials, rewards: { ...materials.rewards, scales } }))
      )
    : TE.right(materials)
