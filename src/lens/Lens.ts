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
import * as Need from '../tensor/Need.js'
import type { ShapeError } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import { type Lens, make, type None, pure } from './Basis.js'
import { join, keyFaults, type Parameters, type ParametersFor, type Params, zerosOf } from './Parameter.js'

export {
  elementwise,
  type Forward,
  identity,
  type InputOf,
  type Lens,
  type Make,
  make,
  type None,
  type OutputOf,
  type ParamsOf,
  type Pullback,
  pure
} from './Basis.js'
export {
  type Declared,
  inputsOf,
  isParameter,
  mapParameters,
  parameter,
  type Parameter,
  parameterInputs,
  type Parameters,
  type Params,
  type ParametersFor,
  shapes,
  shapesOf
} from './Parameter.js'

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
): Lens<P & Q, A, C> => {
  const { lens, first, second } = shared(f, g)
  return lens((p, a) => {
    const [b, backF] = f.run(first(p), a)
    const [c, backG] = g.run(second(p), b)
    return [
      c,
      (cBar) => {
        const [qBar, bBar] = backG(cBar)
        const [pBar, aBar] = backF(bBar)
        return [Tree.add(pBar, qBar), aBar]
      }
    ]
  })
}

/**
 * The parameters of two lenses, and how each finds its own among them. Where they declare one name in two ways neither does:
 * each is run on zeros as it declares them, and the lens is refused.
 */
const shared = <P extends Params, Q extends Params>(
  f: { readonly parameters: ParametersFor<P> },
  g: { readonly parameters: ParametersFor<Q> }
): {
  readonly lens: <A extends Exprs, B extends Exprs>(run: Lens<P & Q, A, B>['run']) => Lens<P & Q, A, B>
  readonly first: (p: P & Q) => P
  readonly second: (p: P & Q) => Q
} => {
  const { parameters, faults } = join(f.parameters, g.parameters)
  const whole = faults.length === 0
  return {
    lens: (run) => refused(faults)(make(parameters, run)),
    first: (p) => (whole ? p : zerosOf<P>(f.parameters)),
    second: (p) => (whole ? p : zerosOf<Q>(g.parameters))
  }
}

/**
 * The same lens, which can not be had for the given reasons: a program that it is part of does not close, and names them.
 * Without a reason it is the lens.
 *
 * @category combinators
 * @since 0.1.0
 */
export const refused =
  (faults: ReadonlyArray<ShapeError>) =>
  <P extends Params, A extends Exprs, B extends Exprs>(lens: Lens<P, A, B>): Lens<P, A, B> =>
    faults.length === 0
      ? lens
      : make(lens.parameters, (p, a) => {
          const spoilt = <T extends Exprs>(tree: T): T =>
            Tree.mapExprs(tree, (leaf) => X.ill([leaf], leaf.shape, faults))
          const [value, back] = lens.run(p, a)
          return [
            spoilt(value),
            (bar) => {
              const [pBar, aBar] = back(bar)
              return [spoilt(pBar), spoilt(aBar)]
            }
          ]
        })

/**
 * Puts the parameters of a lens under a key, which may have no dot: a dot stands between the keys of a path, so that `a.b`
 * would name what `b` below `a` is called.
 *
 * @category combinators
 * @since 0.1.0
 */
export const at = <const K extends string, P extends Params, A extends Exprs, B extends Exprs>(
  key: K,
  lens: Lens<P, A, B>
): Lens<{ readonly [k in K]: P }, A, B> =>
  refused(keyFaults(key))(
    make<{ readonly [k in K]: P }, A, B>({ [key]: lens.parameters }, (p, a) => {
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
  )

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
): Lens<P & Q, { readonly first: A; readonly second: C }, { readonly first: B; readonly second: D }> => {
  const parts = shared(f, g)
  return parts.lens((p, { first, second }) => {
    const [b, backF] = f.run(parts.first(p), first)
    const [d, backG] = g.run(parts.second(p), second)
    return [
      { first: b, second: d },
      (bar) => {
        const [pBar, aBar] = backF(bar.first)
        const [qBar, cBar] = backG(bar.second)
        return [Tree.add(pBar, qBar), { first: aBar, second: cBar }]
      }
    ]
  })
}

/**
 * Two lenses on one argument; its cotangents add.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fanout = <P extends Params, A extends Exprs, B extends Exprs, Q extends Params, C extends Exprs>(
  f: Lens<P, A, B>,
  g: Lens<Q, A, C>
): Lens<P & Q, A, { readonly first: B; readonly second: C }> => {
  const { lens, first, second } = shared(f, g)
  return lens((p, a) => {
    const [b, backF] = f.run(first(p), a)
    const [c, backG] = g.run(second(p), a)
    return [
      { first: b, second: c },
      (bar) => {
        const [pBar, fBar] = backF(bar.first)
        const [qBar, gBar] = backG(bar.second)
        return [Tree.add(pBar, qBar), Tree.add(fBar, gBar)]
      }
    ]
  })
}

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
 * The composition of `n` lenses built from their index, one or more; one set of parameters where they share keys, `n` sets
 * where `at` gives each its own.
 *
 * @category combinators
 * @since 0.1.0
 */
export const repeat = <P extends Params, A extends Exprs>(
  n: number,
  f: (i: number) => Lens<P, A, A>
): Lens<P, A, A> => {
  const faults = Need.whole('repeat', 'lenses', n)
  let lens = f(0)
  for (let i = 1; i < n && faults.length === 0; i++) lens = compose(lens, f(i))
  return refused(faults)(lens)
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
