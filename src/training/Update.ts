/**
 * A step of an optimizer as a program.
 *
 * @since 0.1.0
 */
import * as Optimizer from '../optimizer/Optimizer.js'
import * as X from '../tensor/Expr.js'
import * as Program from '../tensor/Program.js'
import type { Values } from '../tensor/Program.js'
import type { Shape } from '../tensor/Shape.js'
import type { Executable } from '../tensor/Target.js'
import * as T from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs, Shapes } from '../tensor/Tree.js'

/**
 * The optimizer's update as a program: `params.path, gradient.path, state...` to `params.path, state..., gradientNorm`. The
 * gradient is ascended.
 *
 * @category programs
 * @since 0.1.0
 */
export const updateProgram = (
  shapes: Readonly<Record<string, Shape>>,
  optimizer: Optimizer.Optimizer
): ReturnType<typeof Program.make> => {
  const stateShapes = optimizer.state(shapes)
  const inputs: Shapes = { params: shapes, gradient: shapes, state: stateShapes }
  return Program.make(inputs, (): Exprs => {
    const params: Exprs = Tree.inputs<Shapes>('params', shapes)
    const gradient: Exprs = Tree.inputs<Shapes>('gradient', shapes)
    const state: Exprs = Tree.inputs<Shapes>('state', stateShapes)
    // the reward is to rise and optimizers descend
    const loss = Tree.mapExprs(gradient, X.neg)
    const next = optimizer.update(loss, Tree.isExpr(state) ? {} : state, params)
    return {
      params: Optimizer.apply(params, next.step),
      state: next.state,
      gradientNorm: Optimizer.globalNorm(gradient)
    }
  })
}

/**
 * The state that an optimizer starts from: zeros.
 *
 * @category readings
 * @since 0.1.0
 */
export const zeros = (update: Executable): Values =>
  Object.fromEntries(
    update.program.inputs.flatMap(({ name, shape }) =>
      name.startsWith('state') ? [[name, T.toFloat32(T.fill(shape, 0))]] : []
    )
  )

/**
 * The state among what an update gave.
 *
 * @category readings
 * @since 0.1.0
 */
export const statesIn = (updated: Values): Values =>
  Object.fromEntries(Object.entries(updated).filter(([name]) => name.startsWith('state')))
