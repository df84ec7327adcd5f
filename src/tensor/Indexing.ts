/**
 * Rearrangements built from the primitives: flips, nearest upsampling, overlap-add, and reading and adding at run-time
 * indices.
 *
 * @since 0.1.0
 */
import * as X from './Expr.js'
import type { Expr } from './Expr.js'
import * as Need from './Need.js'
import type { Dim, DropAxes, ReplaceAxis, Shape } from './Shape.js'
import { tabulate } from './Tensor.js'

// -------------------------------------------------------------------------------------
// combinators: rearrangements
// -------------------------------------------------------------------------------------

/**
 * The entries of an axis of literal size at literal places, in the given order; a place may occur more than once.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pick = <S extends Shape, const Axis extends number>(
  a: Expr<S>,
  axis: Axis,
  places: ReadonlyArray<number>
): Expr<ReplaceAxis<S, Axis, number>> => {
  const parts: ReadonlyArray<Expr> = places.map((place) => X.slice<Shape, Axis, 1>(a, axis, place, 1))
  // one entry is put behind the other, so that only the size of `axis` differs
  return X.concat(parts, axis) as Expr<ReplaceAxis<S, Axis, number>>
}

/**
 * An axis of literal size in the opposite order. Its own adjoint.
 *
 * @category combinators
 * @since 0.1.0
 */
export const flip = <S extends Shape>(a: Expr<S>, axis: number): Expr<S> => {
  const d = a.shape[axis]
  const length = typeof d === 'number' ? d : 0
  const places = Array.from({ length }, (_, i) => length - 1 - i)
  return X.retype(pick<Shape, number>(a, axis, places), a.shape)
}

/**
 * Each entry of an axis of literal size `factor` times in a row: nearest-neighbour upsampling. Its adjoint sums blocks of
 * `factor` entries.
 *
 * @category combinators
 * @since 0.1.0
 */
export const upsample = <S extends Shape, const Axis extends number>(
  a: Expr<S>,
  axis: Axis,
  factor: number
): Expr<ReplaceAxis<S, Axis, number>> => {
  const [before, d, after] = around(a.shape, axis)
  const faults = [...Need.whole('upsample', 'factor', factor), ...Need.literal('upsample', a.shape, axis)]
  // in the shape of the argument, which `ReplaceAxis` leaves open
  if (faults.length > 0) return X.ill([a], a.shape, faults) as Expr as Expr<ReplaceAxis<S, Axis, number>>
  const raised = X.reshape(a, [...before, d, 1, ...after])
  const repeated = X.broadcastTo(raised, [...before, d, factor, ...after])
  // only the size of `axis` grows
  return X.reshape(repeated, [...before, d * factor, ...after]) as Expr<ReplaceAxis<S, Axis, number>>
}

/**
 * The sums of neighbouring blocks of `factor` entries of an axis of literal size: the adjoint of `upsample`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const blockSum = <S extends Shape, const Axis extends number>(
  a: Expr<S>,
  axis: Axis,
  factor: number
): Expr<ReplaceAxis<S, Axis, number>> => {
  const [before, d, after] = around(a.shape, axis)
  const faults = Need.divided('blockSum', 'factor', factor, a.shape, axis)
  // in the shape of the argument, which `ReplaceAxis` leaves open
  if (faults.length > 0) return X.ill([a], a.shape, faults) as Expr as Expr<ReplaceAxis<S, Axis, number>>
  const blocks: Expr = X.reshape(a, [...before, d / factor, factor, ...after])
  // only the size of `axis` shrinks
  return X.sum(blocks, [axis + 1]) as Expr<ReplaceAxis<S, Axis, number>>
}

/**
 * An axis of literal size moved `before` places on, in an axis of `length` entries: what leaves it is dropped, what is
 * free is zero. Its adjoint moves back.
 *
 * @category combinators
 * @since 0.1.0
 */
export const shift = <S extends Shape, const Axis extends number, const N extends number>(
  a: Expr<S>,
  axis: Axis,
  before: number,
  length: N
): Expr<ReplaceAxis<S, Axis, N>> => {
  const [outer, d, inner] = around(a.shape, axis)
  const faults = [...Need.integer('shift', 'places', before), ...Need.whole('shift', 'length', length, 0)]
  // the shape is not read by what refuses it
  if (faults.length > 0) return X.ill([a], a.shape, faults) as Expr as Expr<ReplaceAxis<S, Axis, N>>
  const start = Math.max(0, -before)
  const end = Math.min(d, length - before)
  const shape = [...outer, length, ...inner]
  const kept: Expr = start === 0 && end === d ? a : X.slice<Shape, Axis, number>(a, axis, start, end - start)
  const at = Math.max(0, before)
  const full = at === 0 && end - start === length
  const result = end <= start ? X.zeros(shape) : full ? kept : X.pad<Shape, Axis, number>(kept, axis, at, length)
  // only the size of `axis` differs
  return result as Expr<ReplaceAxis<S, Axis, N>>
}

/**
 * Adds windows up where they overlap, on an axis of `length` entries: the adjoint of `Expr.window`. The windows are two
 * axes of literal size, position at `axis` and place in the window behind it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const overlapAdd = <S extends Shape, const Axis extends number>(
  a: Expr<S>,
  axis: Axis,
  length: number,
  stride = 1,
  dilation = 1
): Expr<ReplaceAxis<DropAxes<S, Axis>, Axis, number>> => {
  const [before, positions, [places = 1, ...after]] = around(a.shape, axis)
  const faults = [
    ...Need.whole('overlapAdd', 'length', length),
    ...Need.whole('overlapAdd', 'stride', stride),
    ...Need.whole('overlapAdd', 'dilation', dilation)
  ]
  if (faults.length > 0) return X.ill([a], [...before, 1, ...after], faults)
  const size = typeof places === 'number' ? places : 0
  const spread = positions * stride
  const term = (place: number): Expr => {
    const one: Expr = X.slice<Shape, number, 1>(a, axis + 1, place, 1)
    const apart: Expr = stride === 1 ? one : X.pad<Shape, number, number>(one, axis + 1, 0, stride)
    return shift<Shape, Axis, number>(X.reshape(apart, [...before, spread, ...after]), axis, place * dilation, length)
  }
  const [first = term(0), ...rest] = Array.from({ length: size }, (_, place) => term(place))
  const apart = stride === size && dilation === 1
  const result = apart
    ? shift<Shape, Axis, number>(X.reshape(a, [...before, spread, ...after]), axis, 0, length)
    : rest.reduce((total, term) => X.add(total, term), first)
  return result
}

/** The sizes before, at and behind an axis; a size that is not literal counts as 0 and is refused by what uses it. */
const around = (shape: Shape, axis: number): readonly [Shape, number, Shape] => {
  const d = shape[axis]
  return [shape.slice(0, axis), typeof d === 'number' ? d : 0, shape.slice(axis + 1)]
}

// -------------------------------------------------------------------------------------
// combinators: run-time indices
// -------------------------------------------------------------------------------------

/**
 * One row for each index: 1 at the index, 0 elsewhere. Indices are rounded down and held within `[0, count)`, as in
 * `Expr.take`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const oneHot = <N extends Dim, const K extends number>(
  indices: Expr<readonly [N]>,
  count: K
): Expr<readonly [N, K]> => {
  const [n] = indices.shape
  const shape = [n, count] as const
  const faults = Need.whole('oneHot', 'count', count)
  if (faults.length > 0) return X.ill([indices], shape, faults)
  const held = X.max(X.min(indices, X.scalar(count - 1)), X.scalar(0))
  const column = X.broadcastTo(X.reshape(held, [n, 1]), shape)
  const from = X.broadcastTo(
    X.constant(
      tabulate([count], (i) => i),
      [count]
    ),
    shape
  )
  const to = X.broadcastTo(
    X.constant(
      tabulate([count], (i) => i + 1),
      [count]
    ),
    shape
  )
  return X.sub(X.less(column, to), X.less(column, from))
}

/**
 * The entries of an axis of literal size at run-time indices, which are rounded down and held within the axis. It is a
 * contraction with `oneHot`, exact where all entries are finite; `scatterAdd` is its adjoint.
 *
 * @category combinators
 * @since 0.1.0
 */
export const gather = <S extends Shape, const Axis extends number, N extends Dim>(
  a: Expr<S>,
  axis: Axis,
  indices: Expr<readonly [N]>
): Expr<ReplaceAxis<S, Axis, N>> => {
  const [, count] = around(a.shape, axis)
  const labels = letters(a.shape.length)
  const spec: string = `zy,${labels.replace(labels[axis] ?? '', 'y')}->${labels.replace(labels[axis] ?? '', 'z')}`
  // the axis has become that of the indices
  return X.einsum<string, Shape, Shape>(spec, oneHot(indices, count), a) as Expr<ReplaceAxis<S, Axis, N>>
}

/**
 * Adds the entries of an axis up at run-time indices, on an axis of `length` entries: the adjoint of `gather`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const scatterAdd = <S extends Shape, const Axis extends number, N extends Dim, const K extends number>(
  a: Expr<S>,
  axis: Axis,
  indices: Expr<readonly [N]>,
  length: K
): Expr<ReplaceAxis<S, Axis, K>> => {
  const labels = letters(a.shape.length)
  const spec: string = `zy,${labels.replace(labels[axis] ?? '', 'z')}->${labels.replace(labels[axis] ?? '', 'y')}`
  // the axis of the indices has become one of `length` entries
  return X.einsum<string, Shape, Shape>(spec, oneHot(indices, length), a) as Expr<ReplaceAxis<S, Axis, K>>
}

const letters = (count: number): string => 'abcdefghijklmnopqrstuvwx'.slice(0, count)
