/**
 * `halforder compare`: how noisy the catalogue's estimators are on a task, for what they cost.
 *
 * @since 0.1.0
 */
import { setImmediate } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { none } from 'halforder/estimator/Advantage'
import type { Estimator } from 'halforder/estimator/Estimator'
import * as Comparison from 'halforder/estimator/reading/Comparison'
import type { Contender } from 'halforder/estimator/reading/Contenders'
import * as Slope from 'halforder/estimator/reading/Slope'
import * as Variance from 'halforder/estimator/reading/Variance'
import { gpuJs } from 'halforder/kernel'
import * as Key from 'halforder/random/Key'
import type { Values } from 'halforder/tensor/Program'
import type { Target } from 'halforder/tensor/Target'
import * as T from 'halforder/tensor/Tensor'
import * as Config from 'halforder/training/Config'
import * as Setup from 'halforder/training/Setup'
import { broken, fail, type Failure, refused, type Step } from '../edge/Failure.js'
import { seed, whole } from '../edge/Options.js'
import { meter } from '../edge/Progress.js'
import { Compared } from './cluster/Pieces.js'
import { failShares, inShares, packed, placesOf } from './cluster/Shares.js'
import { configure, type Configured } from './ConfigOptions.js'
import {
  type CompareOptions,
  drawsOf,
  measuringOf,
  piloted,
  pilotOf,
  pilots,
  type Problem,
  standing
} from './Contending.js'
import { materialsOf } from './ModelFile.js'
import type { Share } from './study/Hands.js'

// -------------------------------------------------------------------------------------
// on what
// -------------------------------------------------------------------------------------

/** Vectors may have a copy for each row, so that each sample has a gradient of its own. */
const vectors = ['**.bias']

const usualBatch = 32

/** The configuration of a fine-tune of which this would be the first step. */
const configOf = ({
  trained,
  samples: _samples,
  only: _only,
  json: _json,
  seed: _seed,
  threads: _threads,
  redis: _redis,
  tolerateBits: _tolerateBits,
  patience: _patience,
  ...options
}: CompareOptions): Step<Configured> =>
  pipe(
    configure(
      {
        batch: usualBatch,
        // what is compared are estimates of the reward's own gradient
        kl: { beta: 0 },
        ...(trained === undefined ? {} : { trained: trained.split(',') })
      },
      { ...options, estimator: 'reinforce' }
    ),
    TE.map(({ config, task }) => ({
      task,
      config: { ...config, trained: config.trained.length === 0 ? vectors : config.trained }
    }))
  )

/** The radius that a task's zeroth-order cells have, or that of a fine-tune. */
const radiusOf = ({ estimator }: Config.Config): number =>
  'radius' in estimator ? estimator.radius : Config.usual.radius

// -------------------------------------------------------------------------------------
// measuring
// -------------------------------------------------------------------------------------

/** What the pilot measured, a direction, and the slope along it by finite differences. */
interface Along {
  readonly pilot: Variance.Measured
  readonly along: Values
  readonly slope: Variance.Along
}

interface Pilot {
  readonly estimator: Estimator
  readonly radius: number
  readonly batches: number
}

/** A direction from draws that are used for nothing else, and the slope along it, from others. */
const slopeAlong = (
  problem: Problem,
  target: Target,
  draws: (use: string) => Variance.Draws,
  { estimator, radius, batches }: Pilot
): TE.TaskEither<Slope.SlopeError, Along> =>
  pipe(
    Variance.measureAsTrained({ ...problem, estimator }, target, draws('pilot'), Math.ceil(batches / 2)),
    TE.map((pilot) => ({
      pilot,
      along: Slope.direction(problem, pilot.gradient.mean, Key.make(0)),
      // half as far as a perturbation of that radius goes
      distance: (radius * Math.sqrt(pilot.gradient.mean.length)) / 2
    })),
    TE.bindW('slope', ({ along, distance }) =>
      Slope.differences(problem, target, draws('slope'), { along, distance, batches })
    )
  )

/** A measured contender. */
interface Row extends Comparison.Line {
  readonly part: Contender['part']
}

const measured =
  (problem: Problem, target: Target, draws: Variance.Draws, batches: number, { along, slope }: Along) =>
  (rows: ReadonlyArray<Row>, { estimator, part }: Contender): TE.TaskEither<Slope.SlopeError, Row> => {
    const advantage = part === 'plain' ? none : problem.advantage
    // a small variance about the wrong mean is not better
    const reference = estimator._tag === 'exact' ? rows.find((row) => row.part === 'reference') : undefined
    return pipe(
      Variance.measureAsTrained({ ...problem, estimator, advantage }, target, draws, batches, {
        along,
        clock: () => performance.now() / 1000
      }),
      TE.map((row) => {
        const slopeRatio = Slope.ratio(row, slope)
        return {
          ...row,
          part,
          ...(slopeRatio === undefined ? {} : { slopeRatio }),
          ...(reference === undefined ? {} : { better: Comparison.better(reference, row) })
        }
      })
    )
  }

/** The same with a part for each step that is differentiated; one that can not be split stays whole. */
const split = (one: Contender): Contender => ({
  ...one,
  estimator: pipe(
    Variance.byStep(one.estimator),
    E.getOrElse(() => one.estimator)
  )
})

/** All that is measured on: what the options stand for. Who can not stand is said on stderr. */
const standingOf = (options: CompareOptions) =>
  pipe(
    TE.Do,
    TE.bind('from', () => TE.fromEither(seed(options.seed, 0))),
    TE.bind('threads', () => TE.fromEither(whole('threads', options.threads, 1, 1, 256))),
    TE.bind('configured', () => configOf(options)),
    TE.bind('samples', ({ configured: { config } }) =>
      TE.fromEither(whole('samples', options.samples, 2 * config.batch, 2 * config.batch))
    ),
    TE.bind('materials', ({ configured: { task, config } }) => materialsOf(task, config)),
    TE.bind('setup', ({ configured: { config }, materials }) =>
      TE.fromEither(pipe(Setup.setup(config, materials), E.mapLeft(refused)))
    ),
    TE.let('measuring', ({ materials, setup }) => measuringOf(setup, materials)),
    TE.bind('contenders', ({ configured: { config }, measuring }) => standing(options, measuring, radiusOf(config)))
  )

/** Who is measured in some places: those, and before them who they are compared with. */
const chosenOf = (
  all: ReadonlyArray<Contender>,
  part: (place: number) => boolean
): ReadonlyArray<{ readonly contender: Contender; readonly place: number; readonly told: boolean }> => {
  const chosen = all.map((contender, place) => ({ contender, place, told: part(place) }))
  const last = chosen.findLastIndex(({ told }) => told)
  return chosen.filter(({ contender, place, told }) => told || (contender.part === 'reference' && place < last))
}

const run = (
  options: CompareOptions,
  tell: (row: Row, config: Config.Config, place: number) => void,
  part: (place: number) => boolean = () => true
): Step<ReadonlyArray<Row>> =>
  pipe(
    standingOf(options),
    TE.flatMap(({ configured: { config }, contenders, measuring, samples, from, setup, threads }) => {
      const { problem } = measuring
      const key = Key.make(from)
      const target = gpuJs({ mode: config.mode, threads })
      const batches = Math.ceil(samples / problem.batch)
      const bar = meter('compare', contenders.length + pilots(options, measuring) + 1)
      const draws = (use: string): Variance.Draws => drawsOf(problem, setup, Key.foldInString(key, use))
      const pilot = { estimator: pilotOf(options, measuring, contenders), radius: radiusOf(config), batches }
      return pipe(
        slopeAlong(problem, target, draws, pilot),
        TE.flatMap((slope) => {
          bar.update(1, 'finite differences')
          const whole = [...contenders, ...piloted(options, problem, slope.pilot)]
          const all = chosenOf(options.byStep === true ? whole.map(split) : whole, part)
          const one = measured(problem, target, drawsOf(problem, setup, key), batches, slope)
          return all.reduce<TE.TaskEither<Slope.SlopeError, ReadonlyArray<Row>>>(
            (before, { contender, place, told }, i) =>
              pipe(
                before,
                TE.bindTo('rows'),
                TE.bind('row', ({ rows }) => one(rows, contender)),
                TE.map(({ rows, row }) => {
                  bar.update(i + 2, row.estimator.name)
                  if (told) tell(row, config, place)
                  return [...rows, row]
                }),
                // a turn of the event loop, or a reader that is gone would be noticed at the end
                TE.chainFirstTaskK(() => () => setImmediate())
              ),
            TE.right([])
          )
        }),
        TE.mapLeft((error): Failure => broken(Slope.showError(error))),
        TE.chainFirstTaskK(() => () => {
          bar.stop()
          return target.dispose()
        })
      )
    })
  )

/**
 * What the command prints with `json`, an object an estimator.
 *
 * @category effects
 * @since 0.1.0
 */
export const compared = (options: CompareOptions): Step<ReadonlyArray<unknown>> => {
  const lines: Array<unknown> = []
  return pipe(
    run(options, (row, config) => void lines.push(flat(config, row))),
    TE.map(() => lines)
  )
}

/**
 * What one worker measures of a comparison: a share of its estimators, each with its place among all of them.
 *
 * @category effects
 * @since 0.1.0
 */
export const comparedShare = ({ share, ...options }: CompareOptions & Share): Step<ReadonlyArray<unknown>> => {
  const pieces: Array<unknown> = []
  return pipe(
    TE.fromEither(placesOf(share)),
    TE.flatMap((part) =>
      run(
        options,
        (row, config, place) =>
          void pieces.push({ place, line: flat(config, row), entry: packed(Comparison.entry(row)) }),
        part
      )
    ),
    TE.map(() => pieces)
  )
}

/** The same as `run`, by the workers at a Redis. */
const runElsewhere = (options: CompareOptions & { readonly redis: string }): Step<ReadonlyArray<Compared>> =>
  pipe(
    standingOf(options),
    TE.flatMap(({ contenders, measuring }) => {
      const { json: _json, patience: _p, redis: _redis, threads: _threads, tolerateBits: _bits, ...sent } = options
      return inShares({
        orderOf: (share) => ({ _tag: 'CompareShare', options: { ...sent, share } }),
        piece: Compared,
        least: contenders.length,
        all: contenders.length + pilots(options, measuring),
        // each worker measures slopes and the reference for itself
        each: 1
      })(options)
    })
  )

// -------------------------------------------------------------------------------------
// the command
// -------------------------------------------------------------------------------------

/**
 * Runs the command and gives its exit code: 0, 1 (a run failed) or 2 (wrong usage). The table goes to stdout, or with
 * `json` one object a line as each estimator is measured.
 *
 * @category effects
 * @since 0.1.0
 */
export const compareEstimators = async (options: CompareOptions): Promise<number> => {
  const json = options.json === true
  if (options.redis !== undefined) return await compareElsewhere({ ...options, redis: options.redis })
  const result = await run(options, (row, config) => {
    if (json) process.stdout.write(`${JSON.stringify(flat(config, row))}\n`)
  })()
  if (E.isLeft(result)) return fail('compare')(result.left)
  if (!json) process.stdout.write(`${Comparison.table(result.right)}\n`)
  return 0
}

const compareElsewhere = async (options: CompareOptions & { readonly redis: string }): Promise<number> => {
  const result = await runElsewhere(options)()
  if (E.isLeft(result)) return failShares('compare')(result.left)
  const text =
    options.json === true
      ? result.right.map(({ line }) => JSON.stringify(line)).join('\n')
      : Comparison.tableOf(result.right.map(({ entry }) => entry))
  process.stdout.write(`${text}\n`)
  return 0
}

/** JSON has no infinity, and nothing for what is no number. */
const finite = (x: number | undefined): number | null => (x !== undefined && Number.isFinite(x) ? x : null)

const flat = (config: Config.Config, row: Row): Readonly<Record<string, unknown>> => {
  const { estimator, gradient, parts, cost, slopeRatio, better } = row
  return {
    reward: config.reward,
    model: config.model,
    chain: config.chain.kind,
    lora: config.adapter.rank,
    estimator: estimator.name,
    exact: estimator._tag === 'exact',
    baseline: row.baseline,
    control: row.control,
    samples: gradient.n,
    batch: row.batch,
    variance: gradient.variance,
    interval: gradient.interval,
    meanNorm: T.norm(gradient.mean),
    parts: Object.fromEntries(Object.entries(parts).map(([name, part]) => [name, part.variance])),
    networkEvaluations: cost.networkEvaluations,
    pullbacks: row.pullbacks,
    seconds: finite(row.seconds),
    peakBytes: row.peakBytes,
    varianceTimesEvaluations: row.efficiency,
    varianceTimesEvaluationsAndPullbacks: row.efficiencyWithPullbacks,
    efficiencyInterval: gradient.interval.map((v) => v * row.batch * cost.networkEvaluations),
    varianceTimesCost: row.efficiencyWithPullbacks,
    varianceTimesCostInterval: gradient.interval.map((v) => v * row.batch * (cost.networkEvaluations + row.pullbacks)),
    betterThanReinforce: finite(better?.value),
    betterThanReinforceInterval: better === undefined ? null : better.interval.map(finite),
    slopeRatio: finite(slopeRatio?.value),
    slopeRatioError: finite(slopeRatio?.error),
    tailIndex: finite(gradient.tailIndex)
  }
}
