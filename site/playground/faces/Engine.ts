/**
 * What the worker of the page of faces computes: a fine-tune of the faces' model, its samples on the same noise after each step, and
 * what the judges say of them. It is the fine-tune of the program, of the same library.
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { showError as showDocumentError } from 'halforder/document/Document'
import * as L from 'halforder/lens/Lens'
import * as Gradient from 'halforder/estimator/Gradient'
import * as Named from 'halforder/estimator/Named'
import { classifier, type ClassifierParameters } from 'halforder/network/Classifier'
import {
  loadClassifier,
  loadModel,
  showError as showModelError,
  type Model,
  type ModelError
} from 'halforder/network/Model'
import type { TrainedClassifier } from 'halforder/network/Model'
import * as Key from 'halforder/random/Key'
import type { Shelf } from 'halforder/reward/Shelf'
import * as Build from 'halforder/tensor/Build'
import * as X from 'halforder/tensor/Expr'
import * as Program from 'halforder/tensor/Program'
import type { Target } from 'halforder/tensor/Target'
import type { Tensor } from 'halforder/tensor/Tensor'
import { type Language, oneOf, silent } from 'halforder/training/Conditions'
import * as Config from 'halforder/training/Config'
import * as Finetune from 'halforder/training/Finetune'
import { pairwiseDistance } from 'halforder/training/measure/Diversity'
import * as Setup from 'halforder/training/Setup'
import { language } from '../../../cli/tasks/faces/Conditions.js'
import { heldOut, shelf } from '../../../cli/tasks/faces/Rewards.js'
import { camera, scale, zeros } from '../Camera.js'
import * as Design from './Design.js'
import type { Chosen } from './OwnModel.js'
import * as Taste from './Taste.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** What a fine-tune is made of: a model, or the bytes of one that was written here, and judges. */
export interface Files {
  readonly model: Uint8Array | Model
  readonly classifier: Uint8Array
  readonly judge: Uint8Array
}

/**
 * Where a fine-tune is: the samples, their mean reward, that by the judge whose weights no reward has, the mean distance of two
 * samples, and of the last step's batch the divergence from the base model along the chain, where it has a price.
 */
export interface Frame {
  readonly step: number
  readonly images: Float32Array
  readonly side: number
  readonly reward: number | undefined
  readonly heldOut: number | undefined
  readonly diversity: number
  readonly kl: number | undefined
}

/** A fine-tune that goes on. `saved`: the model as it is now, as a file, and those that belong beside it. */
export interface Tuning {
  readonly step: () => Promise<E.Either<string, number>>
  readonly frame: () => Promise<E.Either<string, Frame>>
  readonly saved: () => E.Either<string, ReadonlyArray<Chosen>>
  readonly dispose: () => Promise<void>
}

/** Pairs of faces to choose from, two rows a pair: pixels, and the probabilities of what the classifier sees. */
export interface Pairs {
  readonly images: Float32Array
  readonly side: number
  readonly shares: Tensor
}

interface Parts {
  readonly model: Model
  readonly classifier: TrainedClassifier
  readonly judge: TrainedClassifier
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const read = (files: Files): E.Either<string, Parts> =>
  pipe(
    E.Do,
    E.bind('model', () =>
      files.model instanceof Uint8Array ? loadModel(files.model) : E.right<ModelError, Model>(files.model)
    ),
    E.bind('classifier', () => loadClassifier(files.classifier)),
    E.bind('judge', () => loadClassifier(files.judge)),
    E.mapLeft(showModelError),
    E.filterOrElse(
      ({ model, classifier }) =>
        model.denoiser.features === classifier.description.features && model.decoder._tag === 'None',
      ({ model, classifier }) =>
        `expected a model of images of ${classifier.description.features} numbers, got one of ${model.denoiser.features}; load one of faces`
    ),
    E.filterOrElse(
      ({ model: { image } }) => image === undefined || (image.range[0] === -1 && image.range[1] === 1),
      ({ model: { image } }) =>
        `expected a model of images from -1 to 1, got one from ${image?.range.join(' to ')}; load one of faces`
    )
  )

/** A model of another tool has no biases of labels: all of it is trained, on the chain that it comes with. */
const isForeign = ({ own }: Model): boolean => own !== undefined

/** What a model can be told: prompts, or a label's number where it is of another tool. */
const languageOf = (model: Model): Language => {
  const { labels } = model.denoiser
  if (!isForeign(model)) return language(labels)
  return labels > 1 ? oneOf(Array.from({ length: labels }, (_, i) => String(i))) : silent(labels)
}

const configOf = (design: Design.Design, model: Model): E.Either<string, Config.Config> =>
  pipe(
    Config.decode()(isForeign(model) ? { chain: { kind: 'own' }, estimator: { radius: 0.01 } } : {}),
    E.bindTo('usual'),
    E.bind('estimator', () => Named.document(design.estimator)),
    E.flatMap(({ usual, estimator }) =>
      Config.decode(usual)({
        task: 'faces',
        model: 'faces-mlp',
        reward: design.reward,
        prompt: design.prompt,
        estimator,
        ...(isForeign(model) ? {} : { trained: ['**.labels.bias'] }),
        kl: { beta: design.kl },
        optimizer: { learningRate: design.rate },
        batch: design.batch,
        seed: design.seed
      })
    ),
    E.mapLeft(showDocumentError)
  )

/** A shelf with the reward that was taught, where one was. */
const withTaste = (rewards: Shelf, judge: TrainedClassifier, taste: Taste.Taste | undefined): Shelf =>
  taste === undefined
    ? rewards
    : { ...rewards, named: new Map([...rewards.named, ['taught', () => Taste.reward(judge, taste)]]) }

/** The logits of a classifier for some images. */
const seen = async (
  { description, parameters }: TrainedClassifier,
  images: Tensor,
  target: Target
): Promise<E.Either<string, Tensor>> => {
  const network = classifier(description)
  const shapes = { x: ['batch', description.features], parameters: L.shapes(network.parameters) } as const
  const made = Build.using(target, { batch: images.shape[0] ?? 1 })(
    'classifier',
    Program.make(shapes, () => ({
      logits: network.forward(
        // the tree of inputs has the shapes that the network declares
        L.parameterInputs('parameters', network.parameters) as ClassifierParameters,
        X.input('x', ['batch', description.features])
      )
    }))
  )((run) => run({ x: images, ...Program.under('parameters', parameters) }))
  const found = await made()
  if (E.isLeft(found)) return E.left(Build.showError(found.left))
  return E.right(found.right['logits'] ?? images)
}

/** The pairs of a design that can be chosen from: faces of the base model, told nothing. */
export const pairs = async (design: Design.Design, files: Files, target: Target): Promise<E.Either<string, Pairs>> => {
  const made = pipe(
    read(files),
    E.bindTo('parts'),
    E.bind('config', ({ parts: { model } }) => configOf({ ...design, prompt: '', reward: 'clarity' }, model)),
    E.bind('setup', ({ parts: { model, classifier: judge }, config }) =>
      pipe(
        Setup.setup(
          config,
          { model, rewards: shelf({ classifier: judge, blackBoxes: {} }), language: languageOf(model) },
          target
        ),
        E.mapLeft(showDocumentError)
      )
    ),
    E.bind('shots', ({ parts: { model }, setup }) =>
      camera(
        setup.base.chain,
        zeros(2 * Taste.pairs, model.denoiser.labels),
        Key.foldInString(Key.make(design.seed), 'pairs'),
        target
      )
    )
  )
  if (E.isLeft(made)) return made
  const { parts, setup, shots } = made.right
  const states = await shots.shot(setup.initial)
  await shots.dispose()
  if (E.isLeft(states)) return states
  const images: Tensor = states.right.at(-1) ?? zeros(0, 0)
  const logits = await seen(parts.classifier, images, target)
  return E.map(
    (found: Tensor): Pairs => ({
      images: Float32Array.from(images.data),
      side: Math.sqrt(parts.model.denoiser.features / 3),
      shares: Taste.sharesOf(found)
    })
  )(logits)
}

/** What the choices of a design taught, where it follows them. Left: there are too few. */
export const taught = async (
  design: Design.Design,
  files: Files,
  target: Target
): Promise<E.Either<string, Taste.Taste | undefined>> => {
  if (!/\btaught\b/.test(design.reward)) return E.right(undefined)
  const choices = Taste.fromText(design.choices)
  const made = choices.filter((choice) => choice !== 'neither').length
  if (made < Taste.enough)
    return E.left(`expected at least ${Taste.enough} choices to be taught by, got ${made}; choose between more pairs`)
  const found = await pairs(design, files, target)
  return E.map(({ shares }: Pairs) => Taste.learned(shares, choices))(found)
}

/** The fine-tune of a design. Left: what does not fit, and what to do. */
export const tuning = (
  design: Design.Design,
  files: Files,
  target: Target,
  taste?: Taste.Taste
): E.Either<string, Tuning> =>
  pipe(
    read(files),
    E.bindTo('parts'),
    E.bind('config', ({ parts: { model } }) => configOf(design, model)),
    E.let('rewards', ({ parts: { classifier } }) =>
      withTaste(shelf({ classifier, blackBoxes: {} }), classifier, taste)
    ),
    E.bind('setup', ({ parts: { model }, config, rewards }) =>
      pipe(Setup.setup(config, { model, rewards, language: languageOf(model) }, target), E.mapLeft(showDocumentError))
    ),
    E.let('c', ({ parts: { model }, setup }) => {
      const { c } = setup.conditions(Key.foldInString(Key.make(design.seed), 'told'), Design.shown)
      return (
        c ?? {
          shape: [Design.shown, model.denoiser.labels],
          data: new Float32Array(Design.shown * model.denoiser.labels)
        }
      )
    }),
    E.bind('shots', ({ setup, c }) =>
      camera(setup.base.chain, c, Key.foldInString(Key.make(design.seed), 'shown'), target)
    ),
    E.bind('own', ({ parts: { model }, rewards, c }) => scale(design.reward, { model, rewards, c }, target)),
    E.bind('other', ({ parts: { model, judge }, c }) =>
      scale(design.reward, { model, rewards: withTaste(heldOut(judge, 1).rewards, judge, taste), c }, target)
    ),
    E.bind('run', ({ setup: { problem, optimizer, conditions } }) =>
      pipe(Finetune.compile(problem, { optimizer, conditions, target }), E.mapLeft(Gradient.showError))
    ),
    E.map(({ parts: { model }, config, setup, shots, own, other, run }): Tuning => {
      let state = run.start(setup.initial)
      let kl: number | undefined
      return {
        step: async () => {
          const made = await run.step(Key.make(config.seed), state)()
          if (E.isLeft(made)) return E.left(Finetune.showError(made.left))
          const { stepRewards } = made.right
          state = made.right.state
          kl = design.kl > 0 ? -mean(stepRewards) / design.kl : undefined
          return E.right(state.step)
        },
        frame: async () => {
          const states = await shots.shot(state.params)
          if (E.isLeft(states)) return states
          const x0: Tensor = states.right.at(-1) ?? { shape: [0, 0], data: new Float32Array() }
          return E.right({
            step: state.step,
            images: Float32Array.from(x0.data),
            side: Math.sqrt(model.denoiser.features / 3),
            reward: await own.mean(x0),
            heldOut: await other.mean(x0),
            diversity: pairwiseDistance(x0),
            kl
          })
        },
        saved: () =>
          pipe(
            setup.finished(state.params),
            E.mapLeft(showDocumentError),
            E.flatMap((values) =>
              pipe(
                E.Do,
                E.bind('bytes', () =>
                  model.encode(
                    values,
                    { ...model.metadata, finetuned: JSON.stringify({ ...design, steps: state.step }) },
                    'own'
                  )
                ),
                E.bind(
                  'beside',
                  () => model.beside?.(values) ?? E.right<ModelError, Readonly<Record<string, Uint8Array>>>({})
                ),
                E.mapLeft(showModelError)
              )
            ),
            E.map(({ bytes, beside }) => [
              { name: model.file ?? 'faces-finetuned.safetensors', bytes },
              ...Object.entries(beside).map(([name, content]) => ({ name, bytes: content }))
            ])
          ),
        dispose: async () => {
          await run.dispose()
          await shots.dispose()
          await own.dispose()
          await other.dispose()
        }
      }
    })
  )

const mean = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
