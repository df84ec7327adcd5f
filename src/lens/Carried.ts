/**
 * Lenses with a condition carried beside their argument, for networks that are told the same in every layer.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import * as L from './Lens.js'
import type { Lens, Params } from './Lens.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What flows through a network beside what the network is told.
 *
 * @category model
 * @since 0.1.0
 */
export type Carried<A extends Exprs, C extends Exprs> = { readonly x: A; readonly c: C }

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * `(x, c) -> (f(x, c), c)`: a lens that reads the condition and leaves it for the next one. The cotangents of `c` add.
 *
 * @category combinators
 * @since 0.1.0
 */
export const carry = <P extends Params, A extends Exprs, C extends Exprs, B extends Exprs>(
  f: Lens<P, Carried<A, C>, B>
): Lens<P, Carried<A, C>, Carried<B, C>> =>
  L.make(f.parameters, (p, stream) => {
    const [x, back] = f.run(p, stream)
    return [
      { x, c: stream.c },
      (bar) => {
        const [pBar, streamBar] = back(bar.x)
        return [pBar, { x: streamBar.x, c: Tree.add(bar.c, streamBar.c) }]
      }
    ]
  })

/**
 * `(x, c) -> (f(x), c)`: a lens past which the condition is carried.
 *
 * @category combinators
 * @since 0.1.0
 */
export const past = <P extends Params, A extends Exprs, C extends Exprs, B extends Exprs>(
  f: Lens<P, A, B>
): Lens<P, Carried<A, C>, Carried<B, C>> =>
  L.make(f.parameters, (p, { x, c }) => {
    const [value, back] = f.run(p, x)
    return [
      { x: value, c },
      (bar) => {
        const [pBar, xBar] = back(bar.x)
        return [pBar, { x: xBar, c: bar.c }]
      }
    ]
  })

/**
 * `(x, c) -> f(x)`: a lens after which the condition is no longer needed; its cotangent is zero.
 *
 * @category combinators
 * @since 0.1.0
 */
export const release = <P extends Params, A extends Exprs, C extends Exprs, B extends Exprs>(
  f: Lens<P, A, B>
): Lens<P, Carried<A, C>, B> =>
  L.make(f.parameters, (p, { x, c }) => {
    const [value, back] = f.run(p, x)
    return [
      value,
      (bar) => {
        const [pBar, xBar] = back(bar)
        return [pBar, { x: xBar, c: Tree.mapExprs(c, ({ shape }) => X.zeros(shape)) }]
      }
    ]
  })
