/**
 * From a configuration to the values that it names: chain, reward, estimator, advantage, optimizer.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { perRow, type Chain } from '../chain/Chain.js'
import { perStep, thirds, under } from '../chain/PerStep.js'
import type { DocumentError } from '../document/Document.js'
import { begins } from '../document/Pattern.js'
import type { Facts } from '../estimator/catalogue/Row.js'
import type { Estimator } from '../estimator/Estimator.js'
import type { Problem } from '../estimator/Gradient.js'
import * as Named from '../estimator/Named.js'
import type { Sampler } from '../estimator/Sampler.js'
import { elements } from '../estimator/policy/Surrogate.js'
import { type Trained, trainedShapes } from '../estimator/program/Programs.js'
import { erase } from '../lens/Erase.js'
import type { Params } from '../lens/Lens.js'
import type { Rows } from '../lens/Rows.js'
import type { Model } from '../network/Model.js'
import type * as Optimizer from '../optimizer/Optimizer.js'
import * as Key from '../random/Key.js'
import { decoded, decodedBlackBox } from '../reward/Decoded.js'
import type { Differentiable, Reward, RewardError } from '../reward/Reward.js'
import { inWords } from '../reward/Seeing.js'
import * as Shelf from '../reward/Shelf.js'
import type { Outputs } from '../reward/Shelf.js'
import * as X from '../tensor/Expr.js'
import type { Values } from '../tensor/Program.js'
import { showError as showShape } from '../tensor/Shape.js'
import { reference, type Target } from '../tensor/Target.js'
import { type Tensor, vector } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import { adaptModel } from './Adapters.js'
import * as Chains from './Chains.js'
import { type Conditions, type Language, wordsOf } from './Conditions.js'
import type { Config } from './Config.js'
import * as Critic from './Critic.js'
import { decode, decoderValues } from './Decode.js'
import { advantage, optimizer } from './Descent.js'
import { divided, wrong } from './config/Checks.js'
import { type Forwards, forwards } from './policy/Forwards.js'
import { penalty, priced } from './Penalty.js'
import type { Inner } from './policy/Inner.js'
import { allNoisy, samplerOf, windowOf, withoutSwitch } from './policy/Windows.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a configuration may draw on: a model, the language in which it is told what to draw, and rewards by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Materials {
  readonly model: Model
  readonly language: Language
  readonly rewards: Shelf.Shelf
}

/**
 * A fine-tune ready to be compiled. `base` is the problem on the chain as it is; in `problem` each row of the batch may have
 * its own copy of the trained parameters, so that it can have its own direction. `measured` is `base` on the chain that is measured
 * and pictured. `inner` says how samples are used, and `forward` what stands in the estimator's place. `initial` are the values that
 * the chain starts from, the model's without encoder and decoder, with its adapter where it has one. `conditions` draws what
 * samples are asked for, and `sampler` the covers of a step. `finished` makes values of the whole model of those of the chain.
 *
 * @category model
 * @since 0.1.0
 */
export interface Setup {
  readonly problem: Problem<Params, Outputs, Rows<number>, Params>
  readonly base: Problem<Params, Outputs, Rows<number>, Params>
  readonly measured: Problem<Params, Outputs, Rows<number>, Params>
  readonly optimizer: Optimizer.Optimizer
  readonly inner: Inner
  readonly forward: Forwards | undefined
  readonly initial: Values
  readonly conditions: Conditions
  readonly sampler: Sampler
  readonly finished: (params: Values) => E.Either<DocumentError, Values>
}

// -------------------------------------------------------------------------------------
// rewards and conditions
// -------------------------------------------------------------------------------------

/**
 * The reward of a name, or of a sum of names, on the outputs of the model's chain: where they are latents, they are decoded
 * first, for a black box by `target`. Left: a name that is no reward.
 *
 * @category rewards
 * @since 0.1.0
 */
export const reward = (
  name: string,
  { model, rewards }: Pick<Materials, 'model' | 'rewards'>,
  target: Target = reference
): E.Either<DocumentError, Reward<Params, Outputs, Rows<number>>> => {
  const failed = (reason: string): RewardError => ({ _tag: 'RewardError', reward: name, reason })
  const show = (outputs: Tensor): TE.TaskEither<RewardError, Tensor> =>
    pipe(outputs, decode(model, target), TE.mapLeft(failed))
  return pipe(
    name,
    Shelf.reward(rewards),
    E.map((onOutputs) =>
      pipe(
        model.decoder,
        O.match(
          () => onOutputs,
          (decoder): Reward<Params, Outputs, Rows<number>> =>
            onOutputs._tag === 'BlackBox'
              ? decodedBlackBox(show)(onOutputs)
              : anyParameters(decoded(decoder, decoderValues(model))(onOutputs))
        )
      )
    )
  )
}

/**
 * The same reward, told prompts in words where it is a host function: those of the configuration, or the language's of a condition.
 *
 * @category rewards
 * @since 0.1.0
 */
export const told =
  (prompt: string, language: Language) =>
  <R extends Params>(one: Reward<R, Outputs, Rows<number>>): Reward<R, Outputs, Rows<number>> =>
    one._tag === 'BlackBox' ? inWords(wordsOf(prompt, language))(one) : one

/** Without the type of its parameters. */
const anyParameters = <R extends Params, C extends Exprs>(
  given: Differentiable<R, Outputs, C>
): Differentiable<Params, Outputs, C> => ({ ...given, lens: (c) => erase(given.lens(c)) })

const unsayable = (path: string, text: string, reason: string): DocumentError =>
  wrong(path, 'a prompt that the model can be told', JSON.stringify(text), reason)

/**
 * The conditions of a configuration's samples: its prompt, or drawn ones. Left: a text that the model cannot be told.
 *
 * @category constructors
 * @since 0.1.0
 */
export const conditions = (
  { prompt, prompts: named }: Pick<Config, 'prompt' | 'prompts'>,
  language: Language
): E.Either<DocumentError, Conditions> =>
  prompt.trim() === ''
    ? E.right((key, n) => ({ c: language.draw(named)(key, n) }))
    : pipe(
        language.parse(prompt),
        E.bimap(
          (reason) => unsayable('prompt', prompt, reason),
          ({ rows }): Conditions =>
            (key, n) => ({ c: rows(key, n) })
        )
      )

/**
 * The condition `[labels]` of each stage's text, those of `prompt` where it is empty; none where all are. Left: the first text
 * that the model cannot be told.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stageCodes = (
  { prompt, stages }: Pick<Config, 'prompt' | 'stages'>,
  language: Language
): E.Either<DocumentError, Readonly<Record<keyof Config['stages'], ReadonlyArray<number>>> | undefined> => {
  const code = (name: keyof Config['stages']): E.Either<DocumentError, ReadonlyArray<number>> =>
    pipe(
      language.parse(stages[name].trim() === '' ? prompt : stages[name]),
      E.bimap(
        (reason) => unsayable(`stages.${name}`, stages[name], reason),
        (told) => told.code
      )
    )
  return Object.values(stages).every((text) => text.trim() === '')
    ? E.right(undefined)
    : pipe(
        E.Do,
        E.bind('coarse', () => code('coarse')),
        E.bind('mid', () => code('mid')),
        E.bind('fine', () => code('fine'))
      )
}

// -------------------------------------------------------------------------------------
// chain, estimator, advantage, optimizer
// -------------------------------------------------------------------------------------

/**
 * The chain of a configuration on a model. Left: a chain that the model cannot serve.
 *
 * @category constructors
 * @since 0.1.0
 */
export const chain = (
  config: Config['chain'],
  { denoiser, decoder, share, levels, own }: Model
): E.Either<DocumentError, Chain<Params, Outputs, Rows<number>>> =>
  Chains.chain({ denoiser, share, levels, own, latent: O.isSome(decoder) }, config)

/**
 * The estimator of a configuration, for a chain and a reward. Left: one that does not fit them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const estimator = (config: Config['estimator'], facts: Facts): E.Either<DocumentError, Estimator> =>
  facts.window !== undefined && !overWindows.includes(config.name)
    ? E.left(
        wrong('estimator.name', `${overWindows.join(' or ')} on a window that moves`, config.name, 'choose one of them')
      )
    : pipe(config, Named.build(facts), E.mapLeft(Named.misfit('estimator')))

const overWindows: ReadonlyArray<string> = ['mixGrpo', 'windowed']

/**
 * Which parameter paths some patterns choose. A pattern matches a path or the start of one; `*` stands for one key and
 * `**` for any number: `blocks.*.film` chooses `blocks.0.film.scale.weight`, and `**.bias` every bias. An empty list
 * chooses everything.
 *
 * @category constructors
 * @since 0.1.0
 */
export const trained =
  (patterns: ReadonlyArray<string>) =>
  (path: string): boolean =>
    patterns.length === 0 || patterns.some((pattern) => begins(pattern, path))

/** A model as it is fine-tuned: with an adapter, or as it is. */
interface Prepared {
  readonly model: Model
  readonly trained: Trained
  readonly merge: (params: Values) => E.Either<DocumentError, Values>
}

const prepared = ({ adapter, trained: patterns, seed }: Config, model: Model): E.Either<DocumentError, Prepared> => {
  if (adapter.rank === 0) return E.right({ model, trained: trained(patterns), merge: E.right })
  const key = Key.foldInString(Key.make(seed), 'adapter')
  const adapted = adaptModel({ rank: adapter.rank, alpha: adapter.alpha })(trained(adapter.on), key)(model)
  const weights = trainedShapes(adapted.model.denoiser.lens.parameters, adapted.trained)
  return weights.length > 0
    ? E.right({
        ...adapted,
        merge: (params) =>
          pipe(
            adapted.merge(params),
            E.mapLeft((errors) =>
              wrong('adapter', 'values of the adapted model', errors.map(showShape).join('; '), 'use those of this run')
            )
          )
      })
    : E.left(wrong('adapter.on', 'paths of weights', JSON.stringify(adapter.on), "choose some, such as 'blocks'"))
}

/** The chain with a prompt for each part, where the configuration has some. */
const staged = (
  config: Config,
  base: Chain<Params, Outputs, Rows<number>>,
  language: Language
): E.Either<DocumentError, Chain<Params, Outputs, Rows<number>>> =>
  pipe(
    stageCodes(config, language),
    E.map((codes) => {
      if (codes === undefined) return base
      const { labels } = language
      const rows = (code: ReadonlyArray<number>): Rows<number> =>
        X.broadcastTo(X.constant(vector(code), [labels]), ['batch', labels])
      const given = { coarse: rows(codes.coarse), mid: rows(codes.mid), fine: rows(codes.fine) }
      return pipe(base, perStep(thirds(base.T)), under(given, base.condition))
    })
  )

/** The chain that a run is measured on: another one, where the configuration names one. */
const evaluated = (
  config: Config,
  base: Chain<Params, Outputs, Rows<number>>,
  model: Model,
  language: Language
): E.Either<DocumentError, Chain<Params, Outputs, Rows<number>>> =>
  config.evaluationChain === ''
    ? E.right(base)
    : pipe(
        chain({ ...config.chain, kind: config.evaluationChain, window: null }, model),
        E.flatMap((other) => staged(config, other, language))
      )

/** The chain with a copy of the trained vectors for each row, where zeroth-order cells are to have a direction each. */
const rowDirections = (
  config: Config,
  base: Chain<Params, Outputs, Rows<number>>,
  { model, trained: chosen }: Prepared
): E.Either<DocumentError, Chain<Params, Outputs, Rows<number>>> => {
  const directions = 'directions' in config.estimator ? config.estimator.directions : 'batch'
  if (directions === 'batch' || (directions === 'auto' && model.spread === false)) return E.right(base)
  const matrices = trainedShapes(base.parameters, chosen).filter(([, shape]) => shape.length !== 1)
  const [first = '', ...others] = matrices.map(([path]) => path)
  return matrices.length === 0
    ? E.right(perRow(base, chosen))
    : directions === 'auto'
      ? E.right(base)
      : E.left(
          wrong(
            'estimator.directions',
            "'batch', since matrices are trained that a batch must share",
            `'row' with ${first}${others.length === 0 ? '' : ` and ${others.length} others`}`,
            "train vectors only, such as '**.bias', or leave it out"
          )
        )
}

/**
 * Everything that a configuration names; `target` decodes latents for black-box rewards. Left: a reward that is none, a chain
 * that the model cannot serve, an estimator that does not fit the chain, a prompt that the model cannot be told.
 *
 * @category constructors
 * @since 0.1.0
 */
export const setup = (
  config: Config,
  materials: Materials,
  target: Target = reference
): E.Either<DocumentError, Setup> => {
  const { language, model } = materials
  return pipe(
    E.Do,
    E.bind('reward', () => pipe(reward(config.reward, materials, target), E.map(told(config.prompt, language)))),
    E.chainFirst(() => divided(config)),
    E.bind('conditions', () => conditions(config, language)),
    E.bind('ready', () => prepared(config, model)),
    E.bind('plain', ({ ready }) => chain(config.chain, ready.model)),
    E.bind('base', ({ plain }) => staged(config, plain, language)),
    E.bind('forward', ({ base }) => forwards(config, model, base.networkCalls)),
    E.bind('other', ({ base, ready }) => evaluated(config, base, ready.model, language)),
    E.bind('chain', ({ base, ready }) => rowDirections(config, base, ready)),
    E.bind('estimator', ({ reward: wanted, chain: on }) =>
      estimator(config.estimator, { ...Named.facts(on, wanted), ...windowOf(config) })
    ),
    E.let('initial', ({ base, ready }) => {
      const paths = new Set(trainedShapes(base.parameters, () => true).map(([path]) => path))
      const own = Object.entries(ready.model.parameters).filter(([path]) => paths.has(path))
      return { ...Object.fromEntries(own), ...allNoisy(base) }
    }),
    // the reference is shared, whether the rows have copies of what is trained or not
    E.bind('steps', ({ base, initial }) => penalty(priced(config, elements(base.state)), initial)(base)),
    E.map(
      ({
        base,
        chain: spread,
        conditions: drawn,
        estimator: chosen,
        forward,
        other,
        initial,
        ready,
        reward: wanted,
        steps
      }): Setup => {
        const problem = {
          chain: spread,
          reward: wanted,
          steps,
          estimator: chosen,
          advantage: advantage(config.advantage),
          trained: (path: string): boolean => path !== base.switched?.path && ready.trained(path),
          batch: config.batch,
          nonFinite: config.nonFinite,
          reference: initial,
          ...Critic.looked(chosen, { T: base.T, features: base.state[1], labels: language.labels })
        }
        return {
          problem,
          base: { ...problem, chain: base },
          measured: { ...problem, chain: other },
          optimizer: optimizer(config.optimizer),
          inner: config.policy,
          forward,
          initial,
          conditions: drawn,
          sampler: samplerOf(config)(chosen),
          finished: (params) =>
            pipe(
              ready.merge(withoutSwitch(base, params)),
              E.map((values) => ({ ...model.parameters, ...values }))
            )
        }
      }
    )
  )
}
