/**
 * The networks that ship: what they are and how they are trained.
 *
 * @since 0.1.0
 */
import type { Recipe } from '../finetune/Pretrain.js'
import type { Dropout } from '../finetune/PretrainBatch.js'
import { classifying, denoising, type Objective } from '../finetune/PretrainObjective.js'
import type { Params } from '../lens/Lens.js'
import type { ClassifierDescription, Description, MlpDescription } from '../model/Description.js'
import * as Faces from '../model/Faces.js'
import { side } from './FaceRenderer.js'

/**
 * A network by its description, its objective and its recipe.
 *
 * @category model
 * @since 0.1.0
 */
export interface Network {
  readonly description: Description
  readonly objective: () => Objective<Params>
  readonly recipe: Recipe
  readonly dropout: Dropout
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

const classifierDescription: ClassifierDescription = { kind: 'classifier', features, labels, hidden: 128, blocks: 2 }

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
    dropout: { all: 0.1, some: 0.5 }
  },
  classifier: {
    description: classifierDescription,
    objective: () => classifying(classifierDescription),
    recipe: { steps: 6000, learningRate: 1e-3, warmup: 200, beta2: 0.999, weightDecay: 1e-2, clip: 1, average: 0.999 },
    dropout: { all: 0, some: 0 }
  }
}
