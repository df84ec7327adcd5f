/**
 * Rewards: what a chain's output is judged by. Differentiable and black-box ones are different types, because only the
 * first can feed a first-order cell.
 *
 * @since 0.1.0
 */
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Lens, Parameters, Params } from '../lens/Lens.js'
import type { Expr } from '../tensor/Expr.js'
import type { Values } from '../tensor/Program.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import type { Batched } from '../tensor/Shape.js'

/**
 * A reward that is, for a given condition, a lens from the output to one number a row. A reward that does not look at the
 * condition fits every chain. `shapes` declares the lens's own parameters, and `parameters` are their fixed values, by
 * path.
 *
 * @category model
 * @since 0.1.0
 */
export interface Differentiable<P extends Params, S extends Batched, C extends Exprs> {
  readonly _tag: 'Differentiable'
  readonly name: string
  readonly lens: (condition: C) => Lens<P, Expr<S>, Expr<readonly ['batch']>>
  readonly shapes: Parameters
  readonly parameters: Values
}

/**
 * What a host function could not do.
 *
 * @category model
 * @since 0.1.0
 */
export interface RewardError {
  readonly _tag: 'RewardError'
  readonly reward: string
  readonly reason: string
}

/**
 * A reward that is a host function of the outputs: one number a row.
 *
 * @category model
 * @since 0.1.0
 */
export interface BlackBox {
  readonly _tag: 'BlackBox'
  readonly name: string
  readonly evaluate: (x0: Tensor) => TE.TaskEither<RewardError, ReadonlyArray<number>>
}

/**
 * Either kind.
 *
 * @category model
 * @since 0.1.0
 */
export type Reward<P extends Params, S extends Batched, C extends Exprs> = Differentiable<P, S, C> | BlackBox

/**
 * A differentiable reward of the output alone, from its lens; `parameters` may be empty.
 *
 * @category constructors
 * @since 0.1.0
 */
export const differentiable = <P extends Params, S extends Batched>(
  name: string,
  lens: Lens<P, Expr<S>, Expr<readonly ['batch']>>,
  parameters: Values = {}
): Differentiable<P, S, Exprs> => ({
  _tag: 'Differentiable',
  name,
  lens: () => lens,
  shapes: lens.parameters,
  parameters
})

/**
 * A differentiable reward of the output and the condition, from a lens for each condition; all must declare the same
 * parameters, which `shapes` repeats.
 *
 * @category constructors
 * @since 0.1.0
 */
export const conditional = <P extends Params, S extends Batched, C extends Exprs>(
  name: string,
  lens: Differentiable<P, S, C>['lens'],
  shapes: Parameters,
  parameters: Values = {}
): Differentiable<P, S, C> => ({ _tag: 'Differentiable', name, lens, shapes, parameters })

/**
 * A black-box reward from a host function that cannot fail.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blackBox = (name: string, evaluate: (x0: Tensor) => ReadonlyArray<number>): BlackBox => ({
  _tag: 'BlackBox',
  name,
  evaluate: (x0) => TE.fromIO(() => evaluate(x0))
})
