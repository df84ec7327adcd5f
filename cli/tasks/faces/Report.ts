/**
 * How good a network of faces is: numbers, and pictures of what it draws.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { NumbersDescription } from 'halforder/network/Description'
import type { TrainedClassifier } from 'halforder/network/Model'
import * as Key from 'halforder/random/Key'
import type { Judgement, Numbers } from 'halforder/task/Task'
import { fill, rows, type Tensor } from 'halforder/tensor/Tensor'
import { type Labelled, table } from 'halforder/training/Batches'
import * as Images from '../../edge/Images.js'
import { judgeClips } from '../clips/Report.js'
import * as Faces from './Faces.js'
import * as Programs from './Judging.js'
import { overall, type Trained } from './Judging.js'
import * as Reading from '../Reading.js'
import { distance } from '../Reading.js'
import * as Metrics from './Metrics.js'
import { draw as drawFaces, type FaceSet } from './Renderer.js'

/** How many images are drawn, of each kind: half of the held-out faces, so that there are others to compare with. */
const count = 512

// -------------------------------------------------------------------------------------
// the classifier
// -------------------------------------------------------------------------------------

/** All pictures of the held-out faces are read: of stills one each, of clips every frame. */
const judgeClassifier = (trained: Trained, stored: TrainedClassifier): Reading.Judged<Judged> => {
  const { heldOut } = trained.data
  const source = trained.network.source(heldOut)
  const { x0, labels } = source.rows(Array.from({ length: source.count }, (_, i) => i))
  return pipe(
    TE.Do,
    TE.bind('loss', () => Programs.heldOutLoss(trained, { all: 0, some: 0 })),
    TE.bind('logits', () => Reading.logitsBy(trained.target, stored)(x0)),
    TE.map(({ loss, logits }) => ({
      pictures: {},
      numbers: {
        heldOutFaces: heldOut.attributes.length,
        heldOutLoss: loss,
        heldOutAccuracy: Metrics.accuracy(logits, labels)
      }
    }))
  )
}

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
const sheet = (images: Tensor, faces: Tensor | undefined): Reading.Judged<Uint8Array> => {
  const shown = rows(0, 64)
  const layout = Images.defaultLayout
  return pipe(
    faces === undefined
      ? Images.contactSheet(layout)(shown(images))
      : Images.contactSheetPair({ ...layout, scale: 4, padding: 2 })(shown(faces), shown(images)),
    E.mapLeft(Images.showError),
    TE.fromEither
  )
}

/** What images are judged with: what the classifier reads, what its last layer sees, and real images in that. */
interface Judges {
  readonly read: Reading.Reading
  readonly see: Reading.Reading
}

/** What drawing for some prompts, or for none, came to. */
interface Seen {
  readonly numbers: Numbers
  readonly picture: Uint8Array
}

const judgeSamples = (
  { data, key }: Trained,
  draw: (c: Tensor, key: Key.Key) => Reading.Judged<Tensor>,
  { read, see }: Judges,
  prompts: Labelled | undefined,
  others: Tensor
): Reading.Judged<Seen> =>
  pipe(
    draw(prompts?.labels ?? fill([count, Faces.labelWidth], 0), Key.foldInString(key, 'samples')),
    TE.bindTo('images'),
    TE.bind('picture', ({ images }) => sheet(images, prompts?.x0)),
    TE.bind('logits', ({ images }) => read(images)),
    TE.bind('toReal', ({ images }) => distance(see, images, others)),
    TE.map(({ images, logits, picture, toReal }) => {
      const accuracy = prompts === undefined ? undefined : Metrics.accuracy(logits, prompts.labels)
      const numbers: Numbers = {
        ...(prompts === undefined || accuracy === undefined
          ? {}
          : {
              promptAccuracy: accuracy,
              attributesRight: overall(accuracy),
              distanceToPrompt: Metrics.mean(Metrics.distances(images, prompts.x0))
            }),
        distanceToFaceRead: Metrics.mean(Metrics.distances(images, redrawn(logits))),
        nearestTrainingFace: Metrics.mean(Metrics.nearest(images, different(data.training))),
        frechetToReal: toReal
      }
      return { numbers, picture }
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
  return table({ x0: images, labels: images }).rows(once).x0
}

const reconstruction = (trained: Trained, description: NumbersDescription, images: Tensor): Reading.Judged<Numbers> =>
  pipe(
    Programs.reconstructing(trained, description),
    O.match(
      () => TE.right({}),
      (apply) =>
        pipe(
          apply(images),
          TE.map((decoded) => ({ reconstruction: Metrics.mean(Metrics.distances(decoded, images)) }))
        )
    )
  )

const judgeDenoiser = (trained: Trained, description: NumbersDescription): Reading.Judged<Judged> => {
  const { heldOut, training } = trained.data
  const part = (from: number): Labelled => ({
    x0: rows(from, from + count)(heldOut.images),
    labels: rows(from, from + count)(heldOut.labels)
  })
  const asked = part(0)
  const others = part(count).x0
  const common = rows(0, count)(training.images)
  const commonOthers = rows(count, 2 * count)(training.images)
  const plain = Reading.sampler(trained, description, 1)
  const pushed = Reading.sampler(trained, description, 2)
  return pipe(
    TE.Do,
    TE.bind('loss', () => Programs.heldOutLoss(trained, trained.network.dropout)),
    TE.bind('judges', () =>
      pipe(
        Reading.readClassifier('classifier')(trained),
        TE.map(
          (judge): Judges => ({
            read: Reading.logitsBy(trained.target, judge),
            see: Reading.featuresBy(trained.target, judge)
          })
        )
      )
    ),
    TE.bind('real', ({ judges: { read } }) => read(asked.x0)),
    TE.bind('realDistance', ({ judges: { see } }) => distance(see, asked.x0, others)),
    TE.bind('commonDistance', ({ judges: { see } }) => distance(see, common, commonOthers)),
    TE.bind('through', () => reconstruction(trained, description, asked.x0)),
    TE.bind('prompted', ({ judges }) => judgeSamples(trained, plain, judges, asked, others)),
    TE.bind('guided', ({ judges }) => judgeSamples(trained, pushed, judges, asked, others)),
    TE.bind('open', ({ judges }) => judgeSamples(trained, plain, judges, undefined, commonOthers)),
    TE.map(({ loss, real, realDistance, commonDistance, through, prompted, guided: strong, open }) => {
      const accuracy = Metrics.accuracy(real, asked.labels)
      const numbers: Numbers = {
        heldOutLoss: loss,
        samples: count,
        ...through,
        heldOutFaces: {
          promptAccuracy: accuracy,
          attributesRight: overall(accuracy),
          nearestTrainingFace: Metrics.mean(Metrics.nearest(asked.x0, different(training))),
          frechetToReal: realDistance
        },
        trainingFaces: { frechetToReal: commonDistance },
        prompted: prompted.numbers,
        guidance2: strong.numbers,
        open: open.numbers
      }
      return {
        numbers,
        pictures: {
          'samples.png': prompted.picture,
          'samples-guided.png': strong.picture,
          'samples-open.png': open.picture
        }
      }
    })
  )
}

// -------------------------------------------------------------------------------------
// the report
// -------------------------------------------------------------------------------------

/** A judgement but for its line. */
type Judged = Pick<Judgement, 'numbers' | 'pictures'>

const numbersOf = (trained: Trained): Reading.Judged<Judged> => {
  const { description } = trained.network
  if (description.kind === 'classifier') {
    return judgeClassifier(trained, { description, parameters: trained.parameters, metadata: trained.metadata })
  }
  return description.kind === 'unet' && description.size.length > 3
    ? judgeClips(trained, description)
    : judgeDenoiser(trained, description)
}

/**
 * Judges a network: `samples.png` (held-out prompts: the faces or clips asked for on the left, the samples on the right),
 * `samples-guided.png` (the same with guidance 2) and, of images, `samples-open.png` (no prompt). Distances are root mean
 * squares over the numbers of a row, which are in [-1, 1]; Fréchet distances are those of the features that the classifier's
 * last layer sees, of two sets of 512 images.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const judge = (trained: Trained): Reading.Judged<Judgement> =>
  pipe(
    numbersOf(trained),
    TE.map(({ numbers, pictures }) => ({
      numbers,
      pictures,
      line: `loss on held-out faces ${Number(numbers['heldOutLoss']).toPrecision(4)}`
    }))
  )
