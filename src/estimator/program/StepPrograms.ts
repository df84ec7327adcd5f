/**
 * How programs read the rewards of steps.
 *
 * @since 0.1.0
 */
import type * as Ch from '../../chain/Chain.js'
import * as L from '../../lens/Lens.js'
import type { Params } from '../../lens/Lens.js'
import type { StepLens } from '../../reward/StepReward.js'
import * as X from '../../tensor/Expr.js'
import type { Batched } from '../../tensor/Shape.js'
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
