/**
 * Contrast: how far the numbers of a row are from their mean.
 *
 * @since 0.1.0
 */
import type { None } from '../../../src/lens/Lens.js'
import * as L from '../../../src/lens/Lens.js'
import * as X from '../../../src/tensor/Expr.js'
import type { Exprs } from '../../../src/tensor/Tree.js'
import { differentiable, type Differentiable } from '../../../src/reward/Reward.js'

type Numbers = X.Expr<readonly ['batch', number]>

/**
 * The mean over a row of the squared distance of its `features` numbers to their mean. Its gradient is
 * `2 (x - mean) / features`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const contrast = (features: number): Differentiable<None, readonly ['batch', number], Exprs> => {
  const mean = (x: X.Expr): X.Expr<readonly ['batch', 1]> => X.scale(X.sumTo(x, ['batch', 1]), 1 / features)
  return differentiable<None, readonly ['batch', number]>(
    'contrast',
    L.pure((x: Numbers) => {
      const off = X.sub(x, X.broadcastTo(mean(x), x.shape))
      const pulled = (bar: X.Expr<readonly ['batch']>): Numbers => {
        const each = X.broadcastTo(X.reshape(bar, ['batch', 1]), x.shape)
        return X.scale(X.mul(off, each), 2 / features)
      }
      return [X.reshape(mean(X.mul(off, off)), ['batch']), pulled]
    })
  )
}
