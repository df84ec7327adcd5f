/**
 * Rewards that read numbers straight off the output: the smallest examples, and handy probes.
 *
 * @since 0.1.0
 */
import * as L from '../lens/Lens.js'
import type { None } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Exprs } from '../tensor/Tree.js'
import { differentiable, type Differentiable } from './Reward.js'

/**
 * The mean of the `features` numbers of each row: the brightness of an image. Its gradient is `1 / features` everywhere.
 *
 * @category constructors
 * @since 0.1.0
 */
export const brightness = <D extends number>(features: D): Differentiable<None, readonly ['batch', D], Exprs> =>
  differentiable<None, readonly ['batch', D]>(
    'brightness',
    L.pure((x) => [
      X.scale(
        X.retype(X.sum<readonly ['batch', number], [1]>(X.retype(x, ['batch', features]), [1]), ['batch']),
        1 / features
      ),
      (bar) => X.broadcastTo(X.scale(X.reshape(bar, ['batch', 1]), 1 / features), ['batch', features])
    ])
  )
