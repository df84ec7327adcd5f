/**
 * `halforder pretrain`: trains the networks that ship.
 *
 * @since 0.1.0
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Pretrain from '../finetune/Pretrain.js'
import { batchAt, type Dropout } from '../finetune/PretrainBatch.js'
import { gpuJs, type Mode, modes } from '../kernel/GpuJs.js'
import * as Safetensors from '../model/Safetensors.js'
import * as Key from '../random/Key.js'
import { below } from '../tensor/Program.js'
import { showError as showShapeError } from '../tensor/Shape.js'
import { showTargetError, type Target } from '../tensor/Target.js'
import * as Files from './Files.js'
import { broken, file, usage, type Failure, type Step } from './FinetuneRun.js'
import * as Data from './PretrainData.js'
import { networks, type Network } from './PretrainNetworks.js'
import { report } from './PretrainReport.js'
import { whole } from './Numbers.js'
import { meter } from './Progress.js'
import { webGpu } from './WebGpu.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface PretrainOptions {
  readonly steps?: string
  readonly batch?: string
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
  ['--steps <number>', 'steps of the optimiser (default: those of the shipped network)'],
  ['--batch <number>', 'images a step (default: those of the shipped network)'],
  ['--faces <number>', 'faces that are drawn for training (default: 32768)'],
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
  readonly name: string
  readonly network: Network
  readonly recipe: Pretrain.Recipe
  readonly dropout: Dropout
  readonly batch: number
  readonly faces: number
  readonly seed: number
  readonly folder: string
  readonly mode: Mode
  /** undefined where rows are not split */
  readonly threads: number | undefined
  readonly target: Target
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const readPlan = (name: string, options: PretrainOptions): E.Either<Failure, Plan> =>
  pipe(
    E.Do,
    E.bind('network', () => {
      const found = networks[name]
      const known = Object.keys(networks).join(', ')
      return found === undefined
        ? E.left(usage(`name: expected one of ${known}, got ${JSON.stringify(name)}`))
        : E.right(found)
    }),
    E.bind('steps', ({ network }) => whole('steps', options.steps, network.recipe.steps, 1)),
    E.bind('batch', ({ network }) => whole('batch', options.batch, network.batch, 1)),
    E.bind('faces', () => whole('faces', options.faces, 32_768, 1)),
    E.bind('seed', () => whole('seed', options.seed, 1, 0)),
    E.bind('mode', () => {
      const mode = modes.find((known) => known === (options.mode ?? 'webasm'))
      return mode === undefined
        ? E.left(usage(`--mode: expected one of ${modes.join(', ')}, got ${JSON.stringify(options.mode)}`))
        : E.right(mode)
    }),
    E.bind('threads', () => whole('threads', options.threads, 1, 1)),
    E.map(({ network, steps, batch, faces, seed, mode, threads }) => ({
      name,
      network,
      recipe: { ...network.recipe, steps },
      dropout: network.dropout,
      batch,
      faces,
      seed,
      folder: options.out ?? join('runs', `pretrain-${name}`),
      mode,
      // sums over blocks of rows have other bits than sums over all: the shipped networks were trained with the latter
      threads: options.threads === undefined ? undefined : threads,
      target: gpuJs({ mode, ...(options.threads === undefined ? {} : { threads }) })
    }))
  )

/** What tells trainings apart, as text by name. */
const configuration = ({
  name,
  network,
  recipe,
  dropout,
  batch,
  faces,
  seed
}: Plan): Readonly<Record<string, string>> => ({
  name,
  network: JSON.stringify(network.description),
  recipe: JSON.stringify(recipe),
  dropout: JSON.stringify(dropout),
  batch: String(batch),
  faces: String(faces),
  seed: String(seed)
})

// -------------------------------------------------------------------------------------
// checkpoints
// -------------------------------------------------------------------------------------

const checkpointOf = (folder: string): string => join(folder, 'checkpoint.safetensors')

const save = (plan: Plan, { step, loss, values }: Pretrain.TrainingState): Step<void> =>
  pipe(
    Safetensors.encode('own')({
      tensors: values,
      metadata: { ...configuration(plan), step: String(step), loss: String(loss) }
    }),
    E.mapLeft((error) => broken(Safetensors.showError(error))),
    TE.fromEither,
    TE.flatMap((bytes) => file(Files.write(checkpointOf(plan.folder), bytes)))
  )

const restore = (plan: Plan, start: Pretrain.TrainingState): Step<Pretrain.TrainingState> => {
  const path = checkpointOf(plan.folder)
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
      const differences = Object.entries(configuration(plan))
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

const loop = (
  plan: Plan,
  data: Data.PretrainData,
  objective: ReturnType<Network['objective']>,
  from: Pretrain.TrainingState,
  stop: AbortSignal
): Step<Pretrain.TrainingState> =>
  pipe(
    Pretrain.trainingStep(objective, plan.recipe),
    E.mapLeft((errors) => broken(errors.map(showShapeError).join('\n'))),
    E.flatMap((program) =>
      pipe(
        plan.target.compile(program, { batch: plan.batch }),
        E.mapLeft((error) =>
          error._tag === 'Unsupported' ? usage(showTargetError(error)) : broken(showTargetError(error))
        )
      )
    ),
    TE.fromEither,
    TE.flatMap((executable) => async () => {
      const batches = batchAt(
        plan.network.source(data.training),
        plan.batch,
        plan.dropout,
        Key.foldInString(Key.make(plan.seed), 'batches')
      )
      const bar = meter(`pretrain ${plan.name}`, plan.recipe.steps, from.step)
      let state = from
      let loss = from.loss
      let saved = performance.now()
      let result: E.Either<Failure, void> = E.right(undefined)
      for await (const next of Pretrain.train(executable, plan.recipe, batches, from)) {
        if (E.isLeft(next)) {
          result = E.left(broken(showTargetError(next.left)))
          break
        }
        state = next.right
        loss = loss === 0 ? state.loss : loss + shown * (state.loss - loss)
        bar.update(state.step, `loss ${loss.toPrecision(4)}`)
        if (performance.now() - saved > 1000 * checkpointEvery) {
          result = await save(plan, { ...state, loss })()
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
        await save(plan, { ...state, loss })(),
        E.map(() => state)
      )
    })
  )

const execute = (plan: Plan, stop: AbortSignal): Step<boolean> => {
  const objective = plan.network.objective()
  const key = Key.make(plan.seed)
  return pipe(
    restore(plan, Pretrain.start(objective, plan.recipe, Key.foldInString(key, 'parameters'))),
    TE.bindTo('from'),
    TE.let('data', () => Data.make(Key.foldInString(key, 'data'), plan.faces)),
    TE.filterOrElse(
      ({ data }) => data.heldOut.attributes.length === Data.heldOutFaces,
      () => usage(`--faces: expected a number that leaves ${Data.heldOutFaces} faces to hold out, got ${plan.faces}`)
    ),
    TE.chainFirst(() => file(Files.makeFolder(plan.folder))),
    TE.bind('state', ({ from, data }) => loop(plan, data, objective, from, stop)),
    TE.flatMap(({ state, data }) =>
      state.step < plan.recipe.steps
        ? TE.right(false)
        : pipe(
            report({
              name: plan.name,
              network: plan.network,
              folder: plan.folder,
              target: plan.target,
              data,
              parameters: below('average', state.values),
              key: Key.foldInString(key, 'report'),
              metadata: {
                ...configuration(plan),
                command: `halforder pretrain ${plan.name} --steps ${plan.recipe.steps} --batch ${plan.batch} --faces ${plan.faces} --seed ${plan.seed}${plan.threads === undefined ? '' : ` --threads ${plan.threads}`}`,
                steps: String(plan.recipe.steps)
              }
            }),
            TE.map(() => true)
          )
    )
  )
}

/**
 * Trains a network by its name, one of `networks`, and gives the exit code: 0, 1 (it failed), 2 (wrong usage,
 * nothing written) or 130 (interrupted; the same command resumes it). The folder then has `NAME.safetensors` (averaged
 * parameters, f16), `metrics.json`, pictures of samples, and the `checkpoint.safetensors` from which training resumes.
 *
 * @category effects
 * @since 0.1.0
 */
export const pretrain = async (name: string, options: PretrainOptions): Promise<number> => {
  const plan = readPlan(name, options)
  if (E.isLeft(plan)) return fail(plan.left)
  const interrupt = new AbortController()
  const onSignal = (): void => {
    if (interrupt.signal.aborted) process.exit(130)
    interrupt.abort()
    process.stderr.write('\nstopping after this step and writing a checkpoint; Ctrl-C again stops at once\n')
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  const result = await pipe(
    webGpu(plan.right.mode),
    TE.flatMap(() => execute(plan.right, interrupt.signal))
  )()
  process.off('SIGINT', onSignal)
  process.off('SIGTERM', onSignal)
  await plan.right.target.dispose()
  if (E.isLeft(result)) return fail(result.left)
  process.stdout.write(
    result.right
      ? `wrote ${plan.right.folder}\n`
      : `stopped: the same command with --out ${plan.right.folder} resumes\n`
  )
  return result.right ? 0 : 130
}

const fail = ({ kind, message }: Failure): number => {
  process.stderr.write(`halforder pretrain: ${message}\n`)
  return kind === 'usage' ? 2 : 1
}
