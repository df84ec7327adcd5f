import * as E from 'fp-ts/lib/Either.js'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { cosine } from '../../src/chain/Schedule.js'
import * as Advantage from '../../src/estimator/Advantage.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import type { Problem } from '../../src/estimator/Gradient.js'
import type { Conditions } from '../../src/training/Conditions.js'
import type { Rows } from '../../src/lens/Rows.js'
import type { None } from '../../src/lens/Lens.js'
import { initial } from '../../src/lens/Initial.js'
import { mlp, type MlpParameters } from '../../src/network/Mlp.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { brightness } from '../../src/reward/Pixels.js'
import { toFloat32 } from '../../src/tensor/Tensor.js'

/** A chain of 6 steps on 12 pixels, small enough for the f64 reference. */
export const T = 6
export const description = {
  kind: 'mlp',
  features: 12,
  labels: 34,
  hidden: 8,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
} as const
const denoiser = mlp(description)

export const tiny = (estimator: Estimator): Problem<MlpParameters, readonly ['batch', 12], Rows<34>, None> => ({
  chain: ddim({ denoiser, schedule: cosine(T), eta: 1 }),
  reward: brightness(12),
  estimator,
  advantage: Advantage.runningMean(0.5),
  trained: (path) => path.startsWith('out') || path.startsWith('labels'),
  batch: 3
})

export const params = initial(denoiser.lens.parameters, Key.make(3))

export const conditions: Conditions = (key, n) => ({ c: toFloat32(Draw.uniform(key, [n, 34])) })

export const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}
