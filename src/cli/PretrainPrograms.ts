/**
 * What judging a training runs: losses, samples, and what the classifier reads in images.
 *
 * @since 0.1.0
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { ddim } from '../chain/Ddim.js'
import { guided } from '../chain/Denoiser.js'
import { evaluation } from '../finetune/Pretrain.js'
import { batchAt, type Dropout } from '../finetune/PretrainBatch.js'
import * as Metrics from '../finetune/PretrainMetrics.js'
import type { Rows } from '../lens/Dense.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import { classifier } from '../model/Classifier.js'
import type { DenoiserDescription } from '../model/Description.js'
import { erase } from '../model/Erase.js'
import * as Faces from '../model/Faces.js'
import { decoder as latentDecoder, encoder } from '../model/Latent.js'
import { loadClassifier, showError as showModelError, type Metadata, type TrainedClassifier } from '../model/Model.js'
import { decoder, denoiser, featuresOf } from '../model/Network.js'
import { schedules } from '../model/Share.js'
import * as Key from '../random/Key.js'
import { under, type Program, type Values } from '../tensor/Program.js'
import { showError as showShapeError, type ShapeError } from '../tensor/Shape.js'
import { showTargetError, type Executable, type Target, type TargetError } from '../tensor/Target.js'
import { rows, type Tensor } from '../tensor/Tensor.js'
import * as Files from './Files.js'
import { broken, file, type Failure, type Step } from './FinetuneRun.js'
import type { PretrainData } from './PretrainData.js'
import type { Network } from './PretrainNetworks.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A training that is done.
 *
 * @category model
 * @since 0.1.0
 */
export interface Trained {
  readonly name: string
  readonly network: Network
  readonly folder: string
  readonly target: Target
  readonly data: PretrainData
  readonly parameters: Values
  readonly key: Key.Key
  readonly metadata: Metadata
}

/**
 * Measured numbers by name.
 *
 * @category model
 * @since 0.1.0
 */
export type Numbers = { readonly [name: string]: number | Numbers }

/**
 * Reads a number for each of some features in each row: the number of rows must be a multiple of `chunk`.
 *
 * @category model
 * @since 0.1.0
 */
export type Reading = (images: Tensor) => Step<Tensor>

/**
 * How many rows a kernel takes at a time.
 *
 * @category constants
 * @since 0.1.0
 */
export const chunk = 128

/** The steps of the chain that draws. */
const chainSteps = 50

// -------------------------------------------------------------------------------------
// running programs
// -------------------------------------------------------------------------------------

const compile = (
  target: Target,
  program: E.Either<ReadonlyArray<ShapeError>, Program>,
  batch: number
): Step<Executable> =>
  pipe(
    program,
    E.mapLeft((errors) => broken(errors.map(showShapeError).join('\n'))),
    E.flatMap((closed) => pipe(target.compile(closed, { batch }), E.mapLeft(failed))),
    TE.fromEither
  )

const failed = (error: TargetError): Failure => broken(showTargetError(error))

/** Makes rows chunk by chunk, and puts them together. */
const inChunks =
  (total: number) =>
  (make: (from: number) => Step<Tensor>): Step<Tensor> =>
  async () => {
    const parts: Array<Tensor> = []
    for (let from = 0; from < total; from += chunk) {
      const part = await make(from)()
      if (E.isLeft(part)) return part
      parts.push(part.right)
    }
    const width = parts[0]?.shape[1] ?? 1
    const data = new Float32Array(parts.length * chunk * width)
    parts.forEach((part, i) => data.set(part.data, i * chunk * width))
    return E.right({ shape: [parts.length * chunk, width], data })
  }

/** A lens on rows as a function of rows, with the parameters that it declares. */
const applying = (
  target: Target,
  lens: Lens<Params, Rows<number>, Rows<number>>,
  features: number,
  parameters: Values
): Step<Reading> =>
  pipe(
    compile(target, Metrics.reading(lens, features), chunk),
    TE.map((executable) => (images: Tensor) => {
      const named = under('parameters', parameters)
      return inChunks(images.shape[0] ?? 0)((from) =>
        pipe(
          executable.run({ ...named, x: rows(from, from + chunk)(images) }),
          TE.bimap(failed, ({ logits }) => logits ?? images)
        )
      )
    })
  )

// -------------------------------------------------------------------------------------
// losses
// -------------------------------------------------------------------------------------

/** How many batches the loss is averaged over, and of how many rows each. */
const lossBatches = { count: 8, rows: 256 } as const

/**
 * The mean loss on held-out faces.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const heldOutLoss = ({ network, target, data, parameters, key }: Trained, dropout: Dropout): Step<number> =>
  pipe(
    compile(target, evaluation(network.objective()), lossBatches.rows),
    TE.flatMap((executable) => async () => {
      const source = network.source(data.heldOut)
      const batches = batchAt(source, lossBatches.rows, dropout, Key.foldInString(key, 'loss'))
      const named = under('parameters', parameters)
      const losses: Array<number> = []
      for (let step = 0; step < lossBatches.count; step++) {
        const result = await executable.run({ ...named, ...batches(step) })()
        if (E.isLeft(result)) return E.left(failed(result.left))
        losses.push(result.right['loss']?.data[0] ?? Number.NaN)
      }
      await executable.dispose()
      return E.right(Metrics.mean(losses))
    })
  )

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * The classifier that judges: the one beside the training's folder, or the shipped one.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const readClassifier = ({ folder }: Trained): Step<TrainedClassifier> => {
  const beside = join(folder, 'classifier.safetensors')
  const path = existsSync(beside) ? beside : join(Files.packageFolder(), 'assets', 'classifier.safetensors')
  return pipe(
    file(Files.read(path)),
    TE.flatMapEither((bytes) =>
      pipe(
        loadClassifier(bytes),
        E.mapLeft((error) => broken(`${path}: ${showModelError(error)}`))
      )
    )
  )
}

/**
 * The classifier's logits of images.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const logitsBy = (target: Target, { description, parameters }: TrainedClassifier): Step<Reading> =>
  applying(target, erased(description), description.features, parameters)

/**
 * What the classifier's last layer sees: its hidden features. They are the logits of the same classifier with the identity
 * as its last layer.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const featuresBy = (target: Target, { description, parameters }: TrainedClassifier): Step<Reading> => {
  const { hidden, features } = description
  const weight = Float32Array.from({ length: hidden * hidden }, (_, i) => (i % (hidden + 1) === 0 ? 1 : 0))
  return applying(target, erased({ ...description, labels: hidden }), features, {
    ...parameters,
    'out.weight': { shape: [hidden, hidden], data: weight },
    'out.bias': { shape: [hidden], data: new Float32Array(hidden) }
  })
}

const erased = (description: TrainedClassifier['description']): Lens<Params, Rows<number>, Rows<number>> =>
  erase(classifier(description))

// -------------------------------------------------------------------------------------
// drawing
// -------------------------------------------------------------------------------------

/**
 * Draws rows of pixels for conditions, whose number must be a multiple of `chunk`: DDIM with `eta = 1` and 50 steps on the
 * schedule of the denoiser, under guidance of the given scale, decoded where the denoiser works on latents.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const sampler = (
  { target, parameters }: Trained,
  description: DenoiserDescription,
  guidance: number
): Step<(c: Tensor, key: Key.Key) => Step<Tensor>> => {
  const schedule = schedules[description.share](chainSteps)
  const chain = ddim({ denoiser: guided(guidance)(denoiser(description)), schedule, eta: 1 })
  const features = featuresOf(description)
  const decode: Step<Reading> = pipe(
    decoder(description),
    O.match(
      () => TE.right<Failure, Reading>(TE.right),
      (lens) => applying(target, lens, features, only('decoder', parameters))
    )
  )
  const own = description.kind === 'latent' ? only('denoiser', parameters) : parameters
  return pipe(
    TE.Do,
    TE.bind('executable', () => compile(target, Metrics.samplingStep(chain, description.labels), chunk)),
    TE.bind('decode', () => decode),
    TE.map(
      ({ executable, decode: decoding }) =>
        (c: Tensor, key: Key.Key): Step<Tensor> =>
          pipe(
            inChunks(c.shape[0] ?? 0)((from) =>
              pipe(
                () =>
                  Metrics.draw(executable, chain.T, features, own, rows(from, from + chunk)(c), Key.foldIn(key, from)),
                TE.mapLeft(failed)
              )
            ),
            TE.flatMap(decoding)
          )
    )
  )
}

/** The parameters below a branch, under their own names. */
const only = (branch: string, parameters: Values): Values =>
  Object.fromEntries(Object.entries(parameters).filter(([name]) => name.startsWith(`${branch}.`)))

/**
 * Images after the way through an autoencoder's latents; nothing where a denoiser has none.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const reconstructing = (
  { target, parameters }: Trained,
  description: DenoiserDescription
): O.Option<Step<Reading>> =>
  description.kind === 'latent'
    ? O.some(
        applying(
          target,
          erase(L.compose(L.at('encoder', encoder(description)), L.at('decoder', latentDecoder(description)))),
          description.size.reduce((n, d) => n * d, 1),
          { ...only('encoder', parameters), ...only('decoder', parameters) }
        )
      )
    : O.none

/**
 * The share of attributes, over all of them, that a reader finds as labelled.
 *
 * @category utils
 * @since 0.1.0
 */
export const overall = (accuracy: Readonly<Record<Faces.AttributeName, number>>): number =>
  Metrics.mean(Faces.attributeNames.map((name) => accuracy[name]))
