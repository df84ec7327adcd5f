/**
 * What the worker of the page of points computes: a small denoiser of points of the plane, trained, and fine-tuned by several
 * estimators on the same noise.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import type { Chain } from 'halforder/chain/Chain'
import { ddim } from 'halforder/chain/sampler/Ddim'
import { schedules } from 'halforder/chain/Share'
import { showError as showDocumentError } from 'halforder/document/Document'
import * as Gradient from 'halforder/estimator/Gradient'
import * as Named from 'halforder/estimator/Named'
import * as L from 'halforder/lens/Lens'
import type { Params } from 'halforder/lens/Lens'
import type { Rows } from 'halforder/lens/Rows'
import type { MlpDescription } from 'halforder/network/Description'
import { encodeModel, loadModel, showError as showModelError, type DescribedModel } from 'halforder/network/Model'
import { denoiser } from 'halforder/network/Network'
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import type { Outputs } from 'halforder/reward/Shelf'
import * as X from 'halforder/tensor/Expr'
import * as Build from 'halforder/tensor/Build'
import * as Program from 'halforder/tensor/Program'
import type { Values } from 'halforder/tensor/Program'
import { showTargetError, type Target } from 'halforder/tensor/Target'
import type { Tensor } from 'halforder/tensor/Tensor'
import * as Sampling from 'halforder/training/Sampling'
import * as Batches from 'halforder/training/Batches'
import { silent } from 'halforder/training/Conditions'
import * as Config from 'halforder/training/Config'
import * as Finetune from 'halforder/training/Finetune'
import * as Objective from 'halforder/training/Objective'
import * as Pretrain from 'halforder/training/Pretrain'
import * as Setup from 'halforder/training/Setup'
import { recipe } from 'halforder/task/Denoising'
import { energyDistance } from '../../../cli/tasks/points/Points.js'
import { rewards } from '../../../cli/tasks/points/Rewards.js'
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

type PointChain = Chain<Params, Outputs, Rows<number>>

const chainOf = (model: Pick<DescribedModel, 'denoiser'>): PointChain =>
  ddim({ denoiser: model.denoiser, schedule: schedules[description.share](Design.T), eta: 1 })

const dataOf = (design: Design.Design): Tensor =>
  Design.data(design, Key.foldInString(Key.make(0), 'shown'), Design.rows.shown).x0

const zeros = (rows: number, width: number): Tensor => ({ shape: [rows, width], data: new Float32Array(rows * width) })

/** Takes pictures of parameters of a chain, on the noise of the seed. It is compiled once. */
interface Camera {
  readonly shot: (parameters: Values) => Promise<E.Either<string, Frame>>
  readonly dispose: () => Promise<void>
}

const camera = (
  design: Design.Design,
  target: Target,
  chain: PointChain,
  labels: number,
  reward: MeanReward
): E.Either<string, Camera> =>
  pipe(
    Build.build(target, { batch: Design.rows.shown })('step', Sampling.step(chain)),
    E.bimap(Build.showError, (executable) => {
      const key = Key.foldInString(Key.make(design.seed), 'shown')
      const noise = (name: string): Tensor => Draw.normal32(Key.foldInString(key, name), [Design.rows.shown, 2])
      const first = noise('xT')
      const noises = Array.from({ length: Design.T }, (_, i) => noise(`eps ${Design.T - i}`))
      const c = zeros(Design.rows.shown, labels)
      const data = dataOf(design)
      return {
        shot: async (parameters) => {
          const states = [first]
          for (const [i, eps] of noises.entries()) {
            const t = { shape: [], data: Float32Array.of(Design.T - i) }
            const x = states.at(-1) ?? first
            const found = await executable.run({ ...Program.under('params', parameters), c, x, eps, t })()
            if (E.isLeft(found)) return E.left(showTargetError(found.left))
            states.push(found.right['next'] ?? x)
          }
          const x0 = states.at(-1) ?? first
          const distance = energyDistance(x0, data)
          return E.right({
            states: states.map((state) => Float32Array.from(state.data)),
            reward: await reward(x0),
            distance: O.isSome(distance) ? distance.value : Number.NaN
          })
        },
        dispose: () => executable.dispose()
      }
    })
  )

/** The mean reward of points, of rewards that are programs. */
type MeanReward = (x0: Tensor) => Promise<number | undefined>

const noReward: MeanReward = async () => undefined

const rewardOf = (text: string, model: DescribedModel, target: Target): E.Either<string, MeanReward> =>
  pipe(
    Setup.reward(text, { model, rewards }),
    E.mapLeft(showDocumentError),
    E.flatMap((reward): E.Either<string, MeanReward> => {
      if (reward._tag === 'BlackBox') return E.right(noReward)
      const width = model.denoiser.labels
      const shapes = { x: chainOf(model).state, c: ['batch', width], parameters: L.shapes(reward.shapes) } as const
      return pipe(
        Build.build(target, { batch: Design.rows.shown })(
          'reward',
          Program.make(shapes, () => ({
            rewards: reward
              .lens(X.input('c', ['batch', width]))
              .forward(L.parameterInputs('parameters', reward.shapes), X.input('x', ['batch', 2]))
          }))
        ),
        E.bimap(
          Build.showError,
          (executable): MeanReward =>
            async (x0) => {
              const c = zeros(Design.rows.shown, width)
              const found = await executable.run({ x: x0, c, ...Program.under('parameters', reward.parameters) })()
              if (E.isLeft(found)) return undefined
              const values = Array.from(found.right['rewards']?.data ?? [])
              return values.reduce((sum, value) => sum + value, 0) / values.length
            }
        )
      )
    })
  )

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
    E.bind('pictures', () => camera(design, target, chainOf({ denoiser: denoiser(description) }), description.labels, noReward)),
    E.map(({ executable, pictures }) => {
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
        frame: () => pictures.shot(parameters()),
        finished: () =>
          pipe(
            encodeModel(description, parameters(), { name: design.data }),
            E.flatMap(loadModel),
            E.mapLeft(showModelError)
          ),
        dispose: async () => {
          await executable.dispose()
          await pictures.dispose()
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
        chain: { T: Design.T },
        kl: { beta: kl },
        optimizer: { learningRate: design.rate },
        batch: Design.rows.finetune,
        seed: design.seed
      })
    ),
    E.bindTo('config'),
    E.bind('setup', ({ config }) => Setup.setup(config, { model, rewards, language: silent(model.denoiser.labels) }, target)),
    E.mapLeft(showDocumentError),
    E.bind('mean', () => rewardOf(design.reward, model, target)),
    E.bind('pictures', ({ setup: { base }, mean }) => camera(design, target, base.chain, model.denoiser.labels, mean)),
    E.bind('run', ({ setup: { problem, optimizer, conditions } }) =>
      pipe(Finetune.compile(problem, { optimizer, conditions, target }), E.mapLeft(Gradient.showError))
    ),
    E.map(({ config, setup, run, pictures }) => {
      let state = run.start(setup.initial)
      return {
        step: async () => {
          const made = await run.step(Key.make(config.seed), state)()
          if (E.isLeft(made)) return E.left(Finetune.showError(made.left))
          state = made.right.state
          return E.right(state)
        },
        frame: () => pictures.shot(state.params),
        dispose: async () => {
          await run.dispose()
          await pictures.dispose()
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
    rewardOf(design.reward, model, target),
    E.flatMap((mean) => camera(design, target, chainOf(model), model.denoiser.labels, mean))
  )
  if (E.isLeft(made)) return made
  const frame = await made.right.shot(model.parameters)
  await made.right.dispose()
  return frame
}
