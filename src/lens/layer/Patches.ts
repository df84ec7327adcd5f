/**
 * Rows of numbers as signals, images or clips of patches, and back (space to depth).
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Need from '../../tensor/Need.js'
import type { Shape } from '../../tensor/Shape.js'
import type { Rows } from '../Rows.js'
import * as L from '../Lens.js'
import type { Lens, None } from '../Lens.js'

/**
 * How rows are read: `size` has the places along each axis and, last, the channels; `patch` has for each axis of places the
 * neighbours that become channels of one place, and must divide them.
 *
 * @category model
 * @since 0.1.0
 */
export interface Patches {
  readonly size: ReadonlyArray<number>
  readonly patch: ReadonlyArray<number>
}

/**
 * Rows `[batch, numbers]` as `[batch, ...places / patch, patch channels]`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toPatches = <S extends Shape>(patches: Patches): Lens<None, Rows<number>, Expr<S>> => {
  const { faults, fitting } = checked(patches)
  // the rank is that of `size`, and the sizes are those that `S` leaves open
  return L.refused(faults)(L.pure((row) => [split(fitting, row) as Expr<S>, (bar) => merge(fitting, bar)]))
}

/**
 * Back to rows: the inverse of `toPatches`, and its adjoint.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromPatches = <S extends Shape>(patches: Patches): Lens<None, Expr<S>, Rows<number>> => {
  const { faults, fitting } = checked(patches)
  // as in `toPatches`
  return L.refused(faults)(L.pure((x) => [merge(fitting, x), (bar) => split(fitting, bar) as Expr<S>]))
}

/** What is wrong with patches, and in its place patches of one, which fit. */
const checked = ({ size, patch }: Patches): { readonly faults: Need.Faults; readonly fitting: Patches } => {
  const faults = [
    ...Need.perAxis('patches', 'patch', patch, size.length - 1),
    ...size.flatMap((d) => Need.whole('patches', 'size', d)),
    ...patch.flatMap((p, i) => Need.divisor('patches', 'patch', p, `places of axis ${i}`, size[i] ?? 0))
  ]
  return { faults, fitting: { size, patch: faults.length === 0 ? patch : patch.map(() => 1) } }
}

/** The axes apart: `[batch, h / p, p, w / q, q, C]`, and the same with all patches behind all places. */
const apart = ({ size, patch }: Patches): { readonly mixed: Shape; readonly order: ReadonlyArray<number> } => {
  const rank = size.length - 1
  const axes = Array.from({ length: rank }, (_, i) => i)
  const mixed: Shape = [
    'batch',
    ...axes.flatMap((i) => [(size[i] ?? 1) / (patch[i] ?? 1), patch[i] ?? 1]),
    size[rank] ?? 1
  ]
  return { mixed, order: [0, ...axes.map((i) => 2 * i + 1), ...axes.map((i) => 2 * i + 2), 2 * rank + 1] }
}

const split = (patches: Patches, row: Expr): Expr => {
  const { mixed, order } = apart(patches)
  const sorted: Expr = X.permute<Shape, ReadonlyArray<number>>(X.reshape(row, mixed), order)
  const places = sorted.shape.slice(0, patches.size.length)
  return X.reshape(sorted, [...places, product(sorted.shape.slice(patches.size.length))])
}

const merge = (patches: Patches, x: Expr): Rows<number> => {
  const { mixed, order } = apart(patches)
  const raised: Expr = X.reshape(
    x,
    order.map((axis) => mixed[axis] ?? 1)
  )
  const back = order.map((_, axis) => order.indexOf(axis))
  return X.reshape(X.permute<Shape, ReadonlyArray<number>>(raised, back), ['batch', product(patches.size)])
}

const product = (dims: Shape): number => dims.reduce<number>((n, d) => (typeof d === 'number' ? n * d : n), 1)
