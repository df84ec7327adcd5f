import type { MlpDescription } from '../../../src/network/Description.js'
import type { Labelled } from '../../../src/training/Batches.js'
import type { Key } from '../../../src/random/Key.js'

declare const description: MlpDescription
declare const data: (key: Key, n: number) => Labelled

// the example
import * as E from 'fp-ts/lib/Either.js'
import { kernel, random, tensor } from 'halforder'
import { Batches, Objective, Pretrain } from 'halforder/training'

const objective = Objective.denoising(description)
const recipe = { steps: 2000, learningRate: 2e-3, warmup: 100, beta2: 0.99, weightDecay: 1e-4, clip: 1, average: 0.999 }
const key = random.key(1)
const table = Batches.table(data(key, 16384))
const target = kernel.gpuJs()

const run = tensor.Build.build(target, { batch: 256 })('step', Pretrain.trainingStep(objective, recipe))
if (E.isRight(run)) {
  const batches = Batches.batchAt(table, 256, { all: 0.1, some: 0 }, key)
  for await (const state of Pretrain.train(run.right, recipe, batches, Pretrain.start(objective, recipe, key))) {
    if (E.isRight(state) && state.right.step % 100 === 0) console.log(state.right.step, state.right.loss)
  }
}
