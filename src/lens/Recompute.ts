/**
 * Activations that are computed twice in place of being kept.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import * as L from './Lens.js'
import type { Lens, Params } from './Lens.js'

/**
 * Gradient checkpointing (Chen et al., arXiv 1604.06174): the same lens, whose pullback keeps the argument only and runs
 * forward once more when its turn comes. Value and cotangents are those of the lens, bit for bit where all are finite; it
 * costs one more forward run. In a composition of `n` such lenses the activations of one are alive at a time, beside the `n`
 * arguments.
 *
 * The second run waits for the cotangent, so that it is not shared with the first; and the argument's cotangent waits for
 * the parameters', so that the activations are done with before those of the lens before it are computed. `wanted` tells
 * which parameters' cotangents are asked for at all, by their path in this lens (all, by default): to wait for others would
 * compute them for nothing.
 *
 * @category combinators
 * @since 0.1.0
 */
export const recompute = <P extends Params, A extends Exprs, B extends Exprs>(
  lens: Lens<P, A, B>,
  wanted: (path: string) => boolean = () => true
): Lens<P, A, B> =>
  L.make(lens.parameters, (p, a) => [
    lens.forward(p, a),
    (bar) => {
      const cotangents = Tree.leaves(Tree.isExpr, bar).map(([, leaf]) => leaf)
      const [, back] = lens.run(p, waiting(a, cotangents))
      const [pBar, aBar] = back(bar)
      const done = Tree.leaves(Tree.isExpr, pBar).flatMap(([path, leaf]) => (wanted(path) ? [leaf] : []))
      return [pBar, waiting(aBar, done)]
    }
  ])

const waiting = <T extends Exprs>(tree: T, others: ReadonlyArray<X.Expr>): T =>
  Tree.mapExprs(tree, (leaf) => X.after(leaf, others))
