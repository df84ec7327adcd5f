/**
 * A network by itself, as a program: for checking it against numbers that are known.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as L from './Lens.js'
import type { Forward, Params } from './Lens.js'
import * as Program from '../tensor/Program.js'
import type { ShapeError } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs, ShapesOf } from '../tensor/Tree.js'

/**
 * The program of a lens, forward: inputs `params.path` and `argument.path` (or `argument`, if it is one tensor), outputs
 * `value.path` or `value`. Left: every operation that does not fit its arguments.
 *
 * @category constructors
 * @since 0.1.0
 */
export const program = <P extends Params, A extends Exprs, B extends Exprs>(
  lens: Forward<P, A, B>,
  argument: ShapesOf<A> & Tree.Shapes
): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const inputs: Tree.Shapes = { params: L.shapes(lens.parameters), argument }
  return Program.make<Tree.Shapes, Exprs>(inputs, () => ({
    // the tree of expressions with the shapes of `A`
    value: lens.forward(
      L.parameterInputs<P>('params', lens.parameters),
      Tree.inputs('argument', argument) as Exprs as A
    )
  }))
}
