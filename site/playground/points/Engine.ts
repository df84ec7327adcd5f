/**
 * What the worker of the page of points computes: a small denoiser of points of the plane, trained, and fine-tuned by several
 * estimators on the same noise.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import { ddim } from 'halforder/chain/sampler/Ddim'
import { schedules } from 'halforder/chain/Share'
import { showError as showDocumentError } from 'halforder/document/Document'
import * as Gradient from 'halforder/estimator/Gradient'
import * as Named from 'halforder/estimator/Named'
import type { MlpDescription } from 'halforder/network/Description'
import { encodeModel, loadModel, showError as showModelError, type DescribedModel } from 'halforder/network/Model'
import { denoiser } from 'halforder/network/Network'
import * as Key from 'halforder/random/Key'
import * as Build from 'halforder/tensor/Build'
import * as Program from 'halforder/tensor/Program'
import type { Values } from 'halforder/tensor/Program'
import type { Target } from 'halforder/tensor/Target'
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Batches from 'halforder/training/Batches'
import { type Language, oneOf, silent } from 'halforder/training/Conditions'
import * as Config from 'halforder/training/Config'
import * as Finetune from 'halforder/training/Finetune'
import * as Objective from 'halforder/training/Objective'
import * as Pretrain from 'halforder/training/Pretrain'
import * as Setup from 'halforder/training/Setup'
import { recipe } from 'halforder/task/Denoising'
import { energyDistance } from '../../../cli/tasks/points/Points.js'
import { rewards } from '../../../cli/tasks/points/Rewards.js'
import { camera, scale, zeros, type ModelChain, type Scale } from '../Camera.js'
import * as Design from './Design.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** The denoiser that is trained in the page; those that come with it may be told a part of the data, and are told nothing. */
const description: MlpDescription = {
  kind: 'mlp',
  features: 2,
  labels: 1,
  hidden: 64,
  blocks: 3,
  embedding: 32,
  share: 'cosine'
}

/**
 * Samples of a model from the noise of the seed: the states of `count` points, `x_T` first, two numbers a point; their mean
 * reward, where there is one, and their energy distance to the data.
 */
export interface Frame {
  readonly states: ReadonlyArray<Float32Array>
  readonly reward: number | undefined
  readonly distance: number
}

/** A fine-tune that goes on: `step` makes one, `frame` shows where it is. */
export interface Tuning {
  readonly step: () => Promise<E.Either<string, Finetune.State>>
  readonly frame: () => Promise<E.Either<string, Frame>>
  readonly dispose: () => Promise<void>
}

/** A base model that is trained step by step. */
export interface Training {
  readonly step: () => Promise<E.Either<string, Pretrain.TrainingState> | undefined>
  readonly frame: () => Promise<E.Either<string, Frame>>
  readonly finished: () => E.Either<string, DescribedModel>
  readonly dispose: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// samples
// -------------------------------------------------------------------------------------

const chainOf = (model: Pick<DescribedModel, 'denoiser'>): ModelChain =>
  ddim({ denoiser: model.denoiser, schedule: schedules[description.share](Design.T), eta: 1 })

interface Pictures {
  readonly frame: (parameters: Values) => Promise<E.Either<string, Frame>>
  readonly dispose: () => Promise<void>
}

/** Pictures of a chain, with the reward of its points where a scale is given. */
const pictures = (
  design: Design.Design,
  target: Target,
  chain: ModelChain,
  c: Tensor,
  reward: Scale | undefined
): E.Either<string, Pictures> =>
  pipe(
    camera(chain, c, Key.foldInString(Key.make(design.seed), 'shown'), target),
    E.map(({ shot, dispose }) => {
      const data = Design.data(design, Key.foldInString(Key.make(0), 'shown'), Design.rows.shown).x0
      return {
        frame: async (parameters) => {
          const states = await shot(parameters)
          if (E.isLeft(states)) return states
          const x0 = states.right.at(-1) ?? data
          const distance = energyDistance(x0, data)
          return E.right({
            states: states.right.map((state) => Float32Array.from(state.data)),
            reward: await reward?.mean(x0),
            distance: O.isSome(distance) ? distance.value : Number.NaN
          })
        },
        dispose: async () => {
          await dispose()
          await reward?.dispose()
        }
      }
    })
  )

/** A model that was trained on data in parts is told one of them by each sample; one that was trained here is told nothing. */
const languageOf = ({ denoiser: { labels } }: Pick<DescribedModel, 'denoiser'>): Language =>
  labels > 1 ? oneOf(Array.from({ length: labels }, (_, i) => String(i))) : silent(labels)

/** What the samples that are shown are told. */
const told = (design: Design.Design, model: Pick<DescribedModel, 'denoiser'>): Tensor =>
  languageOf(model).draw(1)(Key.foldInString(Key.make(design.seed), 'told'), Design.rows.shown)

const scaleOf = (design: Design.Design, model: DescribedModel, target: Target): E.Either<string, Scale> =>
  scale(design.reward, { model, rewards, c: told(design, model) }, target)

// -------------------------------------------------------------------------------------
// training
// -------------------------------------------------------------------------------------

/** A base model of the data of a design, before its first step. */
export const training = (design: Design.Design, target: Target): E.Either<string, Training> => {
  const objective = Objective.denoising(description)
  const plan = { ...recipe, steps: design.pretraining, learningRate: 3e-3, average: 0.995 }
  const key = Key.make(design.seed)
  const examples = Batches.table(Design.data(design, Key.foldInString(key, 'training'), 8192))
  const batches = Batches.batchAt(examples, Design.rows.pretrain, { all: 0, some: 0 }, Key.foldInString(key, 'batches'))
  return pipe(
    Build.build(target, { batch: Design.rows.pretrain })('training', Pretrain.trainingStep(objective, plan)),
    E.mapLeft(Build.showError),
    E.bindTo('executable'),
    E.bind('shots', () =>
      pictures(
        design,
        target,
        chainOf({ denoiser: denoiser(description) }),
        zeros(Design.rows.shown, description.labels),
        undefined
      )
    ),
    E.map(({ executable, shots }) => {
      let state = Pretrain.start(objective, plan, Key.foldInString(key, 'network'))
      const stream = Pretrain.train(executable, plan, batches, state)
      const parameters = (): Values => Program.below('average', state.values)
      return {
        step: async () => {
          const next = await stream.next()
          if (next.done === true) return undefined
          if (E.isLeft(next.value)) return E.left(Pretrain.showTrainError(next.value.left))
          state = next.value.right
          return E.right(state)
        },
        frame: () => shots.frame(parameters()),
        finished: () =>
          pipe(
            encodeModel(description, parameters(), { name: design.data }),
            E.flatMap(loadModel),
            E.mapLeft(showModelError)
          ),
        dispose: async () => {
          await executable.dispose()
          await shots.dispose()
        }
      }
    })
  )
}

// -------------------------------------------------------------------------------------
// fine-tuning
// -------------------------------------------------------------------------------------

/** The fine-tune of a lane, from a model. Left: what does not fit, and what to do. */
export const tuning = (
  design: Design.Design,
  { estimator, kl }: Design.Lane,
  model: DescribedModel,
  target: Target
): E.Either<string, Tuning> =>
  pipe(
    // matrices are trained, whose directions are short
    Config.decode()({ estimator: { radius: 0.02 } }),
    E.bindTo('usual'),
    E.bind('document', () => Named.document(estimator)),
    E.flatMap(({ usual, document }) =>
      Config.decode(usual)({
        estimator: document,
        reward: design.reward,
        prompts: 1,
        chain: { T: Design.T },
        kl: { beta: kl },
        optimizer: { learningRate: design.rate },
        batch: Design.rows.finetune,
        seed: design.seed
      })
    ),
    E.bindTo('config'),
    E.bind('setup', ({ config }) => Setup.setup(config, { model, rewards, language: languageOf(model) }, target)),
    E.mapLeft(showDocumentError),
    E.bind('reward', () => scaleOf(design, model, target)),
    E.bind('shots', ({ setup: { base }, reward }) => pictures(design, target, base.chain, told(design, model), reward)),
    E.bind('run', ({ setup: { problem, optimizer, conditions } }) =>
      pipe(Finetune.compile(problem, { optimizer, conditions, target }), E.mapLeft(Gradient.showError))
    ),
    E.map(({ config, setup, run, shots }) => {
      let state = run.start(setup.initial)
      return {
        step: async () => {
          const made = await run.step(Key.make(config.seed), state)()
          if (E.isLeft(made)) return E.left(Finetune.showError(made.left))
          state = made.right.state
          return E.right(state)
        },
        frame: () => shots.frame(state.params),
        dispose: async () => {
          await run.dispose()
          await shots.dispose()
        }
      }
    })
  )

/** The frame of a model as it is, with the reward of a design. */
export const baseFrame = async (
  design: Design.Design,
  model: DescribedModel,
  target: Target
): Promise<E.Either<string, Frame>> => {
  const made = pipe(
    scaleOf(design, model, target),
    E.flatMap((reward) => pictures(design, target, chainOf(model), told(design, model), reward))
  )
  if (E.isLeft(made)) return made
  const frame = await made.right.frame(model.parameters)
  await made.right.dispose()
  return frame
}
