/**
 * The configuration of a fine-tune from a file and from what is typed over it.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord } from 'halforder/document/Document'
import { parse } from 'halforder/document/Numbers'
import { modes } from 'halforder/kernel'
import { configuration, type Task } from 'halforder/task/Task'
import * as Config from 'halforder/training/Config'
import { parse as parseYaml } from 'yaml'
import { refused, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'
import { find } from '../tasks/Find.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What may be typed: a file, and fields over those of the file.
 *
 * @category model
 * @since 0.1.0
 */
export interface ConfigOptions {
  readonly task?: string
  readonly config?: string
  readonly seed?: string
  readonly model?: string
  readonly chain?: string
  readonly estimator?: string
  readonly h?: string
  readonly T?: string
  readonly batch?: string
  readonly steps?: string
  readonly reward?: string
  readonly prompt?: string
  readonly lora?: string
  readonly mode?: string
  readonly threads?: string
}

/**
 * The same for the command line.
 *
 * @category model
 * @since 0.1.0
 */
export const configOptions: ReadonlyArray<readonly [flags: string, description: string]> = [
  ['--task <name>', 'faces, clips, points, or a module such as ./rings.mjs (default: faces)'],
  ['--config <file>', 'JSON or YAML; fields that it leaves out take their defaults'],
  ['--seed <number>', 'the seed of every draw'],
  ['--model <name>', 'the base model: one of the task, a file *.safetensors, or the folder of a run'],
  ['--chain <name>', Config.chainNames.join(', ')],
  ['--estimator <name>', Config.estimatorNames.join(', ')],
  ['--h <number>', 'steps of a half-order segment'],
  ['--T <number>', 'steps of the chain'],
  ['--batch <number>', 'samples of one step'],
  ['--steps <number>', 'steps of the optimizer'],
  ['--reward <name>', 'a reward of the task, or a sum such as alignment + 0.5*aesthetic'],
  ['--prompt <text>', 'of every sample, such as "a happy face with blue hair" (default: each draws one)'],
  ['--lora <rank>', 'train low-rank adapters of all weights instead, with a radius and a learning rate for them'],
  ['--mode <name>', `mode of gpu.js: ${modes.join(', ')}`],
  ['--threads <number>', 'threads that share the rows of a batch, in mode webasm; the bits are those of one thread']
]

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * A configuration, and the task that it is of.
 *
 * @category model
 * @since 0.1.0
 */
export interface Configured {
  readonly task: Task
  readonly config: Config.Config
}

/** The task that runs where none is named. */
const usual = 'faces'

/**
 * Reads a configuration and its task: the file, if one is named, with what was typed over it. Left: a task that is none, a file
 * that is not there or no JSON or YAML, a field that is unknown or not of its kind.
 *
 * @category effects
 * @since 0.1.0
 */
export const readConfig = (options: ConfigOptions): Step<Configured> =>
  pipe(
    options.config === undefined ? TE.right<never, unknown>({}) : document(options.config),
    TE.flatMap((given) => configure(given, options))
  )

/**
 * As `readConfig`, of a document that was read.
 *
 * @category effects
 * @since 0.1.0
 */
export const configure = (document: unknown, options: ConfigOptions): Step<Configured> =>
  pipe(
    TE.right(override(document, options)),
    TE.bindTo('given'),
    TE.bind('task', ({ given }) => find(nameOfTask(given))),
    TE.bind('config', ({ given, task }) => TE.fromEither(pipe(given, configuration(task), E.mapLeft(refused)))),
    TE.map(({ task, config }) => ({ task, config: { ...config, task: config.task === '' ? usual : config.task } }))
  )

/** What is no name is left to the decoder, which says so. */
const nameOfTask = (given: unknown): string =>
  isRecord(given) && typeof given['task'] === 'string' && given['task'] !== '' ? given['task'] : usual

/**
 * What a file of JSON or YAML says.
 *
 * @category effects
 * @since 0.1.0
 */
export const document = (path: string): Step<unknown> =>
  pipe(
    Files.read(path),
    TE.mapLeft((error) => usage(Files.showError(error))),
    TE.flatMapEither((bytes) =>
      E.tryCatch(
        (): unknown => parseYaml(new TextDecoder().decode(bytes)) ?? {},
        (error) =>
          usage(
            `${path}: expected JSON or YAML, got ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'something else'}`
          )
      )
    )
  )

/** The command line over the document. */
const override = (given: unknown, options: ConfigOptions): unknown => {
  if (!isRecord(given)) return given
  const estimator = { ...field('name', options.estimator), ...field('h', number(options.h)) }
  const chain = { ...field('kind', options.chain), ...field('T', number(options.T)) }
  const rank = number(options.lora)
  // a rank of 0 is no adapter
  const start = typeof rank === 'number' && rank > 0 ? beneath(given, forAdapters) : given
  return {
    ...start,
    ...field('task', options.task),
    ...field('model', options.model),
    ...field('seed', number(options.seed)),
    ...field('steps', number(options.steps)),
    ...field('batch', number(options.batch)),
    ...field('reward', options.reward),
    ...field('prompt', options.prompt),
    ...field('adapter', within(start['adapter'], field('rank', rank))),
    ...field('mode', options.mode),
    ...field('threads', number(options.threads)),
    ...field('estimator', within(start['estimator'], estimator)),
    ...field('chain', within(start['chain'], chain))
  }
}

/**
 * The option that sets a field of a configuration.
 *
 * @category utils
 * @since 0.1.0
 */
export const optionOf = (path: string): string => {
  const option = Object.entries(fields).find(([, field]) => field === path)?.[0]
  return option === undefined ? path : `--${option}`
}

/** Where each option is in a configuration. */
const fields: Readonly<Record<Exclude<keyof ConfigOptions, 'config'>, string>> = {
  task: 'task',
  seed: 'seed',
  model: 'model',
  chain: 'chain.kind',
  estimator: 'estimator.name',
  h: 'estimator.h',
  T: 'chain.T',
  batch: 'batch',
  steps: 'steps',
  reward: 'reward',
  prompt: 'prompt',
  lora: 'adapter.rank',
  mode: 'mode',
  threads: 'threads'
}

type Group = Readonly<Record<string, unknown>>

/** What the defaults, which are those of a vector of biases, would be for matrices that a batch shares. */
const forAdapters: Readonly<Record<string, Group>> = {
  estimator: { directions: 'batch', radius: 0.01 },
  optimizer: { learningRate: 0.005 }
}

/** Groups with other fields beneath their own. */
const beneath = (given: Group, groups: Readonly<Record<string, Group>>): Group => ({
  ...given,
  ...Object.fromEntries(
    Object.entries(groups).map(([name, fields]) => {
      const own = given[name]
      return [name, own === undefined ? fields : isRecord(own) ? { ...fields, ...own } : own]
    })
  )
})

const field = (name: string, value: unknown): Group => (value === undefined ? {} : { [name]: value })

/** A group with other fields over its own. What is no group stays what it is, so that the decoder names it. */
const within = (group: unknown, fields: Group): unknown =>
  Object.keys(fields).length > 0 && (group === undefined || isRecord(group)) ? { ...group, ...fields } : group

/** A word that is no number stays a word, so that the decoder names it. */
const number = (text: string | undefined): number | string | undefined =>
  text === undefined
    ? undefined
    : pipe(
        text,
        parse({}),
        E.getOrElseW(() => text)
      )
