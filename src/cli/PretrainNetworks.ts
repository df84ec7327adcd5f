/**
 * The networks that ship: what they are and how they are trained.
 *
 * @since 0.1.0
 */
import type { Recipe } from '../finetune/Pretrain.js'
import { table, type Dropout, type Source } from '../finetune/PretrainBatch.js'
import { classifying, denoising, flowMatching, latentDenoising, type Objective } from '../finetune/PretrainObjective.js'
import type { Params } from '../lens/Lens.js'
import type {
  ClassifierDescription,
  Description,
  LatentDescription,
  MlpDescription,
  UnetDescription
} from '../model/Description.js'
import * as Clips from '../model/Clips.js'
import * as Faces from '../model/Faces.js'
import { clips } from './ClipRenderer.js'
import { side, type FaceSet } from './FaceRenderer.js'

/**
 * A network by its description, its objective and its recipe; `batch` is how many rows a step sees,
 * and `source` draws them from faces.
 *
 * @category model
 * @since 0.1.0
 */
export interface Network {
  readonly description: Description
  readonly objective: () => Objective<Params>
  readonly recipe: Recipe
  readonly dropout: Dropout
  readonly batch: number
  readonly source: (faces: FaceSet) => Source
}

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

const clip: UnetDescription = { ...unet, size: Clips.size, labels: Clips.labelWidth, channels: [32, 64, 128] }

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

const convolutional: Recipe = {
  steps: 8000,
  learningRate: 2e-3,
  warmup: 200,
  beta2: 0.99,
  weightDecay: 1e-4,
  clip: 1,
  average: 0.999
}

/**
 * The networks by name.
 *
 * @category constants
 * @since 0.1.0
 */
export const networks: Readonly<Record<string, Network>> = {
  'faces-mlp': {
    description: facesMlp,
    objective: () => denoising(facesMlp),
    recipe: { steps: 8000, learningRate: 2e-3, warmup: 200, beta2: 0.99, weightDecay: 1e-4, clip: 1, average: 0.999 },
    dropout: { all: 0.1, some: 0.5 },
    batch: 256,
    source: table
  },
  unet: {
    description: unet,
    objective: () => denoising(unet),
    recipe: convolutional,
    dropout: { all: 0.1, some: 0.5 },
    batch: 64,
    source: table
  },
  flow: {
    description: flow,
    objective: () => flowMatching(flow),
    recipe: { ...convolutional, steps: 4000 },
    dropout: { all: 0.1, some: 0.5 },
    batch: 64,
    source: table
  },
  clip: {
    description: clip,
    objective: () => denoising(clip),
    recipe: { ...convolutional, steps: 6500 },
    dropout: { all: 0.1, some: 0.3 },
    batch: 32,
    source: ({ attributes }) => clips(attributes)
  },
  latent: {
    description: latent,
    objective: () => latentDenoising(latent),
    recipe: { ...convolutional, steps: 6000 },
    dropout: { all: 0.1, some: 0.5 },
    batch: 64,
    source: table
  },
  classifier: {
    description: classifierDescription,
    objective: () => classifying(classifierDescription),
    recipe: { steps: 6000, learningRate: 1e-3, warmup: 200, beta2: 0.999, weightDecay: 1e-2, clip: 1, average: 0.999 },
    dropout: { all: 0, some: 0 },
    batch: 256,
    source: table
  }
}
