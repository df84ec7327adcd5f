/**
 * `halforder finetune`: a run of the fine-tuning loop with a folder to show for it.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Gradient from 'halforder/estimator/Gradient'
import { gpuJs } from 'halforder/kernel'
import * as Checkpoint from 'halforder/training/Checkpoint'
import type * as Config from 'halforder/training/Config'
import { decode } from 'halforder/training/Decode'
import * as Evaluation from 'halforder/training/Evaluation'
import * as Finetune from 'halforder/training/Finetune'
import * as Setup from 'halforder/training/Setup'
import { fail, file, ofEstimator, refused, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import { readMetrics, type Metrics } from '../edge/Metrics.js'
import { interruptible } from '../edge/Signals.js'
import { webGpu } from '../edge/WebGpu.js'
import { type ConfigOptions, type Configured, readConfig } from './ConfigOptions.js'
import { describe, execute, type Ready } from './FinetuneRun.js'
import { materialsOf } from './ModelFile.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options; what is given overrides the configuration file.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends ConfigOptions {
  readonly out?: string
  readonly resume?: string
  readonly json?: boolean
}

/** A run that is resumed has the configuration of its folder. */
const configOf = ({ resume, ...options }: Options): Step<Configured> =>
  readConfig(resume === undefined ? options : { ...options, config: join(resume, 'config.json') })

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

const prepare = (options: Options, now: Date): Step<Ready> =>
  pipe(
    configOf(options),
    TE.bind('folder', ({ config }) => TE.right(options.resume ?? options.out ?? defaultFolder(config, now))),
    TE.chainFirst(({ folder }) => (options.resume === undefined ? refuseTaken(folder) : TE.right(undefined))),
    TE.chainFirst(({ config }) => webGpu(config.mode)),
    TE.bind('materials', ({ task, config }) => materialsOf(task, config)),
    TE.let('target', ({ config }) => gpuJs({ mode: config.mode, threads: config.threads })),
    TE.bind('setup', ({ config, materials, target }) =>
      TE.fromEither(pipe(Setup.setup(config, materials, target), E.mapLeft(refused)))
    ),
    TE.chainFirst(({ setup }) => TE.fromEither(pipe(Gradient.check(setup.problem), E.mapLeft(ofEstimator)))),
    TE.bind('run', ({ setup: { problem, optimizer, conditions }, target }) =>
      TE.fromEither(pipe(Finetune.compile(problem, optimizer, conditions, target), E.mapLeft(ofEstimator)))
    ),
    TE.bind('evaluator', ({ setup: { base, conditions }, target }) =>
      TE.fromEither(pipe(Evaluation.compile(base, conditions, target), E.mapLeft(ofEstimator)))
    ),
    TE.let('initial', ({ setup }) => setup.initial),
    TE.bind('resumed', ({ run, initial }) => restore(options.resume, run.start(initial))),
    TE.let('model', ({ materials }) => materials.model),
    TE.let('decoded', ({ model, target }) => decode(model, target)),
    TE.let('show', ({ task, model }) => task.show(model)),
    TE.map(({ resumed, ...ready }) => ({ ...ready, ...resumed }))
  )

const defaultFolder = (config: Config.Config, now: Date): string =>
  join(
    'runs',
    `${now.toISOString().slice(0, 19).replaceAll(':', '').replace('T', '-')}-${config.estimator.name}-${config.reward.replaceAll(/[^A-Za-z0-9]+/g, '-')}`
  )

const refuseTaken = (folder: string): Step<void> =>
  pipe(
    Files.isFree(folder),
    TE.mapLeft((error) => usage(Files.showError(error))),
    TE.flatMapEither((free) =>
      free
        ? E.right(undefined)
        : E.left(
            usage(
              `--out: expected a new or empty folder, got ${folder}, which has files; choose another, or --resume it`
            )
          )
    )
  )

const restore = (
  folder: string | undefined,
  start: Finetune.State
): Step<{ readonly state: Finetune.State; readonly history: ReadonlyArray<Metrics> }> =>
  folder === undefined
    ? TE.right({ state: start, history: [] })
    : pipe(
        TE.Do,
        TE.bind('state', () =>
          pipe(
            file(Files.read(join(folder, 'checkpoint.safetensors'))),
            TE.flatMapEither((bytes) => pipe(Checkpoint.decode(bytes), E.mapLeft(usage)))
          )
        ),
        TE.bind('history', ({ state }) =>
          pipe(
            file(Files.read(join(folder, 'metrics.jsonl'))),
            TE.flatMapEither((bytes) => pipe(readMetrics(new TextDecoder().decode(bytes)), E.mapLeft(usage))),
            TE.map((metrics) => metrics.filter(({ step }) => step <= state.step))
          )
        )
      )

/**
 * Runs the command and gives its exit code: 0, 1 (the run failed), 2 (wrong usage, nothing written) or 130 (interrupted;
 * the folder is whole). Progress goes to stderr; with `json` the summary goes to stdout as one line.
 *
 * @category effects
 * @since 0.1.0
 */
export const finetune = async (options: Options, now: Date): Promise<number> => {
  const ready = await prepare(options, now)()
  if (E.isLeft(ready)) return fail('finetune')(ready.left)
  const result = await interruptible(
    (stop) => execute(ready.right, stop)(),
    () => process.stderr.write('\nstopping after this step and writing the folder; Ctrl-C again stops at once\n')
  )
  await ready.right.run.dispose()
  await ready.right.evaluator.dispose()
  await ready.right.target.dispose()
  if (E.isLeft(result)) return fail('finetune')(result.left)
  process.stdout.write(options.json === true ? `${JSON.stringify(result.right)}\n` : describe(result.right))
  return result.right.interrupted ? 130 : 0
}
