/**
 * `halforder pretrain`: trains what a task can train from data.
 *
 * @since 0.1.0
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Safetensors from 'halforder/format/Safetensors'
import { gpuJs, type Mode } from 'halforder/kernel'
import type { Metadata } from 'halforder/network/Model'
import * as Key from 'halforder/random/Key'
import { type Judgement, type Prepared, training, type Training } from 'halforder/task/Task'
import * as Build from 'halforder/tensor/Build'
import { below, type Values } from 'halforder/tensor/Program'
import type { Target } from 'halforder/tensor/Target'
import * as Pretrain from 'halforder/training/Pretrain'
import { broken, fail, type Failure, file, refused, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import { mode, whole } from '../edge/Options.js'
import { meter } from '../edge/Progress.js'
import { interruptible } from '../edge/Signals.js'
import { webGpu } from '../edge/WebGpu.js'
import { find } from '../tasks/Find.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options, as they are typed. `faces` is another name of `examples`.
 *
 * @category model
 * @since 0.1.0
 */
export interface PretrainOptions {
  readonly task?: string
  readonly steps?: string
  readonly batch?: string
  readonly examples?: string
  readonly faces?: string
  readonly seed?: string
  readonly out?: string
  readonly mode?: string
  readonly threads?: string
}

/**
 * The options of `halforder pretrain`, for the command line.
 *
 * @category model
 * @since 0.1.0
 */
export const pretrainOptions: ReadonlyArray<readonly [flags: string, description: string]> = [
  ['--task <name>', 'faces, clips, points, or a module such as ./rings.mjs (default: faces)'],
  ['--steps <number>', 'steps of the optimizer (default: those of the task)'],
  ['--batch <number>', 'examples a step (default: those of the task)'],
  ['--examples <number>', 'examples that are drawn for training (default: those of the task)'],
  ['--seed <number>', 'the seed of every draw (default: 1)'],
  ['--out <folder>', 'where to write; a folder with a checkpoint of the same training is resumed'],
  ['--mode <name>', 'mode of gpu.js (default: webasm)'],
  [
    '--threads <number>',
    'threads that share the rows of a batch, with the same bits for any number (default: rows are not split, as for the shipped networks)'
  ]
]

/** What is trained and how: a checkpoint belongs to exactly one of these. */
interface Plan {
  readonly task: string
  readonly name: string
  readonly training: Training
  readonly recipe: Pretrain.Recipe
  readonly batch: number
  readonly examples: number
  readonly seed: number
  readonly folder: string
  readonly mode: Mode
  /** undefined where rows are not split */
  readonly threads: number | undefined
  readonly target: Target
}

/** A plan with its data. */
interface Ready extends Plan {
  readonly prepared: Prepared
  readonly configuration: Readonly<Record<string, string>>
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const usual = 'faces'

const readPlan = (given: string | undefined, options: PretrainOptions): Step<Plan> =>
  pipe(
    find(options.task ?? usual),
    TE.flatMapEither((task) =>
      pipe(
        E.Do,
        E.let('name', () => given ?? [...task.trainings.keys()][0] ?? ''),
        E.bind('training', ({ name }) => pipe(training(task)(name), E.mapLeft(refused))),
        E.bind('steps', (plan) => whole('steps', options.steps, plan.training.recipe.steps, 1)),
        E.bind('batch', (plan) => whole('batch', options.batch, plan.training.batch, 1)),
        E.bind('examples', (plan) =>
          options.faces === undefined
            ? whole('examples', options.examples, plan.training.examples, 1)
            : whole('faces', options.faces, plan.training.examples, 1)
        ),
        E.bind('seed', () => whole('seed', options.seed, 1, 0)),
        E.bind('mode', () => mode(options.mode)),
        // sums over blocks of rows have other bits than sums over all: the shipped networks were trained with the latter
        E.bind('threads', () => whole('threads', options.threads, undefined, 1, 256)),
        E.map(({ steps, ...plan }) => ({
          ...plan,
          task: options.task ?? usual,
          recipe: { ...plan.training.recipe, steps },
          folder: options.out ?? join('runs', `pretrain-${plan.name}`),
          target: gpuJs({ mode: plan.mode, ...(plan.threads === undefined ? {} : { threads: plan.threads }) })
        }))
      )
    )
  )

/** What tells trainings apart, as text by name. */
const configuration = (
  { name, training: { network }, recipe, batch, examples, seed }: Plan,
  { details }: Prepared
): Readonly<Record<string, string>> => ({
  name,
  network: JSON.stringify(network),
  recipe: JSON.stringify(recipe),
  ...Object.fromEntries(Object.entries(details).map(([key, value]) => [key, JSON.stringify(value)])),
  batch: String(batch),
  examples: String(examples),
  seed: String(seed)
})

const prepare = (plan: Plan): Step<Ready> =>
  pipe(
    plan.training.prepare(Key.foldInString(Key.make(plan.seed), 'data'), plan.examples),
    E.bimap(usage, (prepared) => ({ ...plan, prepared, configuration: configuration(plan, prepared) })),
    TE.fromEither
  )

// -------------------------------------------------------------------------------------
// checkpoints
// -------------------------------------------------------------------------------------

const checkpointOf = (folder: string): string => join(folder, 'checkpoint.safetensors')

const save = (ready: Ready, { step, loss, values }: Pretrain.TrainingState): Step<void> =>
  pipe(
    Safetensors.encode('own')({
      tensors: values,
      metadata: { ...ready.configuration, step: String(step), loss: String(loss) }
    }),
    E.mapLeft((error) => broken(Safetensors.showError(error))),
    TE.fromEither,
    TE.flatMap((bytes) => file(Files.write(checkpointOf(ready.folder), bytes)))
  )

const restore = (ready: Ready, start: Pretrain.TrainingState): Step<Pretrain.TrainingState> => {
  const path = checkpointOf(ready.folder)
  if (!existsSync(path)) return TE.right(start)
  return pipe(
    file(Files.read(path)),
    TE.flatMapEither((bytes) =>
      pipe(
        Safetensors.decode(bytes),
        E.mapLeft((error) => usage(`${path}: ${Safetensors.showError(error)}`))
      )
    ),
    TE.flatMapEither(({ tensors, metadata }) => {
      const differences = Object.entries(ready.configuration)
        .filter(([name, expected]) => metadata[name] !== expected)
        .map(([name, expected]) => `${name}: expected ${expected}, got ${metadata[name] ?? 'nothing'}`)
      return differences.length === 0
        ? E.right({ step: Number(metadata['step']), loss: Number(metadata['loss']), values: tensors })
        : E.left(usage(`${path} is of another training; choose another --out\n${differences.join('\n')}`))
    })
  )
}

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

/** How often a checkpoint is written, in seconds. */
const checkpointEvery = 20

/** The weight of a step's loss in the running mean that is shown. */
const shown = 0.02

const loop = (ready: Ready, from: Pretrain.TrainingState, stop: AbortSignal): Step<Pretrain.TrainingState> =>
  pipe(
    Build.build(ready.target, { batch: ready.batch })(
      'training',
      Pretrain.trainingStep(ready.training.objective(), ready.recipe)
    ),
    E.mapLeft((error) => (Build.isUnsupported(error) ? usage : broken)(Build.showError(error))),
    TE.fromEither,
    TE.flatMap((executable) => async () => {
      const batches = ready.prepared.batches(ready.batch, Key.foldInString(Key.make(ready.seed), 'batches'))
      const bar = meter(`pretrain ${ready.name}`, ready.recipe.steps, from.step)
      let state = from
      let loss = from.loss
      let saved = performance.now()
      let result: E.Either<Failure, void> = E.right(undefined)
      for await (const next of Pretrain.train(executable, ready.recipe, batches, from)) {
        if (E.isLeft(next)) {
          result = E.left(broken(Build.showError(Build.onTarget('training')(next.left))))
          break
        }
        state = next.right
        loss = loss === 0 ? state.loss : loss + shown * (state.loss - loss)
        bar.update(state.step, `loss ${loss.toPrecision(4)}`)
        if (performance.now() - saved > 1000 * checkpointEvery) {
          result = await save(ready, { ...state, loss })()
          saved = performance.now()
        }
        // a step on the host gives no other task its turn: without this, Ctrl-C would be heard at the end
        await setImmediate()
        if (E.isLeft(result) || stop.aborted) break
      }
      bar.stop()
      await executable.dispose()
      if (E.isLeft(result)) return result
      return pipe(
        await save(ready, { ...state, loss })(),
        E.map(() => state)
      )
    })
  )

/** Judges what the file holds, numbers as they are stored, and writes the file with what was found. */
const finish = (ready: Ready, parameters: Values): Step<Judgement> => {
  const { name, folder, training: network, task } = ready
  const of = task === usual ? '' : ` --task ${task}`
  const split = ready.threads === undefined ? '' : ` --threads ${ready.threads}`
  const metadata: Metadata = {
    ...ready.configuration,
    command: `halforder pretrain ${name}${of} --steps ${ready.recipe.steps} --batch ${ready.batch} --examples ${ready.examples} --seed ${ready.seed}${split}`,
    steps: String(ready.recipe.steps)
  }
  const write = (values: Values, more: Metadata): Step<Uint8Array> =>
    pipe(
      network.encode(values, { ...metadata, ...more }),
      E.mapLeft(broken),
      TE.fromEither,
      TE.chainFirst((bytes) => file(Files.write(join(folder, `${name}.safetensors`), bytes)))
    )
  return pipe(
    write(parameters, {}),
    TE.flatMapEither((bytes) => pipe(network.decode(bytes), E.mapLeft(broken))),
    TE.bindTo('stored'),
    TE.bind('judgement', ({ stored }) =>
      pipe(
        ready.prepared.judge({
          parameters: stored,
          metadata,
          target: ready.target,
          key: Key.foldInString(Key.make(ready.seed), 'report'),
          folder
        }),
        TE.mapLeft(broken)
      )
    ),
    TE.chainFirst(({ stored, judgement: { numbers } }) => write(stored, { metrics: JSON.stringify(numbers) })),
    TE.map(({ judgement }) => judgement),
    TE.chainFirst(({ numbers }) =>
      file(Files.write(join(folder, 'metrics.json'), `${JSON.stringify(numbers, null, 2)}\n`))
    ),
    TE.chainFirst(({ pictures }) =>
      pipe(
        Object.entries(pictures),
        TE.traverseSeqArray(([picture, bytes]) => file(Files.write(join(folder, picture), bytes)))
      )
    )
  )
}

/** Undefined: it was stopped, and resumes. */
const execute = (plan: Plan, stop: AbortSignal): Step<Judgement | undefined> =>
  pipe(
    webGpu(plan.mode),
    TE.flatMap(() => prepare(plan)),
    TE.bindTo('ready'),
    TE.bind('from', ({ ready }) =>
      restore(
        ready,
        Pretrain.start(plan.training.objective(), plan.recipe, Key.foldInString(Key.make(plan.seed), 'parameters'))
      )
    ),
    TE.chainFirst(() => file(Files.makeFolder(plan.folder))),
    TE.bind('state', ({ ready, from }) => loop(ready, from, stop)),
    TE.flatMap(({ ready, state }) =>
      state.step < plan.recipe.steps ? TE.right(undefined) : finish(ready, below('average', state.values))
    )
  )

/**
 * Trains something by its name, one of the task's trainings (the first, by default), and gives the exit code: 0, 1 (it failed),
 * 2 (wrong usage, nothing written) or 130 (interrupted; the same command resumes it). The folder then has `NAME.safetensors`
 * (averaged parameters, f16), `metrics.json`, pictures where the task judges by some, and the `checkpoint.safetensors` from which
 * training resumes.
 *
 * @category effects
 * @since 0.1.0
 */
export const pretrain = async (name: string | undefined, options: PretrainOptions): Promise<number> => {
  const plan = await readPlan(name, options)()
  if (E.isLeft(plan)) return fail('pretrain')(plan.left)
  const { folder, target } = plan.right
  const result = await interruptible(
    (stop) => execute(plan.right, stop)(),
    () => process.stderr.write('\nstopping after this step and writing a checkpoint; Ctrl-C again stops at once\n')
  )
  await target.dispose()
  if (E.isLeft(result)) return fail('pretrain')(result.left)
  process.stdout.write(
    result.right === undefined
      ? `stopped: the same command with --out ${folder} resumes\n`
      : `wrote ${folder}: ${result.right.line}\n`
  )
  return result.right === undefined ? 130 : 0
}
