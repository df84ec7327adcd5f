/**
 * The tasks of faces and of clips of them: they share words, judges and drawing, and differ in what is shipped and shown first.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord } from 'halforder/document/Document'
import * as Model from 'halforder/network/Model'
import * as Draw from 'halforder/random/Draw'
import type { Shelf } from 'halforder/reward/Shelf'
import type { Features, Judges } from 'halforder/task/Judges'
import { type Examples, type Show, stored, type Stored, task, type Task, type TaskOptions } from 'halforder/task/Task'
import type { Tensor } from 'halforder/tensor/Tensor'
import { readFile } from 'node:fs/promises'
import * as Files from '../../edge/Files.js'
import * as Clips from '../clips/Clips.js'
import { measures } from '../clips/Measures.js'
import * as Aesthetic from './Aesthetic.js'
import { aestheticTraining } from './AestheticTraining.js'
import { language } from './Conditions.js'
import * as Faces from './Faces.js'
import * as Jpeg from './Jpeg.js'
import { featuresBy } from '../Reading.js'
import { faces as drawFaces, side } from './Renderer.js'
import * as Rewards from './Rewards.js'
import { networks, training } from './Trainings.js'

// -------------------------------------------------------------------------------------
// models
// -------------------------------------------------------------------------------------

const shipped = (name: string, about: string): Stored =>
  stored(about, () => readFile(Files.asset(`${name}.safetensors`)))

const models: Readonly<Record<string, Stored>> = {
  'faces-mlp': shipped('faces-mlp', 'faces, by a network of dense layers'),
  unet: shipped('unet', 'faces, by a convolutional network'),
  flow: shipped('flow', 'faces, by flow matching'),
  latent: shipped('latent', 'faces, in the latents of an autoencoder'),
  clip: shipped('clip', 'clips of eight frames')
}

/** How many frames a row of the model has: 1 for stills. */
const framesOf = ({ denoiser, decoder }: Model.Model): number =>
  decoder._tag === 'None' && denoiser.features === Clips.frameCount * Faces.features ? Clips.frameCount : 1

// -------------------------------------------------------------------------------------
// rewards
// -------------------------------------------------------------------------------------

const readAsset = <A>(
  name: string,
  load: (bytes: Uint8Array) => E.Either<Model.ModelError, A>
): TE.TaskEither<string, A> =>
  pipe(
    Files.read(Files.asset(name)),
    TE.mapLeft(Files.showError),
    TE.flatMapEither((bytes) =>
      pipe(
        load(bytes),
        E.mapLeft((error) => `${name}: ${Model.showError(error)}`)
      )
    )
  )

/** Frames of clips are read by networks that have seen faces out of their place: how the names of their files begin. */
const readers = (frames: number): '' | 'clip-' => (frames === 1 ? '' : 'clip-')

/**
 * The rewards of a model's outputs, by the networks that judge.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rewardsOf = (model: Model.Model): TE.TaskEither<string, Shelf> =>
  pipe(
    TE.Do,
    TE.let('frames', () => framesOf(model)),
    TE.bind('classifier', ({ frames }) => readAsset(`${readers(frames)}classifier.safetensors`, Model.loadClassifier)),
    TE.bind('aesthetic', () => readAsset('aesthetic.safetensors', Aesthetic.loadAesthetic)),
    TE.map(({ frames, ...judges }) => Rewards.shelf({ ...judges, frames, blackBoxes: Jpeg.rewards(frames) }))
  )

/** What the judge's last layer sees, in the mean over the frames. */
const seenBy = (judge: Model.TrainedClassifier, frames: number): Features => ({
  about: `the ${judge.description.hidden} features of the judge's last layer${frames === 1 ? '' : ', in the mean over the frames'}`,
  read: (target) => {
    const see = featuresBy(target, judge)
    return (images) => {
      const stills = { shape: [frames * (images.shape[0] ?? 0), judge.description.features], data: images.data }
      return pipe(see(stills), TE.map(meanOf(frames)))
    }
  }
})

const meanOf =
  (frames: number) =>
  ({ shape: [rows = 0, width = 0], data }: Tensor): Tensor => {
    const mean = new Float32Array((rows / frames) * width)
    data.forEach((value: number, at: number) => {
      const to = Math.floor(at / (frames * width)) * width + (at % width)
      mean[to] = (mean[to] ?? 0) + value / frames
    })
    return { shape: [rows / frames, width], data: mean }
  }

/** Held-out rewards by the judge, whose weights and data are others than those of the classifier. */
const judges = (model: Model.Model): TE.TaskEither<string, Judges> => {
  const frames = framesOf(model)
  return pipe(
    TE.Do,
    TE.bind('judge', () => readAsset(`${readers(frames)}judge.safetensors`, Model.loadClassifier)),
    TE.bind('score', () => readAsset('aesthetic.safetensors', Aesthetic.loadAesthetic)),
    TE.map(({ judge, score }) => ({
      ...Rewards.heldOut(judge, frames),
      features: seenBy(judge, frames),
      ...(frames === 1 ? {} : { measures: measures(judge, score) })
    }))
  )
}

// -------------------------------------------------------------------------------------
// tasks
// -------------------------------------------------------------------------------------

const show = (model: Model.Model): Show => {
  const frames = framesOf(model)
  // a decoder's outputs are of whatever size it makes
  return frames === 1
    ? { _tag: 'Stills', side: O.isSome(model.decoder) ? undefined : Math.sqrt(model.denoiser.features / 3) }
    : { _tag: 'Clips', side, frames }
}

const examples: TaskOptions['examples'] = (key, n) =>
  pipe(
    drawFaces(Draw.uniform(key, [n, Faces.attributeNames.length])),
    E.bimap(
      Faces.showError,
      ({ images, labels, attributes }): Examples => ({
        x0: images,
        labels,
        words: attributes,
        show: { _tag: 'Stills', side }
      })
    ),
    TE.fromEither
  )

const family: Pick<TaskOptions, 'models' | 'language' | 'rewards' | 'judges' | 'show' | 'trainings' | 'examples'> = {
  models,
  language: ({ denoiser }) => language(denoiser.labels),
  rewards: rewardsOf,
  judges,
  show,
  trainings: {
    ...Object.fromEntries(Object.entries(networks).map(([name, network]) => [name, training(network)])),
    aesthetic: aestheticTraining
  },
  examples
}

/** What was measured to do best for `glasses` on the usual chain: a price is in units of the reward, and of no other one's. */
const usual = { kl: { beta: 0.5 }, steps: 20 }

/** Is neither another reward asked for, nor another chain but for its length and guidance? */
const isUsual = (given: unknown): boolean => {
  if (!isRecord(given)) return true
  const { kind = 'ddim', T: _, guidance: __, ...others } = isRecord(given['chain']) ? given['chain'] : {}
  return (given['reward'] ?? 'glasses') === 'glasses' && kind === 'ddim' && Object.keys(others).length === 0
}

const onLatents = (given: unknown): boolean =>
  isRecord(given) && isRecord(given['chain']) && given['chain']['kind'] === 'latent'

/**
 * Faces of 16 x 16 pixels, with eight attributes.
 *
 * @category instances
 * @since 0.1.0
 */
export const faces: Task = task({
  ...family,
  name: 'faces',
  about: 'pixel-art faces of 16 x 16 pixels: glasses, hats, hair, in words',
  // a chain of latents needs a model of latents
  defaults: (given) => ({
    model: onLatents(given) ? 'latent' : 'faces-mlp',
    reward: 'glasses',
    trained: ['**.labels.bias'],
    estimator: { rest: 'halfOrder' },
    ...(isUsual(given) ? usual : {})
  })
})

/**
 * Clips of eight frames of faces, which blink, smile or move.
 *
 * @category instances
 * @since 0.1.0
 */
export const clips: Task = task({
  ...family,
  name: 'clips',
  about: 'clips of eight frames, in which a face blinks, smiles or moves',
  defaults: { model: 'clip', reward: 'smoothness', trained: ['**.labels.bias'], batch: 16, evaluationSamples: 64 }
})
