/**
 * Lenses of any parameters as lenses of some: what files, trainings and chains ask for, who treat all parameters alike.
 *
 * @since 0.1.0
 */
import type { Lens, Params } from './Lens.js'
import type { Exprs } from '../tensor/Tree.js'

/**
 * Forgets which parameters a lens has; it must be run on a tree that `parameters` declares, as every caller does that
 * makes its inputs from `Lens.shapes(lens.parameters)`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const erase = <P extends Params, A extends Exprs, B extends Exprs>(lens: Lens<P, A, B>): Lens<Params, A, B> => ({
  parameters: lens.parameters,
  // the tree of inputs that `parameters` declares is `P`
  run: (p, a) => lens.run(p as P, a),
  forward: (p, a) => lens.forward(p as P, a)
})
