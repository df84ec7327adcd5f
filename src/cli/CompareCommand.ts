/**
 * `halforder compare`: how noisy the catalogue's estimators are on the faces, for what they cost.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { perRow } from '../chain/Chain.js'
import * as Catalogue from '../estimator/Catalogue.js'
import type * as Cover from '../estimator/Cover.js'
import { showError as showCover } from '../estimator/Cover.js'
import type { Estimator } from '../estimator/Estimator.js'
import * as Est from '../estimator/Estimator.js'
import * as Gradient from '../estimator/Gradient.js'
import * as C from '../estimator/Cover.js'
import * as Variance from '../estimator/Variance.js'
import * as Config from '../finetune/Config.js'
import * as Finetune from '../finetune/Finetune.js'
import * as Setup from '../finetune/Setup.js'
import { gpuJs } from '../kernel/GpuJs.js'
import { prompts } from '../model/Prompts.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import { broken, usage, type Failure, type Step } from './FinetuneRun.js'
import { loadMaterials } from './Materials.js'
import { meter } from './Progress.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface CompareOptions {
  readonly reward: string
  readonly samples: string
  readonly seed: string
  readonly trained: string
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

const number = (name: string, text: string, least: number): Step<number> => {
  const n = Number(text)
  return Number.isInteger(n) && n >= least && text.trim() !== ''
    ? TE.right(n)
    : TE.left(usage(`--${name}: expected a whole number of at least ${least}, got ${text}`))
}

const run = (options: CompareOptions, show: (row: Variance.Measured) => void): Step<ReadonlyArray<Variance.Measured>> =>
  pipe(
    TE.Do,
    TE.bind('samples', () => number('samples', options.samples, 2 * batch)),
    TE.bind('seed', () => number('seed', options.seed, 0)),
    TE.bind('threads', () => number('threads', options.threads ?? '1', 1)),
    TE.bind('materials', () => loadMaterials),
    TE.bind('config', () =>
      TE.fromEither(
        pipe(
          Config.decode({
            reward: options.reward,
            trained: options.trained.split(','),
            batch,
            estimator: { name: 'reinforce' }
          }),
          E.mapLeft((error) => usage(Config.showError(error)))
        )
      )
    ),
    TE.bind('setup', ({ config, materials }) =>
      TE.fromEither(
        pipe(
          Setup.setup(config, materials),
          E.mapLeft((error) => usage(Config.showError(error)))
        )
      )
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
    TE.flatMap(({ config, estimators, materials, samples, seed, setup, threads }) => {
      const problem = { ...setup.problem, chain: perRow(setup.problem.chain, setup.problem.trained) }
      const key = Key.make(seed)
      const draws: Variance.Draws = {
        uniform: (i) => Draw.uniform(Key.foldInString(Key.foldIn(key, i), 'cover'), [1]).data[0] ?? 0,
        request: (i, cover) => {
          const asked = Finetune.request(
            { ...problem, estimator: Est.always('drawn', cover) },
            prompts(config.prompts),
            Key.foldIn(key, i),
            materials.model.parameters
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
              show(row)
              return row
            })
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
  const result = await run(options, (row) => {
    if (json) process.stdout.write(`${JSON.stringify(flat(options.reward, row))}\n`)
  })()
  if (E.isLeft(result)) {
    process.stderr.write(`halforder compare: ${result.left.message}\n`)
    return result.left.kind === 'usage' ? 2 : 1
  }
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
