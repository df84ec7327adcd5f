/**
 * Problems that pilots are tried on: a short chain, draws for it, and a reward that all but jumps.
 */
import * as E from 'fp-ts/lib/Either.js'
import { quadraticReward, tanhChain, type Theta } from '../../../laws/toy/Tanh.js'
import * as Advantage from '../../../src/estimator/Advantage.js'
import type { Problem } from '../../../src/estimator/Gradient.js'
import type { Draws } from '../../../src/estimator/reading/Variance.js'
import * as L from '../../../src/lens/Lens.js'
import * as Draw from '../../../src/random/Draw.js'
import * as Key from '../../../src/random/Key.js'
import * as Reward from '../../../src/reward/Reward.js'
import * as X from '../../../src/tensor/Expr.js'
import * as T from '../../../src/tensor/Tensor.js'

export const right = <Left, A>(result: E.Either<Left, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

export const length = 6

type Toy = Omit<Problem<Theta, readonly ['batch', 1], Readonly<Record<never, never>>, L.None>, 'estimator' | 'batch'>

export const problem: Toy = {
  chain: tanhChain({ T: length, alpha: 0.9, sigma: 0.3 }),
  reward: quadraticReward(2),
  advantage: Advantage.leaveOneOut,
  trained: () => true
}

/** The same chain under a step at 1.5 of height 1 that is `width` wide: its slope is 0 but on few samples. */
export const steep = (width: number): Toy => ({
  ...problem,
  reward: Reward.differentiable<L.None, readonly ['batch', 1]>(
    'step',
    L.pure((x) => {
      const y = X.sigmoid(X.scale(X.sub(x, X.scalar(1.5)), 1 / width))
      const slope = X.scale(X.mul(y, X.sub(X.broadcastTo(X.scalar(1), y.shape), y)), 1 / width)
      return [X.reshape(y, ['batch']), (bar) => X.mul(X.reshape(bar, x.shape), slope)]
    })
  )
})

export const drawsOf =
  (seed: number) =>
  (batch: number): Draws => ({
    uniform: (i) => Draw.uniform(Key.foldIn(Key.make(seed), i), [1]).data[0] ?? 0,
    request: (i, cover) => {
      const key = Key.foldIn(Key.make(seed + 1), i)
      const normal = (name: string, shape: ReadonlyArray<number>): T.Tensor =>
        Draw.normal(Key.foldInString(key, name), shape)
      const isPerStep = cover.cells.some((cell) => cell._tag === 'ZerothOrder' && cell.perturbation === 'perStep')
      return {
        cover,
        params: { theta: T.tabulate([batch, 2], (k) => (k % 2 === 0 ? 0.3 : 0.1)) },
        condition: {},
        xT: normal('xT', [batch, 1]),
        eps: normal('eps', [cover.T, batch, 1]),
        xi: { theta: normal('xi', isPerStep ? [cover.T, batch, 2] : [batch, 2]) },
        fresh: (t, k) => normal(`fresh ${t} ${k}`, [t, batch, 1]),
        weights: new Array<number>(batch).fill(1),
        advantageState: 0
      }
    }
  })
