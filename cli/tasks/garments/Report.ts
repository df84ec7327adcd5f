/**
 * How good a network of garments is: numbers, and pictures of what it draws.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from 'halforder/lens/Lens'
import type { ClassifierDescription, UnetDescription } from 'halforder/network/Description'
import * as Key from 'halforder/random/Key'
import type { Judgement, Numbers, Trained } from 'halforder/task/Task'
import * as Build from 'halforder/tensor/Build'
import { fill, rows, type Tensor } from 'halforder/tensor/Tensor'
import { batchAt, type Dropout, type Labelled, type Source } from 'halforder/training/Batches'
import type { Objective } from 'halforder/training/Objective'
import { meanLoss } from 'halforder/training/Pretrain'
import * as Images from '../../edge/Images.js'
import * as Metrics from '../faces/Metrics.js'
import * as Reading from '../Reading.js'
import { type Judged } from '../Reading.js'
import * as Data from './Data.js'

/** How many pictures are drawn of each kind, the classes in turn; there are others to compare with. */
const count = 500

/** How many of them are looked up among the pictures that were trained on, and how many of those at a time. */
const lookedUp = 100
const part = 2000

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What is judged: the pictures, what was minimised on them, and how often their classes were hidden.
 *
 * @category model
 * @since 0.1.0
 */
export interface Learned {
  readonly garments: Data.Garments
  readonly objective: () => Objective<Params>
  readonly dropout: Dropout
}

// -------------------------------------------------------------------------------------
// numbers
// -------------------------------------------------------------------------------------

/**
 * The share of rows whose greatest logit is the labelled one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const accuracy = (logits: Tensor, labels: Tensor): number => {
  const [count = 0] = labels.shape
  const [said, is] = [greatest(logits), greatest(labels)]
  return said.filter((garment, row) => garment === is[row]).length / Math.max(count, 1)
}

/** The place of the greatest number of each row, the first of equals. */
const greatest = ({ shape: [count = 0, width = 0], data }: Tensor): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, row) => {
    let best = 0
    for (let i = 1; i < width; i++) if ((data[row * width + i] ?? 0) > (data[row * width + best] ?? 0)) best = i
    return best
  })

/** A number for each class. */
const ofClasses = (numbers: (garment: number) => number): Numbers =>
  Object.fromEntries(Data.classes.map((name, i) => [name, numbers(i)]))

/** The share of each class among rows of logits. */
const shares = (logits: Tensor): Numbers => {
  const said = greatest(logits)
  return ofClasses((i) => said.filter((garment) => garment === i).length / Math.max(said.length, 1))
}

/** The share of the rows of each class that are read as such. */
const accuracies = (logits: Tensor, labels: Tensor): Numbers => {
  const [said, is] = [greatest(logits), greatest(labels)]
  return ofClasses((i) => Metrics.mean(said.flatMap((garment, row) => (is[row] === i ? [garment === i ? 1 : 0] : []))))
}

/** The mean distance of the first rows to the nearest picture of a source. */
const nearestIn = (images: Tensor, source: Source): number => {
  const asked = rows(0, lookedUp)(images)
  const least = new Float64Array(lookedUp).fill(Infinity)
  for (let from = 0; from < source.count; from += part) {
    const among = source.rows(Array.from({ length: Math.min(part, source.count - from) }, (_, i) => from + i)).x0
    Metrics.nearest(asked, among).forEach((d, i) => (least[i] = Math.min(least[i] ?? Infinity, d)))
  }
  return Metrics.mean([...least])
}

/** The loss on pictures to test by. */
const testLoss = ({ garments, objective, dropout }: Learned, { target, parameters, key }: Trained): Judged<number> =>
  pipe(
    meanLoss({
      objective: objective(),
      target,
      batches: batchAt(Data.source(garments)('test'), 256, dropout, Key.foldInString(key, 'loss')),
      rows: 256,
      count: 8,
      parameters
    }),
    TE.mapLeft(Build.showError)
  )

// -------------------------------------------------------------------------------------
// pictures
// -------------------------------------------------------------------------------------

const classesInTurn = { ...Images.defaultLayout, columns: Data.classes.length, scale: 2, padding: 2 }

/** Six lines, a class a column. */
const shown = (images: Tensor): Tensor => Images.ofGrey(rows(0, 6 * Data.classes.length)(images))

const sheet = (images: Tensor, real?: Tensor): Judged<Uint8Array> =>
  pipe(
    real === undefined
      ? Images.contactSheet({ ...classesInTurn, scale: 3 })(shown(images))
      : Images.contactSheetPair(classesInTurn)(shown(real), shown(images)),
    E.mapLeft(Images.showError),
    TE.fromEither
  )

// -------------------------------------------------------------------------------------
// the report
// -------------------------------------------------------------------------------------

/**
 * How often a classifier reads the class of the pictures to test by.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const judgeClassifier =
  (learned: Learned, description: ClassifierDescription) =>
  (trained: Trained): Judged<Judgement> => {
    const { rows: all } = Data.source(learned.garments)('test')
    const test = all(Array.from({ length: Data.count('test') }, (_, i) => i))
    return pipe(
      testLoss(learned, trained),
      TE.bindTo('loss'),
      TE.bind('logits', () => Reading.logitsBy(trained.target, { ...trained, description })(test.x0)),
      TE.map(({ loss, logits }) => {
        const right = accuracy(logits, test.labels)
        return {
          numbers: { heldOutLoss: loss, heldOutAccuracy: right },
          pictures: {},
          line: `class right of ${(100 * right).toFixed(2)} % of ${Data.count('test')} held-out pictures`
        }
      })
    )
  }

/**
 * What a denoiser draws, by the judge: each class 50 times, without guidance and with guidance 2, and 500 of whatever class, beside real
 * pictures in place of the samples. Fréchet distances are to 500 other real pictures, in what the judge's last layer sees. Pictures:
 * `samples.png` (real pictures on the left, samples on the right, a class a column), `samples-guided.png`, `samples-open.png`.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const judgeDenoiser =
  (learned: Learned, description: UnetDescription) =>
  (trained: Trained): Judged<Judgement> => {
    const { target, key } = trained
    const source = Data.source(learned.garments)
    const from = (start: number): Labelled => source('test').rows(Array.from({ length: count }, (_, i) => start + i))
    const asked = from(0)
    const others = from(count).x0
    const draw = (c: Tensor, guidance: number): Judged<Tensor> =>
      Reading.sampler(trained, description, guidance)(c, Key.foldInString(key, 'samples'))
    return pipe(
      TE.Do,
      TE.bind('loss', () => testLoss(learned, trained)),
      TE.bind('judge', () => Reading.readClassifier('garments-judge')(trained)),
      TE.let('numbersOf', ({ judge }) => {
        const [read, see] = [Reading.logitsBy(target, judge), Reading.featuresBy(target, judge)]
        return (images: Tensor, told: boolean): Judged<Numbers> =>
          pipe(
            read(images),
            TE.bindTo('logits'),
            TE.bind('toReal', () => Reading.distance(see, images, others)),
            TE.map(({ logits, toReal }) => ({
              ...(told
                ? {
                    classRight: accuracy(logits, asked.labels),
                    classRightOf: accuracies(logits, asked.labels)
                  }
                : { sharesOfClasses: shares(logits) }),
              frechetToReal: toReal,
              nearestTrainingPicture: nearestIn(images, source('all'))
            }))
          )
      }),
      TE.bind('real', ({ numbersOf }) => numbersOf(asked.x0, true)),
      TE.bind('plain', () => draw(asked.labels, 1)),
      TE.bind('plainNumbers', ({ numbersOf, plain }) => numbersOf(plain, true)),
      TE.bind('guided', () => draw(asked.labels, 2)),
      TE.bind('guidedNumbers', ({ numbersOf, guided }) => numbersOf(guided, true)),
      TE.bind('open', () => draw(fill([count, Data.classes.length], 0), 1)),
      TE.bind('openNumbers', ({ numbersOf, open }) => numbersOf(open, false)),
      TE.bind('plainSheet', ({ plain }) => sheet(plain, asked.x0)),
      TE.bind('guidedSheet', ({ guided }) => sheet(guided, asked.x0)),
      TE.bind('openSheet', ({ open }) => sheet(open)),
      TE.map(({ loss, real, plainNumbers, guidedNumbers, openNumbers, plainSheet, guidedSheet, openSheet }) => ({
        numbers: {
          heldOutLoss: loss,
          samples: count,
          heldOutPictures: real,
          prompted: plainNumbers,
          guidance2: guidedNumbers,
          open: openNumbers
        },
        pictures: { 'samples.png': plainSheet, 'samples-guided.png': guidedSheet, 'samples-open.png': openSheet },
        line: `loss on held-out pictures ${loss.toPrecision(4)}`
      }))
    )
  }
