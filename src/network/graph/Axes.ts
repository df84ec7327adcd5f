/**
 * Operations on expressions whose shapes are known when a graph is imported and not before.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as I from '../../tensor/Indexing.js'
import * as Sh from '../../tensor/Shape.js'
import type { Dim, Shape } from '../../tensor/Shape.js'
import { tabulate } from '../../tensor/Tensor.js'

/** Axes in another order: axis `i` of the result is axis `order[i]`. @category views @since 0.1.0 */
export const permute = (a: Expr, order: ReadonlyArray<number>): Expr =>
  order.every((axis, i) => axis === i) ? a : X.permute<Shape, ReadonlyArray<number>>(a, order)

/** The adjoint of `permute`. @category views @since 0.1.0 */
export const unpermute = (a: Expr, order: ReadonlyArray<number>): Expr =>
  permute(
    a,
    order.map((_, i) => order.indexOf(i))
  )

/** `length` entries of an axis from `start` on. @category views @since 0.1.0 */
export const slice = (a: Expr, axis: number, start: number, length: number): Expr =>
  start === 0 && a.shape[axis] === length ? a : X.slice<Shape, number, number>(a, axis, start, length)

/** An axis moved by `before` entries in one of `length`; what leaves it is dropped. @category views @since 0.1.0 */
export const shift = (a: Expr, axis: number, before: number, length: number): Expr =>
  before === 0 && a.shape[axis] === length ? a : I.shift<Shape, number, number>(a, axis, before, length)

/** Entries of an axis at literal places. @category views @since 0.1.0 */
export const pick = (a: Expr, axis: number, places: ReadonlyArray<number>): Expr => {
  const [start = 0] = places
  return places.every((place, i) => place === start + i)
    ? slice(a, axis, start, places.length)
    : I.pick<Shape, number>(a, axis, places)
}

/** Parts one behind the other along an axis. @category views @since 0.1.0 */
export const concat = (parts: ReadonlyArray<Expr>, axis: number): Expr => {
  const [first] = parts
  return parts.length === 1 && first !== undefined ? first : X.concat<Shape, number>(parts, axis)
}

/** The sum over axes, which disappear. @category reductions @since 0.1.0 */
export const sum = (a: Expr, axes: ReadonlyArray<number>): Expr => X.sum<Shape, ReadonlyArray<number>>(a, axes)

/** The largest over axes, which disappear. @category reductions @since 0.1.0 */
export const maximum = (a: Expr, axes: ReadonlyArray<number>): Expr => X.maximum<Shape, ReadonlyArray<number>>(a, axes)

/** The least over axes, which disappear. @category reductions @since 0.1.0 */
export const minimum = (a: Expr, axes: ReadonlyArray<number>): Expr => X.minimum<Shape, ReadonlyArray<number>>(a, axes)

/** A sum of products by labels. @category contractions @since 0.1.0 */
export const einsum = (labels: string, a: Expr, b: Expr): Expr => X.einsum<string, Shape, Shape>(labels, a, b)

/** A literal size, 0 for one with a name. @category utils @since 0.1.0 */
export const length = (shape: Shape, axis: number): number => {
  const d = shape[axis]
  return typeof d === 'number' ? d : 0
}

/** An axis that may be counted from the end. @category utils @since 0.1.0 */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis)

/** The shape with axes of size 1 where these are. @category utils @since 0.1.0 */
export const kept = (shape: Shape, axes: ReadonlyArray<number>): Shape =>
  shape.map((d, i) => (axes.includes(i) ? 1 : d))

/** What was reduced over axes, at each of their places. @category combinators @since 0.1.0 */
export const spread = (reduced: Expr, shape: Shape, axes: ReadonlyArray<number>): Expr =>
  X.broadcastTo(X.reshape<Shape>(reduced, kept(shape, axes)), shape)

/** Divides by the number of entries of axes, some of which may have names. @category combinators @since 0.1.0 */
export const perEntry = (a: Expr, shape: Shape, axes: ReadonlyArray<number>): Expr => {
  const dims = axes.map((axis): Dim => shape[axis] ?? 1)
  const literal = dims.reduce<number>((n, d) => (typeof d === 'number' ? n * d : n), 1)
  return dims
    .filter((d) => typeof d === 'string')
    .reduce<Expr>((value, d) => X.div<Shape, Shape>(value, X.size(d)), X.scale<Shape>(a, 1 / literal))
}

/** The mean over axes, which disappear. @category reductions @since 0.1.0 */
export const mean = (a: Expr, axes: ReadonlyArray<number>): Expr => perEntry(sum(a, axes), a.shape, axes)

/** A linear map of one axis, from its entries to others, by a matrix of literal numbers. @category combinators @since 0.1.0 */
export const along = (a: Expr, axis: number, matrix: ReadonlyArray<ReadonlyArray<number>>): Expr => {
  const [rows, columns] = [matrix.length, matrix[0]?.length ?? 0]
  const constant = X.constant(
    tabulate([rows, columns], (i) => matrix[Math.floor(i / columns)]?.[i % columns] ?? 0),
    [rows, columns]
  )
  const labels = letters(a.shape.length)
  const at = labels[axis] ?? ''
  return einsum(`zy,${labels.replace(at, 'y')}->${labels.replace(at, 'z')}`, constant, a)
}

/** A matrix with its rows as columns. @category utils @since 0.1.0 */
export const transposed = (matrix: ReadonlyArray<ReadonlyArray<number>>): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: matrix[0]?.length ?? 0 }, (_, j) => matrix.map((row) => row[j] ?? 0))

/** One letter an axis. @category utils @since 0.1.0 */
export const letters = (count: number): string => 'abcdefghijklmnopqrstuvwx'.slice(0, count)

/** The whole numbers from 0 on. @category utils @since 0.1.0 */
export const upTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

/**
 * Two expressions in their joint shape; those that have none in their own, which the operation then refuses.
 *
 * @category combinators
 * @since 0.1.0
 */
export const joint = (a: Expr, b: Expr): readonly [Expr, Expr] => {
  const shape = Sh.broadcast(a.shape, b.shape)
  return shape === undefined ? [a, b] : [X.broadcastTo(a, shape), X.broadcastTo(b, shape)]
}
