/**
 * The building blocks of kernels: strided terms as elementwise cores, parts of joins, and reductions.
 *
 * @since 0.1.0
 */
import { maps } from '../../tensor/Op.js'
import { strides as contiguous } from '../../tensor/Strides.js'
import { size } from '../../tensor/Tensor.js'
import { type ElementwiseCore, literal, type OutputPart, type ReductionCore, type ElementTerm } from './Spec.js'
import * as View from './View.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A term and the shape that it lives over.
 *
 * @category model
 * @since 0.1.0
 */
export interface ShapedTerm {
  readonly term: ElementTerm
  readonly shape: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * What each reduction makes of nothing.
 *
 * @category constants
 * @since 0.1.0
 */
export const neutral: Readonly<Record<ReductionCore['name'], number>> = { sum: 0, max: -Infinity, min: Infinity }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A term over `dims` as a part of an output in which its elements lie `strides` apart, from `start` on, `length` in a
 * row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const part = (
  term: ElementTerm,
  dims: ReadonlyArray<number>,
  strides: ReadonlyArray<number>,
  start: number,
  length: number
): OutputPart => {
  const collapsed = View.collapseTerm(term, dims, strides)
  return { start, length, dims: collapsed.dims, strides: collapsed.walk, body: collapsed.term }
}

/**
 * A value as an elementwise core.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mapCore = ({ term, shape }: ShapedTerm): ElementwiseCore => {
  const cells = size(shape)
  return { _tag: 'Elementwise', rowLength: cells, parts: [part(term, shape, contiguous(shape), 0, cells)] }
}

/**
 * A shape with another size along an axis.
 *
 * @category utils
 * @since 0.1.0
 */
export const withAxis = (shape: ReadonlyArray<number>, axis: number, length: number): ReadonlyArray<number> =>
  shape.map((d, i) => (i === axis ? length : d))

/**
 * The reduction of a value over axes, which `outShape` lacks.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reductionCore = (
  name: ReductionCore['name'],
  axes: ReadonlyArray<number>,
  { term, shape }: ShapedTerm,
  outShape: ReadonlyArray<number>
): ReductionCore => {
  const keptAxes = shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis))
  const order = [...keptAxes, ...axes]
  const outStrides = contiguous(outShape)
  const collapsed = View.collapseTerm(
    View.permute(term, order),
    order.map((axis) => shape[axis] ?? 1),
    order.map((_, i) => outStrides[i] ?? 0),
    order.map((_, i) => (i < keptAxes.length ? 0 : 1))
  )
  const kept = collapsed.heads.filter((axis) => axis < keptAxes.length).length
  return { _tag: 'Reduction', name, dims: collapsed.dims, kept, body: collapsed.term }
}

// -------------------------------------------------------------------------------------
// terms
// -------------------------------------------------------------------------------------

/**
 * The number of operations in some terms, those that they share counted once.
 *
 * @category utils
 * @since 0.1.0
 */
export const weight = (terms: ReadonlyArray<ElementTerm>): number => {
  const seen = new Set<ElementTerm>()
  const go = (t: ElementTerm): void => {
    if (t._tag !== 'Apply' || seen.has(t)) return
    seen.add(t)
    t.args.forEach(go)
  }
  terms.forEach(go)
  return seen.size
}

/**
 * The number of ways from a term to its leaves.
 *
 * @category utils
 * @since 0.1.0
 */
export const paths = (root: ElementTerm): number => {
  const known = new Map<ElementTerm, number>()
  const go = (term: ElementTerm): number => {
    if (term._tag !== 'Apply') return 1
    const before = known.get(term)
    if (before !== undefined) return before
    const count = term.args.reduce((n, arg) => n + go(arg), 0)
    known.set(term, count)
    return count
  }
  return go(root)
}

/**
 * Operations on known numbers are known.
 *
 * @category utils
 * @since 0.1.0
 */
export const fold = (term: ElementTerm): ElementTerm => {
  if (term._tag !== 'Apply') return term
  const [a = 0, b = 0, c = 0] = term.args.map((arg) => (arg._tag === 'Literal' ? arg.value : 0))
  return term.args.every((arg) => arg._tag === 'Literal') ? literal(maps[term.name].meaning(a, b, c)) : term
}
