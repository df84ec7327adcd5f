/**
 * A chain that looks ahead: its clean prediction is where it would end without any more noise.
 *
 * @since 0.1.0
 */
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import type { Batched } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import { type Chain, segment } from './Chain.js'

/** What a step takes. */
type Argument<S extends Batched, C extends Exprs> = { readonly x: Expr<S>; readonly c: C }

/**
 * The noise-free rest of a chain from `x_t`: the means of the steps `t, ..., 1`, one after another, as a lens of the parameters, the
 * state and the condition. At `t = 0` it is the state itself. Where `t` is known at run time only, all steps are evaluated and those above
 * `t` left out.
 *
 * @category combinators
 * @since 0.1.0
 */
export const noiseFree =
  <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>) =>
  (t: Scalar): Lens<P, Argument<S, C>, Expr<S>> =>
    t.op._tag === 'Scalar' && t.op.value >= 1 ? unrolled(chain, t.op.value) : masked(chain, t)

/** The segment of all steps from `t` down, without noise. */
const unrolled = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  t: number
): Lens<P, Argument<S, C>, Expr<S>> => {
  const quiet: Chain<P, S, C> = { ...chain, sigma: chain.sigma.map(() => 0) }
  return L.make<P, Argument<S, C>, Expr<S>>(chain.parameters, (p, { x, c }) => {
    const [end, back] = segment(quiet, t)(X.scalar(t)).run(p, { x, c, eps: X.zeros([t, ...chain.state]) })
    return [
      end,
      (bar) => {
        const [pBar, from] = back(bar)
        return [pBar, { x: from.x, c: from.c }]
      }
    ]
  })
}

/** Every step from the highest down, those above `t` leaving the state as it is. */
const masked = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  t: Scalar
): Lens<P, Argument<S, C>, Expr<S>> =>
  L.make<P, Argument<S, C>, Expr<S>>(chain.parameters, (p, { x, c }) => {
    const stages = Array.from({ length: chain.T }, (_, k) => {
      const step = X.scalar(chain.T - k)
      return { step, runs: X.sub(X.scalar(1), X.less(t, step)) }
    })
    const backs: Array<(bar: Expr<S>) => readonly [P, Argument<S, C>]> = []
    let state = x
    for (const { step, runs } of stages) {
      const whole = X.broadcastTo(runs, chain.state)
      const from = state
      const [mean, pull] = chain.mean(step).run(p, { x: from, c })
      backs.push((bar) => {
        const weigh = <A extends Exprs>(tree: A): A => Tree.mapExprs(tree, (leaf) => X.weigh(leaf, runs))
        const [pBar, own] = pull(bar)
        return [weigh(pBar), { x: X.select(whole, own.x, bar), c: weigh(own.c) }]
      })
      state = X.select(whole, mean, from)
    }
    return [
      state,
      (bar) => {
        const [lowest, ...above] = [...backs].reverse()
        const zeros = <A extends Exprs>(tree: A): A => Tree.mapExprs(tree, (leaf) => X.zeros(leaf.shape))
        if (lowest === undefined) return [zeros(p), { x: bar, c: zeros(c) }]
        return above.reduce<readonly [P, Argument<S, C>]>(([pBar, { x: xBar, c: cBar }], back) => {
          const [more, next] = back(xBar)
          return [Tree.add(pBar, more), { x: next.x, c: Tree.add(cBar, next.c) }]
        }, lowest(bar))
      }
    ]
  })

/**
 * The same chain whose clean prediction at `x_t` is its noise-free rest (`noiseFree`): for chains that predict no clean output, such as
 * policies and models of control, and for those whose prediction is poor. It is dear where a step is: a prediction at `x_t` takes
 * `t - 1` evaluations of the network more than the step does, which `lookahead` says and costs count.
 *
 * @category combinators
 * @since 0.1.0
 */
export const ahead = <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>): Chain<P, S, C> => ({
  ...chain,
  clean: noiseFree(chain),
  lookahead: true
})
