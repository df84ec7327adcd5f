// A task of one's own: two arms of a spiral, a network that learns them, and what its points can be rewarded for.
import { readFile } from 'node:fs/promises'
import { random, reward, task, training } from 'halforder'
import { pure } from 'halforder/lens/Lens'
import { constant, matmul, reshape, transpose } from 'halforder/tensor/Expr'
import { matrix } from 'halforder/tensor/Tensor'

const arms = ['first', 'second']

/** `n` points of the spiral from a key, each with the one-hot code of its arm. */
const data = (key, n) => {
  const uniform = random.Draw.uniform(random.Key.foldInString(key, 'where'), [n]).data
  const noise = random.Draw.normal(random.Key.foldInString(key, 'noise'), [n, 2]).data
  const x0 = new Float32Array(2 * n)
  const labels = new Float32Array(arms.length * n)
  for (let row = 0; row < n; row++) {
    const arm = row % arms.length
    const turn = Math.sqrt(uniform[row])
    const angle = 1.5 * Math.PI * turn + Math.PI * arm
    x0[2 * row] = 2 * turn * Math.cos(angle) + 0.08 * noise[2 * row]
    x0[2 * row + 1] = 2 * turn * Math.sin(angle) + 0.08 * noise[2 * row + 1]
    labels[arms.length * row + arm] = 1
  }
  return { x0: { shape: [n, 2], data: x0 }, labels: { shape: [n, arms.length], data: labels } }
}

/** How far right a point is: a lens, that is the value with the pullback of a cotangent. */
const right = pure((points) => {
  const along = constant(matrix([[1], [0]]), [2, 1])
  return [
    reshape(matmul(points, along), ['batch']),
    (bar) => matmul(reshape(bar, ['batch', 1]), transpose(along))
  ]
})

/** How near a point is to the circle of radius 1: any function of the rows will do, and needs no pullback. */
const ring = reward.blackBox('minus the distance to the unit circle', ({ shape: [rows], data }) =>
  Array.from({ length: rows }, (_, row) => -Math.abs(Math.hypot(data[2 * row], data[2 * row + 1]) - 1))
)

export default task.task({
  name: 'spiral',
  about: 'the two arms of a spiral in the plane',
  // of a configuration, where it differs from the library's own
  defaults: {
    model: 'spiral',
    reward: 'right',
    trained: [],
    estimator: { radius: 0.02 },
    optimizer: { learningRate: 0.003 },
    batch: 64
  },
  // the file that `halforder pretrain` writes below
  models: {
    spiral: task.stored('as pretrained', () => readFile(new URL('runs/spiral/spiral.safetensors', import.meta.url)))
  },
  trainings: {
    spiral: task.denoising({
      about: 'the two arms',
      description: { kind: 'mlp', features: 2, labels: arms.length, hidden: 64, blocks: 2, embedding: 32, share: 'cosine' },
      data,
      recipe: { steps: 2000, learningRate: 3e-3 }
    })
  },
  rewards: reward.shelf({ right: reward.differentiable('how far right', right), ring }),
  language: training.Conditions.oneOf(arms),
  show: { _tag: 'Points', reach: 2.4 }
})
