/**
 * The task `garments`: real pictures, of clothes.
 *
 * @since 0.1.0
 */
import { readFile } from 'node:fs/promises'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Draw from 'halforder/random/Draw'
import type * as Key from 'halforder/random/Key'
import type { Features, Judges } from 'halforder/task/Judges'
import { type Examples, type Show, stored, type Task, task as make } from 'halforder/task/Task'
import type { TrainedClassifier } from 'halforder/network/Model'
import { oneOf } from 'halforder/training/Conditions'
import * as Files from '../../edge/Files.js'
import { featuresBy, readClassifier } from '../Reading.js'
import * as Data from './Data.js'
import { fetched, read } from './Fetching.js'
import { heldOut, rewards } from './Rewards.js'
import { networks, training } from './Trainings.js'

const show: Show = { _tag: 'Stills', side: Data.side, colors: 1 }

const shipped = { folder: Files.asset('') }

const seenBy = (judge: TrainedClassifier): Features => ({
  about: `the ${judge.description.hidden} features of the judge's last layer`,
  read: (target) => featuresBy(target, judge)
})

const judges: TE.TaskEither<string, Judges> = pipe(
  readClassifier('garments-judge')(shipped),
  TE.map((judge) => {
    const own = heldOut(judge)
    const clarity = own.named.get('clarity')?.()
    return { rewards: own, features: seenBy(judge), ...(clarity === undefined ? {} : { otherwise: clarity }) }
  })
)

/** Pictures of whatever class, of those to train on. */
const examples = (key: Key.Key, n: number): TE.TaskEither<string, Examples> =>
  pipe(
    read(),
    TE.map((garments) => {
      const { count, rows } = Data.source(garments)('all')
      const chosen = Array.from(Draw.uniform(key, [n]).data, (u: number) => Math.floor(u * count))
      return { ...rows(chosen), words: chosen.map((i) => Data.classes[i % Data.classes.length]), show }
    })
  )

/**
 * Pictures of garments.
 *
 * @category instances
 * @since 0.1.0
 */
export const task: Task = make({
  name: 'garments',
  about: 'real pictures of clothes, 28 x 28 grey pixels in ten classes',
  defaults: {
    model: 'garments',
    reward: 'symmetry',
    trained: ['**.labels.bias'],
    estimator: { rest: 'halfOrder' },
    chain: { T: 20 },
    steps: 20,
    evaluationSamples: 256
  },
  models: {
    garments: stored('clothes, by a convolutional network', () => readFile(Files.asset('garments.safetensors')))
  },
  rewards: () => pipe(readClassifier('garments-classifier')(shipped), TE.map(rewards)),
  judges: () => judges,
  show,
  language: oneOf(Data.classes),
  trainings: Object.fromEntries(Object.entries(networks).map(([name, network]) => [name, training(network)])),
  examples,
  fetch: fetched
})
