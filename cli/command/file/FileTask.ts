/**
 * The task of a model that comes with its network: what its file says is all there is to know.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Model } from 'halforder/network/Model'
import { brightness } from 'halforder/reward/Pixels'
import { shelf } from 'halforder/reward/Shelf'
import { type Show, type Task, task } from 'halforder/task/Task'
import { type Language, oneOf, silent } from 'halforder/training/Conditions'

/**
 * The name of the task.
 *
 * @category constants
 * @since 0.1.0
 */
export const name = 'file'

/** How far from the middle points are drawn. */
const reach = 3

const showOf = ({ denoiser: { features }, image }: Model): Show => {
  if (image !== undefined) return { _tag: 'Stills', image }
  return features === 2 ? { _tag: 'Points', reach } : { _tag: 'Stills' }
}

/** A label's number, where there is more than one. */
const languageOf = (labels: number): Language =>
  labels > 1 ? oneOf(Array.from({ length: labels }, (_, i) => String(i))) : silent(labels)

/**
 * The task: rewards are brightness and modules of the user's, and a prompt is a label's number.
 *
 * @category constants
 * @since 0.1.0
 */
export const fileTask: Task = task({
  name,
  about: 'a model of another tool, by its file',
  // a radius and a rate of matrices that a batch shares
  defaults: {
    model: '',
    reward: 'brightness',
    chain: { kind: 'own' },
    estimator: { name: 'rlr', radius: 0.01 },
    optimizer: { learningRate: 1e-3 }
  },
  models: {},
  read: () => E.left('expected ONNX or a folder of diffusers, got weights alone; name a --task with the network'),
  language: ({ denoiser: { labels } }) => languageOf(labels),
  rewards: ({ denoiser: { features } }) => TE.right(shelf({ brightness: brightness(features) })),
  show: showOf
})
