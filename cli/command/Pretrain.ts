/**
 * `halforder pretrain`: trains what a task can train from data.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { gpuJs, type Mode } from 'halforder/kernel'
import type { Metadata } from 'halforder/network/Model'
import * as Key from 'halforder/random/Key'
import { type Judgement, type Prepared, training, type Training } from 'halforder/task/Task'
import * as Build from 'halforder/tensor/Build'
import { below, type Values } from 'halforder/tensor/Program'
import type { Target } from 'halforder/tensor/Target'
import * as Checkpoint from 'halforder/training/Checkpoint'
import * as Pretrain from 'halforder/training/Pretrain'
import { broken, fail, type Failure, refused, type Step, usage } from '../edge/Failure.js'
import { type Held, take } from '../edge/Lock.js'
import { mode, saveEvery, seed, whole } from '../edge/Options.js'
import { meter } from '../edge/Progress.js'
import { interruptible } from '../edge/Signals.js'
import { webGpu } from '../edge/WebGpu.js'
import { find } from '../tasks/Find.js'
import { enter, hasCheckpoint, save, sha256, stored, unusable, withRemains, write } from './run/RunFolder.js'

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
  readonly saveEvery?: string
}

/**
 * The options of `halforder pretrain`, for the command line.
 *
 * @category model
 * @since 0.1.0
 */
export const pretrainOptions: ReadonlyArray<readonly [flags: string, description: string]> = [
  ['--task <name>', 'faces, clips, garments, points, tokens, or a module such as ./rings.mjs (default: faces)'],
  ['--steps <number>', 'steps of the optimizer (default: those of the task)'],
  ['--batch <number>', 'examples a step (default: those of the task)'],
  ['--examples <number>', 'examples that are drawn for training (default: those of the task)'],
  ['--seed <number>', 'the seed of every draw (default: 1)'],
  ['--out <folder>', 'where to write; a folder with a checkpoint of the same training is resumed'],
  ['--mode <name>', 'mode of gpu.js (default: webasm)'],
  ['--save-every <seconds>', 'how often a checkpoint is written; 0 is after each step (default: 15)'],
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
  /** Seconds between two checkpoints. */
  readonly every: number
}

/** A plan with its data. `configuration` says how it was trained; `identity`, which checkpoints it goes on from. */
interface Ready extends Plan {
  readonly prepared: Prepared
  readonly configuration: Readonly<Record<string, string>>
  readonly identity: Checkpoint.Identity
  readonly batches: (step: number) => Values
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
        E.bind('seed', () => seed(options.seed, 1)),
        E.bind('every', () => saveEvery(options.saveEvery)),
        E.bind('mode', () => mode(options.mode)),
        // sums over blocks of rows have other bits than sums over all: the shipped networks were trained with the
        // latter
        E.bind('threads', () => whole('threads', options.threads, undefined, 1, 256)),
        E.map(({ steps, ...plan }) => ({
          ...plan,
          task: options.task ?? usual,
          recipe: { ...plan.training.recipe, steps },
          folder: options.out ?? join('runs', `pretrain-${plan.name}-seed${plan.seed}`),
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

/**
 * What changes the bits of a training, beside what tells it from others: sums over blocks of rows, kernels, the
 * examples.
 */
const identity = (
  { mode: where, threads }: Plan,
  told: Readonly<Record<string, string>>,
  firstBatch: Values
): E.Either<Failure, Checkpoint.Identity> =>
  pipe(
    Checkpoint.digestOf(sha256)(firstBatch),
    E.bimap(
      (error) => usage(`the examples: ${Checkpoint.showError(error)}`),
      (digest) => ({
        kind: 'pretrain',
        ...told,
        mode: where,
        rows: threads === undefined ? 'not split' : 'split over threads',
        'first batch (SHA-256)': digest
      })
    )
  )

const prepare = (plan: Plan): Step<Ready> =>
  pipe(
    plan.training.prepare(Key.foldInString(Key.make(plan.seed), 'data'), plan.examples),
    TE.mapLeft(usage),
    TE.bindTo('prepared'),
    TE.let('configuration', ({ prepared }) => configuration(plan, prepared)),
    TE.let('batches', ({ prepared }) => prepared.batches(plan.batch, Key.foldInString(Key.make(plan.seed), 'batches'))),
    TE.bind('identity', ({ configuration: told, batches }) => TE.fromEither(identity(plan, told, batches(0)))),
    TE.map((ready) => ({ ...plan, ...ready }))
  )

// -------------------------------------------------------------------------------------
// checkpoints
// -------------------------------------------------------------------------------------

const ofState = ({ step, loss, values }: Pretrain.TrainingState): Checkpoint.Checkpoint => ({
  step,
  numbers: { loss },
  tensors: values
})

/**
 * Where the training starts: at the checkpoint of its folder, or at its beginning, which is then the first checkpoint.
 */
const restore = (ready: Ready, held: Held): Step<Pretrain.TrainingState> => {
  const start = Pretrain.start(
    ready.training.objective(),
    ready.recipe,
    Key.foldInString(Key.make(ready.seed), 'parameters')
  )
  return pipe(
    hasCheckpoint(held.folder),
    TE.flatMap((has) =>
      has
        ? pipe(
            stored(held.folder),
            TE.flatMapEither((found) =>
              pipe(
                found,
                Checkpoint.belongsTo(ready.identity, ofState(start)),
                E.bimap(unusable(held.folder), ({ step, numbers, tensors }) => ({
                  step,
                  loss: numbers['loss'] ?? 0,
                  values: tensors
                }))
              )
            )
          )
        : pipe(
            save(held, ready.identity)(ofState(start)),
            TE.map(() => start)
          )
    )
  )
}

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

/** The weight of a step's loss in the running mean that is shown. */
const shown = 0.02

const loop = (
  ready: Ready,
  held: Held,
  from: Pretrain.TrainingState,
  stop: AbortSignal
): Step<Pretrain.TrainingState> =>
  pipe(
    Build.build(ready.target, { batch: ready.batch })(
      'training',
      Pretrain.trainingStep(ready.training.objective(), ready.recipe)
    ),
    E.mapLeft((error) => (Build.isUnsupported(error) ? usage : broken)(Build.showError(error))),
    TE.fromEither,
    TE.flatMap((executable) => async () => {
      const bar = meter(`pretrain ${ready.name}`, ready.recipe.steps, from.step)
      let state = from
      let loss = from.loss
      let saved = performance.now()
      let result: E.Either<Failure, void> = E.right(undefined)
      let broke: Failure | undefined
      const saveNow = save(held, ready.identity)
      for await (const next of Pretrain.train(executable, ready.recipe, ready.batches, from)) {
        if (E.isLeft(next)) {
          broke = broken(`training: ${Pretrain.showTrainError(next.left)}`)
          break
        }
        state = next.right
        loss = loss === 0 ? state.loss : loss + shown * (state.loss - loss)
        bar.update(state.step, `loss ${loss.toPrecision(4)}`)
        if (performance.now() - saved >= 1000 * ready.every) {
          result = await saveNow(ofState({ ...state, loss }))()
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
        await saveNow(ofState({ ...state, loss }))(),
        E.flatMap(() => (broke === undefined ? E.right(state) : E.left(broke)))
      )
    })
  )

/** Judges what the file holds, numbers as they are stored, and writes the file with what was found. */
const finish = (ready: Ready, held: Held, parameters: Values): Step<Judgement> => {
  const { name, folder, training: network, task } = ready
  const of = task === usual ? '' : ` --task ${task}`
  const split = ready.threads === undefined ? '' : ` --threads ${ready.threads}`
  const metadata: Metadata = {
    ...ready.configuration,
    command: `halforder pretrain ${name}${of} --steps ${ready.recipe.steps} --batch ${ready.batch} --examples ${ready.examples} --seed ${ready.seed}${split}`,
    steps: String(ready.recipe.steps)
  }
  const writeModel = (values: Values, more: Metadata): Step<Uint8Array> =>
    pipe(
      network.encode(values, { ...metadata, ...more }),
      E.mapLeft(broken),
      TE.fromEither,
      TE.chainFirst((bytes) => write(held)(`${name}.safetensors`, bytes))
    )
  return pipe(
    writeModel(parameters, {}),
    TE.flatMapEither((bytes) => pipe(network.decode(bytes), E.mapLeft(broken))),
    TE.bindTo('values'),
    TE.bind('judgement', ({ values }) =>
      pipe(
        ready.prepared.judge({
          parameters: values,
          metadata,
          target: ready.target,
          key: Key.foldInString(Key.make(ready.seed), 'report'),
          folder
        }),
        TE.mapLeft(broken)
      )
    ),
    TE.chainFirst(({ values, judgement: { numbers } }) => writeModel(values, { metrics: JSON.stringify(numbers) })),
    TE.map(({ judgement }) => judgement),
    TE.chainFirst(({ numbers }) => write(held)('metrics.json', `${JSON.stringify(numbers, null, 2)}\n`)),
    TE.chainFirst(({ pictures }) =>
      pipe(
        Object.entries(pictures),
        TE.traverseSeqArray(([picture, bytes]) => write(held)(picture, bytes))
      )
    )
  )
}

/** A folder with a checkpoint goes on; another must be new or empty. Left: another process is in it. */
const enterFolder = (folder: string): Step<Held> =>
  pipe(
    hasCheckpoint(folder),
    TE.flatMap((has) => (has ? take(folder) : enter(folder)))
  )

/** Undefined: it was stopped, and resumes. */
const execute = (plan: Plan, stop: AbortSignal): Step<Judgement | undefined> =>
  pipe(
    webGpu(plan.mode),
    TE.flatMap(() => prepare(plan)),
    TE.flatMap((ready) =>
      Build.bracket(
        enterFolder(plan.folder),
        (held) =>
          pipe(
            restore(ready, held),
            TE.flatMap((from) => loop(ready, held, from, stop)),
            TE.flatMap((state) =>
              state.step < plan.recipe.steps ? TE.right(undefined) : finish(ready, held, below('average', state.values))
            ),
            withRemains(plan.folder, 'the same command goes on')
          ),
        (held) => held.release
      )
    )
  )

/**
 * Trains something by its name, one of the task's trainings (the first, by default), and gives the exit code: 0, 1 (it
 * failed), 2 (wrong usage, nothing written) or 130 (interrupted; the same command resumes it). The folder then has
 * `NAME.safetensors` (averaged parameters, f16), `metrics.json`, pictures where the task judges by some, and the
 * `checkpoint.safetensors` from which training resumes.
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
