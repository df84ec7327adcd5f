/**
 * The configuration of a fine-tune from a file and from what is typed over it.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type DocumentError, isRecord } from 'halforder/document/Document'
import { parse } from 'halforder/document/Numbers'
import { modes } from 'halforder/kernel'
import { auto } from '../edge/AutoMode.js'
import * as Named from 'halforder/estimator/Named'
import { defaults, type Task } from 'halforder/task/Task'
import { names as chainNames } from 'halforder/training/Chains'
import * as Config from 'halforder/training/Config'
import { find as findPreset, names as presetNames } from 'halforder/training/policy/Presets'
import * as Documents from '../edge/Documents.js'
import { type Failure, refused, type Step, usage } from '../edge/Failure.js'
import { estimatorOption, type Typed } from './EstimatorOption.js'
import { taskOf } from './ModelFile.js'

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
  readonly preset?: string
  readonly chain?: string
  readonly evaluateChain?: string
  readonly estimator?: string
  readonly h?: string
  readonly k?: string
  readonly T?: string
  readonly window?: string
  readonly batch?: string
  readonly group?: string
  readonly steps?: string
  readonly reward?: string
  readonly prompt?: string
  readonly lora?: string
  readonly kl?: string
  readonly klAs?: string
  readonly innerEpochs?: string
  readonly minibatches?: string
  readonly clip?: string
  readonly density?: string
  readonly paper?: boolean
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
  [
    '--task <name>',
    'faces, clips, garments, points, tokens, or a module such as ./rings.mjs (default: faces, or what the file of --model says)'
  ],
  ['--config <file>', 'JSON or YAML; fields that it leaves out take their defaults'],
  ['--seed <number>', 'the seed of every draw'],
  ['--model <name>', 'the base model: one of the task, a file (also *.onnx), a folder of diffusers, or that of a run'],
  ['--preset <name>', `the fields of a published method, which others go over: ${presetNames.join(', ')}`],
  ['--chain <name>', chainNames.join(', ')],
  [
    '--evaluate-chain <name>',
    'measure and picture on this chain in place of the one that is trained on, such as flow-ode'
  ],
  [
    '--estimator <name>',
    `${Named.names.join(', ')}; with options such as "rlr(h = 3, radius = 0.1)"; or a JSON file (see halforder estimators); auto, or auto(only = "rlr"): a pilot chooses`
  ],
  ['--h <number>', 'steps of a half-order segment, for the estimators that have some'],
  ['--k <number>', 'continuations of one state, for the estimator siblings (its family)'],
  ['--T <number>', 'steps of the chain'],
  [
    '--window <steps>',
    'the steps that have noise, the lowest and the highest, as "5,8", or so many of them that move, as "4 down 25" (by one in 25 steps) or "4 random"'
  ],
  ['--batch <number>', 'samples of one step'],
  ['--group <number>', 'so many samples in a row are asked for the same, with the advantage perPrompt'],
  ['--steps <number>', 'steps of the optimizer'],
  [
    '--reward <name>',
    'a reward of the task, a sum such as alignment + 0.5*aesthetic, or a file: a module ./reward.mjs, a graph judge.onnx'
  ],
  ['--prompt <text>', 'of every sample, such as "a happy face with blue hair" (default: each draws one)'],
  ['--lora <rank>', 'train low-rank adapters of all weights instead, with a radius and a learning rate for them'],
  [
    '--kl <beta>',
    'what it costs to leave the base model: beta times the divergence of the steps (default: of the task)'
  ],
  ['--kl-as <part>', 'objective, loss (at the states that were drawn) or reward: what likelihood ratios make of it'],
  [
    '--inner-epochs <number>',
    'passes over the samples of a step, weighed by ratios of densities after the first update'
  ],
  ['--minibatches <number>', 'shares of a batch, each of which makes an update'],
  ['--clip <range>', 'terms whose ratio is farther from 1 are dropped'],
  ['--density <of>', 'sum, or mean over the numbers of a state, as released code has it'],
  ['--paper', 'RLR as the paper has it: zeroth-order on the rest, no baseline of the state, no --kl, 60 steps'],
  ['--mode <name>', `mode of gpu.js: ${modes.join(', ')}, or ${auto}, the fastest that a probe finds`],
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

/**
 * Reads a configuration and its task: the file, if one is named, with what was typed over it. Left: a task that is
 * none, a file that is not there or no JSON or YAML (`Documents.yaml`), a field that is unknown or not of its kind.
 * Where the typed estimator is of another name than that of the file, it takes from there the options that it has.
 *
 * @category effects
 * @since 0.1.0
 */
export const readConfig = (options: ConfigOptions): Step<Configured> =>
  pipe(
    options.config === undefined ? TE.right<never, unknown>({}) : Documents.read(options.config, Documents.yaml),
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
    TE.right(document),
    TE.bindTo('given'),
    TE.bind('estimator', () =>
      options.estimator === undefined ? TE.right<never, undefined>(undefined) : estimatorOption(options.estimator)
    ),
    TE.filterOrElse(
      ({ estimator }) => options.paper !== true || estimator === undefined,
      () => usage('--paper: expected no --estimator beside it; leave one of the two out')
    ),
    TE.chainFirstEitherK(() => presetOf(options)),
    TE.bind('typed', ({ estimator }) => TE.fromEither(typedOf(options, estimator))),
    TE.bind('found', ({ given, typed }) => {
      const document = over(given, typed)
      return taskOf(textIn(document, 'task'), textIn(document, 'model'))
    }),
    TE.let('task', ({ found }) => found.task),
    TE.bind('base', ({ given, typed, task, estimator }) =>
      TE.fromEither(
        pipe(
          over(given, typed),
          defaults(task),
          E.flatMap((base) => {
            const { kl, steps } = Config.defaults
            if (options.paper === true) return withEstimator(printed)({ ...base, kl, steps })
            // what a task chose among its estimator's options is not for one that is named
            return isNamed(given, estimator?.document)
              ? withEstimator({ name: base.estimator.name })(base)
              : E.right(base)
          }),
          E.flatMap((base) => Config.decode(base)(fieldsOf(options))),
          E.map((base) => (isRank(options.lora) ? forAdapters(base) : base)),
          // samples of one prompt are each other's baseline, unless something else is said
          E.map((base) => (options.group === undefined ? base : forGroups(base))),
          E.flatMap((base) => Config.decode(base)(given)),
          E.mapLeft(refused)
        )
      )
    ),
    TE.bind('config', ({ base, typed, estimator }) =>
      TE.fromEither(
        pipe(
          typed,
          Config.decode(base),
          E.mapLeft((error) =>
            estimator === undefined || estimator.source === '--estimator' || !error.path.startsWith('estimator')
              ? refused(error)
              : refused({ ...error, path: `${estimator.source}: ${error.path}` })
          )
        )
      )
    ),
    TE.map(({ found: { task, name }, config }) => ({ task, config: { ...config, task: name } }))
  )

/** The fields of a preset, where one is named. */
const fieldsOf = ({ preset }: ConfigOptions): Group => (preset === undefined ? {} : (findPreset(preset)?.fields ?? {}))

/** A preset that there is, and no other one beside it. */
const presetOf = ({ preset, paper }: ConfigOptions): E.Either<Failure, void> =>
  preset === undefined
    ? E.right(undefined)
    : findPreset(preset) === undefined
      ? E.left(usage(`--preset: expected one of ${presetNames.join(', ')}, got ${preset}; choose one of them`))
      : paper === true
        ? E.left(usage('--paper: expected no --preset beside it; leave one of the two out'))
        : E.right(undefined)

/** A text of a document, if there is one. What is none is left to the decoder, which says so. */
const textIn = (given: unknown, key: string): string | undefined => {
  const value = isRecord(given) ? given[key] : undefined
  return typeof value === 'string' && value !== '' ? value : undefined
}

type Group = Readonly<Record<string, unknown>>

/** Is an estimator named, in the file or typed? */
const isNamed = (given: unknown, typed: unknown): boolean =>
  [isRecord(given) ? given['estimator'] : undefined, typed].some((one) => isRecord(one) && one['name'] !== undefined)

/** The base with the estimator of a document, whose radius and directions are those of the base. */
const withEstimator =
  (document: Group) =>
  (base: Config.Config): E.Either<DocumentError, Config.Config> =>
    pipe(
      document,
      Named.decode({ path: 'estimator', beneath: scales(base.estimator) }),
      E.map((estimator) => ({ ...base, estimator }))
    )

/** What depends on the parameters, not on the estimator. */
const scales = (estimator: Named.Description): Group =>
  Object.fromEntries(Object.entries(estimator).filter(([key]) => key === 'radius' || key === 'directions'))

/** The paper's form of RLR. */
const printed = { name: 'rlr', baseline: 'none' }

/** A rank of 0 is no adapter. */
const isRank = (lora: string | undefined): boolean => {
  const rank = number(lora)
  return typeof rank === 'number' && rank > 0
}

/**
 * The option that sets a field of a configuration, or the field's path where none does.
 *
 * @category utils
 * @since 0.1.0
 */
export const optionOf = (path: string): string => {
  const option = Object.entries(places).find(([, place]) => place === path || path.startsWith(`${place}.`))?.[0]
  return option === undefined ? path : `--${option.replaceAll(/(?<=[a-z])[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`
}

/** Where each option is in a configuration; the first one that fits is named. */
const places: Readonly<Record<Exclude<keyof ConfigOptions, 'config' | 'paper' | 'preset'>, string>> = {
  task: 'task',
  seed: 'seed',
  model: 'model',
  chain: 'chain.kind',
  evaluateChain: 'evaluationChain',
  T: 'chain.T',
  window: 'chain.window',
  h: 'estimator.h',
  k: 'estimator.family',
  estimator: 'estimator',
  batch: 'batch',
  group: 'group',
  steps: 'steps',
  reward: 'reward',
  prompt: 'prompt',
  lora: 'adapter.rank',
  kl: 'kl.beta',
  klAs: 'kl.as',
  innerEpochs: 'policy.epochs',
  minibatches: 'policy.minibatches',
  clip: 'policy.clip',
  density: 'policy.density',
  mode: 'mode',
  threads: 'threads'
}

/** What was typed, as a document. */
const typedOf = (options: ConfigOptions, estimator: Typed | undefined): E.Either<Failure, Group> => {
  const policy = {
    ...field('epochs', number(options.innerEpochs)),
    ...field('minibatches', number(options.minibatches)),
    ...field('clip', number(options.clip)),
    ...field('density', options.density)
  }
  const chain = {
    ...field('kind', options.chain),
    ...field('T', number(options.T)),
    ...field('window', windowOf(options.window))
  }
  return pipe(
    withNumber('h', 'h', 'length of segments')(estimator?.document, options),
    E.flatMap((document) => withNumber('k', 'family', 'number of siblings')(document, options)),
    E.map((group) => ({
      ...field('task', options.task),
      ...field('model', options.model),
      ...field('seed', number(options.seed)),
      ...field('steps', number(options.steps)),
      ...field('batch', number(options.batch)),
      ...field('group', number(options.group)),
      ...field('reward', options.reward),
      ...field('prompt', options.prompt),
      ...field('adapter', filled(field('rank', number(options.lora)))),
      ...field('kl', filled({ ...field('beta', number(options.kl)), ...field('as', options.klAs) })),
      ...field('policy', filled(policy)),
      ...field('evaluationChain', options.evaluateChain),
      ...field('mode', options.mode),
      ...field('threads', number(options.threads)),
      ...field('estimator', group),
      ...field('chain', filled(chain))
    }))
  )
}

/** A window as it is typed; what is none is left to the decoder, which names it. */
const windowOf = (text: string | undefined): unknown => {
  if (text === undefined) return undefined
  const [, lowest, highest] = /^(\d+) *, *(\d+)$/.exec(text) ?? []
  if (lowest !== undefined) return [Number(lowest), Number(highest)]
  const [, size, moves, every = '1'] = /^(\d+) +(down|random)(?: +(\d+))?$/.exec(text) ?? []
  return size === undefined ? text : { size: Number(size), moves, every: Number(every) }
}

/** The typed estimator with a number of its own that was typed by itself. */
const withNumber =
  (option: 'h' | 'k', key: string, what: string) =>
  (estimator: unknown, { [option]: given }: ConfigOptions): E.Either<Failure, unknown> => {
    if (given === undefined) return E.right(estimator)
    if (!isRecord(estimator)) return E.right(estimator ?? { [key]: number(given) })
    return key in estimator
      ? E.left(usage(`--${option}: expected one ${what}, got ${given} beside that of --estimator; leave one out`))
      : E.right({ ...estimator, [key]: number(given) })
  }

/** A document over another, group by group. What is no group is left to the decoder, which names it. */
const over = (given: unknown, typed: Group): unknown =>
  isRecord(given)
    ? Object.entries(typed).reduce<Group>((all, [key, value]) => {
        const own = all[key]
        return { ...all, [key]: isRecord(own) && isRecord(value) ? { ...own, ...value } : value }
      }, given)
    : given

/** What the defaults, which are those of a vector of biases, are for matrices that a batch shares. */
const forAdapters = (base: Config.Config): Config.Config => ({
  ...base,
  estimator: 'radius' in base.estimator ? { ...base.estimator, radius: 0.01 } : base.estimator,
  optimizer: { ...base.optimizer, learningRate: 0.005 }
})

const forGroups = (base: Config.Config): Config.Config => ({
  ...base,
  advantage: { ...base.advantage, name: 'perPrompt' }
})

const field = (name: string, value: unknown): Group => (value === undefined ? {} : { [name]: value })

const filled = (group: Group): Group | undefined => (Object.keys(group).length > 0 ? group : undefined)

/**
 * A word that is no number stays a word, so that the decoder names it; so does a whole number that f64 does not hold.
 */
const number = (text: string | undefined): number | string | undefined =>
  text === undefined
    ? undefined
    : pipe(
        text,
        parse({ whole: /^[+-]?\d+$/.test(text.trim()) }),
        E.getOrElseW(() => text)
      )
