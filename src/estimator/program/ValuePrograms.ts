/**
 * The programs of values of a state with their gradients: what baselines and controls read.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import { conditionInputs, type Chain } from '../../chain/Chain.js'
import * as L from '../../lens/Lens.js'
import type { Params } from '../../lens/Lens.js'
import type { Differentiable } from '../../reward/Reward.js'
import type { StateLens } from '../../reward/StateLens.js'
import * as X from '../../tensor/Expr.js'
import type { Expr, Scalar } from '../../tensor/Expr.js'
import * as Program from '../../tensor/Program.js'
import type { Batched, Shape, ShapeError } from '../../tensor/Shape.js'
import type { Exprs } from '../../tensor/Tree.js'
import { spreadRows } from './Programs.js'

/**
 * A value of a state and its gradient: `x, weights [batch]` and what it looks at to `value [batch]` and `xBar`, the gradient of the
 * weighted sum. `clean` is the reward of the chain's clean prediction at step `high`: inputs `params, reward.path, c, high`.
 *
 * @category programs
 * @since 0.1.0
 */
export const cleanValue = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  chain: Chain<P, S, C>,
  clean: NonNullable<Chain<P, S, C>['clean']>,
  { lens, shapes }: Differentiable<R, S, C>
): E.Either<ReadonlyArray<ShapeError>, Program.Program> =>
  Program.make(
    {
      params: L.shapes(chain.parameters),
      reward: L.shapes(shapes),
      x: chain.state,
      c: chain.condition,
      high: [],
      weights: ['batch']
    },
    (): Exprs => {
      const c = conditionInputs(chain)
      const high: Scalar = X.input('high', [])
      const [output, back] = clean(high).run(L.parameterInputs<P>('params', chain.parameters), {
        x: X.input('x', chain.state),
        c
      })
      const [value, pull] = lens(c).run(L.parameterInputs<R>('reward', shapes), output)
      const [, outputBar] = pull(X.input('weights', ['batch']))
      const [, { x: xBar }] = back(outputBar)
      return { value, xBar }
    }
  )

/**
 * A lens of the state as a value: inputs `value.path`, `c` and `high` beside `x` and `weights`.
 *
 * @category programs
 * @since 0.1.0
 */
export const learnedValue = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  { lens, shapes }: StateLens<S, C>
): E.Either<ReadonlyArray<ShapeError>, Program.Program> =>
  Program.make(
    { value: L.shapes(shapes), x: chain.state, c: chain.condition, high: [], weights: ['batch'] },
    (): Exprs => {
      const [value, back] = lens(X.input('high', [])).run(L.parameterInputs<Params>('value', shapes), {
        x: X.input('x', chain.state),
        c: conditionInputs(chain)
      })
      const [, { x: xBar }] = back(X.input('weights', ['batch']))
      return { value, xBar }
    }
  )

/**
 * A polynomial of the state's elements as a value.
 *
 * @category programs
 * @since 0.1.0
 */
export const polynomialValue = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  coefficients: ReadonlyArray<number>
): E.Either<ReadonlyArray<ShapeError>, Program.Program> =>
  Program.make({ x: chain.state, weights: ['batch'] }, (): Exprs => {
    const x = X.input('x', chain.state)
    const [constant = 0, ...others] = coefficients
    const rest = chain.state.slice(1).map((_, i) => i + 1)
    // Horner's rule, for the value without its constant and for the derivative
    const value = others.reduceRight<Expr<S>>(
      (sum, a) => X.mul(X.add(sum, X.fill(chain.state, a)), x),
      X.zeros(chain.state)
    )
    const slope = others.reduceRight<Expr<S>>(
      (sum, a, i) => X.add(X.mul(sum, x), X.fill(chain.state, (i + 1) * a)),
      X.zeros(chain.state)
    )
    return {
      value: X.add(X.retype(X.sum<Shape, ReadonlyArray<number>>(value, rest), ['batch']), X.fill(['batch'], constant)),
      xBar: X.mul(spreadRows(X.input('weights', ['batch']), chain.state), slope)
    }
  })
