/**
 * The programs of values of a state with their gradients: what baselines and controls read.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import { conditionInputs, lookup, type Chain } from '../../chain/Chain.js'
import type { Outcome } from '../../chain/Noise.js'
import * as L from '../../lens/Lens.js'
import type { Params } from '../../lens/Lens.js'
import type { Differentiable } from '../../reward/Reward.js'
import type { StateLens } from '../../reward/StateLens.js'
import * as X from '../../tensor/Expr.js'
import type { Expr, Scalar } from '../../tensor/Expr.js'
import * as Program from '../../tensor/Program.js'
import type { Batched, Shape, ShapeError } from '../../tensor/Shape.js'
import type { Exprs, Shapes } from '../../tensor/Tree.js'
import { spreadRows } from './Programs.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

type PerRow = Expr<readonly ['batch']>

/**
 * A value of a state as expressions: its own inputs, and its value at a state of step `t` with the pullback.
 *
 * @category model
 * @since 0.1.0
 */
export interface Valued<S extends Batched, C extends Exprs> {
  readonly inputs: Readonly<Record<string, Shapes>>
  readonly at: (t: Scalar, x: Expr<S>, c: C) => readonly [value: PerRow, pull: (bar: PerRow) => Expr<S>]
}

// -------------------------------------------------------------------------------------
// values
// -------------------------------------------------------------------------------------

/**
 * The reward of the chain's clean prediction: inputs `params` and `reward.path`. Below step 1 lies the output, which is its own
 * prediction.
 *
 * @category values
 * @since 0.1.0
 */
export const cleanValue = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  chain: Chain<P, S, C>,
  clean: NonNullable<Chain<P, S, C>['clean']>,
  { lens, shapes }: Differentiable<R, S, C>
): Valued<S, C> => ({
  inputs: { params: L.shapes(chain.parameters), reward: L.shapes(shapes) },
  at: (t, x, c) => {
    const [output, back] = clean(t).run(L.parameterInputs<P>('params', chain.parameters), { x, c })
    const [value, pull] = lens(c).run(L.parameterInputs<R>('reward', shapes), output)
    return [value, (bar) => back(pull(bar)[1])[1].x]
  }
})

/**
 * A lens of the state as a value: inputs `value.path`.
 *
 * @category values
 * @since 0.1.0
 */
export const learnedValue = <S extends Batched, C extends Exprs>({ lens, shapes }: StateLens<S, C>): Valued<S, C> => ({
  inputs: { value: L.shapes(shapes) },
  at: (t, x, c) => {
    const [value, back] = lens(t).run(L.parameterInputs<Params>('value', shapes), { x, c })
    return [value, (bar) => back(bar)[1].x]
  }
})

/**
 * A polynomial of the state's elements as a value.
 *
 * @category values
 * @since 0.1.0
 */
export const polynomialValue = <S extends Batched, C extends Exprs>(
  state: S,
  coefficients: ReadonlyArray<number>
): Valued<S, C> => ({
  inputs: {},
  at: (_, x) => {
    const [constant = 0, ...others] = coefficients
    const rest = state.slice(1).map((_axis, i) => i + 1)
    // Horner's rule, for the value without its constant and for the derivative
    const value = others.reduceRight<Expr<S>>((sum, a) => X.mul(X.add(sum, X.fill(state, a)), x), X.zeros(state))
    const slope = others.reduceRight<Expr<S>>(
      (sum, a, i) => X.add(X.mul(sum, x), X.fill(state, (i + 1) * a)),
      X.zeros(state)
    )
    return [
      X.add(X.retype(X.sum<Shape, ReadonlyArray<number>>(value, rest), ['batch']), X.fill(['batch'], constant)),
      (bar) => X.mul(spreadRows(bar, state), slope)
    ]
  }
})

// -------------------------------------------------------------------------------------
// programs
// -------------------------------------------------------------------------------------

/**
 * A value of a state and its gradient: `x, c, high (the state's step), weights [batch]` and the value's own inputs to
 * `value [batch]` and `xBar`, the gradient of the weighted sum.
 *
 * @category programs
 * @since 0.1.0
 */
export const value = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  valued: Valued<S, C>
): E.Either<ReadonlyArray<ShapeError>, Program.Program> =>
  Program.make({ ...valued.inputs, x: chain.state, c: chain.condition, high: [], weights: ['batch'] }, (): Exprs => {
    const [of, pull] = valued.at(X.input('high', []), X.input('x', chain.state), conditionInputs(chain))
    return { value: of, xBar: pull(X.input('weights', ['batch'])) }
  })

/**
 * A value `Q` as the control of a step that keeps discrete outcomes, of which it is a tangent: with `p` the mean of the outcome given
 * the state `x` of step `high`, `value [batch]` is `Q(p) + grad Q(p) (below - p)` at the state `below` the step, and `xBar` the
 * gradient in the step's mean of what that is on average, `grad Q(p) p`, each row times its weight. `p` and `grad Q(p)` are fixed by
 * `x`. Inputs besides: `params, c, weights [batch]` and the value's own.
 *
 * @category programs
 * @since 0.1.0
 */
export const tangent = <P extends Params, S extends Batched, C extends Exprs>(
  chain: Chain<P, S, C>,
  outcome: Outcome,
  valued: Valued<S, C>
): E.Either<ReadonlyArray<ShapeError>, Program.Program> =>
  Program.make(
    {
      ...valued.inputs,
      params: L.shapes(chain.parameters),
      x: chain.state,
      below: chain.state,
      c: chain.condition,
      high: [],
      weights: ['batch']
    },
    (): Exprs => {
      const high: Scalar = X.input('high', [])
      const c = conditionInputs(chain)
      const sigma = lookup(chain.sigma, high)
      const mean = chain.mean(high).forward(L.parameterInputs<P>('params', chain.parameters), {
        x: X.input('x', chain.state),
        c
      })
      const location = X.div(mean, sigma)
      const p = outcome.mean(location)
      const [of, pull] = valued.at(X.sub(high, X.scalar(1)), p, c)
      const slope = pull(X.fill(['batch'], 1))
      const rest = chain.state.slice(1).map((_, i) => i + 1)
      const rise = X.sum<Shape, ReadonlyArray<number>>(X.mul(slope, X.sub(X.input('below', chain.state), p)), rest)
      const weights = spreadRows(X.input('weights', ['batch']), chain.state)
      return {
        value: X.add(of, X.retype(rise, ['batch'])),
        xBar: X.div(X.mul(outcome.pullMean(location, slope), weights), sigma)
      }
    }
  )
