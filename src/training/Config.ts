/**
 * What a fine-tune is told: a JSON or YAML document, decoded by io-ts, with a default for every field.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import * as Named from '../estimator/Named.js'
import { modes } from '../kernel/Mode.js'
import {
  below,
  decodeWith,
  type DocumentError,
  fault,
  finite32,
  flag,
  isRecord,
  listUpTo,
  notNegative32,
  numberThat,
  oneOf,
  positive32,
  textUpTo,
  wholeIn
} from '../document/Document.js'
import { longest } from '../estimator/Cover.js'
import { names as chainNames } from './Chains.js'

// -------------------------------------------------------------------------------------
// codecs
// -------------------------------------------------------------------------------------

/**
 * How much a configuration may ask for. `docs/limits.md` lists these. They are far beyond any run: what a machine can
 * hold is found out when a run starts.
 *
 * @category constants
 * @since 0.1.0
 */
export const limits = {
  /** Steps of a chain, and of anything that is counted along one. */
  T: longest,
  /** Samples of one step, and of an evaluation. */
  samples: 10_000_000,
  /** Steps of the optimizer: one a millisecond for eleven days. */
  steps: 1_000_000_000,
  /** Rank of an adapter. */
  rank: 65_536,
  threads: 256,
  /** Characters of a prompt, and of the name of anything. */
  text: 10_000,
  /** Patterns of paths. */
  paths: 10_000
} as const

const along = /*#__PURE__*/ wholeIn(1, limits.T)
const samples = /*#__PURE__*/ wholeIn(1, limits.samples)
const text = /*#__PURE__*/ textUpTo(limits.text)
const paths = /*#__PURE__*/ listUpTo(text, limits.paths, `a list of at most ${limits.paths} paths`)
const share = numberThat('a number in 0..1', (n) => n >= 0 && n <= 1)
/** A running mean whose decay is 1 never moves, and its correction divides by 0. */
const decay = numberThat('a number of at least 0 and below 1', (n) => n >= 0 && n < 1)

/** An estimator by name, with every option that the name has: see `Named.names`. */
const estimator: t.Type<Named.Description, Named.Description, unknown> = /*#__PURE__*/ new t.Type(
  'an estimator',
  (u): u is Named.Description => E.isRight(Named.decode()(u)),
  (u, context) =>
    pipe(
      Named.decode()(u),
      E.fold(() => t.failure(u, context), t.success)
    ),
  t.identity
)

/** Two steps, the lowest first, or null. */
const window: t.Type<readonly [number, number] | null, unknown, unknown> = /*#__PURE__*/ new t.Type(
  'null, or the lowest and the highest step',
  (u): u is readonly [number, number] | null =>
    u === null || (Array.isArray(u) && u.length === 2 && u.every((step) => Number.isInteger(step))),
  (u, context) => (window.is(u) ? t.success(u) : t.failure(u, context)),
  t.identity
)

const chainFields = {
  /** Which chain: see `Chains.names`. */
  kind: oneOf(...chainNames),
  /** Number of steps. */
  T: along,
  /** How much noise: the share of the posterior's for `ddim`, `edm`, `latent` and `cascade`, that of Flow-GRPO for `flow-sde`. */
  eta: share,
  /** Which variance, for `ddpm`. */
  variance: oneOf('small', 'large'),
  /** The levels of noise of `ddpm`, `ddim`, `consistency` and `latent`; the others bring their own. Any fits any model. */
  schedule: oneOf('cosine', 'linear', 'flow'),
  /** Scale of classifier-free guidance; 1 is none, and any other doubles the network evaluations. */
  guidance: finite32,
  /**
   * The clean output that is predicted at each step is held within -clip..clip; 0 is no bound. It **biases** samples: the chain's
   * marginals are no longer those of the process, and what is clipped has no gradient.
   */
  clip: notNegative32,
  /** Whether step 1 has the noise that its chain gives it. Without it no half-order cell may end there. */
  lastNoise: flag,
  /** The lowest and the highest step that have noise, the others being those of the chain's ODE; null: all have. */
  window
}

const stageFields = {
  /** The prompt of the first third of the steps, next to the noise; where it is empty, that of `prompt`. */
  coarse: text,
  /** The prompt of the second third. */
  mid: text,
  /** The prompt of the last third, next to the output. */
  fine: text
}

const adapterFields = {
  /** Rank of the low-rank adapter (LoRA) that is trained in place of the weights; 0 is none. */
  rank: wholeIn(0, limits.rank),
  /** The adapter is added times `alpha / rank`. */
  alpha: positive32,
  /** Paths of the weights that have an adapter, as in `trained`; none chooses all of them. */
  on: paths
}

const advantageFields = {
  name: oneOf('none', 'constant', 'leaveOneOut', 'perPrompt', 'group', 'runningMean'),
  /** The constant, or where the running mean starts. */
  baseline: finite32,
  /** How much of the running mean stays at each step. */
  decay: share
}

const klFields = {
  /** The price of the divergence from the base model, by which the objective is `E[R] - beta KL`; 0 is none. */
  beta: notNegative32,
  /** Steps whose noise is below it count with a deviation of this; where it is 0, steps without noise are left out. */
  floor: notNegative32
}

const optimizerFields = {
  name: oneOf('adamW', 'sgd'),
  learningRate: positive32,
  /** Decoupled weight decay, for `adamW`. */
  weightDecay: notNegative32,
  /** Decay rates of the running means of the gradient and of its square, for `adamW`. */
  beta1: decay,
  beta2: decay,
  /** The share of the last steps that the next one keeps, for `sgd`. */
  momentum: decay,
  /** Whether a step looks ahead of its momentum, for `sgd`. */
  nesterov: flag,
  /** The largest Euclidean norm of a gradient, 0 for no clipping. A clipped gradient is not unbiased. */
  clip: notNegative32
}

const fields = {
  /** The task: the name of one that ships with the program, or a module. The library does not read it. */
  task: text,
  /** The base model: the name of one that ships, or a file. */
  model: text,
  /** The reward's name: see `rewardNames`. */
  reward: text,
  /** Is each reward of a sum divided by its standard deviation on samples of the base model before it is weighed? */
  normalise: t.boolean,
  estimator,
  chain: t.exact(t.type(chainFields)),
  advantage: t.exact(t.type(advantageFields)),
  optimizer: t.exact(t.type(optimizerFields)),
  /** What it costs to leave the base model: the divergence of each step from the base's, along the chain. */
  kl: t.exact(t.type(klFields)),
  /** What is trained in place of `trained`, where its rank is not 0. */
  adapter: t.exact(t.type(adapterFields)),
  /** Paths of the parameters that are trained: a path stands for all below it, `*` for one key, `**` for any. */
  trained: paths,
  /** The prompt of every sample, in the words of the task. Empty: each sample draws one, as `prompts` says. */
  prompt: text,
  /** Probability that a drawn prompt names an attribute; what it does not name is left to the model. */
  prompts: share,
  /** A prompt for each part of the chain. The reward looks at `prompt`. */
  stages: t.exact(t.type(stageFields)),
  /** Samples of one step. */
  batch: samples,
  /** How many samples in a row are asked for the same, for advantages within groups; it divides the batch. */
  group: samples,
  /** Steps of the optimizer. */
  steps: wholeIn(0, limits.steps),
  /** The seed that every draw derives from. */
  seed: wholeIn(0, Number.MAX_SAFE_INTEGER),
  /** What is done with a row whose reward is not finite: the run stops, or the row is left out of its step and counted. */
  nonFinite: oneOf('stop', 'skipRow'),
  /** Samples of held-out noise that the reward is measured on before and after. */
  evaluationSamples: samples,
  /** Which mode of gpu.js runs the programs. */
  mode: oneOf(...modes),
  /** Threads that share the rows of a batch, in mode `webasm`. The bits do not depend on it. */
  threads: wholeIn(1, limits.threads)
}

/**
 * The complete configuration of a fine-tune.
 *
 * @category codecs
 * @since 0.1.0
 */
export const ConfigCodec = /*#__PURE__*/ t.exact(/*#__PURE__*/ t.type(fields, 'config'))

/**
 * The complete configuration of a fine-tune.
 *
 * @category model
 * @since 0.1.0
 */
export type Config = t.TypeOf<typeof ConfigCodec>

// -------------------------------------------------------------------------------------
// defaults
// -------------------------------------------------------------------------------------

/**
 * Options that a fine-tune gives an estimator that has them, where nothing else does: a radius for vectors such as biases.
 *
 * @category defaults
 * @since 0.1.0
 */
export const usual: { readonly radius: number } = { radius: 0.3 }

/**
 * What a field is where neither the document nor the task says it: RLR on 50 steps of DDIM with noise. `model` and
 * `reward` have no default here, since only a task knows some (`Task.configuration`).
 *
 * @category defaults
 * @since 0.1.0
 */
export const defaults: Config = {
  task: '',
  model: '',
  reward: '',
  normalise: false,
  estimator: {
    name: 'rlr',
    h: 2,
    start: null,
    baseline: 'auto',
    control: 'none',
    rest: 'zerothOrder',
    every: 8,
    form: 'central',
    perturbation: 'shared',
    directions: 'auto',
    radius: 0.3
  },
  chain: {
    kind: 'ddim',
    T: 50,
    eta: 1,
    variance: 'small',
    schedule: 'cosine',
    guidance: 1,
    clip: 0,
    lastNoise: true,
    window: null
  },
  advantage: { name: 'leaveOneOut', baseline: 0, decay: 0.9 },
  optimizer: {
    name: 'adamW',
    learningRate: 0.1,
    weightDecay: 0,
    beta1: 0.9,
    beta2: 0.99,
    momentum: 0,
    nesterov: false,
    clip: 1
  },
  kl: { beta: 0, floor: 0 },
  adapter: { rank: 0, alpha: 8, on: [] },
  trained: [],
  prompt: '',
  prompts: 0,
  stages: { coarse: '', mid: '', fine: '' },
  batch: 32,
  group: 1,
  steps: 60,
  seed: 1,
  nonFinite: 'stop',
  evaluationSamples: 512,
  mode: 'webasm',
  threads: 1
}

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

/** The given document over the defaults, group by group; keys that no one knows are errors. */
const complete = (
  given: unknown,
  base: Readonly<Record<string, unknown>>,
  path: string
): E.Either<DocumentError, Readonly<Record<string, unknown>>> => {
  if (!isRecord(given)) return E.left(fault(path, 'a group of fields', given, 'write it as key: value pairs'))
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(given)) {
    const here = below(path, key)
    if (!Object.hasOwn(base, key)) {
      return E.left(fault(here, `one of the fields ${Object.keys(base).join(', ')}`, key, 'correct or remove it'))
    }
    const other = base[key]
    const inner = isRecord(other) ? complete(value, other, here) : E.right(value)
    if (E.isLeft(inner)) return inner
    merged[key] = inner.right
  }
  return E.right(merged)
}

/**
 * The given estimator over that of the defaults: what it leaves out is what they have by that name, or else what a
 * fine-tune usually has.
 */
const completeEstimator = (given: unknown, base: Named.Description): E.Either<DocumentError, Named.Description> =>
  // a number is `verify`'s; other baselines are options of names
  isRecord(given) && typeof given['baseline'] === 'number'
    ? E.left(
        fault(
          'estimator.baseline',
          'no number, since the advantage of a fine-tune has the constant',
          given['baseline'],
          'set `advantage` to { name: constant, baseline: .. } instead'
        )
      )
    : Named.decode({ path: 'estimator', beneath: { ...usual, ...base } })(given)

/**
 * Decodes a configuration; fields that are left out take those of `base`. An estimator of another name than that of
 * `base` takes from there the fields that it has. Left: the first field that is unknown or not of its kind, with its
 * path.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode =
  (base: Config = defaults) =>
  (given: unknown): E.Either<DocumentError, Config> => {
    const { estimator: wanted = {}, ...rest } = isRecord(given) ? given : {}
    return pipe(
      E.Do,
      E.bind('others', () => complete(isRecord(given) ? rest : given, { ...base, estimator: undefined }, '')),
      E.bind('estimator', () => completeEstimator(wanted, base.estimator)),
      E.flatMap(({ others, estimator: chosen }) => decodeWith(ConfigCodec, { ...others, estimator: chosen })),
      E.mapLeft((error) => (error.path === 'the document' ? { ...error, path: 'config' } : error))
    )
  }

// -------------------------------------------------------------------------------------
// comparing
// -------------------------------------------------------------------------------------

/**
 * A field that two configurations have different values of, each as JSON.
 *
 * @category model
 * @since 0.1.0
 */
export interface Difference {
  readonly path: string
  readonly expected: string
  readonly got: string
}

/**
 * Where the second configuration is not the first, field by field; a field that one of them lacks is `nothing` there.
 *
 * @category comparing
 * @since 0.1.0
 */
export const differences = (expected: Config, got: Config): ReadonlyArray<Difference> => {
  const [wanted, found] = [new Map(leaves(expected, '')), new Map(leaves(got, ''))]
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap((path) => {
    const difference = { path, expected: wanted.get(path) ?? 'nothing', got: found.get(path) ?? 'nothing' }
    return difference.expected === difference.got ? [] : [difference]
  })
}

const leaves = (value: unknown, path: string): ReadonlyArray<readonly [path: string, json: string]> =>
  isRecord(value)
    ? Object.entries(value).flatMap(([key, inner]) => leaves(inner, below(path, key)))
    : [[path, JSON.stringify(value)]]
