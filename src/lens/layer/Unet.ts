/**
 * U-Nets (Ronneberger, Fischer and Brox, arXiv 1505.04597) as a combinator of lenses: it knows how skip connections are
 * wired and nothing of what is wired, so it serves signals, images and clips, with or without a condition.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import type { Shape } from '../../tensor/Shape.js'
import * as Tree from '../../tensor/Tree.js'
import type { Exprs } from '../../tensor/Tree.js'
import type { Carried } from '../Carried.js'
import * as L from '../Lens.js'
import type { Lens, None, Params } from '../Lens.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What comes back from below, beside what was kept on the way down.
 *
 * @category model
 * @since 0.1.0
 */
export type Skip<A extends Exprs, B extends Exprs> = { readonly first: A; readonly second: B }

/**
 * One level of a U-Net: `encode`, whose value is kept; `down` to the next level; `up` from it again; and `decode`, which
 * takes what came up and what was kept.
 *
 * @category model
 * @since 0.1.0
 */
export interface Level<P extends Params, A extends Exprs> {
  readonly encode: Lens<P, A, A>
  readonly down: Lens<P, A, A>
  readonly up: Lens<P, A, A>
  readonly decode: Lens<P, Skip<A, A>, A>
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * `decode(inner(encode(x)), encode(x))`: one skip connection, around `inner`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const level = <
  P extends Params,
  Q extends Params,
  R extends Params,
  A extends Exprs,
  B extends Exprs,
  C extends Exprs,
  D extends Exprs
>(
  encode: Lens<P, A, B>,
  inner: Lens<Q, B, C>,
  decode: Lens<R, Skip<C, B>, D>
): Lens<P & Q & R, A, D> => L.compose(L.compose(encode, L.fanout(inner, L.identity<B>())), decode)

/**
 * The levels around one another, the first outermost, with `middle` inside of all. Without levels it is `middle`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unet = <P extends Params, A extends Exprs>(
  levels: ReadonlyArray<Level<P, A>>,
  middle: Lens<P, A, A>
): Lens<P, A, A> =>
  levels.reduceRight<Lens<P, A, A>>(
    (inner, { encode, down, up, decode }) => level(encode, L.compose(L.compose(down, inner), up), decode),
    middle
  )

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Channels of what came up, then channels of what was kept, in one tensor; the condition is that of what came up. The
 * pullback cuts the cotangent where the two meet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const joined = <S extends Shape, C extends Exprs>(): Lens<
  None,
  Skip<Carried<Expr<S>, C>, Carried<Expr<S>, C>>,
  Carried<Expr<S>, C>
> =>
  L.pure(({ first, second }) => {
    const axis = first.x.shape.length - 1
    const x: Expr = X.concat<Shape, number>([first.x, second.x], axis)
    const part = (bar: Expr, start: number, of: Expr<S>): Expr<S> => {
      const length = channelsOf(of)
      return X.retype(X.slice<Shape, number, number>(bar, axis, start, length), of.shape)
    }
    return [
      // only the last axis grows, whose size `S` leaves open
      { x: x as Expr<S>, c: first.c },
      (bar) => ({
        first: { x: part(bar.x, 0, first.x), c: bar.c },
        second: {
          x: part(bar.x, channelsOf(first.x), second.x),
          c: Tree.mapExprs(second.c, ({ shape }) => X.zeros(shape))
        }
      })
    ]
  })

const channelsOf = ({ shape }: Expr): number => {
  const d = shape.at(-1)
  return typeof d === 'number' ? d : 0
}
