/**
 * `halforder finetune`: a run of the fine-tuning loop with a folder to show for it.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type * as T from 'fp-ts/lib/Task.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Gradient from 'halforder/estimator/Gradient'
import { gpuJs } from 'halforder/kernel'
import { heldOut, measures } from 'halforder/task/Judges'
import * as Build from 'halforder/tensor/Build'
import type { Target } from 'halforder/tensor/Target'
import * as Checkpoint from 'halforder/training/Checkpoint'
import { decode } from 'halforder/training/Decode'
import type * as Config from 'halforder/training/Config'
import * as Evaluation from 'halforder/training/measure/Evaluation'
import * as Finetune from 'halforder/training/Finetune'
import { normalised } from 'halforder/training/Normalising'
import { divergence } from 'halforder/training/Penalty'
import * as Setup from 'halforder/training/Setup'
import { broken, fail, ofEstimator, refused, type Step, usage } from '../edge/Failure.js'
import { type Held, take } from '../edge/Lock.js'
import { saveEvery, wholes } from '../edge/Options.js'
import { interruptible } from '../edge/Signals.js'
import { webGpu } from '../edge/WebGpu.js'
import { asked, readChosen, show } from './Choose.js'
import type { ConfigOptions } from './ConfigOptions.js'
import { type ClusterOptions, lead, type Leading } from './cluster/Leading.js'
import { describe } from './run/Describe.js'
import { execute, type Ready, type Summary } from './run/FinetuneRun.js'
import { featuresOf } from './run/Judgement.js'
import { materialsOf } from './ModelFile.js'
import { checkOptions, resume, type Start } from './run/Resume.js'
import { identityOf } from './run/Identity.js'
import { enter, enterNew, hasCheckpoint, refuseTaken, unusable, withRemains } from './run/RunFolder.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options; what is given overrides the configuration file.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends ConfigOptions, ClusterOptions {
  readonly out?: string
  readonly resume?: string
  readonly json?: boolean
  readonly saveEvery?: string
  readonly measureAt?: string
}

/** How often a checkpoint is written, in seconds, and after which steps the model is measured on the way. */
type Manner = Pick<Ready, 'every' | 'marks'>

// -------------------------------------------------------------------------------------
// preparing
// -------------------------------------------------------------------------------------

/**
 * Everything before the first step but the folder. Left: what is wrong with the configuration, or is not to be gone on
 * from.
 */
const prepare = (
  { configured, from }: Start,
  folder: string,
  manner: Manner,
  target: Target,
  cluster: ClusterOptions
): Step<Led> =>
  pipe(
    TE.right(configured),
    TE.bind('plain', ({ task, config }) => materialsOf(task, config)),
    TE.bind('materials', ({ config, plain }) => pipe(normalised(config, plain, target), TE.mapLeft(refused))),
    TE.bind('setup', ({ config, materials }) =>
      TE.fromEither(pipe(Setup.setup(config, materials, target), E.mapLeft(refused)))
    ),
    TE.chainFirst(({ setup }) => TE.fromEither(pipe(Gradient.check(setup.problem), E.mapLeft(ofEstimator)))),
    TE.bind('identity', ({ config, setup }) => TE.fromEither(identityOf(config, setup))),
    TE.bind('leading', ({ config, identity, setup, task }) =>
      cluster.redis === undefined
        ? TE.right<never, Leading | undefined>(undefined)
        : lead({ ...cluster, redis: cluster.redis }, { task, config, setup, identity, target })
    ),
    TE.bind('run', ({ config: { group }, leading, setup: { problem, forward, ...options } }) =>
      TE.fromEither(
        pipe(
          Finetune.compile(problem, {
            ...options,
            ...forward?.on(target),
            target,
            group,
            ...(leading === undefined ? {} : { interpreter: leading.interpreter })
          }),
          E.bimap(ofEstimator, (run) => leading?.watched(run) ?? run)
        )
      )
    ),
    TE.bind('judges', ({ task, materials: { model } }) => pipe(task.judges(model), TE.mapLeft(broken))),
    TE.let('heldOut', ({ config, judges, materials: { model } }) => heldOut(judges, model, target)(config.reward)),
    TE.let('measures', ({ judges, materials: { model } }) => measures(judges, model, target)),
    TE.let('steps', ({ config, setup: { measured, initial } }) => divergence(config.kl, initial)(measured.chain)),
    TE.bind('evaluator', ({ heldOut: other, measures: more, setup: { measured, conditions }, steps }) =>
      TE.fromEither(
        pipe(
          Evaluation.compile(measured, conditions, target, {
            also: [...(O.isSome(other) ? [other.value] : []), ...more.map(([, one]) => one)],
            steps
          }),
          E.mapLeft(ofEstimator)
        )
      )
    ),
    TE.bind('state', ({ run, setup: { initial }, identity }) =>
      TE.fromEither(
        from === undefined
          ? E.right(run.start(initial))
          : pipe(
              from.stored,
              // its configuration was compared field by field: `config` is free to have more steps
              Checkpoint.belongsTo(
                { ...identity, config: from.stored.identity['config'] ?? '' },
                Checkpoint.ofState(run.start(initial))
              ),
              E.bimap(unusable(folder), Checkpoint.toState)
            )
      )
    ),
    TE.let('judge', ({ materials: { model }, evaluator, heldOut: other, judges, measures: more, steps }) => ({
      evaluator,
      heldOut: pipe(
        other,
        O.map(({ name }) => name)
      ),
      measures: more.map(([name]) => name),
      features: featuresOf(judges),
      diverges: steps.length > 0,
      decoded: decode(model, target),
      target
    })),
    TE.map(({ task, config, identity, leading, setup: made, run, judge, materials: { model, rewards }, state }) => ({
      config,
      leading,
      identity,
      setup: made,
      run,
      judge,
      model,
      state,
      scales: rewards.scales,
      ...manner,
      opening: from === undefined ? 'all' : from.rewrite ? 'config' : 'nothing',
      history: from?.history ?? [],
      stood: from?.stood ?? [],
      initial: made.initial,
      decoded: decode(model, target),
      show: task.show(model)
    }))
  )

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

/** A run, and those who compute its rows where they are elsewhere. */
interface Led extends Ready {
  readonly leading: Leading | undefined
}

/** How the folder of a run is held while something is done in it. */
type Within = <A>(use: (held: Held) => Step<A>) => Step<A>

const release = (held: Held): T.Task<void> => held.release

/** Prepares a run, and runs it in its folder, freeing what it held whatever happens. `folder` is where it goes on. */
const runIn = (
  start: Start,
  folder: string,
  manner: Manner,
  cluster: ClusterOptions,
  within: Within
): Step<Summary> => {
  const { mode } = start.configured.config
  return pipe(
    webGpu(mode),
    TE.flatMap(() =>
      Build.bracket(
        TE.rightIO(() => gpuJs({ mode, threads: start.threads })),
        (target) =>
          Build.bracket(
            prepare(start, folder, manner, target, cluster),
            (ready) => within((held) => interrupted(ready, held)),
            ({ leading, run, judge }) =>
              async () => {
                await leading?.close()
                await run.dispose()
                await judge.evaluator.dispose()
              }
          ),
        (target) => () => target.dispose()
      )
    )
  )
}

const interrupted =
  (ready: Led, held: Held): Step<Summary> =>
  () =>
    interruptible(
      (stop) => pipe(execute(ready, held, stop), withRemains(held.folder, `--resume ${held.folder} goes on`))(),
      () => {
        process.stderr.write('\nstopping after this step and writing the folder; Ctrl-C again stops at once\n')
        void ready.leading?.withdraw()
      }
    )

const begin = (options: Options, manner: Manner, now: Date): Step<Summary> =>
  pipe(
    options.out === undefined ? TE.right(undefined) : refuseTaken(options.out),
    TE.flatMap(() => readChosen(options, (chosen) => process.stderr.write(`${show(chosen)}\n`))),
    TE.flatMap((configured) => {
      const { config } = configured
      const folder = options.out ?? defaultFolder(config, now)
      const entered = options.out === undefined ? enterNew(folder) : enter(folder)
      return runIn({ configured, threads: config.threads, from: undefined }, folder, manner, options, (use) =>
        Build.bracket(entered, use, release)
      )
    })
  )

const goOn = (folder: string, options: Options, manner: Manner): Step<Summary> => {
  const { resume: _, out: __, measureAt: ___, estimator, ...others } = options
  // the folder has the one that was chosen
  const typed = estimator === undefined || asked(options) !== undefined ? others : { ...others, estimator }
  return pipe(
    TE.fromEither(checkOptions(folder, options)),
    TE.flatMap(() => hasCheckpoint(folder)),
    TE.filterOrElse(
      (has) => has,
      () =>
        usage(
          `--resume: expected the folder of a run, got ${JSON.stringify(folder)}, which has no checkpoint; name another`
        )
    ),
    TE.flatMap(() =>
      Build.bracket(
        take(folder),
        (held) =>
          pipe(
            resume(held, typed),
            TE.flatMap((start) => runIn(start, folder, manner, options, (use) => use(held)))
          ),
        release
      )
    )
  )
}

/** A sum of rewards may have a longer name than files may. */
const longest = 60

const defaultFolder = ({ estimator, reward, seed }: Config.Config, now: Date): string => {
  const stamp = now.toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-')
  const named = reward.replaceAll(/[^A-Za-z0-9]+/g, '-').slice(0, longest)
  return join('runs', `${stamp}-${estimator.name}-${named}-seed${seed}`)
}

/**
 * The run that the options ask for, to its end. Left: as the command says it.
 *
 * @category effects
 * @since 0.1.0
 */
export const finetuned = (options: Options, now: Date): Step<Summary> =>
  pipe(
    TE.Do,
    TE.bind('every', () => TE.fromEither(saveEvery(options.saveEvery))),
    TE.bind('marks', () => TE.fromEither(wholes('measure-at', options.measureAt))),
    TE.flatMap((manner) =>
      options.resume === undefined ? begin(options, manner, now) : goOn(options.resume, options, manner)
    )
  )

/**
 * Runs the command and gives its exit code: 0, 1 (the run failed), 2 (wrong usage, nothing written) or 130
 * (interrupted; the folder is whole). Progress goes to stderr; with `json` the summary goes to stdout as one line.
 *
 * @category effects
 * @since 0.1.0
 */
export const finetune = async (options: Options, now: Date): Promise<number> => {
  const result = await finetuned(options, now)()
  if (E.isLeft(result)) return fail('finetune')(result.left)
  process.stdout.write(options.json === true ? `${JSON.stringify(result.right)}\n` : describe(result.right))
  return result.right.interrupted ? 130 : 0
}
