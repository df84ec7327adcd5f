/**
 * A ring in the plane.
 *
 * @since 0.1.0
 */
import * as Draw from 'halforder/random/Draw'
import type { Key } from 'halforder/random/Key'
import { brightness } from 'halforder/reward/Pixels'
import { shelf } from 'halforder/reward/Shelf'
import { denoising } from 'halforder/task/Denoising'
import { type Task, task as make } from 'halforder/task/Task'
import type { Labelled } from 'halforder/training/Batches'

/** `n` points of the circle of radius 1 from a key. */
const data = (key: Key, n: number): Labelled => {
  const turns = Draw.uniform(key, [n]).data
  const x0 = Float32Array.from({ length: 2 * n }, (_, i) => {
    const angle = 2 * Math.PI * (turns[Math.floor(i / 2)] ?? 0)
    return i % 2 === 0 ? Math.cos(angle) : Math.sin(angle)
  })
  return { x0: { shape: [n, 2], data: x0 }, labels: { shape: [n, 1], data: new Float32Array(n).fill(1) } }
}

/**
 * Rings as a task.
 *
 * @category constants
 * @since 0.1.0
 */
export const task: Task = make({
  name: 'rings',
  about: 'a ring in the plane',
  defaults: { model: 'runs/rings/ring.safetensors', reward: 'sum' },
  models: {},
  trainings: {
    ring: denoising({
      about: 'the ring',
      description: { kind: 'mlp', features: 2, labels: 1, hidden: 32, blocks: 1, embedding: 16, share: 'cosine' },
      data,
      recipe: { steps: 1000, learningRate: 3e-3 }
    })
  },
  rewards: shelf({ sum: brightness<number>(2) }),
  show: { _tag: 'Points', reach: 2 }
})
