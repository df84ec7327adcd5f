/**
 * Expressions that hold the elements of others in another place.
 *
 * @since 0.1.0
 */
import { type Expr, type Scalar, invalid, node, retype } from './Node.js'
import * as Sh from './Shape.js'
import type { Dim, DropAxes, PermuteAxes, ReplaceAxis, Shape, SplitAxis } from './Shape.js'

// -------------------------------------------------------------------------------------
// views
// -------------------------------------------------------------------------------------

/**
 * Gives the same elements, in row-major order, another shape with the same number of elements.
 *
 * @category views
 * @since 0.1.0
 */
export const reshape = <const S extends Shape>(a: Expr, shape: S): Expr<S> => {
  if (Sh.equals(a.shape, shape)) return node(a.op, a.args, shape)
  const counted = (s: Shape): Shape => {
    const { count: n, names } = Sh.factors(Sh.product(s))
    return [n, ...names]
  }
  const count = (s: Shape): string => counted(s).join(' x ')
  // sizes that are none are an error of their own, which `node` makes
  return !Sh.isShape(shape) || Sh.equals(counted(a.shape), counted(shape))
    ? node({ _tag: 'Reshape' }, [a], shape)
    : invalid(
        [a],
        shape,
        'reshape',
        `${count(a.shape)} elements, as ${Sh.show(a.shape)} has`,
        `${count(shape)} in ${Sh.show(shape)}`,
        'keep the number of elements'
      )
}

/**
 * Reorders axes: axis `i` of the result is axis `permutation[i]` of the argument.
 *
 * @category views
 * @since 0.1.0
 */
export const permute = <S extends Shape, const P extends ReadonlyArray<number>>(
  a: Expr<S>,
  permutation: P
): Expr<PermuteAxes<S, P>> => {
  const shape = permutation.map((axis) => a.shape[axis] ?? 0)
  const legal = [...permutation].sort((x, y) => x - y).every((axis, i) => axis === i)
  const result: Expr =
    legal && permutation.length === a.shape.length
      ? node({ _tag: 'Permute', permutation }, [a], shape)
      : invalid(
          [a],
          shape,
          'permute',
          `a permutation of the ${a.shape.length} axes of ${Sh.show(a.shape)}`,
          `[${permutation.join(', ')}]`,
          'name each axis once'
        )
  // `PermuteAxes` reads the same sizes off the same axes
  return result as Expr<PermuteAxes<S, P>>
}

/**
 * The transpose of a matrix.
 *
 * @category views
 * @since 0.1.0
 */
export const transpose = <M extends Dim, N extends Dim>(a: Expr<readonly [M, N]>): Expr<readonly [N, M]> =>
  retype(permute<Shape, readonly [1, 0]>(a, [1, 0]), [a.shape[1], a.shape[0]])

/**
 * `length` entries along an axis from `start` on.
 *
 * @category views
 * @since 0.1.0
 */
export const slice = <S extends Shape, const Axis extends number, const N extends number>(
  a: Expr<S>,
  axis: Axis,
  start: number,
  length: N
): Expr<ReplaceAxis<S, Axis, N>> => {
  const shape = a.shape.map((d, i) => (i === axis ? length : d))
  const d = a.shape[axis]
  const whole = Number.isInteger(start) && Number.isInteger(length)
  const fits = whole && start >= 0 && length > 0 && typeof d === 'number' && start + length <= d
  const result: Expr = fits
    ? node({ _tag: 'Slice', axis, start }, [a], shape)
    : !whole
      ? invalid([a], shape, 'slice', 'a start and a length that are whole', `${start} and ${length}`, 'round them')
      : invalid(
          [a],
          shape,
          'slice',
          `a range within axis ${axis} of ${Sh.show(a.shape)}, of literal size`,
          `${start} to ${start + length}`,
          'shorten the range'
        )
  // only the size at `axis` differs, as in `ReplaceAxis`
  return result as Expr<ReplaceAxis<S, Axis, N>>
}

/**
 * Zeros before and after along an axis: the adjoint of `slice`. `length` is the padded size.
 *
 * @category views
 * @since 0.1.0
 */
export const pad = <S extends Shape, const Axis extends number, const N extends number>(
  a: Expr<S>,
  axis: Axis,
  before: number,
  length: N
): Expr<ReplaceAxis<S, Axis, N>> => {
  const shape = a.shape.map((d, i) => (i === axis ? length : d))
  const d = a.shape[axis]
  const after = typeof d === 'number' ? length - before - d : -1
  const whole = Number.isInteger(before) && Number.isInteger(length)
  const result: Expr =
    whole && before >= 0 && after >= 0
      ? node({ _tag: 'Pad', axis, before, after }, [a], shape)
      : !whole
        ? invalid([a], shape, 'pad', 'whole numbers before and in all', `${before} and ${length}`, 'round them')
        : invalid(
            [a],
            shape,
            'pad',
            `room in ${length} for axis ${axis} of ${Sh.show(a.shape)} after ${before}`,
            `${after} zeros after it`,
            'make the padded size larger'
          )
  // only the size at `axis` differs, as in `ReplaceAxis`
  return result as Expr<ReplaceAxis<S, Axis, N>>
}

/**
 * Sliding windows along an axis of literal size, which becomes two: entry `(p, s)` is entry `p stride + s dilation` of the
 * axis, for `positions` windows of `size` entries each. Windows may overlap and nothing is copied: a convolution is an
 * `einsum` over a windowed view.
 *
 * @category views
 * @since 0.1.0
 */
export const window = <S extends Shape, const Axis extends number, const P extends number, const N extends number>(
  a: Expr<S>,
  axis: Axis,
  positions: P,
  size: N,
  { stride = 1, dilation = 1 }: { readonly stride?: number; readonly dilation?: number } = {}
): Expr<SplitAxis<S, Axis, P, N>> => {
  const shape = [...a.shape.slice(0, axis), positions, size, ...a.shape.slice(axis + 1)]
  const d = a.shape[axis]
  const whole = [axis, positions, size, stride, dilation].every(Number.isInteger)
  const reach = (positions - 1) * stride + (size - 1) * dilation + 1
  const fits = whole && positions > 0 && size > 0 && stride > 0 && dilation > 0 && typeof d === 'number' && reach <= d
  const result: Expr = fits
    ? node({ _tag: 'Window', axis, stride, dilation }, [a], shape)
    : invalid(
        [a],
        shape,
        'window',
        `windows within axis ${axis} of ${Sh.show(a.shape)}, of literal size`,
        `${positions} of ${size}, which reach ${reach}`,
        'take fewer or smaller windows, or pad the axis'
      )
  // the axis gives way to the two new ones, as in `SplitAxis`
  return result as Expr<SplitAxis<S, Axis, P, N>>
}

/**
 * The entry along an axis at a run-time index, a scalar expression. The axis disappears. The index is rounded down and
 * held within the axis, so that the operation is total.
 *
 * @category views
 * @since 0.1.0
 */
export const take = <S extends Shape, const Axis extends number>(
  a: Expr<S>,
  axis: Axis,
  index: Scalar
): Expr<DropAxes<S, Axis>> => {
  const shape = a.shape.filter((_, i) => i !== axis)
  const fits = axis in a.shape && index.shape.length === 0
  const result: Expr = fits
    ? node({ _tag: 'Take', axis }, [a, index], shape)
    : invalid(
        [a, index],
        shape,
        'take',
        `an axis of ${Sh.show(a.shape)} and a scalar index`,
        `axis ${axis}, index ${Sh.show(index.shape)}`,
        'count axes from 0'
      )
  // one axis is dropped, as in `DropAxes`
  return result as Expr<DropAxes<S, Axis>>
}

/**
 * Joins expressions along an axis of literal size. All other sizes must be equal.
 *
 * @category views
 * @since 0.1.0
 */
export const concat = <S extends Shape, const Axis extends number>(
  parts: ReadonlyArray<Expr<S>>,
  axis: Axis
): Expr<ReplaceAxis<S, Axis, number>> => {
  const [first] = parts
  const base: Shape = first?.shape ?? []
  const sizes = parts.map((part) => part.shape[axis])
  const total = sizes.reduce<number>((n, d) => n + (typeof d === 'number' ? d : 0), 0)
  const shape = base.map((d, i) => (i === axis ? total : d))
  const fits =
    axis in base &&
    parts.every((p) =>
      Sh.equals(
        p.shape.map((d, i) => (i === axis ? 0 : d)),
        base.map((d, i) => (i === axis ? 0 : d))
      )
    ) &&
    sizes.every((d) => typeof d === 'number')
  const result: Expr = fits
    ? node({ _tag: 'Concat', axis }, parts, shape)
    : invalid(
        parts,
        shape,
        'concat',
        `shapes that agree but for a literal axis ${axis}`,
        parts.map((p) => Sh.show(p.shape)).join(', ') || 'nothing',
        'reshape the parts'
      )
  // sizes along `axis` add up, the others stay
  return result as Expr<ReplaceAxis<S, Axis, number>>
}

/**
 * Joins expressions of one shape along a new first axis.
 *
 * @category views
 * @since 0.1.0
 */
export const stack = <S extends Shape>(parts: ReadonlyArray<Expr<S>>): Expr<readonly [number, ...S]> => {
  const raised: ReadonlyArray<Expr> = parts.map((part) => reshape(part, [1, ...part.shape]))
  // `concat` along the new axis of size one each
  return concat(raised, 0) as Expr<readonly [number, ...S]>
}
