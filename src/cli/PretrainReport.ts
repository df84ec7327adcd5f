/**
 * What a training leaves behind: the network's file, numbers and pictures, all of the parameters as they are stored.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { frechet, moments } from '../finetune/Frechet.js'
import { table, type LabelledImages } from '../finetune/PretrainBatch.js'
import * as Metrics from '../finetune/PretrainMetrics.js'
import type { DenoiserDescription } from '../model/Description.js'
import * as Faces from '../model/Faces.js'
import { encodeModel, showError as showModelError, type Metadata, type TrainedClassifier } from '../model/Model.js'
import * as Safetensors from '../model/Safetensors.js'
import * as Key from '../random/Key.js'
import type { Values } from '../tensor/Program.js'
import { fill, rows, type Tensor } from '../tensor/Tensor.js'
import { judgeClips } from './ClipReport.js'
import { draw as drawFaces, type FaceSet } from './FaceRenderer.js'
import * as Files from './Files.js'
import { broken, file, type Step } from './FinetuneRun.js'
import * as Images from './Images.js'
import * as Programs from './PretrainPrograms.js'
import { overall, type Numbers, type Trained } from './PretrainPrograms.js'

/** How many images are drawn, of each kind: half of the held-out faces, so that there are others to compare with. */
const count = 512

// -------------------------------------------------------------------------------------
// the classifier
// -------------------------------------------------------------------------------------

const judgeClassifier = (trained: Trained, stored: TrainedClassifier): Step<Numbers> =>
  pipe(
    TE.Do,
    TE.bind('loss', () => Programs.heldOutLoss(trained, { all: 0, some: 0 })),
    TE.bind('read', () => Programs.logitsBy(trained.target, stored)),
    TE.bind('logits', ({ read }) => read(trained.data.heldOut.images)),
    TE.map(({ loss, logits }) => ({
      heldOutFaces: trained.data.heldOut.attributes.length,
      heldOutLoss: loss,
      heldOutAccuracy: Metrics.accuracy(logits, trained.data.heldOut.labels)
    }))
  )

// -------------------------------------------------------------------------------------
// denoisers of images
// -------------------------------------------------------------------------------------

/** The faces that a reader sees in images, drawn: what the images would be if they were faces without flaw. */
const redrawn = (logits: Tensor): Tensor =>
  drawFaces(
    Array.from({ length: logits.shape[0] ?? 0 }, (_, row) => Faces.decode(rows(row, row + 1)(logits).data)).flatMap(
      (face) => (E.isRight(face) ? [face.right] : [])
    )
  ).images

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

/** What images are judged with: what the classifier reads, what its last layer sees, and real images in that. */
interface Judges {
  readonly read: Programs.Reading
  readonly see: Programs.Reading
}

const distance = (see: Programs.Reading, a: Tensor, b: Tensor): Step<number> =>
  pipe(
    TE.Do,
    TE.bind('left', () => see(a)),
    TE.bind('right', () => see(b)),
    TE.map(({ left, right }) => frechet(moments(left), moments(right)))
  )

const judgeSamples = (
  { folder, data, key }: Trained,
  draw: (c: Tensor, key: Key.Key) => Step<Tensor>,
  { read, see }: Judges,
  picture: string,
  prompts: LabelledImages | undefined,
  others: Tensor
): Step<Numbers> =>
  pipe(
    draw(prompts?.labels ?? fill([count, Faces.labelWidth], 0), Key.foldInString(key, 'samples')),
    TE.bindTo('images'),
    TE.chainFirst(({ images }) => sheet(join(folder, picture), images, prompts?.images)),
    TE.bind('logits', ({ images }) => read(images)),
    TE.bind('toReal', ({ images }) => distance(see, images, others)),
    TE.map(({ images, logits, toReal }) => {
      const accuracy = prompts === undefined ? undefined : Metrics.accuracy(logits, prompts.labels)
      return {
        ...(prompts === undefined || accuracy === undefined
          ? {}
          : {
              promptAccuracy: accuracy,
              attributesRight: overall(accuracy),
              distanceToPrompt: Metrics.mean(Metrics.distances(images, prompts.images))
            }),
        distanceToFaceRead: Metrics.mean(Metrics.distances(images, redrawn(logits))),
        nearestTrainingFace: Metrics.mean(Metrics.nearest(images, different(data.training))),
        frechetToReal: toReal
      }
    })
  )

/** The pictures of each different face once: the nearest of them is the nearest of all. */
const different = ({ images, attributes }: FaceSet): Tensor => {
  const seen = new Set<string>()
  const once = attributes.flatMap((face, i) => {
    const code = Faces.encode(face).join('')
    if (seen.has(code)) return []
    seen.add(code)
    return [i]
  })
  return table({ images, labels: images }).rows(once).images
}

const reconstruction = (trained: Trained, description: DenoiserDescription, images: Tensor): Step<Numbers> =>
  pipe(
    Programs.reconstructing(trained, description),
    O.match(
      () => TE.right({}),
      (through) =>
        pipe(
          through,
          TE.flatMap((apply) => apply(images)),
          TE.map((decoded) => ({ reconstruction: Metrics.mean(Metrics.distances(decoded, images)) }))
        )
    )
  )

const judgeDenoiser = (trained: Trained, description: DenoiserDescription): Step<Numbers> => {
  const { heldOut, training } = trained.data
  const part = (from: number): LabelledImages => ({
    images: rows(from, from + count)(heldOut.images),
    labels: rows(from, from + count)(heldOut.labels)
  })
  const asked = part(0)
  const others = part(count).images
  const common = rows(0, count)(training.images)
  const commonOthers = rows(count, 2 * count)(training.images)
  return pipe(
    TE.Do,
    TE.bind('loss', () => Programs.heldOutLoss(trained, trained.network.dropout)),
    TE.bind('judge', () => Programs.readClassifier(trained)),
    TE.bind('read', ({ judge }) => Programs.logitsBy(trained.target, judge)),
    TE.bind('see', ({ judge }) => Programs.featuresBy(trained.target, judge)),
    TE.bind('real', ({ read }) => read(asked.images)),
    TE.bind('realDistance', ({ see }) => distance(see, asked.images, others)),
    TE.bind('commonDistance', ({ see }) => distance(see, common, commonOthers)),
    TE.bind('through', () => reconstruction(trained, description, asked.images)),
    TE.bind('plain', () => Programs.sampler(trained, description, 1)),
    TE.bind('pushed', () => Programs.sampler(trained, description, 2)),
    TE.bind('prompted', ({ plain, ...judges }) => judgeSamples(trained, plain, judges, 'samples.png', asked, others)),
    TE.bind('guided', ({ pushed, ...judges }) =>
      judgeSamples(trained, pushed, judges, 'samples-guided.png', asked, others)
    ),
    TE.bind('open', ({ plain, ...judges }) =>
      judgeSamples(trained, plain, judges, 'samples-open.png', undefined, commonOthers)
    ),
    TE.map(({ loss, real, realDistance, commonDistance, through, prompted, guided: strong, open }) => {
      const accuracy = Metrics.accuracy(real, asked.labels)
      return {
        heldOutLoss: loss,
        samples: count,
        ...through,
        heldOutFaces: {
          promptAccuracy: accuracy,
          attributesRight: overall(accuracy),
          nearestTrainingFace: Metrics.mean(Metrics.nearest(asked.images, different(training))),
          frechetToReal: realDistance
        },
        trainingFaces: { frechetToReal: commonDistance },
        prompted,
        guidance2: strong,
        open
      }
    })
  )
}

// -------------------------------------------------------------------------------------
// the report
// -------------------------------------------------------------------------------------

const judge = (stored: Trained): Step<Numbers> => {
  const { description } = stored.network
  if (description.kind === 'classifier') {
    return judgeClassifier(stored, { description, parameters: stored.parameters, metadata: stored.metadata })
  }
  return description.kind === 'unet' && description.size.length > 3
    ? judgeClips(stored, description)
    : judgeDenoiser(stored, description)
}

/**
 * Writes `NAME.safetensors` (f16), `metrics.json` and, for a denoiser, `samples.png` (held-out prompts: the faces or clips
 * asked for on the left, the samples on the right), `samples-guided.png` (the same with guidance 2) and, of images,
 * `samples-open.png` (no prompt). Distances are root mean squares over the numbers of a row, which are in [-1, 1]; Fréchet
 * distances are those of the features that the classifier's last layer sees, of two sets of 512 images.
 *
 * @category effects
 * @since 0.1.0
 */
export const report = (trained: Trained): Step<void> => {
  const { name, folder, network, metadata } = trained
  const write = (parameters: Values, more: Metadata): Step<Uint8Array> =>
    pipe(
      encodeModel(network.description, parameters, { ...metadata, ...more }),
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
    TE.bind('metrics', ({ stored }) => judge(stored)),
    TE.chainFirst(({ stored, metrics }) => write(stored.parameters, { metrics: JSON.stringify(metrics) })),
    TE.flatMap(({ metrics }) =>
      file(Files.write(join(folder, 'metrics.json'), `${JSON.stringify(metrics, null, 2)}\n`))
    )
  )
}
