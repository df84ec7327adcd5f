import { readFileSync } from 'node:fs'
import * as Files from '../../../../cli/edge/Files.js'
import { sampler } from '../../../../cli/tasks/Reading.js'
import { nearest } from '../../../../cli/tasks/faces/Metrics.js'
import type { DenoiserDescription, NumbersDescription } from '../../../../src/network/Description.js'
import { type DescribedModel, loadModel } from '../../../../src/network/Model.js'
import type { Key } from '../../../../src/random/Key.js'
import type { Target } from '../../../../src/tensor/Target.js'
import { rows, type Tensor } from '../../../../src/tensor/Tensor.js'
import type { Labelled } from '../../../../src/training/Batches.js'
import { get } from '../../../network/adjoint.js'

/** A file that ships. */
export const asset = (name: string): Uint8Array => readFileSync(Files.asset(`${name}.safetensors`))

/** A model that ships. */
export const shipped = (name: string): DescribedModel => get(loadModel(asset(name)))

const ofNumbers = (description: DenoiserDescription): NumbersDescription => {
  if (description.kind === 'tokens') throw new Error('tokens are no faces')
  return description
}

/** How many samples of conditions are not nearest to the picture that was asked for, among all that were. */
export const misses = async (model: DescribedModel, asked: Labelled, key: Key, target: Target): Promise<number> => {
  const images = get(
    await sampler({ target, parameters: model.parameters }, ofNumbers(model.description), 1)(asked.labels, key)()
  )
  return missesOf(images, asked.x0)
}

/** How many rows are nearer to another row of `wanted` than to their own. */
export const missesOf = (images: Tensor, wanted: Tensor): number => {
  const [count = 0] = wanted.shape
  const least = nearest(images, wanted)
  return Array.from({ length: count }, (_, i) => {
    const one = rows(i, i + 1)
    return nearest(one(images), one(wanted))[0] === least[i] ? 0 : 1
  }).reduce((a: number, b) => a + b, 0)
}
