/**
 * From a program to kernels. Elementwise operations and views disappear into the kernels that read them; what is left
 * are contractions, reductions and joins, each with the elementwise operations that follow it, and the elementwise
 * values that several kernels read.
 *
 * @since 0.1.0
 */
import type { BoundInstruction, BoundProgram } from '../tensor/Program.js'
import { strides as contiguous } from '../tensor/Strides.js'
import { size, type Tensor } from '../tensor/Tensor.js'
import { fold, map, part, paths, reduction, type Value, weight, withAxis } from './Cores.js'
import { canonical, type Operand } from './Einsum.js'
import { type Decisions, decide } from './Sharing.js'
import {
  type Access,
  accesses,
  apply,
  type Core,
  type Elementwise,
  literal,
  mapLeaves,
  type Part,
  read,
  result,
  type Spec,
  specAccesses,
  surface,
  type Term
} from './Spec.js'
import * as View from './View.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A flat array of f32: an input of the program, a literal tensor, or what a kernel writes.
 *
 * @category model
 * @since 0.1.0
 */
export type Buffer = { readonly size: number } & (
  | { readonly _tag: 'Input'; readonly name: string }
  | { readonly _tag: 'Constant'; readonly value: Tensor }
  | { readonly _tag: 'Written' }
)

/**
 * One kernel call: what it computes and the buffer it writes.
 *
 * @category model
 * @since 0.1.0
 */
export interface Step {
  readonly spec: Spec
  readonly output: number
}

/**
 * Where an output comes from: a buffer, or one repeated number.
 *
 * @category model
 * @since 0.1.0
 */
export type Source =
  | { readonly _tag: 'Buffer'; readonly buffer: number }
  | { readonly _tag: 'Fill'; readonly value: number }

/**
 * The kernels of a program in the order in which they run. Accesses name buffers by position.
 *
 * @category model
 * @since 0.1.0
 */
export interface Schedule {
  readonly buffers: ReadonlyArray<Buffer>
  readonly steps: ReadonlyArray<Step>
  readonly outputs: ReadonlyArray<{
    readonly name: string
    readonly shape: ReadonlyArray<number>
    readonly source: Source
  }>
}

/**
 * How far to fuse.
 *
 * - `buffers`: the most buffers that one kernel may read (GPU drivers bind a few only). Default: 128.
 * - `fuse`: false makes every operation that is not a view a kernel of its own. Default: true.
 *
 * @category model
 * @since 0.1.0
 */
export interface Limits {
  readonly buffers: number
  readonly fuse: boolean
}

/**
 * The limits of targets without small ones.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultLimits: Limits = { buffers: 128, fuse: true }

/** The most operations in one elementwise term; longer chains are cut so that kernels compile quickly. */
const longestTerm = 96

/** The most ways from a term to its leaves: gpu.js walks all of them to find out types. */
const mostPaths = 2 ** 15

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The kernels of a program.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const schedule = (program: BoundProgram, limits: Limits = defaultLimits): Schedule => {
  const decisions = decide(program, limits.fuse)
  const state: State = { buffers: [], steps: [], waiting: new Map(), taken: new Map(), cut: new Map(), limits }
  const values: Array<Term> = []
  program.instructions.forEach((instruction, i) => {
    if (instruction.op._tag === 'Pad') {
      values.push(decisions.inner.has(i) ? literal(0) : padded(state, program, values, decisions, i))
      return
    }
    const args = instruction.args.map(
      (arg): Value => ({
        term: current(state, values[arg] ?? literal(0)),
        shape: program.instructions[arg]?.shape ?? []
      })
    )
    values.push(step(state, instruction, args, decisions, i))
  })
  const outputs = program.outputs.map(({ name, shape, node }) => ({
    name,
    shape,
    source: outputSource(state, { term: values[node] ?? literal(0), shape })
  }))
  return { buffers: state.buffers, steps: state.steps, outputs }
}

interface State {
  readonly buffers: Array<Buffer>
  readonly steps: Array<Step>
  /** Cores whose one reader may take them in; they become kernels when someone needs their buffer. */
  readonly waiting: Map<number, Spec>
  /** Those that were taken in; they become kernels too where a chain was cut between two of their uses. */
  readonly taken: Map<number, Spec>
  /** Terms that were stored because a chain was too long, as reads of their buffers. */
  readonly cut: Map<Term, Term>
  readonly limits: Limits
}

const step = (
  state: State,
  { op, shape }: BoundInstruction,
  args: ReadonlyArray<Value>,
  decisions: Decisions,
  i: number
): Term => {
  const a = args[0] ?? { term: literal(0), shape: [] }
  switch (op._tag) {
    case 'Input':
      return wholeOf(addBuffer(state, { _tag: 'Input', name: op.name, size: size(shape) }), shape)
    case 'Constant':
      return size(shape) === 1
        ? literal(Math.fround(op.value.data[0] ?? 0))
        : wholeOf(addBuffer(state, { _tag: 'Constant', value: op.value, size: size(shape) }), shape)
    case 'Scalar':
      return literal(op.value)
    case 'Map': {
      const term = fold(
        apply(
          op.name,
          bounded(state, args).map(({ term: arg }) => arg)
        )
      )
      return term._tag === 'Apply' && decisions.stored.has(i) ? store(state, { term, shape }) : term
    }
    case 'Reduce':
      return emitCore(state, reduction(op.name, op.axes, prepared(state, a), shape), shape, decisions.alone.has(i))
    case 'Contract':
      return contract(state, op.labels, args, shape, decisions.alone.has(i))
    case 'Reshape':
      return View.reshape(a.term, a.shape, shape) ?? View.reshape(store(state, a), a.shape, shape) ?? a.term
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
      settle(state, accesses(index.term))
      return View.take(a.term, op.axis, entries, index.term)
    }
    case 'Concat':
      return join(state, shape, op.axis, args)
    // paddings are handled before, `make` refuses programs with invalid nodes and `bind` replaces sizes
    case 'Pad':
    case 'Size':
    case 'Invalid':
      return literal(0)
  }
}

const outputSource = (state: State, value: Value): Source => {
  if (value.term._tag === 'Literal') return { _tag: 'Fill', value: value.term.value }
  const term = store(state, value)
  return { _tag: 'Buffer', buffer: term._tag === 'Read' ? term.access.buffer : 0 }
}

// -------------------------------------------------------------------------------------
// buffers
// -------------------------------------------------------------------------------------

const wholeOf = (buffer: number, shape: ReadonlyArray<number>): Term => read(View.whole(buffer, shape))

const addBuffer = (state: State, buffer: Buffer): number => state.buffers.push(buffer) - 1

const written = (state: State, cells: number): number => addBuffer(state, { _tag: 'Written', size: cells })

/** Makes kernels of the waiting cores that some accesses read. */
const settle = (state: State, reads: ReadonlyArray<Access>): void => {
  for (const { buffer } of reads) {
    const spec = state.waiting.get(buffer) ?? state.taken.get(buffer)
    if (spec === undefined) continue
    state.waiting.delete(buffer)
    state.taken.delete(buffer)
    state.steps.push({ spec, output: buffer })
  }
}

const emit = (state: State, spec: Spec): number => {
  settle(state, specAccesses(spec))
  const output = written(state, spec.cells)
  state.steps.push({ spec, output })
  return output
}

/** A core of its own kernel, now or, where exactly one kernel reads it, when that one is known. */
const emitCore = (state: State, core: Core, shape: ReadonlyArray<number>, alone: boolean): Term => {
  const spec: Spec = { cells: size(shape), core, epilogue: undefined }
  if (!alone || !state.limits.fuse) return wholeOf(emit(state, spec), shape)
  settle(state, specAccesses(spec))
  const buffer = written(state, spec.cells)
  state.waiting.set(buffer, spec)
  return wholeOf(buffer, shape)
}

/** The same value as the whole of a buffer, row-major. */
const store = (state: State, value: Value): Term => {
  const { term, shape } = value
  if (
    term._tag === 'Read' &&
    View.isWhole(term.access, shape) &&
    state.buffers[term.access.buffer]?.size === size(shape)
  ) {
    settle(state, [term.access])
    return wholeOf(term.access.buffer, shape)
  }
  return wholeOf(
    emit(state, withCore(state, value) ?? { cells: size(shape), core: map(value), epilogue: undefined }),
    shape
  )
}

/** An elementwise value as the epilogue of the one waiting core that it reads in order, or `undefined`. */
const withCore = (state: State, { term, shape }: Value): Spec | undefined => {
  const cells = size(shape)
  const candidates = new Set(
    surface(term)
      .map(({ buffer }) => buffer)
      .filter((buffer) => state.waiting.has(buffer))
  )
  for (const buffer of candidates) {
    const spec = state.waiting.get(buffer)
    const uses = accesses(term).filter((access) => access.buffer === buffer)
    const inOrder = uses.every((access) => access.strides.length === shape.length && View.isWhole(access, shape))
    if (spec === undefined || spec.cells !== cells || !inOrder) continue
    const bound = new Set([...accesses(term), ...specAccesses(spec)].map((access) => access.buffer)).size - 1
    if (bound > state.limits.buffers) continue
    state.waiting.delete(buffer)
    state.taken.set(buffer, spec)
    const body = mapLeaves((leaf) => (leaf._tag === 'Read' && leaf.access.buffer === buffer ? result : leaf))(term)
    return { ...spec, epilogue: part(body, shape, contiguous(shape), 0, cells) }
  }
  return undefined
}

/** A term in which what was cut off is read from its buffer, so that nothing is computed on both sides of a cut. */
const current = (state: State, root: Term): Term => {
  if (state.cut.size === 0) return root
  const known = new Map<Term, Term>()
  const go = (term: Term): Term => {
    const before = state.cut.get(term) ?? known.get(term)
    if (before !== undefined) return before
    const args = term._tag === 'Apply' ? term.args.map(go) : []
    const same = term._tag !== 'Apply' || args.every((arg, i) => arg === term.args[i])
    const after = same ? term : apply(term.name, args)
    known.set(term, after)
    return after
  }
  return go(root)
}

/**
 * Arguments small enough to be read by one kernel. Long ones are stored, the shortest of them first: the longer ones may
 * contain it.
 */
const bounded = (state: State, args: ReadonlyArray<Value>): ReadonlyArray<Value> => {
  const { buffers } = state.limits
  const load = (values: ReadonlyArray<Value>): number => values.reduce((n, { term }) => n + weight([term]), 0)
  const ways = (values: ReadonlyArray<Value>): number => values.reduce((n, { term }) => n + paths(term), 0)
  const bound = (values: ReadonlyArray<Value>): number =>
    new Set(values.flatMap(({ term }) => accesses(term).map(({ buffer }) => buffer))).size
  let kept = args
  while (load(kept) > longestTerm || ways(kept) > mostPaths || bound(kept) > buffers) {
    const sorted = [...kept].sort((x, y) => weight([x.term]) - weight([y.term]))
    const long = (term: Term): boolean => weight([term]) >= longestTerm / 3 || paths(term) >= mostPaths / 3
    const chosen = sorted.find(({ term }) => long(term)) ?? sorted.at(-1)
    if (chosen?.term._tag !== 'Apply') break
    state.cut.set(chosen.term, store(state, chosen))
    kept = kept.map(({ term, shape }) => ({ term: current(state, term), shape }))
  }
  return kept
}

// -------------------------------------------------------------------------------------
// cores
// -------------------------------------------------------------------------------------

/** Values side by side along an axis. */
const join = (state: State, shape: ReadonlyArray<number>, axis: number, values: ReadonlyArray<Value>): Term => {
  const parts = values.filter((value) => size(value.shape) > 0)
  const room = state.limits.buffers
  if (parts.length > room) {
    // a tree of joins: groups of neighbours first
    const group = Math.ceil(parts.length / Math.ceil(parts.length / room))
    const grouped: Array<Value> = []
    for (let i = 0; i < parts.length; i += group) {
      const members = parts.slice(i, i + group)
      const joint = withAxis(
        shape,
        axis,
        members.reduce((n, member) => n + (member.shape[axis] ?? 0), 0)
      )
      grouped.push({ term: join(state, joint, axis, members), shape: joint })
    }
    return join(state, shape, axis, grouped)
  }
  const strides = contiguous(shape)
  const inner = strides[axis] ?? 1
  let start = 0
  const placed = parts.map((value): Part => {
    const { term, shape: dims } = inlinable(value) ? value : { ...value, term: store(state, value) }
    const length = (dims[axis] ?? 1) * inner
    const placedPart = part(term, dims, strides, start, length)
    start += length
    return placedPart
  })
  const core: Elementwise = { _tag: 'Elementwise', rowLength: start, parts: placed }
  return wholeOf(emit(state, { cells: size(shape), core, epilogue: undefined }), shape)
}

/** A padding, with those inside of it, as one kernel that computes what is padded on the way. */
const padded = (
  state: State,
  program: BoundProgram,
  values: ReadonlyArray<Term>,
  { inner }: Decisions,
  i: number
): Term => {
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
  const value: Value = { term: values[at] ?? literal(0), shape: dims }
  const term = state.limits.fuse || inlinable(value) ? value.term : store(state, value)
  const core: Core = { _tag: 'Frame', part: part(term, dims, strides, start, size(dims)) }
  return wholeOf(emit(state, { cells: size(shape), core, epilogue: undefined }), shape)
}

/** Reads and literals go into a join as they are; what is computed is stored first, so that joins only copy. */
const inlinable = ({ term }: Value): boolean => term._tag !== 'Apply'

/** A value in which every waiting core that cannot be taken in has become a buffer. */
const prepared = (state: State, value: Value): Value => {
  settle(state, accesses(value.term))
  return value
}

const contract = (
  state: State,
  [left, right, out]: readonly [string, string, string],
  [x, y]: ReadonlyArray<Value>,
  shape: ReadonlyArray<number>,
  alone: boolean
): Term => {
  const sizes = new Map<string, number>()
  const operand = ({ term, shape: dims }: Value, own: string, other: string): Operand => {
    ;[...own].forEach((label, i) => sizes.set(label, dims[i] ?? 1))
    // labels of this operand alone that the result lacks are summed first
    const lone = [...own].flatMap((label, i) => (other.includes(label) || out.includes(label) ? [] : [i]))
    const kept = dims.filter((_, i) => !lone.includes(i))
    const core = (): Core => reduction('sum', lone, prepared(state, { term, shape: dims }), kept)
    const value = lone.length === 0 ? term : emitCore(state, core(), kept, false)
    return { labels: [...own].filter((_, i) => !lone.includes(i)), access: stored(state, { term: value, shape: kept }) }
  }
  const none: Value = { term: literal(0), shape: [] }
  let a = operand(x ?? none, left, right)
  let b = operand(y ?? none, right, left)
  const sizeOf = (label: string): number => sizes.get(label) ?? 1
  for (;;) {
    const form = canonical(a, b, [...out], sizeOf)
    if (form._tag === 'Contraction') return emitCore(state, form, shape, alone)
    const { labels, access } = form.operand === 'left' ? a : b
    const order = form.labels.map((label) => labels.indexOf(label))
    const dims = form.labels.map(sizeOf)
    // a copy that is not an alias: the form asked for another layout
    const copied = store(state, { term: View.permute(read(access), order), shape: dims })
    const operandNow: Operand = { labels: form.labels, access: stored(state, { term: copied, shape: dims }) }
    if (form.operand === 'left') a = operandNow
    else b = operandNow
  }
}

/** A strided view of a buffer that has been written. */
const stored = (state: State, value: Value): Access => {
  const term = value.term._tag === 'Read' ? value.term : store(state, value)
  if (term._tag !== 'Read') return View.whole(0, value.shape)
  settle(state, accesses(term))
  return term.access
}
