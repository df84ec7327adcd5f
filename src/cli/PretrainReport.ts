/**
 * What a training leaves behind: the network's file, numbers and pictures, all of the parameters as they are stored.
 *
 * @since 0.1.0
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { ddim } from '../chain/Ddim.js'
import { guided } from '../chain/Denoiser.js'
import { evaluation } from '../finetune/Pretrain.js'
import { batchAt, type Dropout, type LabelledImages } from '../finetune/PretrainBatch.js'
import * as Metrics from '../finetune/PretrainMetrics.js'
import { classifier } from '../model/Classifier.js'
import type { DenoiserDescription } from '../model/Description.js'
import * as Faces from '../model/Faces.js'
import {
  encodeModel,
  loadClassifier,
  showError as showModelError,
  type Metadata,
  type TrainedClassifier
} from '../model/Model.js'
import { denoiser, featuresOf } from '../model/Network.js'
import * as Safetensors from '../model/Safetensors.js'
import { schedules } from '../model/Share.js'
import * as Key from '../random/Key.js'
import { under, type Program, type Values } from '../tensor/Program.js'
import { showError as showShapeError, type ShapeError } from '../tensor/Shape.js'
import { showTargetError, type Executable, type Target, type TargetError } from '../tensor/Target.js'
import { fill, rows, type Tensor } from '../tensor/Tensor.js'
import { draw as drawFaces } from './FaceRenderer.js'
import * as Files from './Files.js'
import { broken, file, type Failure, type Step } from './FinetuneRun.js'
import * as Images from './Images.js'
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

type Numbers = { readonly [name: string]: number | Numbers }

/** How many images are drawn, and how many rows a kernel takes at a time. */
const count = 256

/** The steps of the chain that draws. */
const chainSteps = 50

// -------------------------------------------------------------------------------------
// running programs
// -------------------------------------------------------------------------------------

const compile = (target: Target, program: E.Either<ReadonlyArray<ShapeError>, Program>): Step<Executable> =>
  pipe(
    program,
    E.mapLeft((errors) => broken(errors.map(showShapeError).join('\n'))),
    E.flatMap((closed) => pipe(target.compile(closed, { batch: count }), E.mapLeft(failed))),
    TE.fromEither
  )

const failed = (error: TargetError): Failure => broken(showTargetError(error))

/** Runs a program on some rows at a time and puts the rows of its one output together. */
const inBatches =
  (executable: Executable, output: string, inputs: (from: number) => Values, total: number): Step<Tensor> =>
  async () => {
    const parts: Array<Tensor> = []
    for (let from = 0; from < total; from += count) {
      const result = await executable.run(inputs(from))()
      if (E.isLeft(result)) return E.left(failed(result.left))
      const part = result.right[output]
      if (part !== undefined) parts.push(part)
    }
    const width = parts[0]?.shape[1] ?? 1
    return E.right({
      shape: [parts.length * count, width],
      data: Float32Array.from(parts.flatMap(({ data }) => [...data]))
    })
  }

const heldOutLoss = ({ network, target, data, parameters, key }: Trained, dropout: Dropout): Step<number> =>
  pipe(
    compile(target, evaluation(network.objective())),
    TE.flatMap((executable) => async () => {
      const batches = batchAt(network.source(data.heldOut), count, dropout, Key.foldInString(key, 'loss'))
      const named = under('parameters', parameters)
      const losses: Array<number> = []
      for (let step = 0; step < 8; step++) {
        const result = await executable.run({ ...named, ...batches(step) })()
        if (E.isLeft(result)) return E.left(failed(result.left))
        losses.push(result.right['loss']?.data[0] ?? Number.NaN)
      }
      await executable.dispose()
      return E.right(Metrics.mean(losses))
    })
  )

/** Reads the logits of images whose number is a multiple of the batch. */
const readWith = (
  target: Target,
  { description, parameters }: TrainedClassifier
): Step<(images: Tensor) => Step<Tensor>> =>
  pipe(
    compile(target, Metrics.reading(classifier(description), description.features)),
    TE.map((executable) => (images: Tensor) => {
      const named = under('parameters', parameters)
      return inBatches(
        executable,
        'logits',
        (from) => ({ ...named, x: rows(from, from + count)(images) }),
        images.shape[0] ?? 0
      )
    })
  )

// -------------------------------------------------------------------------------------
// the classifier
// -------------------------------------------------------------------------------------

const judgeClassifier = (trained: Trained, stored: TrainedClassifier): Step<Numbers> =>
  pipe(
    TE.Do,
    TE.bind('loss', () => heldOutLoss(trained, { all: 0, some: 0 })),
    TE.bind('read', () => readWith(trained.target, stored)),
    TE.bind('logits', ({ read }) => read(trained.data.heldOut.images)),
    TE.map(({ loss, logits }) => ({
      heldOutFaces: trained.data.heldOut.attributes.length,
      heldOutLoss: loss,
      heldOutAccuracy: Metrics.accuracy(logits, trained.data.heldOut.labels)
    }))
  )

// -------------------------------------------------------------------------------------
// the denoiser
// -------------------------------------------------------------------------------------

const sampler = (
  trained: Trained,
  description: DenoiserDescription,
  guidance: number
): Step<(c: Tensor, key: Key.Key) => Step<Tensor>> => {
  const schedule = schedules[description.share](chainSteps)
  const chain = ddim({ denoiser: guided(guidance)(denoiser(description)), schedule, eta: 1 })
  return pipe(
    compile(trained.target, Metrics.samplingStep(chain, description.labels)),
    TE.map(
      (executable) =>
        (c: Tensor, key: Key.Key): Step<Tensor> =>
          pipe(
            () => Metrics.draw(executable, chain.T, featuresOf(description), trained.parameters, c, key),
            TE.mapLeft(failed)
          )
    )
  )
}

/** The faces that a reader sees in images, drawn: what the images would be if they were faces without flaw. */
const redrawn = (logits: Tensor): Tensor =>
  drawFaces(
    Array.from({ length: logits.shape[0] ?? 0 }, (_, row) => Faces.decode(rows(row, row + 1)(logits).data)).flatMap(
      (face) => (E.isRight(face) ? [face.right] : [])
    )
  ).images

const judgeSamples = (
  { folder, data, key }: Trained,
  draw: (c: Tensor, key: Key.Key) => Step<Tensor>,
  read: (images: Tensor) => Step<Tensor>,
  picture: string,
  prompts: LabelledImages | undefined
): Step<Numbers> =>
  pipe(
    draw(prompts?.labels ?? fill([count, Faces.labelWidth], 0), Key.foldInString(key, 'samples')),
    TE.bindTo('images'),
    TE.chainFirst(({ images }) => sheet(join(folder, picture), images, prompts?.images)),
    TE.bind('logits', ({ images }) => read(images)),
    TE.map(({ images, logits }) => ({
      ...(prompts === undefined
        ? {}
        : {
            promptAccuracy: Metrics.accuracy(logits, prompts.labels),
            distanceToPrompt: Metrics.mean(Metrics.distances(images, prompts.images))
          }),
      distanceToFaceRead: Metrics.mean(Metrics.distances(images, redrawn(logits))),
      nearestTrainingFace: Metrics.mean(Metrics.nearest(images, data.training.images))
    }))
  )

/** The samples, beside the faces that were asked for where there are any. */
const sheet = (path: string, images: Tensor, faces: Tensor | undefined): Step<void> => {
  const shown = rows(0, 64)
  const layout = Images.defaultLayout
  return pipe(
    faces === undefined
      ? Images.contactSheet(layout)(shown(images))
      : Images.contactSheetPair({ ...layout, scale: 4, padding: 2 })(shown(faces), shown(images)),
    E.mapLeft((error) => broken(Images.showError(error))),
    TE.fromEither,
    TE.flatMap((png) => file(Files.write(path, png)))
  )
}

const readClassifier = ({ folder }: Trained): Step<TrainedClassifier> => {
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

const judgeDenoiser = (trained: Trained, description: DenoiserDescription): Step<Numbers> => {
  const { heldOut, training } = trained.data
  const asked = { images: rows(0, count)(heldOut.images), labels: rows(0, count)(heldOut.labels) }
  return pipe(
    TE.Do,
    TE.bind('loss', () => heldOutLoss(trained, trained.network.dropout)),
    TE.bind('read', () =>
      pipe(
        readClassifier(trained),
        TE.flatMap((found) => readWith(trained.target, found))
      )
    ),
    TE.bind('real', ({ read }) => read(asked.images)),
    TE.bind('plain', () => sampler(trained, description, 1)),
    TE.bind('pushed', () => sampler(trained, description, 2)),
    TE.bind('prompted', ({ plain, read }) => judgeSamples(trained, plain, read, 'samples.png', asked)),
    TE.bind('guided', ({ pushed, read }) => judgeSamples(trained, pushed, read, 'samples-guided.png', asked)),
    TE.bind('open', ({ plain, read }) => judgeSamples(trained, plain, read, 'samples-open.png', undefined)),
    TE.map(({ loss, real, prompted, guided: strong, open }) => ({
      heldOutLoss: loss,
      samples: count,
      heldOutFaces: {
        promptAccuracy: Metrics.accuracy(real, asked.labels),
        nearestTrainingFace: Metrics.mean(Metrics.nearest(asked.images, training.images))
      },
      prompted,
      guidance2: strong,
      open
    }))
  )
}

// -------------------------------------------------------------------------------------
// the report
// -------------------------------------------------------------------------------------

/**
 * Writes `NAME.safetensors` (f16), `metrics.json` and, for a denoiser, `samples.png` (held-out prompts: the faces asked for
 * on the left, the samples on the right), `samples-guided.png` (the same with guidance 2) and `samples-open.png` (no
 * prompt). Distances are root mean squares over a face's numbers, which are in [-1, 1].
 *
 * @category effects
 * @since 0.1.0
 */
export const report = (trained: Trained): Step<void> => {
  const { name, folder, network, metadata } = trained
  const { description } = network
  const write = (parameters: Values, more: Metadata): Step<Uint8Array> =>
    pipe(
      encodeModel(description, parameters, { ...metadata, ...more }),
      E.mapLeft((error) => broken(showModelError(error))),
      TE.fromEither,
      TE.chainFirst((bytes) => file(Files.write(join(folder, `${name}.safetensors`), bytes)))
    )
  return pipe(
    write(trained.parameters, {}),
    TE.flatMapEither((bytes) =>
      pipe(
        Safetensors.decode(bytes),
        E.bimap(
          (error) => broken(Safetensors.showError(error)),
          ({ tensors }) => ({ ...trained, parameters: tensors })
        )
      )
    ),
    TE.bindTo('stored'),
    TE.bind('metrics', ({ stored }) =>
      description.kind === 'classifier'
        ? judgeClassifier(stored, { description, parameters: stored.parameters, metadata })
        : judgeDenoiser(stored, description)
    ),
    TE.chainFirst(({ stored, metrics }) => write(stored.parameters, { metrics: JSON.stringify(metrics) })),
    TE.flatMap(({ metrics }) =>
      file(Files.write(join(folder, 'metrics.json'), `${JSON.stringify(metrics, null, 2)}\n`))
    )
  )
}
