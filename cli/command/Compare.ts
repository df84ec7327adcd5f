/**
 * `halforder compare`: how noisy the catalogue's estimators are on a task, for what they cost.
 *
 * @since 0.1.0
 */
import { setImmediate } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { perRow } from 'halforder/chain/Chain'
import { showError as showDocument } from 'halforder/document/Document'
import { type Facts, showError } from 'halforder/estimator/catalogue/Row'
import type { Estimator } from 'halforder/estimator/Estimator'
import * as Est from 'halforder/estimator/Estimator'
import * as Gradient from 'halforder/estimator/Gradient'
import * as Named from 'halforder/estimator/Named'
import { bySample, compared } from 'halforder/estimator/reading/Contenders'
import * as Variance from 'halforder/estimator/reading/Variance'
import { gpuJs } from 'halforder/kernel'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import { configuration, type Task } from 'halforder/task/Task'
import * as Config from 'halforder/training/Config'
import * as Requests from 'halforder/training/Requests'
import * as Setup from 'halforder/training/Setup'
import { broken, fail, type Failure, refused, type Step, usage } from '../edge/Failure.js'
import { seed, whole } from '../edge/Options.js'
import { meter } from '../edge/Progress.js'
import { find } from '../tasks/Find.js'
import { estimatorOption } from './EstimatorOption.js'
import { materialsOf } from './ModelFile.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface CompareOptions {
  readonly task: string
  readonly reward?: string
  readonly samples: string
  readonly seed: string
  readonly trained?: string
  readonly only?: string
  readonly estimator?: string
  readonly threads?: string
  readonly json?: boolean
}

const batch = 32

/** The variances are of single samples, so what is differentiated must have a copy for each row: vectors. */
const vectors = ['**.bias']

const configOf = (task: Task, { reward, trained }: CompareOptions): E.Either<Failure, Config.Config> =>
  pipe(
    configuration(task)({
      ...(reward === undefined ? {} : { reward }),
      ...(trained === undefined ? {} : { trained: trained.split(',') }),
      batch,
      estimator: { name: 'reinforce' },
      // what is compared are estimates of the reward's own gradient
      kl: { beta: 0 }
    }),
    E.bimap(refused, (config) => ({ ...config, trained: config.trained.length === 0 ? vectors : config.trained }))
  )

/** The radius that a task's zeroth-order cells have, or that of a fine-tune. */
const radiusOf = ({ estimator }: Config.Config): number =>
  'radius' in estimator ? estimator.radius : Config.usual.radius

/** The forms of the named estimators, or the one that was typed. */
const candidates = (
  { estimator }: CompareOptions,
  on: Facts & { readonly radius: number }
): Step<ReturnType<typeof compared>> =>
  estimator === undefined
    ? TE.right(compared(on))
    : pipe(
        estimatorOption(estimator),
        TE.flatMapEither(({ document, source }) =>
          pipe(
            document,
            Named.decode({ beneath: { radius: on.radius } }),
            E.flatMap(bySample),
            E.mapLeft(showDocument),
            E.flatMap((description) => pipe(description, Named.build(on), E.mapLeft(showError))),
            E.bimap(
              (reason) => usage(`${source}: ${reason}`),
              (one) => ({ estimators: [one], misfits: [] })
            )
          )
        )
      )

/** What can stand on the problem, of what was asked for; what can not is said on stderr. */
const standing = (
  options: CompareOptions,
  problem: Setup.Setup['problem'],
  radius: number
): Step<ReadonlyArray<Estimator>> =>
  pipe(
    candidates(options, { ...Named.facts(problem.chain, problem.reward), radius }),
    TE.flatMapEither(({ estimators, misfits }) => {
      const only = options.only ?? ''
      const checked = estimators.map((estimator) =>
        pipe(
          Gradient.check({ ...problem, estimator }),
          E.bimap(
            (error) => `${estimator.name}: ${Gradient.showError(error)}`,
            () => estimator
          )
        )
      )
      const left = [...misfits, ...RA.lefts(checked)].filter((line) => line.includes(only))
      left.forEach((line) => process.stderr.write(`skipped: ${line}\n`))
      const chosen = RA.rights(checked).filter(({ name }) => name.includes(only))
      const reason = left[0] ?? `--only: expected a part of the name of an estimator, got ${only}`
      return chosen.length > 0 ? E.right(chosen) : E.left(usage(reason))
    })
  )

const run = (
  options: CompareOptions,
  show: (row: Variance.Measured, reward: string) => void
): Step<ReadonlyArray<Variance.Measured>> =>
  pipe(
    TE.Do,
    TE.bind('samples', () => TE.fromEither(whole('samples', options.samples, 2 * batch, 2 * batch))),
    TE.bind('seed', () => TE.fromEither(seed(options.seed, 0))),
    TE.bind('threads', () => TE.fromEither(whole('threads', options.threads, 1, 1, 256))),
    TE.bind('task', () => find(options.task)),
    TE.bind('config', ({ task }) => TE.fromEither(configOf(task, options))),
    TE.bind('materials', ({ task, config }) => materialsOf(task, config)),
    TE.bind('setup', ({ config, materials }) =>
      TE.fromEither(pipe(Setup.setup(config, materials), E.mapLeft(refused)))
    ),
    TE.let('problem', ({ setup: { base } }) => ({ ...base, chain: perRow(base.chain, base.trained) })),
    TE.bind('estimators', ({ config, problem }) => standing(options, problem, radiusOf(config))),
    TE.flatMap(({ config, estimators, problem, samples, seed: from, setup, threads }) => {
      const key = Key.make(from)
      const draws: Variance.Draws = {
        uniform: (i) => Draw.uniform(Key.foldInString(Key.foldIn(key, i), 'cover'), [1]).data[0] ?? 0,
        request: (i, cover) => {
          const asked = Requests.request(
            { ...problem, estimator: Est.always('drawn', cover) },
            setup.conditions,
            Key.foldIn(key, i),
            setup.initial
          )
          return { ...asked, weights: new Array<number>(batch).fill(1) }
        }
      }
      const target = gpuJs({ mode: config.mode, threads })
      const bar = meter('compare', estimators.length)
      return pipe(
        estimators,
        RA.traverseWithIndex(TE.ApplicativeSeq)((i, estimator) =>
          pipe(
            Variance.measure({ ...problem, estimator }, target, draws, Math.ceil(samples / batch)),
            TE.map((row) => {
              bar.update(i + 1, estimator.name)
              show(row, config.reward)
              return row
            }),
            // a turn of the event loop, or a reader that is gone would be noticed at the end
            TE.chainFirstTaskK(() => () => setImmediate())
          )
        ),
        TE.mapLeft((error): Failure => broken(Gradient.showError(error))),
        TE.chainFirstTaskK(() => () => {
          bar.stop()
          return target.dispose()
        })
      )
    })
  )

/**
 * Runs the command and gives its exit code: 0, 1 (a run failed) or 2 (wrong usage). The table goes to stdout, or with
 * `json` one object a line as each estimator is measured.
 *
 * @category effects
 * @since 0.1.0
 */
export const compareEstimators = async (options: CompareOptions): Promise<number> => {
  const json = options.json === true
  const result = await run(options, (row, reward) => {
    if (json) process.stdout.write(`${JSON.stringify(flat(reward, row))}\n`)
  })()
  if (E.isLeft(result)) return fail('compare')(result.left)
  if (!json) process.stdout.write(`${Variance.table(result.right)}\n`)
  return 0
}

const flat = (
  reward: string,
  { estimator, gradient, parts, cost, pullbacks, peakBytes, efficiency, efficiencyWithPullbacks }: Variance.Measured
): unknown => ({
  reward,
  estimator: estimator.name,
  exact: estimator._tag === 'exact',
  samples: gradient.n,
  variance: gradient.variance,
  interval: gradient.interval,
  meanNorm: Math.hypot(...gradient.mean),
  parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.variance])),
  networkEvaluations: cost.networkEvaluations,
  pullbacks,
  peakBytes,
  varianceTimesEvaluations: efficiency,
  varianceTimesEvaluationsAndPullbacks: efficiencyWithPullbacks,
  efficiencyInterval: gradient.interval.map((v) => v * cost.networkEvaluations)
})
