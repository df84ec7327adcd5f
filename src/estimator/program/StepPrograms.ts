/**
 * How programs read the rewards of steps, and the program of a single step.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as Ch from '../../chain/Chain.js'
import * as Transition from '../../chain/Transition.js'
import * as L from '../../lens/Lens.js'
import type { Params } from '../../lens/Lens.js'
import type { StepLens } from '../../reward/StepReward.js'
import * as X from '../../tensor/Expr.js'
import * as Program from '../../tensor/Program.js'
import type { Batched, ShapeError } from '../../tensor/Shape.js'
import * as Tree from '../../tensor/Tree.js'
import type { Exprs, Shapes } from '../../tensor/Tree.js'

/**
 * The inputs of a program that reads step rewards: their own parameters, `step.i`.
 *
 * @category programs
 * @since 0.1.0
 */
export const stepInputs = <P extends Params, S extends Batched, C extends Exprs>(
  rewards: ReadonlyArray<StepLens<P, S, C>>
): Readonly<Record<string, Shapes>> =>
  rewards.length === 0
    ? {}
    : { step: Object.fromEntries(rewards.map(({ shapes }, i) => [String(i), L.shapes(shapes)])) }

/**
 * The parameters of the `i`-th step reward, as inputs.
 *
 * @category programs
 * @since 0.1.0
 */
export const stepParameters = <P extends Params, S extends Batched, C extends Exprs>(
  { shapes }: StepLens<P, S, C>,
  i: number
): Params => L.parameterInputs<Params>(`step.${i}`, shapes)

/**
 * What the step rewards of a step send back, each row times its weight.
 *
 * @category programs
 * @since 0.1.0
 */
export const along =
  <P extends Params, S extends Batched, C extends Exprs>(
    rewards: ReadonlyArray<StepLens<P, S, C>>
  ): Ch.Along<P, S, C> =>
  (t, theta, step) => {
    const weights = X.input('weights', ['batch'])
    return rewards
      .flatMap((one, i) => {
        if (one.only === 'scored') return []
        const [, back] = one.lens(t).run({ theta, own: stepParameters(one, i) }, step)
        const [{ theta: p }, rest] = back(weights)
        return [one.direct ? { p, ...rest } : rest]
      })
      .reduce<ReturnType<Ch.Along<P, S, C>>>((a, b) => Tree.add(a, b), {
        mean: X.zeros(step.mean.shape),
        x: X.zeros(step.x.shape),
        c: Tree.zerosOf(step.c)
      })
  }

/**
 * One step of a chain with its noise, whichever it is: `params, x (= x_t), eps, c, high (= t)` to `x`, the state below; with step rewards,
 * whose inputs are `step.i.path`, also `steps [batch]`, their sum at `x_t`. What continues a trajectory from one of its states runs it
 * once a step, so that a prefix is run once whatever branches from it.
 *
 * @category programs
 * @since 0.1.0
 */
export const step = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Ch.Chain<P, S, C>,
  rewards: ReadonlyArray<StepLens<P, S, C>> = []
): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const inputs: Shapes = {
    params: L.shapes(chain.parameters),
    x: chain.state,
    eps: chain.state,
    c: chain.condition,
    high: [],
    ...stepInputs(rewards)
  }
  return Program.make(inputs, (): Exprs => {
    const t = X.input('high', [])
    const theta = L.parameterInputs<P>('params', chain.parameters)
    const x = X.input('x', chain.state)
    const c = Ch.conditionInputs(chain)
    const mean = chain.mean(t).forward(theta, { x, c })
    // what only gradients see is no part of a return
    const paid = rewards.flatMap((one, i) =>
      one.only === 'differentiated' ? [] : [one.lens(t).forward({ theta, own: stepParameters(one, i) }, { mean, x, c })]
    )
    return {
      x: Transition.next(chain.noise, Ch.deviationAt(chain, theta, t))(mean, X.input('eps', chain.state)),
      ...(paid.length === 0 ? {} : { steps: paid.reduce((a, b) => X.add(a, b)) })
    }
  })
}
