/**
 * Laws of rewards: a differentiable reward is a lens, so the laws of lenses are its laws.
 *
 * @since 0.1.0
 */
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import type { Differentiable } from '../../src/reward/Reward.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import type { Batched, Sizes } from '../../src/tensor/Shape.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import type { Subject } from './Lens.js'

/**
 * A reward as a subject of `Lens.adjoint` and `Lens.linear`: a lens of the output `x` and the condition `c`, which is held. A
 * clamp somewhere in a reward passes: where it is flat its derivative is 0, which is the truth about that reward.
 *
 * @category constructors
 * @since 0.1.0
 */
export const subject = <R extends Params, S extends Batched, C extends Exprs>(
  reward: Differentiable<R, S, C>,
  state: S,
  condition: Shapes,
  sizes: Sizes = { batch: 3 }
): Subject<R, { readonly x: Expr<S>; readonly c: C }, Expr<readonly ['batch']>> => ({
  name: `reward '${reward.name}'`,
  lens: L.make(reward.shapes, (p, { x, c }) => {
    const [value, back] = reward.lens(c).run(p, x)
    return [
      value,
      (bar) => {
        const [pBar, xBar] = back(bar)
        return [pBar, { x: xBar, c: Tree.mapExprs(c, (leaf) => X.zeros(leaf.shape)) }]
      }
    ]
  }),
  argument: { x: state, c: condition },
  sizes,
  held: (path) => path === 'a.c' || path.startsWith('a.c.')
})
