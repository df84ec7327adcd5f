/**
 * Trainings of denoisers on data of one's own.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Span } from '../lens/Columns.js'
import type { Params } from '../lens/Lens.js'
import type { DenoiserDescription } from '../network/Description.js'
import * as Model from '../network/Model.js'
import * as Key from '../random/Key.js'
import * as Build from '../tensor/Build.js'
import { batchAt, type Dropout, type Labelled, table } from '../training/Batches.js'
import * as Objective from '../training/Objective.js'
import * as Pretrain from '../training/Pretrain.js'
import type { Judgement, Trained, Training } from './Task.js'

/**
 * How a denoiser is trained, by its description.
 *
 * - `data`: draws `n` labelled examples from a key.
 * - `spans`: the columns of the labels that are hidden together (all, by default).
 * - `dropout`: how often labels are hidden (a tenth of the rows, by default).
 * - `recipe`: fields of the recipe over `recipe`, the default.
 * - `objective`: what is minimised (denoising, flow matching where the description's share is `flow`, or unmasking of tokens).
 * - `batch` and `examples`: rows of a step, and rows that are drawn (256 and 16384).
 * - `judge`: what else is measured, beside the loss on held-out examples.
 *
 * @category model
 * @since 0.1.0
 */
export interface DenoisingOptions {
  readonly about: string
  readonly description: DenoiserDescription
  readonly data: (key: Key.Key, n: number) => Labelled
  readonly spans?: ReadonlyArray<Span>
  readonly dropout?: Dropout
  readonly recipe?: Partial<Pretrain.Recipe>
  readonly objective?: Objective.Objective<Params>
  readonly batch?: number
  readonly examples?: number
  readonly judge?: (
    trained: Trained,
    heldOut: Labelled
  ) => TE.TaskEither<string, Pick<Judgement, 'numbers' | 'pictures'>>
}

/**
 * How a small denoiser is trained unless a training says otherwise.
 *
 * @category constants
 * @since 0.1.0
 */
export const recipe: Pretrain.Recipe = {
  steps: 2000,
  learningRate: 2e-3,
  warmup: 100,
  beta2: 0.99,
  weightDecay: 1e-4,
  clip: 1,
  average: 0.999
}

/** How many examples are held out. */
const heldOutExamples = 1024

const usual = (description: DenoiserDescription): Objective.Objective<Params> => {
  if (description.kind === 'tokens') return Objective.unmasking(description)
  if (description.kind === 'latent') return Objective.latentDenoising(description)
  return description.share === 'flow' ? Objective.flowMatching(description) : Objective.denoising(description)
}

/**
 * The training of a denoiser on labelled examples.
 *
 * @category constructors
 * @since 0.1.0
 */
export const denoising = (options: DenoisingOptions): Training => {
  const { description, data, spans, dropout = { all: 0.1, some: 0 } } = options
  const objective = options.objective ?? usual(description)
  return {
    about: options.about,
    network: description,
    objective: () => objective,
    recipe: { ...recipe, ...options.recipe },
    batch: options.batch ?? 256,
    examples: options.examples ?? 16_384,
    prepare: (key, examples) => {
      const training = table(data(Key.foldInString(key, 'training'), examples), spans)
      const heldOut = data(Key.foldInString(key, 'held-out'), heldOutExamples)
      return TE.right({
        details: { dropout },
        batches: (batch, of) => batchAt(training, batch, dropout, of),
        judge: (trained) =>
          pipe(
            Pretrain.meanLoss({
              objective,
              target: trained.target,
              batches: batchAt(table(heldOut, spans), lossRows, dropout, Key.foldInString(trained.key, 'loss')),
              rows: lossRows,
              count: lossBatches,
              parameters: trained.parameters
            }),
            TE.mapLeft(Build.showError),
            TE.bindTo('heldOutLoss'),
            TE.bind('more', () => options.judge?.(trained, heldOut) ?? TE.right({ numbers: {}, pictures: {} })),
            TE.map(({ heldOutLoss, more: { numbers, pictures } }) => ({
              numbers: { heldOutLoss, ...numbers },
              pictures,
              line: `loss on held-out examples ${heldOutLoss.toPrecision(4)}`
            }))
          )
      })
    },
    encode: (parameters, metadata) =>
      pipe(Model.encodeModel(description, parameters, metadata), E.mapLeft(Model.showError)),
    decode: (bytes) =>
      pipe(
        Model.loadModel(bytes),
        E.bimap(Model.showError, ({ parameters }) => parameters)
      )
  }
}

const lossRows = 256
const lossBatches = 8
