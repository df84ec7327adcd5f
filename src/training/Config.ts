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
import { below, decodeWith, type DocumentError, fault, isRecord, oneOf, wholeIn } from '../document/Document.js'
import { names as chainNames } from './Chains.js'
import {
  adapterFields,
  advantageFields,
  chainFields,
  forwardFields,
  klFields,
  limits,
  optimizerFields,
  paths,
  policyFields,
  samples,
  share,
  stageFields,
  text
} from './config/Fields.js'

export { limits } from './config/Fields.js'

// -------------------------------------------------------------------------------------
// codecs
// -------------------------------------------------------------------------------------

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
  /** How often the samples of a step are used, and how ratios of densities are read and bounded. */
  policy: t.exact(t.type(policyFields)),
  /** A loss of the forward process in place of the estimator, on chains with the levels of `chain.schedule`. */
  forward: t.exact(t.type(forwardFields)),
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
  /** The chain that is measured and pictured in place of `chain.kind`, such as `flow-ode`, with its other fields but for a window; empty: none. */
  evaluationChain: oneOf('', ...chainNames),
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
  advantage: { name: 'leaveOneOut', baseline: 0, decay: 0.9, clip: 0 },
  policy: { epochs: 1, minibatches: 1, clip: 0, form: 'ppo', dualClip: 0, density: 'sum' },
  forward: { loss: 'none', mix: 1, trailing: 0 },
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
  kl: { beta: 0, floor: 0, as: 'objective' },
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
  evaluationChain: '',
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
