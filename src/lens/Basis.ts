/**
 * What a lens is, and the lenses that are made of no others.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import type { Shape } from '../tensor/Shape.js'
import type { Exprs } from '../tensor/Tree.js'
import type { CheckKnown, Declared, Parameters, ParametersFor, Params } from './Parameter.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What can be run forward only. It may stand in zeroth-order cells and nowhere else.
 *
 * @category model
 * @since 0.1.0
 */
export interface Forward<P extends Params, A extends Exprs, B extends Exprs> {
  readonly parameters: ParametersFor<P>
  readonly forward: (p: P, a: A) => B
}

/**
 * A function of parameters and an argument, with its pullback. `run` gives the value, and the function that takes a
 * cotangent of the value to cotangents of the parameters and of the argument. It must be linear in the cotangent and
 * the transpose of the derivative: `halforder/laws` checks both.
 *
 * @category model
 * @since 0.1.0
 */
export interface Lens<P extends Params, A extends Exprs, B extends Exprs> extends Forward<P, A, B> {
  readonly run: (p: P, a: A) => readonly [value: B, pullback: Pullback<P, A, B>]
}

/**
 * From a cotangent of a value to cotangents of parameters and argument.
 *
 * @category model
 * @since 0.1.0
 */
export type Pullback<P, A, B> = (valueBar: B) => readonly [parametersBar: P, argumentBar: A]

/**
 * The parameters of a lens that has none.
 *
 * @category model
 * @since 0.1.0
 */
export type None = Readonly<Record<never, never>>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A lens from its parameters and its run. What `run` is given are the parameters as they are declared; where their
 * number or shapes are known when the program runs only, `make<P, A, B>` states what they are.
 *
 * @category model
 * @since 0.1.0
 */
export interface Make {
  <const D extends Parameters, A extends Exprs, B extends Exprs>(
    parameters: D & CheckKnown<D>,
    run: Lens<Declared<D>, A, B>['run']
  ): Lens<Declared<D>, A, B>
  <P extends Params, A extends Exprs, B extends Exprs>(parameters: Parameters, run: Lens<P, A, B>['run']): Lens<P, A, B>
}

/**
 * A lens from its parameters and its run.
 *
 * @example
 * import { make, Lens, type Rows } from 'halforder/lens'
 * import { Expr } from 'halforder/tensor'
 *
 * // a gain for each of three numbers
 * export const gains = make({ gain: Lens.parameter([3], 0, 1) }, ({ gain }, x: Rows<3>) => [
 *   Expr.mul(x, Expr.broadcastTo(gain, x.shape)),
 *   (bar: Rows<3>) => [
 *     { gain: Expr.sumTo(Expr.mul(bar, x), gain.shape) },
 *     Expr.mul(bar, Expr.broadcastTo(gain, bar.shape))
 *   ]
 * ])
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Make = <P extends Params, A extends Exprs, B extends Exprs>(
  parameters: Parameters,
  run: Lens<P, A, B>['run']
): Lens<P, A, B> => ({ parameters, run, forward: (p, a) => run(p, a)[0] })

/**
 * The parameters of a lens: `ParamsOf<typeof layer>`.
 *
 * @category model
 * @since 0.1.0
 */
export type ParamsOf<L> = L extends { readonly forward: (p: infer P, a: never) => Exprs } ? P : never

/**
 * The argument of a lens.
 *
 * @category model
 * @since 0.1.0
 */
export type InputOf<L> = L extends { readonly forward: (p: never, a: infer A) => Exprs } ? A : never

/**
 * The value of a lens.
 *
 * @category model
 * @since 0.1.0
 */
export type OutputOf<L> = L extends { readonly forward: (p: never, a: never) => infer B } ? B : never

/**
 * A lens without parameters, from a function that gives a value and the pullback to its argument.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pure = <A extends Exprs, B extends Exprs>(
  run: (a: A) => readonly [value: B, pullback: (valueBar: B) => A]
): Lens<None, A, B> =>
  make({}, (_, a) => {
    const [value, pullback] = run(a)
    return [value, (valueBar) => [{}, pullback(valueBar)]]
  })

/**
 * The lens that changes nothing: neutral for `compose`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const identity = <A extends Exprs>(): Lens<None, A, A> => pure((a) => [a, (bar) => bar])

/**
 * An elementwise function from its value and its derivative; the derivative may use both argument and value.
 *
 * @category constructors
 * @since 0.1.0
 */
export const elementwise = <S extends Shape>(
  f: (x: Expr<S>) => Expr<S>,
  derivative: (x: Expr<S>, y: Expr<S>) => Expr<S>
): Lens<None, Expr<S>, Expr<S>> =>
  pure((x) => {
    const y = f(x)
    return [y, (yBar) => X.mul(yBar, derivative(x, y))]
  })
