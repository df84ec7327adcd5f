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
import * as Catalogue from 'halforder/estimator/Catalogue'
import type * as Cover from 'halforder/estimator/Cover'
import * as C from 'halforder/estimator/Cover'
import { showError as showCover } from 'halforder/estimator/Cover'
import type { Estimator } from 'halforder/estimator/Estimator'
import * as Est from 'halforder/estimator/Estimator'
import * as Gradient from 'halforder/estimator/Gradient'
import * as Variance from 'halforder/estimator/reading/Variance'
import { gpuJs } from 'halforder/kernel'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import { configuration, type Task } from 'halforder/task/Task'
import type * as Config from 'halforder/training/Config'
import * as Finetune from 'halforder/training/Finetune'
import * as Setup from 'halforder/training/Setup'
import { broken, fail, type Failure, refused, type Step, usage } from '../edge/Failure.js'
import { seed, whole } from '../edge/Options.js'
import { meter } from '../edge/Progress.js'
import { find } from '../tasks/Find.js'
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
  readonly threads?: string
  readonly json?: boolean
}

type Built = E.Either<Cover.CoverError, Estimator>

/**
 * The estimators that are compared on a chain of `T` steps whose first one is deterministic. `radius` is that of the
 * zeroth-order cells.
 *
 * @category constructors
 * @since 0.1.0
 */
export const contenders = (
  T: number,
  radius: number,
  differentiable: boolean
): E.Either<Cover.CoverError, ReadonlyArray<Estimator>> => {
  const named = (name: string, built: Built): Built =>
    pipe(
      built,
      E.map((estimator) => ({ ...estimator, name }))
    )
  const zeroth = { radius } as const
  const lengths = [1, 2, 4, 8]
  const firstOrder: ReadonlyArray<Built> = [
    Catalogue.fullBackprop(T, { memory: 'recompute' }),
    Catalogue.truncatedBackprop({ T, k: 1 }),
    named('reinforce (first-order on step 1)', Catalogue.reinforceAfterFirst(T)),
    ...[2, 4, 8].map((h) => Catalogue.segmented({ T, h })),
    ...lengths.map((h) => Catalogue.rlr({ T, h, ...zeroth })),
    named('rlr(h = 2), forward', Catalogue.rlr({ T, h: 2, form: 'forward', ...zeroth })),
    named('rlr(h = 2), one-point', Catalogue.rlr({ T, h: 2, form: 'onePoint', ...zeroth })),
    named('rlr(h = 2), per-step', Catalogue.rlr({ T, h: 2, perturbation: 'perStep', ...zeroth })),
    named(
      'generalised half-order(0.5 on two scores)',
      Catalogue.generalisedHalfOrder({ T, weight: (i, k) => (k === i ? 2 : k === i - 1 ? 1 : 0) })
    )
  ]
  const blackBox: ReadonlyArray<Built> = [
    named(
      'reinforce (zeroth-order on step 1)',
      Est.fromCells('reinforce', T, [C.zerothOrder([1], zeroth), ...C.range(2, T).map((t) => C.halfOrder(t, t))])
    ),
    ...lengths.map((h) => Catalogue.blackBoxRlr({ T, h, lowest: 2, ...zeroth })),
    named(
      'black-box rlr(h = 2), one-point',
      Catalogue.blackBoxRlr({ T, h: 2, lowest: 2, form: 'onePoint', ...zeroth })
    ),
    named(
      'segmented half-order(h = 4), zeroth-order on step 1',
      Est.fromCells('segmented', T, [
        C.zerothOrder([1], zeroth),
        ...C.range(2, T)
          .filter((t) => (t - 2) % 4 === 0)
          .map((t) => C.halfOrder(t, Math.min(t + 3, T)))
      ])
    )
  ]
  const either: ReadonlyArray<Built> = (['central', 'forward', 'onePoint'] as const).map((form) =>
    named(`evolution strategies, ${form}`, Catalogue.evolutionStrategies({ T, form, ...zeroth }))
  )
  return pipe([...(differentiable ? firstOrder : blackBox), ...either], RA.sequence(E.Applicative))
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
      estimator: { name: 'reinforce' }
    }),
    E.bimap(refused, (config) => ({ ...config, trained: config.trained.length === 0 ? vectors : config.trained }))
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
    TE.bind('estimators', ({ config, setup }) =>
      TE.fromEither(
        pipe(
          contenders(config.chain.T, config.estimator.radius, setup.problem.reward._tag === 'Differentiable'),
          E.mapLeft((error): Failure => broken(showCover(error))),
          E.map((all) => all.filter(({ name }) => name.includes(options.only ?? ''))),
          E.filterOrElse(
            (some) => some.length > 0,
            () => usage(`--only: expected a part of the name of an estimator, got ${options.only ?? ''}`)
          )
        )
      )
    ),
    TE.flatMap(({ config, estimators, samples, seed: from, setup, threads }) => {
      const problem = { ...setup.problem, chain: perRow(setup.problem.chain, setup.problem.trained) }
      const key = Key.make(from)
      const draws: Variance.Draws = {
        uniform: (i) => Draw.uniform(Key.foldInString(Key.foldIn(key, i), 'cover'), [1]).data[0] ?? 0,
        request: (i, cover) => {
          const asked = Finetune.request(
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
 * Runs the command and gives its exit code: 0, 1 (a run failed) or 2 (wrong usage). The table goes to stdout, or with `json`
 * one object a line as each estimator is measured.
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
  { estimator, gradient, parts, cost, peakBytes, efficiency }: Variance.Measured
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
  peakBytes,
  varianceTimesEvaluations: efficiency,
  efficiencyInterval: gradient.interval.map((v) => v * cost.networkEvaluations)
})
