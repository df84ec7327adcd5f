/**
 * How good a denoiser of clips is: what the classifier reads in each frame, and whether the motion is the one asked for.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { UnetDescription } from 'halforder/network/Description'
import * as Key from 'halforder/random/Key'
import type { Judgement, Numbers } from 'halforder/task/Task'
import { rows, type Tensor } from 'halforder/tensor/Tensor'
import type { Source } from 'halforder/training/Batches'
import { frechet, moments } from 'halforder/training/measure/Frechet'
import * as Images from '../../edge/Images.js'
import * as Faces from '../faces/Faces.js'
import * as Programs from '../faces/Judging.js'
import { overall, type Trained } from '../faces/Judging.js'
import * as Metrics from '../faces/Metrics.js'
import * as Reading from '../Reading.js'
import * as Clips from './Clips.js'
import { clips, still } from './Renderer.js'

/** How many clips are drawn, and how many of them are looked up in the training set. */
const count = 256
const lookedUp = 128

// -------------------------------------------------------------------------------------
// frames
// -------------------------------------------------------------------------------------

/** Clips as their frames, one below the other. */
const framesOf = ({ shape, data }: Tensor): Tensor => ({
  shape: [(shape[0] ?? 0) * Clips.frameCount, (shape[1] ?? 0) / Clips.frameCount],
  data
})

/** A clip that is asked for. */
interface Asked {
  readonly face: Faces.Attributes
  readonly motion: Clips.Motion
}

/** What the frames show. */
const frameLabels = (asked: ReadonlyArray<Asked>): Tensor => ({
  shape: [asked.length * Clips.frameCount, Faces.labelWidth],
  data: Float32Array.from(
    asked.flatMap(({ face, motion }) =>
      Array.from({ length: Clips.frameCount }, (_, i) => Faces.encode(Clips.frame(face, motion, i).face)).flat()
    )
  )
})

// -------------------------------------------------------------------------------------
// motions
// -------------------------------------------------------------------------------------

/**
 * The share of clips, motion by motion, that are nearer to their face in the motion asked for than to the same face in any
 * other motion or none.
 */
const recognised = (images: Tensor, asked: ReadonlyArray<Asked>): Readonly<Record<Clips.Motion, number>> => {
  const faces = asked.map(({ face }) => face)
  const every = clips(faces)
  const in_ = (j: number): ReadonlyArray<number> =>
    Metrics.distances(images, every.rows(faces.map((_, i) => i * Clips.motions.length + j)).x0)
  const motions = Clips.motions.map((_, j) => in_(j))
  const none = Metrics.distances(images, still(faces))
  const share = (motion: Clips.Motion): number => {
    const j = Clips.motions.indexOf(motion)
    const right = asked.flatMap((one, i) =>
      one.motion === motion
        ? [motions.concat([none]).every((other, k) => k === j || (motions[j]?.[i] ?? 0) < (other[i] ?? 0)) ? 1 : 0]
        : []
    )
    return Metrics.mean(right)
  }
  return { blink: share('blink'), smile: share('smile'), move: share('move') }
}

/** The mean distance of rows to the nearest row of a source, which is drawn part by part. */
const nearestIn = (images: Tensor, source: Source, indices: ReadonlyArray<number>): number => {
  const least = new Float64Array(images.shape[0] ?? 0).fill(Infinity)
  const part = 1024
  for (let from = 0; from < indices.length; from += part) {
    const found = Metrics.nearest(images, source.rows(indices.slice(from, from + part)).x0)
    found.forEach((d, i) => (least[i] = Math.min(least[i] ?? Infinity, d)))
  }
  return Metrics.mean([...least])
}

/** The rows of the clips of each different face once. */
const different = (faces: ReadonlyArray<Faces.Attributes>): ReadonlyArray<number> => {
  const seen = new Set<string>()
  return faces.flatMap((face, i) => {
    const code = Faces.encode(face).join('')
    if (seen.has(code)) return []
    seen.add(code)
    return Clips.motions.map((_, j) => i * Clips.motions.length + j)
  })
}

// -------------------------------------------------------------------------------------
// the report
// -------------------------------------------------------------------------------------

/** Real clips on the left, samples on the right, one clip a line. */
const sheet = (real: Tensor, samples: Tensor): Reading.Judged<Uint8Array> =>
  pipe(
    Images.contactSheetPair({ ...Images.defaultLayout, columns: Clips.frameCount, scale: 3, padding: 2 })(
      framesOf(rows(0, 12)(real)),
      framesOf(rows(0, 12)(samples))
    ),
    E.mapLeft(Images.showError),
    TE.fromEither
  )

/**
 * The numbers of a denoiser of clips, and its pictures. Each of the first 256 held-out faces is
 * asked for in one motion, in turn. The classifier of frames reads all of them. Fréchet distances are those of frames, to the
 * clips of the other held-out faces.
 *
 * @category effects
 * @since 0.1.0
 */
export const judgeClips = (
  trained: Trained,
  description: UnetDescription
): Reading.Judged<Pick<Judgement, 'numbers' | 'pictures'>> => {
  const { data, target, key } = trained
  const faces = data.heldOut.attributes
  const rowsFrom = (from: number): ReadonlyArray<number> =>
    Array.from({ length: count }, (_, i) => (from + i) * Clips.motions.length + (i % Clips.motions.length))
  const source = clips(faces)
  const asked = faces
    .slice(0, count)
    .map((face, i): Asked => ({ face, motion: Clips.motions[i % Clips.motions.length] ?? 'blink' }))
  const real = source.rows(rowsFrom(0))
  const others = source.rows(rowsFrom(count))
  const shown = frameLabels(asked)
  const training = clips(data.training.attributes)
  const known = different(data.training.attributes)
  const numbers = (
    images: Tensor,
    read: Reading.Reading,
    see: Reading.Reading,
    otherFeatures: Tensor
  ): Reading.Judged<Numbers> =>
    pipe(
      TE.Do,
      TE.bind('logits', () => read(framesOf(images))),
      TE.bind('features', () => see(framesOf(images))),
      TE.map(({ logits, features }) => {
        const accuracy = Metrics.accuracy(logits, shown)
        return {
          frameAccuracy: accuracy,
          attributesRight: overall(accuracy),
          motionRecognised: recognised(images, asked),
          distanceToPrompt: Metrics.mean(Metrics.distances(images, real.x0)),
          nearestTrainingClip: nearestIn(rows(0, lookedUp)(images), training, known),
          frechetToReal: frechet(moments(features), moments(otherFeatures))
        }
      })
    )
  const drawn = (guidance: number): Reading.Judged<Tensor> =>
    Reading.sampler(trained, description, guidance)(real.labels, Key.foldInString(key, 'samples'))
  return pipe(
    TE.Do,
    TE.bind('loss', () => Programs.heldOutLoss(trained, trained.network.dropout)),
    TE.bind('judge', () => Reading.readClassifier('clip-classifier')(trained)),
    TE.let('read', ({ judge }) => Reading.logitsBy(target, judge)),
    TE.let('see', ({ judge }) => Reading.featuresBy(target, judge)),
    TE.bind('otherFeatures', ({ see }) => see(framesOf(others.x0))),
    TE.bind('realNumbers', ({ read, see, otherFeatures }) => numbers(real.x0, read, see, otherFeatures)),
    TE.bind('plain', () => drawn(1)),
    TE.bind('plainNumbers', ({ plain, read, see, otherFeatures }) => numbers(plain, read, see, otherFeatures)),
    TE.bind('plainSheet', ({ plain }) => sheet(real.x0, plain)),
    TE.bind('pushed', () => drawn(2)),
    TE.bind('pushedNumbers', ({ pushed, read, see, otherFeatures }) => numbers(pushed, read, see, otherFeatures)),
    TE.bind('pushedSheet', ({ pushed }) => sheet(real.x0, pushed)),
    TE.map(({ loss, realNumbers, plainNumbers, plainSheet, pushedNumbers, pushedSheet }) => ({
      numbers: {
        heldOutLoss: loss,
        samples: count,
        heldOutClips: realNumbers,
        prompted: plainNumbers,
        guidance2: pushedNumbers
      },
      pictures: { 'samples.png': plainSheet, 'samples-guided.png': pushedSheet }
    }))
  )
}
