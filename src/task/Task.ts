/**
 * Tasks: what a command needs to know of a domain. Which models there are and the chains on them, what they can be told, which
 * rewards have names, which data train what, and how an output is shown.
 *
 * Everything is a value of the library; the program `halforder` talks to a task and to nothing behind it. A task of your own is
 * one module whose default export is made by `task`: `--task ./rings.mjs`.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type DocumentError, fault } from '../document/Document.js'
import { near } from '../document/Nearest.js'
import type { Span } from '../lens/Columns.js'
import type { Params } from '../lens/Lens.js'
import type { Meaning } from '../network/Meaning.js'
import * as Model from '../network/Model.js'
import type { Key } from '../random/Key.js'
import type { Shelf } from '../reward/Shelf.js'
import type { Values } from '../tensor/Program.js'
import type { Target } from '../tensor/Target.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Labelled } from '../training/Batches.js'
import { type Language, silent } from '../training/Conditions.js'
import * as Config from '../training/Config.js'
import type { Objective } from '../training/Objective.js'
import type { Recipe } from '../training/Pretrain.js'
import type { Materials } from '../training/Setup.js'
import type { Judges } from './Judges.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A domain.
 *
 * - `defaults`: fields of a configuration, as a document, over the library's own, for a document that is given. `model` and
 *   `reward` must be among them.
 * - `models`: the models that have a name. `read` makes one of a file's bytes: of those, and of what a run wrote.
 * - `meaning`: what the numbers of a model mean that comes with its network, in ONNX or as a folder of diffusers. Where a task has none, what
 *   lies beside the file says it.
 * - `language`: in which a model is told what to draw.
 * - `rewards`: those that have names, on the outputs of a model. They may have to be read: networks that judge, say.
 * - `judges`: what runs on a model's outputs are judged by, beside the reward that they raise.
 * - `show`: how the outputs of a model are shown.
 * - `trainings`: what can be trained from data, by name.
 * - `examples`: draws what the models are trained on, where that is to be looked at.
 * - `fetch`: brings data that do not ship to where `trainings` and `examples` read them.
 * - `toys`: chains with exact gradients to verify estimators on, by name: documents as `halforder verify --model` takes them.
 *
 * @category model
 * @since 0.1.0
 */
export interface Task {
  readonly _tag: 'Task'
  readonly name: string
  readonly about: string
  readonly defaults: (given: unknown) => Readonly<Record<string, unknown>>
  readonly models: ReadonlyMap<string, Stored>
  readonly read: (bytes: Uint8Array) => E.Either<string, Model.Model>
  readonly meaning: Meaning | undefined
  readonly language: (model: Model.Model) => Language
  readonly rewards: (model: Model.Model) => TE.TaskEither<string, Shelf>
  readonly judges: (model: Model.Model) => TE.TaskEither<string, Judges>
  readonly show: (model: Model.Model) => Show
  readonly trainings: ReadonlyMap<string, Training>
  readonly examples: ((key: Key, n: number) => TE.TaskEither<string, Examples>) | undefined
  readonly fetch: TE.TaskEither<string, string> | undefined
  readonly toys: ReadonlyMap<string, unknown>
}

/**
 * A model that has a name: one line about it, and the bytes of its file.
 *
 * @category model
 * @since 0.1.0
 */
export interface Stored {
  readonly about: string
  readonly bytes: TE.TaskEither<string, Uint8Array>
}

/**
 * How rows of numbers are shown.
 *
 * - `Stills`: images of `side x side` RGB pixels in [-1, 1], in the order height, width, color; where `side` is left out, of whatever
 *   square a row makes. With `colors: 1` a pixel is one number, its grey. With `image`, of that size, channels and range: of one channel
 *   grey, of more than three the first three.
 * - `Clips`: `frames` of those, one after another.
 * - `Points`: points of the plane, drawn where both coordinates are in [-reach, reach].
 * - `Text`: a line of words a row, as `words` has it.
 * - `Own`: whatever `png` makes of some rows.
 *
 * @category model
 * @since 0.1.0
 */
export type Show =
  | {
      readonly _tag: 'Stills'
      readonly side?: number | undefined
      readonly colors?: 1 | 3
      readonly image?: Model.Image | undefined
    }
  | { readonly _tag: 'Clips'; readonly side: number; readonly frames: number }
  | { readonly _tag: 'Points'; readonly reach: number }
  | { readonly _tag: 'Text'; readonly words: (row: ArrayLike<number>) => string }
  | { readonly _tag: 'Own'; readonly png: (rows: Tensor) => TE.TaskEither<string, Uint8Array> }

/**
 * Labelled examples with what each of them is, as documents, and how they are shown.
 *
 * @category model
 * @since 0.1.0
 */
export interface Examples extends Labelled {
  readonly words: ReadonlyArray<unknown>
  readonly show: Show
}

/**
 * Something that can be trained. `network` says what is trained, so that a checkpoint of something else is told apart;
 * `batch` and `examples` are how many rows a step sees and how many are drawn, unless the command says otherwise. `prepare`
 * draws the data of a key. `encode` makes the file, and `decode` reads the numbers back as they are stored.
 *
 * @category model
 * @since 0.1.0
 */
export interface Training {
  readonly about: string
  readonly network: unknown
  readonly objective: () => Objective<Params>
  readonly recipe: Recipe
  readonly batch: number
  readonly examples: number
  readonly prepare: (key: Key, examples: number) => TE.TaskEither<string, Prepared>
  readonly encode: (parameters: Values, metadata: Model.Metadata) => E.Either<string, Uint8Array>
  readonly decode: (bytes: Uint8Array) => E.Either<string, Values>
}

/**
 * The data of a training: the batch of each step, and a judgement of what was trained. `details` are told apart by a
 * checkpoint, beside the network, the recipe and the numbers that the command was given.
 *
 * @category model
 * @since 0.1.0
 */
export interface Prepared {
  readonly details: Readonly<Record<string, unknown>>
  readonly batches: (batch: number, key: Key) => (step: number) => Values
  readonly judge: (trained: Trained) => TE.TaskEither<string, Judgement>
}

/**
 * What is judged: parameters as the file has them, on a target, with a key for its draws. `folder` is where the training writes.
 *
 * @category model
 * @since 0.1.0
 */
export interface Trained {
  readonly parameters: Values
  readonly metadata: Model.Metadata
  readonly target: Target
  readonly key: Key
  readonly folder: string
}

/**
 * Measured numbers by name.
 *
 * @category model
 * @since 0.1.0
 */
export type Numbers = { readonly [name: string]: number | Numbers }

/**
 * What a judgement found: numbers, pictures by the name of their file, and one line for a person.
 *
 * @category model
 * @since 0.1.0
 */
export interface Judgement {
  readonly numbers: Numbers
  readonly pictures: Readonly<Record<string, Uint8Array>>
  readonly line: string
}

/**
 * What must be said of a task; the rest has defaults: no judges, no training, no examples, nothing to fetch, no toys, models that are told nothing, and files
 * with a description, as `halforder pretrain` writes them.
 *
 * @category model
 * @since 0.1.0
 */
export interface TaskOptions {
  readonly name: string
  readonly about: string
  readonly defaults: Readonly<Record<string, unknown>> | Task['defaults']
  readonly models: Readonly<Record<string, Stored>>
  readonly rewards: Shelf | ((model: Model.Model) => TE.TaskEither<string, Shelf>)
  readonly judges?: Judges | ((model: Model.Model) => TE.TaskEither<string, Judges>)
  readonly show: Show | ((model: Model.Model) => Show)
  readonly read?: Task['read']
  readonly meaning?: Meaning
  readonly language?: Language | Task['language']
  readonly trainings?: Readonly<Record<string, Training>>
  readonly examples?: (key: Key, n: number) => TE.TaskEither<string, Examples>
  readonly fetch?: TE.TaskEither<string, string>
  readonly toys?: Readonly<Record<string, unknown>>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A task from what must be said of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const task = (options: TaskOptions): Task => {
  const { defaults: fields, judges = {}, language = silentFor, rewards, show } = options
  return {
    _tag: 'Task',
    name: options.name,
    about: options.about,
    defaults: typeof fields === 'function' ? fields : () => fields,
    models: new Map(Object.entries(options.models)),
    read: options.read ?? described,
    meaning: options.meaning,
    language: typeof language === 'function' ? language : () => language,
    rewards: typeof rewards === 'function' ? rewards : () => TE.right(rewards),
    judges: typeof judges === 'function' ? judges : () => TE.right(judges),
    show: typeof show === 'function' ? show : () => show,
    trainings: new Map(Object.entries(options.trainings ?? {})),
    examples: options.examples,
    fetch: options.fetch,
    toys: new Map(Object.entries(options.toys ?? {}))
  }
}

const described: Task['read'] = (bytes) => pipe(Model.loadModel(bytes), E.mapLeft(Model.showError))

const silentFor: Task['language'] = ({ denoiser }) => silent(denoiser.labels)

/**
 * A model with a name, from a function that reads its file: `stored('a ring', () => readFile(url))`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stored = (about: string, read: () => Promise<Uint8Array>): Stored => ({
  about,
  bytes: TE.tryCatch(read, (reason) => (reason instanceof Error ? reason.message : String(reason)))
})

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * What a field of a configuration is where a document leaves it out: as the task says, or else as the library does. Left: a
 * default of the task that is no such field.
 *
 * @category readings
 * @since 0.1.0
 */
export const defaults =
  (self: Task) =>
  (given: unknown = {}): E.Either<DocumentError, Config.Config> =>
    pipe(
      Config.decode()(self.defaults(given)),
      E.mapLeft((error) => ({ ...error, remedy: `${error.remedy}, in the defaults of the task '${self.name}'` }))
    )

/**
 * Decodes a configuration of a task. Left: the first field that is wrong, what was expected, and what to do.
 *
 * @category readings
 * @since 0.1.0
 */
export const configuration =
  (self: Task) =>
  (given: unknown): E.Either<DocumentError, Config.Config> =>
    pipe(
      defaults(self)(given),
      E.flatMap((base) => Config.decode(base)(given))
    )

/**
 * The model of a name. Left: a name that is none, with those that are; bytes that could not be read, or are no model.
 *
 * @category readings
 * @since 0.1.0
 */
export const model =
  (self: Task) =>
  (name: string): TE.TaskEither<string, Model.Model> => {
    const found = self.models.get(name)
    const names = [...self.models.keys()]
    const close = near(name, names)
    return found === undefined
      ? TE.left(
          `expected one of ${names.join(', ')}, a file *.safetensors, or the folder of a run, got ${JSON.stringify(name)}` +
            (close.length > 0 ? `; near it is ${close.join(', ')}` : '')
        )
      : pipe(
          found.bytes,
          TE.flatMapEither(self.read),
          TE.mapLeft((reason) => `${name}: ${reason}`)
        )
  }

/**
 * What a fine-tune of a model may draw on. Left: why the task can not have them.
 *
 * @category readings
 * @since 0.1.0
 */
export const materials =
  (self: Task) =>
  (chosen: Model.Model): TE.TaskEither<string, Materials> =>
    pipe(
      self.rewards(chosen),
      TE.map((rewards) => ({ model: chosen, language: self.language(chosen), rewards }))
    )

/**
 * The training of a name. Left: a name that is none, with those that are.
 *
 * @category readings
 * @since 0.1.0
 */
export const training =
  (self: Task) =>
  (name: string): E.Either<DocumentError, Training> => {
    const found = self.trainings.get(name)
    const names = [...self.trainings.keys()]
    return found === undefined
      ? E.left(
          fault(
            'name',
            names.length === 0
              ? `something that the task '${self.name}' trains: it has nothing`
              : `one of ${names.join(', ')}`,
            name,
            names.length === 0 ? 'choose another --task' : 'choose one of them'
          )
        )
      : E.right(found)
  }

/**
 * Is a value that a module exports a task? Left: what is missing of one.
 *
 * @category readings
 * @since 0.1.0
 */
export const fromModule = (exported: unknown): E.Either<string, Task> => {
  const missing = "expected a default export made by `task` of 'halforder/task'"
  return isTask(exported) ? E.right(exported) : E.left(`${missing}, got ${shown(exported)}`)
}

// what `task` makes is marked, and nothing else is
const isTask = (value: unknown): value is Task =>
  typeof value === 'object' && value !== null && '_tag' in value && value._tag === 'Task' && 'trainings' in value

const shown = (value: unknown): string =>
  value === undefined ? 'none' : typeof value === 'object' ? 'another object' : `a ${typeof value}`

/**
 * The spans of a one-hot code whose parts have the given widths, one after another.
 *
 * @category utils
 * @since 0.1.0
 */
export const spans = (widths: ReadonlyArray<number>): ReadonlyArray<Span> =>
  widths.map((width, i) => ({ offset: widths.slice(0, i).reduce((a, b) => a + b, 0), width }))
