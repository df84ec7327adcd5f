/**
 * The residual block of diffusion U-Nets (Ho et al., arXiv 2006.11239, after He et al., arXiv 1512.03385), for signals,
 * images and clips: the convolution is given.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import type { Shape } from '../../tensor/Shape.js'
import { silu } from './Activation.js'
import { past, release, type Carried } from '../Carried.js'
import type { Film } from './Conditioning.js'
import { dense, type Dense } from './Dense.js'
import type { Rows } from '../Rows.js'
import * as L from '../Lens.js'
import type { Lens, None, Params } from '../Lens.js'
import { gathered as overPlaces, spread as atPlaces } from '../Spread.js'
import { groupNorm, type GroupNorm } from './Normalization.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A convolution that keeps the places and maps `inputs` channels to `outputs`; `gain` scales its initial values.
 *
 * @category model
 * @since 0.1.0
 */
export type Convolving<P extends Params, S extends Shape> = (
  inputs: number,
  outputs: number,
  gain: number
) => Lens<P, Expr<S>, Expr<S>>

/**
 * The parameters of a block. Where inputs and outputs differ, `skip` maps the one to the other place by place.
 *
 * @category model
 * @since 0.1.0
 */
export type ResidualBlock<P extends Params> = {
  readonly norm: GroupNorm<number>
  readonly enter: P
  readonly film: Film<number, number>
  readonly again: GroupNorm<number>
  readonly leave: P
  readonly skip?: Dense<number, number>
}

/**
 * The widths of a block: channels in and out, the groups of its group norms, which must divide both, and the width of
 * its condition.
 *
 * @category model
 * @since 0.1.0
 */
export interface Widths {
  readonly inputs: number
  readonly outputs: number
  readonly groups: number
  readonly condition: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The block: group norm, SiLU and convolution; group norm, FiLM by the condition, SiLU and convolution; plus its argument,
 * through a map of the channels where their number changes. The last convolution starts at zero, so a block that keeps
 * the channels starts as the identity.
 *
 * @category constructors
 * @since 0.1.0
 */
export const residualBlock = <P extends Params, S extends Shape>(
  convolving: Convolving<P, S>,
  { inputs, outputs, groups, condition }: Widths
): Lens<ResidualBlock<P>, Carried<Expr<S>, Rows<number>>, Expr<S>> => {
  const enter = L.compose(
    L.compose(L.at('norm', groupNorm<number, S>(inputs, groups)), silu<S>()),
    L.at('enter', convolving(inputs, outputs, 1))
  )
  const modulated = L.compose(
    past<{ readonly again: GroupNorm<number> }, Expr<S>, Rows<number>, Expr<S>>(
      L.at('again', groupNorm<number, S>(outputs, groups))
    ),
    L.at('film', channelFilm<S>(condition, outputs))
  )
  const leave = L.compose(silu<S>(), L.at('leave', convolving(outputs, outputs, 0)))
  const branch = L.compose(
    L.compose(
      past<Omit<ResidualBlock<P>, 'again' | 'film' | 'leave'>, Expr<S>, Rows<number>, Expr<S>>(enter),
      modulated
    ),
    leave
  )
  const kept = release<{ readonly skip?: Dense<number, number> }, Expr<S>, Rows<number>, Expr<S>>(
    skipping<S>(inputs, outputs)
  )
  return L.compose(L.fanout(kept, branch), sum<S>())
}

/**
 * The parameters of a block without a condition.
 *
 * @category model
 * @since 0.1.0
 */
export type PlainBlock<P extends Params> = Omit<ResidualBlock<P>, 'film'>

/**
 * The block without a condition: group norm, SiLU and convolution, twice, plus its argument as in `residualBlock`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const plainBlock = <P extends Params, S extends Shape>(
  convolving: Convolving<P, S>,
  { inputs, outputs, groups }: Omit<Widths, 'condition'>
): Lens<PlainBlock<P>, Expr<S>, Expr<S>> => {
  const half = <const N extends string, const C extends string>(
    norm: N,
    convolution: C,
    from: number,
    gain: number
  ): Lens<{ readonly [k in N]: GroupNorm<number> } & { readonly [k in C]: P }, Expr<S>, Expr<S>> =>
    L.compose(
      L.compose(L.at(norm, groupNorm<number, S>(from, groups)), silu<S>()),
      L.at(convolution, convolving(from, outputs, gain))
    )
  const branch = L.compose(half('norm', 'enter', inputs, 1), half('again', 'leave', outputs, 0))
  return L.compose(L.fanout(skipping<S>(inputs, outputs), branch), sum<S>())
}

/** The sum of a pair. */
const sum = <S extends Shape>(): Lens<None, { readonly first: Expr<S>; readonly second: Expr<S> }, Expr<S>> =>
  L.pure(({ first, second }) => [X.add(first, X.retype(second, first.shape)), (bar) => ({ first: bar, second: bar })])

/** `x`, or a map of its channels where their number changes. */
const skipping = <S extends Shape>(
  inputs: number,
  outputs: number
): Lens<{ readonly skip?: Dense<number, number> }, Expr<S>, Expr<S>> => {
  const map = pointwise<S>(inputs, outputs)
  return L.make(inputs === outputs ? {} : { skip: map.parameters }, ({ skip }, x) => {
    if (skip === undefined) return [x, (bar) => [{}, bar]]
    const [value, back] = map.run(skip, x)
    return [
      value,
      (bar) => {
        const [pBar, xBar] = back(bar)
        return [{ skip: pBar }, xBar]
      }
    ]
  })
}

/**
 * A dense map of the channels at each place: a convolution with a window of one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pointwise = <S extends Shape>(
  inputs: number,
  outputs: number,
  gain = 1
): Lens<Dense<number, number>, Expr<S>, Expr<S>> =>
  L.make(dense(inputs, outputs, gain).parameters, ({ weight, bias }, x) => {
    const places = 'bpqrs'.slice(0, x.shape.length - 1)
    const contract = (labels: string, a: Expr, b: Expr): Expr => X.einsum<string, Shape, Shape>(labels, a, b)
    const value = contract(`${places}x,xy->${places}y`, x, weight)
    return [
      // only the number of channels differs, which `S` leaves open
      X.add<Shape, Shape>(value, atPlaces(bias, value.shape)) as Expr<S>,
      (bar) => [
        {
          weight: X.retype(contract(`${places}x,${places}y->xy`, x, bar), weight.shape),
          bias: overPlaces(bar, bias.shape)
        },
        X.retype(contract(`${places}y,xy->${places}x`, bar, weight), x.shape)
      ]
    ]
  })

/**
 * Feature-wise linear modulation by channel (Perez et al., arXiv 1709.07871): `x (1 + scale(c)) + shift(c)`, the same at
 * all places of a row. It starts as the identity.
 *
 * @category constructors
 * @since 0.1.0
 */
export const channelFilm = <S extends Shape>(
  condition: number,
  channels: number
): Lens<Film<number, number>, Carried<Expr<S>, Rows<number>>, Expr<S>> => {
  const scale = dense<number, number>(condition, channels, 0)
  const shift = dense<number, number>(condition, channels, 0)
  return L.make({ scale: scale.parameters, shift: shift.parameters }, (p, { x, c }) => {
    const column: Shape = [...x.shape.slice(0, 1), ...x.shape.slice(1, -1).map(() => 1), channels]
    const spread = (row: Rows<number>): Expr<S> => X.broadcastTo(X.reshape(row, column), x.shape)
    const gathered = (bar: Expr): Rows<number> => X.reshape(X.sumTo(bar, column), ['batch', channels])
    const [factor, backScale] = scale.run(p.scale, c)
    const [offset, backShift] = shift.run(p.shift, c)
    const gain = spread(X.add(factor, X.scalar(1)))
    return [
      X.add(X.mul(x, gain), spread(offset)),
      (bar) => {
        const [scaleBar, c1] = backScale(gathered(X.mul(bar, x)))
        const [shiftBar, c2] = backShift(gathered(bar))
        return [
          { scale: scaleBar, shift: shiftBar },
          { x: X.mul(bar, gain), c: X.add(c1, c2) }
        ]
      }
    ]
  })
}

/**
 * Adds a learnt tensor `[...places, channels]` to every row: where a place is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const position = <S extends Shape>(
  shape: ReadonlyArray<number>
): Lens<{ readonly position: Expr<ReadonlyArray<number>> }, Expr<S>, Expr<S>> =>
  L.make({ position: L.parameter(shape) }, (p, x) => [
    X.add(x, X.broadcastTo(p.position, x.shape)),
    (bar) => [{ position: X.sumTo(bar, p.position.shape) }, bar]
  ])
