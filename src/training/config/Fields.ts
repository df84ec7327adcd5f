/**
 * The fields of a configuration, by group, and how much it may ask for.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import {
  finite32,
  flag,
  listUpTo,
  notNegative32,
  numberThat,
  oneOf,
  positive32,
  textUpTo,
  wholeIn
} from '../../document/Document.js'
import { longest } from '../../estimator/Cover.js'
import { names as chainNames, type Window } from '../Chains.js'

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
/**
 * A number of samples.
 *
 * @category codecs
 * @since 0.1.0
 */
export const samples = /*#__PURE__*/ wholeIn(1, limits.samples)
/**
 * A text.
 *
 * @category codecs
 * @since 0.1.0
 */
export const text = /*#__PURE__*/ textUpTo(limits.text)
/**
 * Patterns of paths.
 *
 * @category codecs
 * @since 0.1.0
 */
export const paths = /*#__PURE__*/ listUpTo(text, limits.paths, `a list of at most ${limits.paths} paths`)
/**
 * A share of a whole.
 *
 * @category codecs
 * @since 0.1.0
 */
export const share = numberThat('a number in 0..1', (n) => n >= 0 && n <= 1)
/** A running mean whose decay is 1 never moves, and its correction divides by 0. */
const decay = numberThat('a number of at least 0 and below 1', (n) => n >= 0 && n < 1)

/**
 * A window that moves: so many steps, from the top of the chain down by one in `every` steps of a run and then from the top again, or
 * at random for each.
 */
const moving = /*#__PURE__*/ t.exact(
  /*#__PURE__*/ t.type({ size: along, moves: oneOf('down', 'random'), every: wholeIn(1, limits.steps) })
)

/** Two steps, the lowest first; a window that moves; or null. */
const window: t.Type<Window | null, unknown, unknown> = /*#__PURE__*/ new t.Type(
  'null, the lowest and the highest step, or { size, moves, every }',
  (u): u is Window | null =>
    u === null ||
    (Array.isArray(u) && u.length === 2 && u.every((step) => Number.isInteger(step))) ||
    E.isRight(moving.decode(u)),
  (u, context) => (window.is(u) ? t.success(u) : t.failure(u, context)),
  t.identity
)

/**
 * The chain.
 *
 * @category codecs
 * @since 0.1.0
 */
export const chainFields = {
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
  /**
   * The lowest and the highest step that have noise, the others being those of the chain's ODE; or a window of so many steps that moves
   * (`down` by one in `every` steps, or at `random`); null: all have.
   */
  window
}

/**
 * A prompt for each part of a chain.
 *
 * @category codecs
 * @since 0.1.0
 */
export const stageFields = {
  /** The prompt of the first third of the steps, next to the noise; where it is empty, that of `prompt`. */
  coarse: text,
  /** The prompt of the second third. */
  mid: text,
  /** The prompt of the last third, next to the output. */
  fine: text
}

/**
 * A low-rank adapter.
 *
 * @category codecs
 * @since 0.1.0
 */
export const adapterFields = {
  /** Rank of the low-rank adapter (LoRA) that is trained in place of the weights; 0 is none. */
  rank: wholeIn(0, limits.rank),
  /** The adapter is added times `alpha / rank`. */
  alpha: positive32,
  /** Paths of the weights that have an adapter, as in `trained`; none chooses all of them. */
  on: paths
}

/**
 * What stands for the reward in likelihood ratios.
 *
 * @category codecs
 * @since 0.1.0
 */
export const advantageFields = {
  name: oneOf('none', 'constant', 'leaveOneOut', 'perPrompt', 'group', 'groupByBatch', 'runningMean'),
  /** The constant, or where the running mean starts. */
  baseline: finite32,
  /** How much of the running mean stays at each step. */
  decay: share,
  /** Advantages are held within -clip..clip; 0 is no bound. It biases what it bounds. */
  clip: notNegative32
}

/**
 * How often samples are used, and how ratios of densities are read and bounded.
 *
 * @category codecs
 * @since 0.1.0
 */
export const policyFields = {
  /** Passes over the samples of a step. After the first update they are of other parameters, and are weighed by the ratio of densities. */
  epochs: wholeIn(1, limits.steps),
  /** Shares of the rows of a batch, each of which makes an update; they divide it. */
  minibatches: samples,
  /** Terms whose ratio leaves 1 - clip .. 1 + clip are dropped; 0 is no bound. */
  clip: notNegative32,
  /** What is dropped there: `ppo` what the advantage pushes further out, `clamp` all. */
  form: oneOf('ppo', 'clamp'),
  /** Terms of negative advantages are dropped beyond this ratio, which is above 1; 0 is no bound. */
  dualClip: notNegative32,
  /** Whether log-densities, in scores, ratios and divergences, are the `sum` over a state's numbers, which they are, or their `mean`. */
  density: oneOf('sum', 'mean')
}

/**
 * A loss of the forward process in place of the estimator.
 *
 * @category codecs
 * @since 0.1.0
 */
export const forwardFields = {
  /** `none`: the estimator; `weighted`: advantage-weighted matching; `negativeAware`: Diffusion NFT. */
  loss: oneOf('none', 'weighted', 'negativeAware'),
  /** `negativeAware`: how far the two predictions lean from the old one. */
  mix: positive32,
  /** `negativeAware`: the share of itself that the policy which samples keeps at each step; 0: it is the one that is trained. */
  trailing: decay
}

/**
 * What it costs to leave the base model.
 *
 * @category codecs
 * @since 0.1.0
 */
export const klFields = {
  /** The price of the divergence from the base model, by which the objective is `E[R] - beta KL`; 0 is none. */
  beta: notNegative32,
  /** Steps whose noise is below it count with a deviation of this; where it is 0, steps without noise are left out. */
  floor: notNegative32,
  /**
   * What likelihood ratios make of it: the `objective` counts it in returns and follows its own gradient, which is unbiased; a
   * `loss` follows its gradient at the states that were drawn, a `reward` counts it in returns.
   */
  as: oneOf('objective', 'loss', 'reward')
}

/**
 * How the gradient moves the parameters.
 *
 * @category codecs
 * @since 0.1.0
 */
export const optimizerFields = {
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
