/**
 * The task `points`: two-dimensional data, which trains in under a minute and can be seen whole.
 *
 * @since 0.1.0
 */
import { readFile } from 'node:fs/promises'
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { ddim } from 'halforder/chain/sampler/Ddim'
import { schedules } from 'halforder/chain/Share'
import type { MlpDescription } from 'halforder/network/Description'
import type { Model } from 'halforder/network/Model'
import { denoiser } from 'halforder/network/Network'
import * as Key from 'halforder/random/Key'
import { blackBox } from 'halforder/reward/Reward'
import { free, type Named } from 'halforder/reward/Shelf'
import { denoising } from 'halforder/task/Denoising'
import type { Judges } from 'halforder/task/Judges'
import { type Show, stored, type Task, task as make, type Training } from 'halforder/task/Task'
import { oneOf } from 'halforder/training/Conditions'
import * as Sampling from 'halforder/training/Sampling'
import * as Files from '../../edge/Files.js'
import { scatter } from '../../edge/Scatter.js'
import { type Distribution, distributions, draw, eightGaussians, energyDistance } from './Points.js'
import { rewards } from './Rewards.js'

// -------------------------------------------------------------------------------------
// rewards
// -------------------------------------------------------------------------------------

/** How many points of the data the density is estimated from, and the deviation of the normals that are put there. */
const density = { points: 1024, deviation: 0.1 } as const

/** The log-density of the data at points, by normals about points of the data that nothing was trained on (Parzen 1962). */
const likeness = (distribution: Distribution): Named => {
  const data = draw(distribution)(Key.foldInString(Key.make(0), 'judge'), density.points).x0.data
  const scale = 2 * density.deviation ** 2
  const constant = Math.log(density.points * Math.PI * scale)
  return free(
    blackBox('log-density of the data', ({ shape: [rows = 0], data: points }) =>
      Array.from({ length: rows }, (_, row) => {
        const [x = 0, y = 0] = [points[2 * row], points[2 * row + 1]]
        const logs = Array.from(
          { length: density.points },
          (__, i) => -((x - (data[2 * i] ?? 0)) ** 2 + (y - (data[2 * i + 1] ?? 0)) ** 2) / scale
        )
        const most = logs.reduce((a, b) => Math.max(a, b))
        return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0)) - constant
      })
    )
  )
}

/** What points are rewarded for may lead them away from the data, which is what judges them. */
const judges = (model: Model): Judges => {
  const distribution = distributionOf(model)
  return distribution === undefined ? {} : { otherwise: likeness(distribution) }
}

// -------------------------------------------------------------------------------------
// models and trainings
// -------------------------------------------------------------------------------------

const describe = ({ parts }: Distribution): MlpDescription => ({
  kind: 'mlp',
  features: 2,
  labels: parts.length,
  hidden: 64,
  blocks: 3,
  embedding: 32,
  share: 'cosine'
})

/** Pictures show the square of this half width. */
const reach = 2.4

const show: Show = { _tag: 'Points', reach }

/** A number by name, where there is one. */
const named = (name: string, value: O.Option<number>): Readonly<Record<string, number>> =>
  O.isSome(value) ? { [name]: value.value } : {}

/** How many samples are judged. */
const judged = 1024

/** Samples of what was trained, beside the data: how far they are from it, and from other data. */
const judge =
  (distribution: Distribution): NonNullable<Parameters<typeof denoising>[0]['judge']> =>
  ({ parameters, target, key }, heldOut) => {
    const description = describe(distribution)
    const chain = ddim({ denoiser: denoiser(description), schedule: schedules[description.share](50), eta: 1 })
    const told = { c: heldOut.labels }
    const other = draw(distribution)(Key.foldInString(key, 'other data'), judged)
    return pipe(
      Sampling.sample(
        { chain, parameters, condition: () => told, count: judged, key: Key.foldInString(key, 'samples'), batch: 256 },
        target
      ),
      TE.bimap(Sampling.showError, ({ x0 }) => ({
        numbers: {
          ...named('energyDistance', energyDistance(x0, heldOut.x0)),
          ...named('energyDistanceOfData', energyDistance(other.x0, heldOut.x0))
        },
        pictures: {
          'samples.png': scatter(reach)([
            { title: 'data', points: heldOut.x0 },
            { title: 'samples', points: x0 }
          ])
        }
      }))
    )
  }

const training = (distribution: Distribution): Training =>
  denoising({
    about: distribution.about,
    description: describe(distribution),
    data: draw(distribution),
    recipe: { steps: 4000, learningRate: 3e-3 },
    judge: judge(distribution)
  })

// -------------------------------------------------------------------------------------
// the task
// -------------------------------------------------------------------------------------

/** The distribution that a model was trained on, where its file says which. */
const distributionOf = ({ denoiser: { labels }, metadata }: Model): Distribution | undefined => {
  const found = new Map(Object.entries(distributions)).get(metadata['name'] ?? '')
  return found?.parts.length === labels ? found : undefined
}

/** The parts of that distribution; numbers where none is known. */
const partsOf = (model: Model): ReadonlyArray<string> =>
  distributionOf(model)?.parts ?? Array.from({ length: model.denoiser.labels }, (_, i) => String(i))

/**
 * Points of the plane.
 *
 * @category instances
 * @since 0.1.0
 */
export const task: Task = make({
  name: 'points',
  about: 'points of the plane: eight normals, two moons, a checkerboard',
  defaults: {
    model: 'eight-gaussians',
    reward: 'right',
    trained: [],
    estimator: { radius: 0.02 },
    optimizer: { learningRate: 0.003 },
    batch: 128,
    evaluationSamples: 1024
  },
  models: Object.fromEntries(
    Object.entries(distributions).map(([name, { about }]) => [
      name,
      stored(about, () => readFile(Files.asset(`${name}.safetensors`)))
    ])
  ),
  rewards,
  judges: (model) => TE.right(judges(model)),
  show,
  language: (model) => oneOf(partsOf(model)),
  trainings: Object.fromEntries(
    Object.entries(distributions).map(([name, distribution]) => [name, training(distribution)])
  ),
  examples: (key, n) => TE.right({ ...draw(eightGaussians)(key, n), words: [], show })
})
