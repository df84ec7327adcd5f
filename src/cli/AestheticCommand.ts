/**
 * `halforder pretrain aesthetic`: trains the score that ships, on choices between drawn faces.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Objective from '../finetune/AestheticObjective.js'
import * as Pretrain from '../finetune/Pretrain.js'
import { gpuJs, modes } from '../kernel/GpuJs.js'
import * as Aesthetic from '../model/Aesthetic.js'
import * as Faces from '../model/Faces.js'
import * as Model from '../model/Model.js'
import * as Preference from '../model/Preference.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import { below, under, type Values } from '../tensor/Program.js'
import { showError as showShapeError } from '../tensor/Shape.js'
import { showTargetError, type Target, type TargetError } from '../tensor/Target.js'
import type { Tensor } from '../tensor/Tensor.js'
import { draw } from './FaceRenderer.js'
import * as Files from './Files.js'
import { broken, file, usage, type Failure, type Step } from './FinetuneRun.js'
import { whole } from './Numbers.js'
import { meter } from './Progress.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The command's options, as they are typed: those of `halforder pretrain`.
 *
 * @category model
 * @since 0.1.0
 */
export interface AestheticOptions {
  readonly steps?: string
  readonly batch?: string
  readonly faces?: string
  readonly seed?: string
  readonly out?: string
  readonly mode?: string
}

/** How the shipped score is trained. */
const recipe: Pretrain.Recipe = {
  steps: 4000,
  learningRate: 3e-3,
  warmup: 100,
  beta2: 0.999,
  weightDecay: 1e-3,
  clip: 1,
  average: 0.999
}

interface Plan {
  readonly recipe: Pretrain.Recipe
  readonly batch: number
  readonly faces: number
  readonly seed: number
  readonly folder: string
  readonly target: Target
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const readPlan = (options: AestheticOptions): E.Either<Failure, Plan> =>
  pipe(
    E.Do,
    E.bind('steps', () => whole('steps', options.steps, recipe.steps, 1)),
    E.bind('batch', () => whole('batch', options.batch, 128, 1)),
    E.bind('faces', () => whole('faces', options.faces, 16_384, 2)),
    E.bind('seed', () => whole('seed', options.seed, 1, 0)),
    E.bind('mode', () => {
      const mode = modes.find((known) => known === (options.mode ?? 'webasm'))
      return mode === undefined
        ? E.left(usage(`--mode: expected one of ${modes.join(', ')}, got ${JSON.stringify(options.mode)}`))
        : E.right(mode)
    }),
    E.map(({ steps, batch, faces, seed, mode }) => ({
      recipe: { ...recipe, steps },
      batch,
      faces,
      seed,
      folder: options.out ?? join('runs', 'pretrain-aesthetic'),
      target: gpuJs({ mode })
    }))
  )

// -------------------------------------------------------------------------------------
// data
// -------------------------------------------------------------------------------------

/** How many faces are held out, beside those for training: half as many pairs, in each of which both faces are new. */
const heldOutFaces = (faces: number): number => Math.min(8192, Math.ceil(faces / 2))

const sample = (key: Key.Key, count: number): ReadonlyArray<Faces.Attributes> =>
  pipe(
    Faces.sample(Draw.uniform(key, [count, Faces.attributeNames.length])),
    // uniforms of the right shape in (0, 1) are faces
    E.getOrElse((): ReadonlyArray<Faces.Attributes> => [])
  )

interface Data {
  readonly training: Tensor
  readonly heldOut: Tensor
}

/** Faces to learn from, and other faces to judge by, each of which occurs once. */
const dataOf = (key: Key.Key, faces: number): Data => {
  const code = (face: Faces.Attributes): string => Faces.encode(face).join('')
  const training = sample(Key.foldInString(key, 'training'), faces)
  const seen = new Set(training.map(code))
  const fresh = new Map(
    sample(Key.foldInString(key, 'held-out'), 4 * heldOutFaces(faces))
      .map((face) => [code(face), face] as const)
      .filter(([name]) => !seen.has(name))
  )
  return { training: draw(training).images, heldOut: draw([...fresh.values()].slice(0, heldOutFaces(faces))).images }
}

// -------------------------------------------------------------------------------------
// the run
// -------------------------------------------------------------------------------------

const orBroken = <A>(result: E.Either<TargetError, A>): E.Either<Failure, A> =>
  pipe(
    result,
    E.mapLeft((error) =>
      error._tag === 'Unsupported' ? usage(showTargetError(error)) : broken(showTargetError(error))
    )
  )

const trained = (plan: Plan, images: Tensor, key: Key.Key): Step<Values> => {
  const objective = Objective.preferring(Aesthetic.shipped)
  const start = Pretrain.start(objective, plan.recipe, Key.foldInString(key, 'parameters'))
  const batches = Objective.choicesAt(
    images,
    Preference.utilities(images),
    plan.batch,
    Key.foldInString(key, 'batches')
  )
  return pipe(
    Pretrain.trainingStep(objective, plan.recipe),
    E.mapLeft((errors) => broken(errors.map(showShapeError).join('\n'))),
    E.flatMap((program) => orBroken(plan.target.compile(program, { batch: plan.batch }))),
    TE.fromEither,
    TE.flatMap((executable) => async () => {
      const bar = meter('pretrain aesthetic', plan.recipe.steps)
      let result: E.Either<Failure, Values> = E.right(start.values)
      let shown = 0
      for await (const next of Pretrain.train(executable, plan.recipe, batches, start)) {
        if (E.isLeft(next)) {
          result = orBroken(next)
          break
        }
        const { step, loss, values } = next.right
        result = E.right(values)
        shown = step === 1 ? loss : shown + 0.02 * (loss - shown)
        bar.update(step, `loss ${shown.toPrecision(4)}`)
        // a step on the host gives no other task its turn
        await setImmediate()
      }
      bar.stop()
      await executable.dispose()
      return pipe(
        result,
        E.map((values) => below('average', values))
      )
    })
  )
}

const scoresOf = (target: Target, parameters: Values, images: Tensor): Step<Tensor> =>
  pipe(
    Objective.scoring(Aesthetic.shipped),
    E.mapLeft((errors) => broken(errors.map(showShapeError).join('\n'))),
    E.flatMap((program) => orBroken(target.compile(program, { batch: images.shape[0] ?? 1 }))),
    TE.fromEither,
    TE.flatMap((executable) =>
      pipe(
        executable.run({ ...under('parameters', parameters), x: images }),
        TE.mapLeft((error) => broken(showTargetError(error)))
      )
    ),
    TE.flatMapEither(({ score }) => (score === undefined ? E.left(broken('the program has no score')) : E.right(score)))
  )

const fileOf = (plan: Plan, parameters: Values, metrics: string): E.Either<Failure, Uint8Array> =>
  pipe(
    Aesthetic.encodeAesthetic(Aesthetic.shipped, parameters, {
      command: `halforder pretrain aesthetic --steps ${plan.recipe.steps} --batch ${plan.batch} --faces ${plan.faces} --seed ${plan.seed}`,
      seed: String(plan.seed),
      steps: String(plan.recipe.steps),
      metrics
    }),
    E.mapLeft((error) => broken(Model.showError(error)))
  )

const execute = (plan: Plan): Step<Preference.Quality> => {
  const key = Key.make(plan.seed)
  const none: Preference.Quality = {
    pairs: 0,
    accuracy: 0,
    standardError: 0,
    trueAccuracy: 0,
    bayesRate: 0,
    correlation: 0
  }
  return pipe(
    TE.Do,
    TE.chainFirst(() => file(Files.makeFolder(plan.folder))),
    TE.let('data', () => dataOf(Key.foldInString(key, 'data'), plan.faces)),
    TE.bind('exact', ({ data }) => trained(plan, data.training, key)),
    // what is judged is what the file holds: parameters rounded to f16
    TE.bind('stored', ({ exact }) =>
      TE.fromEither(
        pipe(
          fileOf(plan, exact, JSON.stringify(none)),
          E.flatMap((bytes) =>
            pipe(
              Aesthetic.loadAesthetic(bytes),
              E.bimap(
                (error) => broken(Model.showError(error)),
                ({ parameters }) => parameters
              )
            )
          )
        )
      )
    ),
    TE.bind('scores', ({ data, stored }) => scoresOf(plan.target, stored, data.heldOut)),
    TE.let('found', ({ scores, data }) =>
      Preference.quality(scores.data, Preference.utilities(data.heldOut), Key.foldInString(key, 'report'))
    ),
    TE.bind('bytes', ({ stored, found }) => TE.fromEither(fileOf(plan, stored, JSON.stringify(found)))),
    TE.chainFirst(({ bytes }) => file(Files.write(join(plan.folder, 'aesthetic.safetensors'), bytes))),
    TE.chainFirst(({ found }) =>
      file(Files.write(join(plan.folder, 'metrics.json'), `${JSON.stringify(found, null, 2)}\n`))
    ),
    TE.map(({ found }) => found)
  )
}

/**
 * Trains the score and gives the exit code: 0, 1 (it failed) or 2 (wrong usage, nothing written). The folder then has
 * `aesthetic.safetensors` (averaged parameters, f16) and `metrics.json`.
 *
 * @category effects
 * @since 0.1.0
 */
export const pretrainAesthetic = async (options: AestheticOptions): Promise<number> => {
  const plan = readPlan(options)
  if (E.isLeft(plan)) return fail(plan.left)
  const result = await execute(plan.right)()
  await plan.right.target.dispose()
  if (E.isLeft(result)) return fail(result.left)
  const { pairs, accuracy, standardError, trueAccuracy, bayesRate, correlation: r } = result.right
  process.stdout.write(
    `wrote ${plan.right.folder}: ${pairs} held-out pairs, accuracy ${accuracy.toFixed(4)} +- ${standardError.toFixed(4)}, ` +
      `true utility ${trueAccuracy.toFixed(4)}, Bayes rate ${bayesRate.toFixed(4)}, correlation ${r.toFixed(4)}\n`
  )
  return 0
}

const fail = ({ kind, message }: Failure): number => {
  process.stderr.write(`halforder pretrain: ${message}\n`)
  return kind === 'usage' ? 2 : 1
}
