/**
 * Rewards on the way: of the states that a chain passes through, and of what its steps do to them.
 *
 *     G = R(x_0, c) + sum_t r_t(x_t, c; theta_t),    J = E[G]
 *
 * A process reward looks at the state alone; a penalty for leaving a reference model looks at the step, and so at the
 * parameters that the step uses.
 *
 * @since 0.1.0
 */
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as L from '../lens/Lens.js'
import type { PerRow } from '../lens/layer/Loss.js'
import type { Lens, None, Parameters, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import type { Values } from '../tensor/Program.js'
import type { Batched } from '../tensor/Shape.js'
import type { Tensor } from '../tensor/Tensor.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import type { RewardError } from './Reward.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a step reward is a function of: the state before the step, `x_t`, the mean that the step gives, `mu_t(x_t, c; theta_t)`,
 * and the condition.
 *
 * @category model
 * @since 0.1.0
 */
export type Stepped<S extends Batched, C extends Exprs> = {
  readonly mean: Expr<S>
  readonly x: Expr<S>
  readonly c: C
}

/**
 * A differentiable reward of each step, one number a row: a lens for each step `t = 1..T`, a run-time index. `theta` are the
 * chain's parameters at the step, `own` fixed ones of the reward, whose shapes are `shapes` and whose values are `parameters`.
 * `direct` tells whether the reward depends on `theta` other than through the mean; if not, its cotangent is not asked for.
 * `networkCalls`: how many times one step's reward evaluates a network, beside the step's own. `only`, where it is said, is the one of
 * its two parts that estimates have: `scored` in the returns that likelihood ratios and differences multiply, or `differentiated`, its
 * gradient in the segments of cells. Either alone is **biased** for the objective that has both.
 *
 * @category model
 * @since 0.1.0
 */
export interface StepLens<P extends Params, S extends Batched, C extends Exprs> {
  readonly _tag: 'StepLens'
  readonly name: string
  readonly direct: boolean
  readonly networkCalls: number
  readonly only?: 'scored' | 'differentiated'
  readonly shapes: Parameters
  readonly parameters: Values
  readonly lens: (t: Scalar) => Lens<Stepping<P>, Stepped<S, C>, PerRow>
}

/**
 * The parameters of a reward of steps: the chain's at the step, and its own.
 *
 * @category model
 * @since 0.1.0
 */
export type Stepping<P extends Params> = { readonly theta: P; readonly own: Params }

/**
 * A reward of each state that is a host function: of `x_t`, `t = 1..T`, one number a row. No cell can differentiate it.
 *
 * @category model
 * @since 0.1.0
 */
export interface StepBlackBox {
  readonly _tag: 'StepBlackBox'
  readonly name: string
  readonly evaluate: (x: Tensor, t: number) => TE.TaskEither<RewardError, ReadonlyArray<number>>
}

/**
 * Either kind.
 *
 * @category model
 * @since 0.1.0
 */
export type StepReward<P extends Params, S extends Batched, C extends Exprs> = StepLens<P, S, C> | StepBlackBox

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A process reward: a lens of the state, for each step, without parameters of the chain.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofState = <P extends Params, S extends Batched, C extends Exprs>(
  name: string,
  lens: (t: Scalar) => Lens<None, Expr<S>, Expr<readonly ['batch']>>
): StepLens<P, S, C> => ({
  _tag: 'StepLens',
  name,
  direct: false,
  networkCalls: 0,
  shapes: {},
  parameters: {},
  lens: (t) =>
    L.make<Stepping<P>, Stepped<S, C>, PerRow>({}, ({ theta }, { mean, x, c }) => {
      const [value, back] = lens(t).run({}, x)
      return [
        value,
        (bar) => [
          { theta, own: {} },
          { mean: X.zeros(mean.shape), x: back(bar)[1], c: Tree.zerosOf(c) }
        ]
      ]
    })
})

/**
 * A process reward from a host function that can not fail.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blackBoxOfState = (
  name: string,
  evaluate: (x: Tensor, t: number) => ReadonlyArray<number>
): StepBlackBox => ({
  _tag: 'StepBlackBox',
  name,
  evaluate: (x, t) => TE.fromIO(() => evaluate(x, t))
})

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/**
 * Those of some step rewards that are lenses.
 *
 * @category readings
 * @since 0.1.0
 */
export const lenses = <P extends Params, S extends Batched, C extends Exprs>(
  steps: ReadonlyArray<StepReward<P, S, C>> = []
): ReadonlyArray<StepLens<P, S, C>> => steps.flatMap((one) => (one._tag === 'StepLens' ? [one] : []))

/**
 * Those of some step rewards that are host functions.
 *
 * @category readings
 * @since 0.1.0
 */
export const hosted = <P extends Params, S extends Batched, C extends Exprs>(
  steps: ReadonlyArray<StepReward<P, S, C>> = []
): ReadonlyArray<StepBlackBox> => steps.flatMap((one) => (one._tag === 'StepBlackBox' ? [one] : []))
