/**
 * Parametric lenses: functions with a hand-written pullback, and the combinators that compose both at once.
 *
 * There is no tape, no tracer and no `grad`. A lens says how to run forward and how a cotangent comes back; the chain
 * rule is the definition of `compose`. Parameters are records; composition joins them by key, and a key that two lenses
 * share is one weight used twice, whose cotangents add.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import type { Shape } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One parameter: its shape, and the mean and standard deviation of the normal it is drawn from at the start.
 *
 * @category model
 * @since 0.1.0
 */
export interface Parameter {
  readonly shape: Shape
  readonly mean: number
  readonly deviation: number
}

/**
 * The parameters of a lens, by key.
 *
 * @category model
 * @since 0.1.0
 */
export type Parameters = { readonly [key: string]: Tree.Tree<Parameter> }

/**
 * A record of parameter expressions.
 *
 * @category model
 * @since 0.1.0
 */
export type Params = { readonly [key: string]: Exprs }

/**
 * What can be run forward only. It may stand in zeroth-order cells and nowhere else.
 *
 * @category model
 * @since 0.1.0
 */
export interface Forward<P extends Params, A extends Exprs, B extends Exprs> {
  readonly parameters: Parameters
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
 * A lens from its parameters and its run.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <P extends Params, A extends Exprs, B extends Exprs>(
  parameters: Parameters,
  run: Lens<P, A, B>['run']
): Lens<P, A, B> => ({ parameters, run, forward: (p, a) => run(p, a)[0] })

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

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * First `f`, then `g`. Associative, with `identity` neutral; the pullback is `f`'s after `g`'s.
 *
 * @category combinators
 * @since 0.1.0
 */
export const compose = <P extends Params, A extends Exprs, B extends Exprs, Q extends Params, C extends Exprs>(
  f: Lens<P, A, B>,
  g: Lens<Q, B, C>
): Lens<P & Q, A, C> =>
  make(join(f.parameters, g.parameters), (p, a) => {
    const [b, backF] = f.run(p, a)
    const [c, backG] = g.run(p, b)
    return [
      c,
      (cBar) => {
        const [qBar, bBar] = backG(cBar)
        const [pBar, aBar] = backF(bBar)
        return [Tree.add(pBar, qBar), aBar]
      }
    ]
  })

/** The two declarations by key; a shared key must be declared the same way and is one parameter. */
const join = (a: Parameters, b: Parameters): Parameters => {
  const go = (x: Tree.Tree<Parameter>, y: Tree.Tree<Parameter>): Tree.Tree<Parameter> =>
    isParameter(x) || isParameter(y) ? y : { ...x, ...join(x, y) }
  return {
    ...a,
    ...Object.fromEntries(
      Object.entries(b).map(([key, value]) => {
        const other = a[key]
        return [key, other === undefined ? value : go(other, value)]
      })
    )
  }
}

/**
 * Puts the parameters of a lens under a key.
 *
 * @category combinators
 * @since 0.1.0
 */
export const at = <const K extends string, P extends Params, A extends Exprs, B extends Exprs>(
  key: K,
  lens: Lens<P, A, B>
): Lens<{ readonly [k in K]: P }, A, B> =>
  make({ [key]: lens.parameters }, (p, a) => {
    const [value, back] = lens.run(p[key], a)
    return [
      value,
      (valueBar) => {
        const [pBar, aBar] = back(valueBar)
        // the record with the one key `K`
        return [{ [key]: pBar } as { readonly [k in K]: P }, aBar]
      }
    ]
  })

/**
 * Two lenses side by side on a pair.
 *
 * @category combinators
 * @since 0.1.0
 */
export const parallel = <
  P extends Params,
  A extends Exprs,
  B extends Exprs,
  Q extends Params,
  C extends Exprs,
  D extends Exprs
>(
  f: Lens<P, A, B>,
  g: Lens<Q, C, D>
): Lens<P & Q, { readonly first: A; readonly second: C }, { readonly first: B; readonly second: D }> =>
  make(join(f.parameters, g.parameters), (p, { first, second }) => {
    const [b, backF] = f.run(p, first)
    const [d, backG] = g.run(p, second)
    return [
      { first: b, second: d },
      (bar) => {
        const [pBar, aBar] = backF(bar.first)
        const [qBar, cBar] = backG(bar.second)
        return [Tree.add(pBar, qBar), { first: aBar, second: cBar }]
      }
    ]
  })

/**
 * Two lenses on one argument; its cotangents add.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fanout = <P extends Params, A extends Exprs, B extends Exprs, Q extends Params, C extends Exprs>(
  f: Lens<P, A, B>,
  g: Lens<Q, A, C>
): Lens<P & Q, A, { readonly first: B; readonly second: C }> =>
  make(join(f.parameters, g.parameters), (p, a) => {
    const [b, backF] = f.run(p, a)
    const [c, backG] = g.run(p, a)
    return [
      { first: b, second: c },
      (bar) => {
        const [pBar, fBar] = backF(bar.first)
        const [qBar, gBar] = backG(bar.second)
        return [Tree.add(pBar, qBar), Tree.add(fBar, gBar)]
      }
    ]
  })

/**
 * `x + f(x)`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const residual = <P extends Params, A extends Exprs>(f: Lens<P, A, A>): Lens<P, A, A> =>
  make(f.parameters, (p, a) => {
    const [b, back] = f.run(p, a)
    return [
      Tree.add(a, b),
      (bar) => {
        const [pBar, aBar] = back(bar)
        return [pBar, Tree.add(bar, aBar)]
      }
    ]
  })

/**
 * The composition of `n` lenses built from their index; one set of parameters where they share keys, `n` sets where
 * `at` gives each its own.
 *
 * @category combinators
 * @since 0.1.0
 */
export const repeat = <P extends Params, A extends Exprs>(
  n: number,
  f: (i: number) => Lens<P, A, A>
): Lens<P, A, A> => {
  let lens = f(0)
  for (let i = 1; i < n; i++) lens = compose(lens, f(i))
  return lens
}

/**
 * Holds an argument fixed beside a lens: its cotangent is dropped. Conditioning, times and schedules go in this way.
 *
 * @category combinators
 * @since 0.1.0
 */
export const given = <P extends Params, A extends Exprs, C extends Exprs, B extends Exprs>(
  lens: Lens<P, { readonly x: A; readonly c: C }, B>,
  c: C
): Lens<P, A, B> =>
  make(lens.parameters, (p, x) => {
    const [value, back] = lens.run(p, { x, c })
    return [
      value,
      (bar) => {
        const [pBar, aBar] = back(bar)
        return [pBar, aBar.x]
      }
    ]
  })

/**
 * Two arguments of one lens that are the same: their cotangents add. Self-attention is cross-attention after this.
 *
 * @category combinators
 * @since 0.1.0
 */
export const diagonal = <A extends Exprs>(): Lens<None, A, { readonly x: A; readonly c: A }> =>
  pure((a) => [{ x: a, c: a }, (bar) => Tree.add(bar.x, bar.c)])

/**
 * The same lens in other parameters `Q`, from which a lens without parameters makes those that it has: cotangents come
 * back through both. `parameters` declares `Q`. Functorial: reparametrising twice is reparametrising along the
 * composition, and along `identity` changes nothing.
 *
 * @category combinators
 * @since 0.1.0
 */
export const reparametrize =
  <Q extends Params, P extends Params>(parameters: Parameters, along: Lens<None, Q, P>) =>
  <A extends Exprs, B extends Exprs>(lens: Lens<P, A, B>): Lens<Q, A, B> =>
    make(parameters, (q, a) => {
      const [p, backP] = along.run({}, q)
      const [value, back] = lens.run(p, a)
      return [
        value,
        (bar) => {
          const [pBar, aBar] = back(bar)
          const [, qBar] = backP(pBar)
          return [qBar, aBar]
        }
      ]
    })

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * Is it a parameter (a leaf of `Parameters`)?
 *
 * @category utils
 * @since 0.1.0
 */
export const isParameter = (tree: unknown): tree is Parameter =>
  typeof tree === 'object' && tree !== null && 'shape' in tree && Array.isArray(tree.shape)

/**
 * The shapes of the parameters of a lens, a tree with the same keys.
 *
 * @category utils
 * @since 0.1.0
 */
export const shapes = (parameters: Parameters): { readonly [key: string]: Tree.Shapes } =>
  Object.fromEntries(
    Object.entries(parameters).map(([key, tree]) => [
      key,
      Tree.map<Parameter, Shape>(isParameter, tree, ({ shape }) => shape)
    ])
  )

/**
 * Input expressions for the parameters of a lens or chain, named by path under a prefix.
 *
 * @category utils
 * @since 0.1.0
 */
export const parameterInputs = <P extends Params>(prefix: string, parameters: Parameters): P =>
  // `P` is by construction the tree of expressions with the shapes that `parameters` declares
  Tree.inputs(prefix, shapes(parameters)) as P

/**
 * Applies a function to each parameter declaration and its path.
 *
 * @category utils
 * @since 0.1.0
 */
export const mapParameters = (
  parameters: Parameters,
  f: (parameter: Parameter, path: string) => Parameter
): Parameters =>
  Object.fromEntries(
    Object.entries(parameters).map(([key, tree]) => [key, Tree.map<Parameter, Parameter>(isParameter, tree, f, key)])
  )

/**
 * A parameter declaration: `deviation` 0 and `mean` 0 by default.
 *
 * @category utils
 * @since 0.1.0
 */
export const parameter = (shape: Shape, deviation = 0, mean = 0): Parameter => ({ shape, mean, deviation })
