/**
 * Models by the name of one that ships, from a file, or from the folder of a fine-tune.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Model } from 'halforder/network/Model'
import * as Task from 'halforder/task/Task'
import type { Materials } from 'halforder/training/Setup'
import { broken, type Failure, file, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import { find, names } from '../tasks/Find.js'
import { fileModel } from './file/FileModel.js'
import { fileTask } from './file/FileTask.js'
import { alone } from './file/WeightsAlone.js'
import { networkAt, weightsOf } from './ForeignModel.js'
import { withFile } from './RewardFile.js'
import { modelFiles } from './run/RunFolder.js'

const extension = '.safetensors'

// what a task reads is its own: those of the library read models that `pretrain` wrote
const extensions = [extension, '.onnx', '.pt', '.pth', '.ckpt', '.bin', '.npz']

/** A name has neither a dot nor a slash; anything else is a file, or the folder of a run. */
const isFile = (name: string): boolean => /[./\\]/.test(name)

/** The file of the model in the folder of a run, however it is called. */
const inRun = (folder: string): Step<string> =>
  pipe(
    modelFiles,
    TE.traverseSeqArray((name) => file(Files.exists(join(folder, name)))),
    TE.map((there) => join(folder, modelFiles.find((_, i) => there[i] === true) ?? modelFiles[0]))
  )

const modelIn = (task: Task.Task, path: string, remedy: string): Step<Model> =>
  pipe(
    Files.read(path),
    TE.mapLeft((error) => usage(`--model: ${Files.showError(error)}${remedy}`)),
    TE.flatMap((bytes) =>
      pipe(
        task.read(bytes),
        E.mapLeft((reason) => usage(`--model: ${path}: ${reason}`)),
        TE.fromEither,
        TE.orElse((refused) => weightsAlone(task, path, refused))
      )
    )
  )

/** A task that ships reads what was written here: of other weights it says what they lack. */
const weightsAlone = (task: Task.Task, path: string, refused: Failure): Step<Model> => {
  const torch = !path.endsWith(extension)
  const ships = task.name === fileTask.name || names().includes(task.name)
  if (!ships || path.endsWith('.npz') || !(torch || refused.message.includes('got no description'))) {
    return TE.left(refused)
  }
  return pipe(
    weightsOf(path, undefined),
    // what is no such file either says so
    TE.flatMap((weights) => TE.left(usage(`--model: ${alone(path, weights, torch)}`)))
  )
}

/**
 * The denoiser of a name that the task knows, of a file, or of the folder of a fine-tune (what has a dot or a slash is no name).
 * Left: a name that is none, with those that are; a file that cannot be read, or is no model.
 *
 * @category effects
 * @since 0.1.0
 */
export const loadNamed =
  (task: Task.Task) =>
  (name: string): Step<Model> => {
    if (!isFile(name)) {
      return pipe(
        Task.model(task)(name),
        TE.mapLeft((reason) => usage(`--model: ${reason}`))
      )
    }
    return pipe(
      networkAt(name),
      TE.flatMap((path) =>
        path === undefined
          ? ofTask(task, name)
          : reads(task, path)
            ? modelIn(task, path, '')
            : fileModel(path, task.meaning)
      )
    )
  }

/** Does the task read the file itself? One file it may; it says so where it does not say what a model means. */
const reads = ({ meaning, name }: Task.Task, path: string): boolean =>
  meaning === undefined && name !== fileTask.name && extensions.some((end) => path.endsWith(end))

const ofTask = (task: Task.Task, name: string): Step<Model> =>
  extensions.some((end) => name.endsWith(end))
    ? modelIn(task, name, '')
    : pipe(
        inRun(name),
        TE.flatMap((path) =>
          modelIn(task, path, `; expected a file *${extension} or the folder of a run that has ended, got ${name}`)
        )
      )

/**
 * The task that is named, or else that of the model: a model that comes with its network needs none, and the usual one has the rest.
 *
 * @category effects
 * @since 0.1.0
 */
export const taskOf = (
  named: string | undefined,
  model: string | undefined
): Step<{ readonly task: Task.Task; readonly name: string }> => {
  const found = (name: string): ReturnType<typeof taskOf> =>
    pipe(
      name === fileTask.name ? TE.right(fileTask) : find(name),
      TE.map((task) => ({ task, name }))
    )
  if (named !== undefined) return found(named)
  if (model === undefined || !isFile(model)) return found(usual)
  return pipe(
    networkAt(model),
    TE.flatMap((path) => found(path === undefined ? usual : fileTask.name))
  )
}

/** The task that runs where neither a task nor a model says another. */
const usual = 'faces'

/**
 * What a configuration may draw on: the model that it names, what the task knows of it, and the reward where that is a module.
 *
 * @category effects
 * @since 0.1.0
 */
export const materialsOf = (
  task: Task.Task,
  config: { readonly model: string; readonly reward: string }
): Step<Materials> =>
  pipe(
    loadNamed(task)(config.model),
    TE.flatMap((model) => pipe(Task.materials(task)(model), TE.mapLeft(broken))),
    TE.bindTo('materials'),
    TE.bind('rewards', ({ materials: { model, rewards } }) =>
      withFile(config.reward, O.isNone(model.decoder) ? model.denoiser.features : undefined)(rewards)
    ),
    TE.map(({ materials, rewards }) => ({ ...materials, rewards }))
  )
