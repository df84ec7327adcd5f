/**
 * A chain beside itself at other values of its parameters, those of a reference that is not trained.
 *
 * @since 0.1.0
 */
import * as L from '../lens/Lens.js'
import type { Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Batched, Shape } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import type { Chain } from './Chain.js'

/** The shape of a parameter without the copies that each row may have of it. */
const shared = (shape: Shape): Shape => (shape[0] === 'batch' ? shape.slice(1) : shape)

/**
 * What a reference declares: the parameters of its chain, one of each, whether the chain's rows have copies or not.
 *
 * @category readings
 * @since 0.1.0
 */
export const declared = <P extends Params, S extends Batched, C extends Exprs>({
  parameters
}: Chain<P, S, C>): L.ParametersFor<Params> =>
  L.mapParameters(parameters, (one) => ({ ...one, shape: shared(one.shape) }))

/**
 * The values of a reference as the parameters of its chain: a copy for each row of those that the chain declares so.
 *
 * @category combinators
 * @since 0.1.0
 */
export const anchored = <P extends Params, S extends Batched, C extends Exprs>(
  { parameters }: Chain<P, S, C>,
  values: Params
): P => {
  const shapes = new Map(Tree.leaves<L.Parameter>(L.isParameter, parameters).map(([path, { shape }]) => [path, shape]))
  const each = (tree: Exprs, path: string): Exprs => {
    if (!Tree.isExpr(tree)) {
      return Object.fromEntries(
        Object.entries(tree).map(([key, inner]) => [key, each(inner, path === '' ? key : `${path}.${key}`)])
      )
    }
    const shape = shapes.get(path) ?? tree.shape
    return shape[0] === 'batch' ? X.broadcastTo(X.reshape(tree, [1, ...tree.shape]), shape) : tree
  }
  // the tree that `declared` declares is `P`, once rows that are declared apart are given the same values
  return each(values, '') as P
}
