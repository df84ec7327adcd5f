/**
 * What is trained on faces and on clips of them, and how.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Span } from 'halforder/lens/Columns'
import type {
  ClassifierDescription,
  LatentDescription,
  MlpDescription,
  UnetDescription
} from 'halforder/network/Description'
import * as Model from 'halforder/network/Model'
import type { Training } from 'halforder/task/Task'
import type { Values } from 'halforder/tensor/Program'
import { batchAt, type Source, table } from 'halforder/training/Batches'
import { classifying, denoising, flowMatching, latentDenoising } from 'halforder/training/Objective'
import type { Recipe } from 'halforder/training/Pretrain'
import * as Clips from '../clips/Clips.js'
import { clips, frames } from '../clips/Renderer.js'
import * as Data from './Data.js'
import * as Faces from './Faces.js'
import type { Network } from './Network.js'
import { side, type FaceSet } from './Renderer.js'
import { judge } from './Report.js'

// -------------------------------------------------------------------------------------
// networks
// -------------------------------------------------------------------------------------

const features = 3 * side * side
const labels = Faces.labelWidth

const facesMlp: MlpDescription = {
  kind: 'mlp',
  features,
  labels,
  hidden: 384,
  blocks: 3,
  embedding: 128,
  share: 'cosine'
}

const unet: UnetDescription = {
  kind: 'unet',
  size: [side, side, 3],
  labels,
  patch: 2,
  channels: [48, 96, 128],
  groups: 8,
  embedding: 128,
  share: 'cosine'
}

const flow: UnetDescription = { ...unet, share: 'flow' }

/** Patches of four frames of 4 x 4 pixels: with few channels for smaller ones not even a clip without noise gets through. */
const clip: UnetDescription = { ...unet, size: Clips.size, labels: Clips.labelWidth, patch: 4, channels: [128, 64] }

const latent: LatentDescription = {
  kind: 'latent',
  size: [side, side, 3],
  patch: 2,
  channels: [32, 64],
  groups: 8,
  latent: 4,
  labels,
  hidden: 256,
  blocks: 3,
  embedding: 128,
  share: 'cosine'
}

const classifierDescription: ClassifierDescription = { kind: 'classifier', features, labels, hidden: 128, blocks: 2 }

/** Narrower than the classifier whose rewards it looks over, so that the two do not err alike. */
const judgeDescription: ClassifierDescription = { ...classifierDescription, hidden: 64 }

const attributes: ReadonlyArray<Span> = Faces.attributeNames.map(Faces.block)

const inMemory = ({ images, labels: told }: FaceSet): Source => table({ x0: images, labels: told }, attributes)

const convolutional: Recipe = {
  steps: 8000,
  learningRate: 2e-3,
  warmup: 200,
  beta2: 0.99,
  weightDecay: 1e-4,
  clip: 1,
  average: 0.999
}

const reader = (
  about: string,
  description: ClassifierDescription,
  { steps, source }: Pick<Recipe, 'steps'> & Pick<Network, 'source'> = { steps: 6000, source: inMemory }
): Network => ({
  about,
  description,
  objective: () => classifying(description, attributes),
  recipe: { steps, learningRate: 1e-3, warmup: 200, beta2: 0.999, weightDecay: 1e-2, clip: 1, average: 0.999 },
  dropout: { all: 0, some: 0 },
  batch: 256,
  source
})

/** Faces as they are in clips: out of their place, and with their eyes closed. */
const inClips = { steps: 2500, source: ({ attributes: faces }: FaceSet): Source => frames(faces) }

/**
 * The networks by name.
 *
 * @category constants
 * @since 0.1.0
 */
export const networks: Readonly<Record<string, Network>> = {
  'faces-mlp': {
    about: 'the denoiser of dense layers',
    description: facesMlp,
    objective: () => denoising(facesMlp),
    recipe: { steps: 8000, learningRate: 2e-3, warmup: 200, beta2: 0.99, weightDecay: 1e-4, clip: 1, average: 0.999 },
    dropout: { all: 0.1, some: 0.5 },
    batch: 256,
    source: inMemory
  },
  unet: {
    about: 'the convolutional denoiser',
    description: unet,
    objective: () => denoising(unet),
    recipe: convolutional,
    dropout: { all: 0.1, some: 0.5 },
    batch: 64,
    source: inMemory
  },
  flow: {
    about: 'the convolutional denoiser by flow matching',
    description: flow,
    objective: () => flowMatching(flow),
    recipe: { ...convolutional, steps: 4000 },
    dropout: { all: 0.1, some: 0.5 },
    batch: 64,
    source: inMemory
  },
  clip: {
    about: 'the denoiser of clips',
    description: clip,
    objective: () => denoising(clip),
    recipe: { ...convolutional, steps: 3000 },
    dropout: { all: 0.1, some: 0.3 },
    batch: 32,
    source: ({ attributes }) => clips(attributes)
  },
  latent: {
    about: 'the autoencoder with a denoiser of its latents',
    description: latent,
    objective: () => latentDenoising(latent),
    recipe: { ...convolutional, steps: 6000 },
    dropout: { all: 0.1, some: 0.5 },
    batch: 64,
    source: inMemory
  },
  classifier: reader('the classifier that judges', classifierDescription),
  judge: reader('the classifier that no reward is of: train it with another seed', judgeDescription),
  'clip-classifier': reader('the classifier that judges frames of clips', classifierDescription, inClips),
  'clip-judge': reader(
    'the classifier of frames that no reward is of: train it with another seed',
    judgeDescription,
    inClips
  )
}

// -------------------------------------------------------------------------------------
// trainings
// -------------------------------------------------------------------------------------

/** How many faces are drawn unless the command says otherwise. */
const drawn = 32_768

/**
 * A network of faces as a training. What is judged is compared with as many training faces as faces are held out, so there
 * must be that many.
 *
 * @category constructors
 * @since 0.1.0
 */
export const training = (network: Network): Training => ({
  about: network.about,
  network: network.description,
  objective: network.objective,
  recipe: network.recipe,
  batch: network.batch,
  examples: drawn,
  prepare: (key, examples) => {
    const least = network.description.kind === 'classifier' ? 1 : Data.heldOutFaces
    if (examples < least) return TE.left(`--examples: expected at least ${least}, got ${examples}`)
    const data = Data.make(key, examples)
    if (data.heldOut.attributes.length < Data.heldOutFaces) {
      return TE.left(
        `--examples: expected a number that leaves ${Data.heldOutFaces} faces to hold out, got ${examples}`
      )
    }
    const source = network.source(data.training)
    return TE.right({
      details: { dropout: network.dropout },
      batches: (batch, of) => batchAt(source, batch, network.dropout, of),
      judge: (trained) => judge({ ...trained, network, data })
    })
  },
  encode: (parameters, metadata) =>
    pipe(Model.encodeModel(network.description, parameters, metadata), E.mapLeft(Model.showError)),
  decode: (bytes) =>
    pipe(
      network.description.kind === 'classifier'
        ? pipe(Model.loadClassifier(bytes), E.map(parametersOf))
        : pipe(Model.loadModel(bytes), E.map(parametersOf)),
      E.mapLeft(Model.showError)
    )
})

const parametersOf = ({ parameters }: { readonly parameters: Values }): Values => parameters
