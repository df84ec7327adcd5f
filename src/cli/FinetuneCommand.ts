/**
 * `halforder finetune`: a run of the fine-tuning loop with a folder to show for it.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Gradient from '../estimator/Gradient.js'
import * as Checkpoint from '../finetune/Checkpoint.js'
import * as Config from '../finetune/Config.js'
import { decode } from '../finetune/Decode.js'
import * as Evaluation from '../finetune/Evaluation.js'
import * as Finetune from '../finetune/Finetune.js'
import * as Setup from '../finetune/Setup.js'
import * as Kernel from '../kernel/index.js'
import { type ConfigOptions, readConfig } from './ConfigOptions.js'
import * as Files from './Files.js'
import { broken, describe, execute, type Failure, file, type Ready, type Step, usage } from './FinetuneRun.js'
import { materialsOf } from './Materials.js'
import { readMetrics, type Metrics } from './Metrics.js'
import { webGpu } from './WebGpu.js'

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
const configOf = ({ resume, ...options }: Options): Step<Config.Config> =>
  readConfig(resume === undefined ? options : { ...options, config: join(resume, 'config.json') })

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

const estimatorFailure = (error: Gradient.EstimatorError): Failure =>
  error._tag === 'OnTarget' && error.error._tag !== 'Unsupported'
    ? broken(Gradient.showError(error))
    : usage(Gradient.showError(error))

const prepare = (options: Options, now: Date): Step<Ready> =>
  pipe(
    TE.Do,
    TE.bind('config', () => configOf(options)),
    TE.let('folder', ({ config }) => options.resume ?? options.out ?? defaultFolder(config, now)),
    TE.chainFirst(({ folder }) => (options.resume === undefined ? refuseTaken(folder) : TE.right(undefined))),
    TE.chainFirst(({ config }) => webGpu(config.mode)),
    TE.bind('materials', ({ config }) => materialsOf(config)),
    TE.let('target', ({ config }) => Kernel.GpuJs.gpuJs({ mode: config.mode, threads: config.threads })),
    TE.bind('setup', ({ config, materials, target }) =>
      TE.fromEither(
        pipe(
          Setup.setup(config, materials, target),
          E.mapLeft((error) => usage(Config.showError(error)))
        )
      )
    ),
    TE.chainFirst(({ setup }) => TE.fromEither(pipe(Gradient.check(setup.problem), E.mapLeft(estimatorFailure)))),
    TE.let('conditions', ({ setup }) => setup.conditions),
    TE.bind('run', ({ setup, target, conditions }) =>
      TE.fromEither(
        pipe(Finetune.compile(setup.problem, setup.optimizer, conditions, target), E.mapLeft(estimatorFailure))
      )
    ),
    TE.bind('evaluator', ({ setup, target, conditions }) =>
      TE.fromEither(pipe(Evaluation.compile(setup.base, conditions, target), E.mapLeft(estimatorFailure)))
    ),
    TE.let('initial', ({ setup }) => setup.initial),
    TE.bind('resumed', ({ run, initial }) => restore(options.resume, run.start(initial))),
    TE.let('show', ({ materials, target }) => decode(materials.model, target)),
    TE.let('description', ({ materials }) => materials.model.description),
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
  if (E.isLeft(ready)) return fail(ready.left)
  const interrupt = new AbortController()
  let asked = 0
  const onSignal = (): void => {
    asked += 1
    if (asked > 1) process.exit(130)
    interrupt.abort()
    process.stderr.write('\nstopping after this step and writing the folder; Ctrl-C again stops at once\n')
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const result = await execute(ready.right, interrupt.signal)()
  process.off('SIGINT', onSignal)
  process.off('SIGTERM', onSignal)
  await ready.right.run.dispose()
  await ready.right.evaluator.dispose()
  await ready.right.target.dispose()
  if (E.isLeft(result)) return fail(result.left)
  process.stdout.write(options.json === true ? `${JSON.stringify(result.right)}\n` : describe(result.right))
  return result.right.interrupted ? 130 : 0
}

const fail = ({ kind, message }: Failure): number => {
  process.stderr.write(`halforder finetune: ${message}\n`)
  return kind === 'usage' ? 2 : 1
}
