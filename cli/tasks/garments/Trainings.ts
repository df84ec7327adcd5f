/**
 * What is trained on pictures of garments, and how.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from 'halforder/lens/Lens'
import type { ClassifierDescription, UnetDescription } from 'halforder/network/Description'
import * as Model from 'halforder/network/Model'
import type { Prepared, Training } from 'halforder/task/Task'
import type { Values } from 'halforder/tensor/Program'
import { batchAt, type Dropout } from 'halforder/training/Batches'
import { classifying, denoising, type Objective } from 'halforder/training/Objective'
import type { Recipe } from 'halforder/training/Pretrain'
import * as Data from './Data.js'
import { read } from './Fetching.js'
import { judgeClassifier, judgeDenoiser } from './Report.js'

// -------------------------------------------------------------------------------------
// networks
// -------------------------------------------------------------------------------------

/**
 * A network by its description, the part of the pictures that it sees, its objective and its recipe.
 *
 * @category model
 * @since 0.1.0
 */
export interface Network {
  readonly about: string
  readonly description: ClassifierDescription | UnetDescription
  readonly part: Data.Part
  readonly objective: () => Objective<Params>
  readonly recipe: Recipe
  readonly dropout: Dropout
  readonly batch: number
}

const unet: UnetDescription = {
  kind: 'unet',
  size: [Data.side, Data.side, 1],
  labels: Data.classes.length,
  patch: 2,
  channels: [32, 96],
  groups: 8,
  embedding: 128,
  share: 'cosine'
}

const whole = [{ offset: 0, width: Data.classes.length }]

const reader = (about: string, part: Data.Part, hidden: number): Network => {
  const description: ClassifierDescription = {
    kind: 'classifier',
    features: Data.features,
    labels: Data.classes.length,
    hidden,
    blocks: 2
  }
  return {
    about,
    description,
    part,
    objective: () => classifying(description, whole),
    recipe: { steps: 6000, learningRate: 1e-3, warmup: 200, beta2: 0.999, weightDecay: 1e-2, clip: 1, average: 0.999 },
    dropout: { all: 0, some: 0 },
    batch: 128
  }
}

/**
 * The networks by name.
 *
 * @category constants
 * @since 0.1.0
 */
export const networks: Readonly<Record<string, Network>> = {
  garments: {
    about: 'the convolutional denoiser',
    description: unet,
    part: 'all',
    objective: () => denoising(unet),
    recipe: { steps: 2600, learningRate: 2e-3, warmup: 200, beta2: 0.99, weightDecay: 1e-4, clip: 1, average: 0.999 },
    dropout: { all: 0.1, some: 0 },
    batch: 32
  },
  'garments-classifier': reader(
    'the classifier whose rewards are raised, on one half of the pictures',
    'first half',
    128
  ),
  // narrower than the classifier that it looks over, so that the two do not err alike
  'garments-judge': reader('the classifier that no reward is of, on the other half', 'second half', 96)
}

const judging = ({ description, objective, dropout }: Network, garments: Data.Garments): Prepared['judge'] =>
  description.kind === 'classifier'
    ? judgeClassifier({ garments, objective, dropout }, description)
    : judgeDenoiser({ garments, objective, dropout }, description)

// -------------------------------------------------------------------------------------
// trainings
// -------------------------------------------------------------------------------------

/**
 * A network as a training on the pictures that were fetched.
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
  examples: Data.count(network.part),
  prepare: (_, examples) =>
    examples > Data.count(network.part)
      ? TE.left(`--examples: expected at most ${Data.count(network.part)}, as many as there are, got ${examples}`)
      : pipe(
          read(),
          TE.map((garments) => ({
            details: { dropout: network.dropout, part: network.part },
            batches: (batch, key) =>
              batchAt(Data.source(garments)(network.part, 0, examples), batch, network.dropout, key),
            judge: judging(network, garments)
          }))
        ),
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
