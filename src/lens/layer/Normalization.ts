/**
 * Normalisations.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Need from '../../tensor/Need.js'
import type { CheckLast, Shape } from '../../tensor/Shape.js'
import type { Rows } from '../Rows.js'
import * as L from '../Lens.js'
import type { Lens, None } from '../Lens.js'

/**
 * How near to one another the numbers of a row are, relative to one of them, for that one to be taken away before the mean is:
 * nearer, and the rounding of a mean of `n` numbers, `n` units of 2^-24 of them, would show.
 */
const near = 2 ** -8

/**
 * What to take away before the mean: one of the numbers where all are near it, so that what is left of a constant row is 0, and
 * else nothing. It changes no result but for its rounding, so it has no derivative. `distance` is the mean of `|x - first|`.
 */
const baseOf = <S extends Shape>(first: Expr<S>, distance: Expr<S>): Expr<S> =>
  X.select(X.less(X.scale(X.abs(first), near), distance), X.scalar(0), first)

/**
 * The parameters of a layer norm: a gain and a bias for each feature.
 *
 * @category model
 * @since 0.1.0
 */
export type LayerNorm<N extends number> = { readonly gain: Expr<readonly [N]>; readonly bias: Expr<readonly [N]> }

/**
 * Layer normalisation of rows (Ba, Kiros and Hinton, arXiv 1607.06450): `(x - mean) / sqrt(variance + 1e-5)`, then an
 * affine map by feature. A constant row, however large, gives its bias: where numbers are nearly the same, their mean is taken
 * of what they differ by. With `z` the normalised row and `g` the cotangent times the gain, the pullback is
 * `(g - mean(g) - z mean(g z)) / deviation`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const layerNorm = <N extends number>(features: N): Lens<LayerNorm<N>, Rows<N>, Rows<N>> => {
  const row = ['batch', features] as const
  const spread = (column: Expr): Rows<N> => X.broadcastTo(column, row)
  const mean = (x: Rows<N>): Rows<N> =>
    spread(X.scale(X.reshape(X.sum<readonly ['batch', number], [1]>(x, [1]), ['batch', 1]), 1 / features))
  return L.make({ gain: L.parameter([features], 0, 1), bias: L.parameter([features]) }, ({ gain, bias }, rows) => {
    const x = X.retype(rows, row)
    const first = spread(X.slice<readonly ['batch', number], 1, 1>(x, 1, 0, 1))
    const shifted = X.sub(x, baseOf(first, mean(X.abs(X.sub(x, first)))))
    const centred = X.sub(shifted, mean(shifted))
    const inverse = X.div(spread(X.scalar(1)), X.sqrt(X.add(mean(X.mul(centred, centred)), X.scalar(1e-5))))
    const z = X.mul(centred, inverse)
    return [
      X.add(X.mul(z, spread(gain)), spread(bias)),
      (bar) => {
        const g = X.mul(bar, spread(gain))
        const back = X.sub(X.sub(g, mean(g)), X.mul(z, mean(X.mul(g, z))))
        return [{ gain: X.sumTo(X.mul(bar, z), gain.shape), bias: X.sumTo(bar, bias.shape) }, X.mul(back, inverse)]
      }
    ]
  })
}

/**
 * The parameters of a group norm: a gain and a bias for each channel.
 *
 * @category model
 * @since 0.1.0
 */
export type GroupNorm<C extends number> = { readonly gain: Expr<readonly [C]>; readonly bias: Expr<readonly [C]> }

/**
 * Group normalisation (Wu and He, arXiv 1803.08494) of tensors `[batch, ..., channels]` of any rank: each row and each of
 * `groups` groups of neighbouring channels is brought to mean 0 and variance 1 over all of its places,
 * `(x - mean) / sqrt(variance + 1e-5)`, then mapped affinely by channel. It is computed as `layerNorm` is, by group, and so is
 * the pullback.
 *
 * @category constructors
 * @since 0.1.0
 */
export const groupNorm = <C extends number, S extends Shape>(
  channels: C & CheckLast<S, C>,
  groups: number
): Lens<GroupNorm<C>, Expr<S>, Expr<S>> => {
  const faults = Need.divisor('groupNorm', 'groups', groups, 'channels', channels)
  const [sets, members] = faults.length === 0 ? [groups, channels / groups] : [1, channels]
  const perChannel = (x: Expr): Shape => [...x.shape.slice(0, 1), ...x.shape.slice(1, -1).map(() => 1), channels]
  /** One number for each group, at all of its places. */
  const spread = (group: Expr, x: Expr<S>): Expr<S> => {
    const [rows = 1] = x.shape
    const wide = X.broadcastTo(X.reshape(group, [rows, sets, 1]), [rows, sets, members])
    return X.broadcastTo(X.reshape(wide, perChannel(x)), x.shape)
  }
  const first = (x: Expr<S>): Expr<S> => {
    const [rows = 1] = x.shape
    const place = x.shape.slice(1, -1).reduce<Expr>((rest) => X.take<Shape, 1>(rest, 1, X.scalar(0)), x)
    return spread(X.slice<Shape, 2, 1>(X.reshape(place, [rows, sets, members]), 2, 0, 1), x)
  }
  const mean = (x: Expr<S>): Expr<S> => {
    const [rows = 1] = x.shape
    const places = x.shape.slice(1, -1)
    const count = places.reduce<number>((n, d) => (typeof d === 'number' ? n * d : n), members)
    const named = places.flatMap((d) => (typeof d === 'string' ? [X.size(d)] : []))
    // channel by channel first: neighbouring channels are neighbours in memory
    const byChannel: Expr = X.sum<Shape, ReadonlyArray<number>>(
      x,
      places.map((_, i) => i + 1)
    )
    const byGroup: Expr = X.sum<Shape, readonly [2]>(X.reshape(byChannel, [rows, sets, members]), [2])
    const averages = named.reduce<Expr>(
      (total, size) => X.div<Shape, readonly []>(total, size),
      X.scale(byGroup, 1 / count)
    )
    return spread(averages, x)
  }
  const parameters = { gain: L.parameter([channels], 0, 1), bias: L.parameter([channels]) }
  const lens = L.make<GroupNorm<C>, Expr<S>, Expr<S>>(parameters, ({ gain, bias }, x) => {
    const one = first(x)
    const shifted = X.sub(x, baseOf(one, mean(X.abs(X.sub(x, one)))))
    const centred = X.sub(shifted, mean(shifted))
    const inverse = X.div(X.fill(x.shape, 1), X.sqrt(X.add(mean(X.mul(centred, centred)), X.scalar(1e-5))))
    const z = X.mul(centred, inverse)
    return [
      X.add(X.mul(z, X.broadcastTo(gain, x.shape)), X.broadcastTo(bias, x.shape)),
      (bar) => {
        const g = X.mul(bar, X.broadcastTo(gain, x.shape))
        const back = X.sub(X.sub(g, mean(g)), X.mul(z, mean(X.mul(g, z))))
        return [{ gain: X.sumTo(X.mul(bar, z), gain.shape), bias: X.sumTo(bar, bias.shape) }, X.mul(back, inverse)]
      }
    ]
  })
  return L.refused(faults)(lens)
}

/**
 * The softmax over the last axis, `exp(x) / sum(exp(x))`, computed after subtracting the largest so that nothing
 * overflows. With `y` the value, the pullback is `y (bar - sum(bar y))`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const softmax = <S extends Shape>(): Lens<None, Expr<S>, Expr<S>> =>
  L.pure((x) => {
    const last = x.shape.length - 1
    const spread = (column: Expr): Expr<S> => X.broadcastTo(X.reshape(column, [...x.shape.slice(0, last), 1]), x.shape)
    const powers = X.exp(X.sub(x, spread(X.maximum<Shape, readonly [number]>(x, [last]))))
    const y = X.div(powers, spread(X.sum<Shape, readonly [number]>(powers, [last])))
    return [y, (bar) => X.mul(y, X.sub(bar, spread(X.sum<Shape, readonly [number]>(X.mul(bar, y), [last]))))]
  })
