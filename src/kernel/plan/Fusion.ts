/**
 * From a program to kernels. Elementwise operations and views disappear into the kernels that read them; what is left
 * are contractions, reductions and joins, each with the elementwise operations that follow it, and the elementwise
 * values that several kernels read.
 *
 * @since 0.1.0
 */
import type { BoundInstruction, BoundProgram } from '../../tensor/Program.js'
import { strides as contiguous } from '../../tensor/Strides.js'
import { size } from '../../tensor/Tensor.js'
import {
  addBuffer,
  bounded,
  current,
  emit,
  emitCore,
  oneHost,
  prepared,
  settle,
  type Draft,
  store,
  stored,
  wholeOf
} from './Buffers.js'
import { fold, neutral, part, reductionCore, type ShapedTerm, withAxis } from './Cores.js'
import { canonical, type Operand } from './Einsum.js'
import { defaultLimits, type FusionLimits, type Sequence, type Origin } from './Sequence.js'
import { type Decisions, decide } from './Storage.js'
import {
  accesses,
  apply,
  type Core,
  type ElementwiseCore,
  literal,
  type OutputPart,
  read,
  type ElementTerm
} from './Spec.js'
import * as View from './View.js'

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The kernels of a program.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const sequence = (program: BoundProgram, limits: FusionLimits = defaultLimits): Sequence => {
  const decisions = decide(program, limits.fuse)
  const draft: Draft = { buffers: [], steps: [], waiting: new Map(), taken: new Map(), cut: new Map(), limits }
  const values: Array<ElementTerm> = []
  program.instructions.forEach((instruction, i) => {
    if (instruction.op._tag === 'Pad') {
      values.push(decisions.inner.has(i) ? literal(0) : padded(draft, program, values, decisions, i))
      return
    }
    const args = instruction.args.map(
      (arg): ShapedTerm => ({
        term: current(draft, values[arg] ?? literal(0)),
        shape: program.instructions[arg]?.shape ?? []
      })
    )
    values.push(ofNothing(instruction, args) ?? step(draft, instruction, args, decisions, i))
  })
  const outputs = program.outputs.map(({ name, shape, node }) => ({
    name,
    shape,
    source: outputSource(draft, { term: values[node] ?? literal(0), shape })
  }))
  return { buffers: draft.buffers, steps: draft.steps, outputs }
}

/** What has no elements is never asked for one; what is made of no elements is known. */
const ofNothing = ({ op, shape }: BoundInstruction, args: ReadonlyArray<ShapedTerm>): ElementTerm | undefined => {
  if (size(shape) === 0) return literal(0)
  if (args.every((arg) => size(arg.shape) > 0)) return undefined
  switch (op._tag) {
    case 'Reduce':
      return literal(neutral[op.name])
    case 'Contract':
      return literal(0)
    default:
      return undefined
  }
}

const step = (
  draft: Draft,
  { op, shape }: BoundInstruction,
  args: ReadonlyArray<ShapedTerm>,
  decisions: Decisions,
  i: number
): ElementTerm => {
  const a = args[0] ?? { term: literal(0), shape: [] }
  switch (op._tag) {
    case 'Input':
      return wholeOf(addBuffer(draft, { _tag: 'Input', name: op.name, size: size(shape) }), shape)
    case 'Constant':
      return size(shape) === 1
        ? literal(Math.fround(op.value.data[0] ?? 0))
        : wholeOf(addBuffer(draft, { _tag: 'Constant', value: op.value, size: size(shape) }), shape)
    case 'Scalar':
      return literal(op.value)
    case 'Map': {
      const term = fold(
        apply(
          op.name,
          bounded(draft, oneHost(draft, args)).map(({ term: arg }) => arg)
        )
      )
      return term._tag === 'Apply' && decisions.stored.has(i) ? store(draft, { term, shape }) : term
    }
    case 'Reduce':
      return emitCore(draft, reductionCore(op.name, op.axes, prepared(draft, a), shape), shape, decisions.alone.has(i))
    case 'Contract':
      return contract(draft, op.labels, args, shape, decisions.alone.has(i))
    case 'Reshape':
      return View.reshape(a.term, a.shape, shape) ?? View.reshape(store(draft, a), a.shape, shape) ?? a.term
    case 'Permute':
      return View.permute(a.term, op.permutation)
    case 'Broadcast':
      return View.broadcast(a.term, a.shape, shape)
    case 'Slice':
      return View.slice(a.term, op.axis, op.start)
    case 'Window':
      return View.window(a.term, op.axis, op.stride, op.dilation)
    case 'Take': {
      const index = args[1] ?? a
      const entries = a.shape[op.axis] ?? 1
      settle(draft, accesses(index.term))
      return View.take(a.term, op.axis, entries, index.term)
    }
    case 'Concat':
      return join(draft, shape, op.axis, args)
    // paddings are handled before, `make` refuses programs with invalid nodes and `bind` replaces sizes
    case 'Pad':
    case 'Size':
    case 'Invalid':
      return literal(0)
  }
}

const outputSource = (draft: Draft, value: ShapedTerm): Origin => {
  if (value.term._tag === 'Literal') return { _tag: 'Fill', value: value.term.value }
  const term = store(draft, value)
  return { _tag: 'Buffer', buffer: term._tag === 'Read' ? term.access.buffer : 0 }
}

// -------------------------------------------------------------------------------------
// cores
// -------------------------------------------------------------------------------------

/** Values side by side along an axis. */
const join = (
  draft: Draft,
  shape: ReadonlyArray<number>,
  axis: number,
  values: ReadonlyArray<ShapedTerm>
): ElementTerm => {
  const parts = values.filter((value) => size(value.shape) > 0)
  const room = draft.limits.buffers
  if (parts.length > room) {
    // a tree of joins: groups of neighbours first
    const group = Math.ceil(parts.length / Math.ceil(parts.length / room))
    const grouped: Array<ShapedTerm> = []
    for (let i = 0; i < parts.length; i += group) {
      const members = parts.slice(i, i + group)
      const joint = withAxis(
        shape,
        axis,
        members.reduce((n, member) => n + (member.shape[axis] ?? 0), 0)
      )
      grouped.push({ term: join(draft, joint, axis, members), shape: joint })
    }
    return join(draft, shape, axis, grouped)
  }
  const strides = contiguous(shape)
  const inner = strides[axis] ?? 1
  let start = 0
  const placed = parts.map((value): OutputPart => {
    const { term, shape: dims } = inlinable(value) ? value : { ...value, term: store(draft, value) }
    const length = (dims[axis] ?? 1) * inner
    const placedPart = part(term, dims, strides, start, length)
    start += length
    return placedPart
  })
  const core: ElementwiseCore = { _tag: 'Elementwise', rowLength: start, parts: placed }
  return wholeOf(emit(draft, { cells: size(shape), core, epilogue: undefined }), shape)
}

/** A padding, with those inside of it, as one kernel that computes what is padded on the way. */
const padded = (
  draft: Draft,
  program: BoundProgram,
  values: ReadonlyArray<ElementTerm>,
  { inner }: Decisions,
  i: number
): ElementTerm => {
  const shape = program.instructions[i]?.shape ?? []
  const strides = contiguous(shape)
  let start = 0
  let at = i
  for (;;) {
    const outer = program.instructions[at]
    if (outer?.op._tag !== 'Pad' || (at !== i && !inner.has(at))) break
    start += outer.op.before * (strides[outer.op.axis] ?? 0)
    at = outer.args[0] ?? 0
  }
  const dims = program.instructions[at]?.shape ?? []
  // zeros around nothing, or nothing at all
  if (size(dims) === 0) return literal(0)
  const value: ShapedTerm = { term: values[at] ?? literal(0), shape: dims }
  const term = draft.limits.fuse || inlinable(value) ? value.term : store(draft, value)
  const core: Core = { _tag: 'Padding', part: part(term, dims, strides, start, size(dims)) }
  return wholeOf(emit(draft, { cells: size(shape), core, epilogue: undefined }), shape)
}

/** Reads and literals go into a join as they are; what is computed is stored first, so that joins only copy. */
const inlinable = ({ term }: ShapedTerm): boolean => term._tag !== 'Apply'

const contract = (
  draft: Draft,
  [left, right, out]: readonly [string, string, string],
  [x, y]: ReadonlyArray<ShapedTerm>,
  shape: ReadonlyArray<number>,
  alone: boolean
): ElementTerm => {
  const sizes = new Map<string, number>()
  const operand = ({ term, shape: dims }: ShapedTerm, own: string, other: string): Operand => {
    ;[...own].forEach((label, i) => sizes.set(label, dims[i] ?? 1))
    // labels of this operand alone that the result lacks are summed first
    const lone = [...own].flatMap((label, i) => (other.includes(label) || out.includes(label) ? [] : [i]))
    const kept = dims.filter((_, i) => !lone.includes(i))
    const core = (): Core => reductionCore('sum', lone, prepared(draft, { term, shape: dims }), kept)
    const value = lone.length === 0 ? term : emitCore(draft, core(), kept, false)
    return { labels: [...own].filter((_, i) => !lone.includes(i)), access: stored(draft, { term: value, shape: kept }) }
  }
  const none: ShapedTerm = { term: literal(0), shape: [] }
  let a = operand(x ?? none, left, right)
  let b = operand(y ?? none, right, left)
  const sizeOf = (label: string): number => sizes.get(label) ?? 1
  for (;;) {
    const form = canonical(a, b, [...out], sizeOf)
    if (form._tag === 'Contraction') return emitCore(draft, form, shape, alone)
    const { labels, access } = form.operand === 'left' ? a : b
    const order = form.labels.map((label) => labels.indexOf(label))
    const dims = form.labels.map(sizeOf)
    // a copy that is not an alias: the form asked for another layout
    const copied = store(draft, { term: View.permute(read(access), order), shape: dims })
    const operandNow: Operand = { labels: form.labels, access: stored(draft, { term: copied, shape: dims }) }
    if (form.operand === 'left') a = operandNow
    else b = operandNow
  }
}
