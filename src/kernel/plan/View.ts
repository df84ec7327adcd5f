/**
 * Views as changes of index: a reshape, permutation, broadcast, slice or take of a term is the same term with other
 * strides in its reads, so that views cost nothing and copy nothing.
 *
 * @since 0.1.0
 */
import { strides as contiguous } from '../../tensor/Strides.js'
import { type Access, mapLeaves, read, surface, type ElementTerm } from './Spec.js'

// -------------------------------------------------------------------------------------
// accesses
// -------------------------------------------------------------------------------------

/**
 * The access to a whole buffer in row-major order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const whole = (buffer: number, shape: ReadonlyArray<number>): Access => ({
  buffer,
  offset: 0,
  strides: contiguous(shape),
  moves: []
})

/**
 * Does the access visit the elements of its buffer from the start, one after the other?
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWhole = (access: Access, shape: ReadonlyArray<number>): boolean => {
  const expected = contiguous(shape)
  return (
    access.offset === 0 &&
    access.moves.length === 0 &&
    shape.every((d, i) => d === 1 || access.strides[i] === expected[i])
  )
}

// -------------------------------------------------------------------------------------
// views
// -------------------------------------------------------------------------------------

/**
 * A term seen through a change of index that every access can follow.
 *
 * @category combinators
 * @since 0.1.0
 */
export const through = (term: ElementTerm, change: (access: Access) => Access): ElementTerm =>
  mapLeaves((leaf) => (leaf._tag === 'Read' ? read(change(leaf.access)) : leaf))(term)

/**
 * A term over `from` seen in the shape `to` with the same number of elements in the same order, or `undefined` where an
 * access would not be strided any more.
 *
 * @category combinators
 * @since 0.1.0
 */
export const reshape = (
  term: ElementTerm,
  from: ReadonlyArray<number>,
  to: ReadonlyArray<number>
): ElementTerm | undefined => {
  const changed = new Map<Access, Access>()
  for (const access of surface(term)) {
    const strides = restride(access.strides, from, to)
    if (strides === undefined) return undefined
    changed.set(access, { ...access, strides })
  }
  return through(term, (access) => changed.get(access) ?? access)
}

/** The strides over `to` of a view with given strides over `from`. */
const restride = (
  strides: ReadonlyArray<number>,
  from: ReadonlyArray<number>,
  to: ReadonlyArray<number>
): ReadonlyArray<number> | undefined => {
  // the longest runs of axes that are one axis in memory, innermost first
  const runs: Array<{ size: number; readonly stride: number }> = []
  for (let axis = from.length - 1; axis >= 0; axis--) {
    const size = from[axis] ?? 1
    if (size === 1) continue
    const stride = strides[axis] ?? 0
    const last = runs.at(-1)
    if (last !== undefined && stride === last.stride * last.size) last.size *= size
    else runs.push({ size, stride })
  }
  const out = new Array<number>(to.length).fill(0)
  let run = 0
  let used = 1
  for (let axis = to.length - 1; axis >= 0; axis--) {
    const size = to[axis] ?? 1
    if (size === 1) continue
    const { size: available, stride } = runs[run] ?? { size: 1, stride: 0 }
    if (available % (used * size) !== 0) return undefined
    out[axis] = stride * used
    used *= size
    if (used === available) {
      run++
      used = 1
    }
  }
  return out
}

/**
 * The term with its axes reordered: axis `i` of the result is axis `permutation[i]`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const permute = (term: ElementTerm, permutation: ReadonlyArray<number>): ElementTerm =>
  through(term, (access) => ({ ...access, strides: permutation.map((axis) => access.strides[axis] ?? 0) }))

/**
 * The term over `from` repeated to the shape `to`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const broadcast = (term: ElementTerm, from: ReadonlyArray<number>, to: ReadonlyArray<number>): ElementTerm => {
  const lead = to.length - from.length
  return through(term, (access) => ({
    ...access,
    strides: to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : (access.strides[i - lead] ?? 0)))
  }))
}

/**
 * The term from `start` on along an axis.
 *
 * @category combinators
 * @since 0.1.0
 */
export const slice = (term: ElementTerm, axis: number, start: number): ElementTerm =>
  through(term, (access) => ({ ...access, offset: access.offset + start * (access.strides[axis] ?? 0) }))

/**
 * The sliding windows of a term along an axis, which becomes two: position and place in the window.
 *
 * @category combinators
 * @since 0.1.0
 */
export const window = (term: ElementTerm, axis: number, step: number, dilation: number): ElementTerm =>
  through(term, (access) => {
    const along = access.strides[axis] ?? 0
    const strides = [
      ...access.strides.slice(0, axis),
      step * along,
      dilation * along,
      ...access.strides.slice(axis + 1)
    ]
    return { ...access, strides }
  })

/**
 * The entry of a term along an axis of the given size, at a run-time index. An index that is known becomes an offset.
 *
 * @category combinators
 * @since 0.1.0
 */
export const take = (term: ElementTerm, axis: number, size: number, index: ElementTerm): ElementTerm =>
  through(term, (access) => {
    const stride = access.strides[axis] ?? 0
    const strides = access.strides.filter((_, i) => i !== axis)
    if (stride === 0) return { ...access, strides }
    if (index._tag === 'Literal') {
      const entry = Math.min(Math.max(Math.floor(index.value), 0), size - 1)
      return { ...access, strides, offset: access.offset + entry * stride }
    }
    return { ...access, strides, moves: [...access.moves, { index, size, stride }] }
  })

// -------------------------------------------------------------------------------------
// collapsing
// -------------------------------------------------------------------------------------

/**
 * Merges neighbouring axes that every access and the output walk as one, and drops axes of size 1. `groups` bounds the
 * merging: axes of different groups stay apart.
 *
 * @category combinators
 * @since 0.1.0
 */
export const collapse = (
  dims: ReadonlyArray<number>,
  walks: ReadonlyArray<ReadonlyArray<number>>,
  groups: ReadonlyArray<number> = []
): { readonly dims: ReadonlyArray<number>; readonly heads: ReadonlyArray<number> } => {
  // each collapsed axis is named by its innermost original axis, whose strides it has
  const out: Array<{ size: number; axis: number; readonly group: number }> = []
  dims.forEach((size, axis) => {
    if (size === 1) return
    const group = groups[axis] ?? 0
    const last = out.at(-1)
    const joins =
      last !== undefined &&
      last.group === group &&
      walks.every((strides) => (strides[last.axis] ?? 0) === (strides[axis] ?? 0) * size)
    if (joins) {
      last.size *= size
      last.axis = axis
    } else out.push({ size, axis, group })
  })
  return { dims: out.map(({ size }) => size), heads: out.map(({ axis }) => axis) }
}

/**
 * A term over `dims`, and other walks over the same axes, with as few axes as possible.
 *
 * @category combinators
 * @since 0.1.0
 */
export const collapseTerm = (
  term: ElementTerm,
  dims: ReadonlyArray<number>,
  walk: ReadonlyArray<number>,
  groups: ReadonlyArray<number> = []
): {
  readonly term: ElementTerm
  readonly dims: ReadonlyArray<number>
  readonly walk: ReadonlyArray<number>
  readonly heads: ReadonlyArray<number>
} => {
  const collapsed = collapse(dims, [walk, ...surface(term).map(({ strides }) => strides)], groups)
  const pick = (strides: ReadonlyArray<number>): ReadonlyArray<number> =>
    collapsed.heads.map((axis) => strides[axis] ?? 0)
  return {
    term: through(term, (access) => ({ ...access, strides: pick(access.strides) })),
    dims: collapsed.dims,
    walk: pick(walk),
    heads: collapsed.heads
  }
}
