/**
 * Sums of products in canonical form: which labels become the rows, the columns and the sum of a matrix product, and
 * which are walked outside of it.
 *
 * @since 0.1.0
 */
import { strides as contiguous } from '../../tensor/Strides.js'
import type { Access, ContractionCore } from './Spec.js'
import { collapse } from './View.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * An operand: its labels and where it is.
 *
 * @category model
 * @since 0.1.0
 */
export interface Operand {
  readonly labels: ReadonlyArray<string>
  readonly access: Access
}

/**
 * The operand in the given order of labels must be copied to a contiguous buffer first, because the kernels cannot walk
 * it as it lies.
 *
 * @category model
 * @since 0.1.0
 */
export interface CopyFirst {
  readonly _tag: 'CopyFirst'
  readonly operand: 'left' | 'right'
  readonly labels: ReadonlyArray<string>
}

/** One axis of the product, with its strides in the operands and in the output. */
interface Axis {
  readonly size: number
  readonly a: number
  readonly b: number
  readonly out: number
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The contraction of two operands, or the copy that it needs first. Every label of an operand is in the other one or in
 * the output.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const canonical = (
  left: Operand,
  right: Operand,
  out: ReadonlyArray<string>,
  size: (label: string) => number
): ContractionCore | CopyFirst => {
  const onlyIn = (operand: Operand, other: Operand): ReadonlyArray<string> =>
    out.filter((label) => operand.labels.includes(label) && !other.labels.includes(label))
  // the columns, along which the output is contiguous, belong to the second operand
  const last = out.findLast((label) => size(label) > 1)
  const swapped = last !== undefined && onlyIn(left, right).includes(last)
  const [a, b] = swapped ? [right, left] : [left, right]
  const copy = (operand: Operand, labels: ReadonlyArray<string>): CopyFirst => ({
    _tag: 'CopyFirst',
    operand: operand === left ? 'left' : 'right',
    labels
  })
  const stride = (operand: Operand, label: string): number => operand.access.strides[operand.labels.indexOf(label)] ?? 0
  const outStride = contiguous(out.map(size))
  const axis = (label: string): Axis => ({
    size: size(label),
    a: stride(a, label),
    b: stride(b, label),
    out: outStride[out.indexOf(label)] ?? 0
  })
  const shared = a.labels.filter((label) => b.labels.includes(label))
  const batch = shared.filter((label) => out.includes(label))
  const summed = shared.filter((label) => !out.includes(label))
  const rows = onlyIn(a, b)
  const columns = onlyIn(b, a)

  const order = [...summed].sort((x, y) => stride(a, y) - stride(a, x))
  const axes = merge(order.map(axis))
  const k = innermost(axes)
  const taps = axes.filter((tap) => tap !== k)
  // merging keeps axes in the order of the output, so that the last of them has stride 1
  const columnAxes = merge(columns.map(axis))
  const rowAxes = merge(rows.map(axis))
  const lastColumn = columnAxes.at(-1)
  const n = lastColumn !== undefined && lastColumn.out === 1 ? lastColumn : unit
  const m = rowAxes.findLast(fillsTiles) ?? largest(rowAxes)
  const outer = [
    ...merge(out.filter((label) => batch.includes(label)).map(axis)),
    ...rowAxes.filter((row) => row !== m),
    ...columnAxes.filter((column) => column !== n)
  ]
  const alongK = (s: number): boolean => s === 1 || k.size === 1
  const form = n.size === 1 && !(alongK(k.a) && alongK(k.b)) ? 'rows' : n.b === 1 ? 'rows' : 'dots'
  if (form === 'dots' && !(alongK(k.a) && alongK(k.b))) return copy(b, [...batch, ...order, ...columns])
  const all = [...outer, m, n]
  return {
    _tag: 'Contraction',
    form,
    dims: [...all, ...taps, k].map((x) => x.size),
    strides: all.map((x) => x.out),
    a: { ...a.access, strides: [...[...all, ...taps].map((x) => x.a), k.size === 1 ? 1 : k.a] },
    b: { ...b.access, strides: [...[...all, ...taps].map((x) => x.b), k.size === 1 ? 1 : k.b] }
  }
}

const unit: Axis = { size: 1, a: 0, b: 0, out: 0 }

const largest = (axes: ReadonlyArray<Axis>): Axis =>
  axes.reduce((best, next) => (next.size > best.size ? next : best), unit)

/** Can the rows of register tiles be taken from this axis without a rest? */
const fillsTiles = ({ size }: Axis): boolean => size % 4 === 0

/** The axis of a sum that the innermost loop walks: one where both operands are contiguous, else one that is long. */
const innermost = (axes: ReadonlyArray<Axis>): Axis => {
  const last = axes.at(-1) ?? unit
  return axes.find((axis) => axis.a === 1 && axis.b === 1) ?? (last.size >= 8 ? last : largest(axes))
}

const merge = (axes: ReadonlyArray<Axis>): ReadonlyArray<Axis> => {
  const { dims, heads } = collapse(
    axes.map((x) => x.size),
    [axes.map((x) => x.a), axes.map((x) => x.b), axes.map((x) => x.out)]
  )
  return dims.flatMap((size, i) => {
    const head = axes[heads[i] ?? 0]
    return head === undefined ? [] : [{ ...head, size }]
  })
}
