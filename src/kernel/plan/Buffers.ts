/**
 * Where the values of a program are kept while its kernels are made: which are in buffers, which wait to be taken in by the one
 * kernel that reads them, and which are cut off because a kernel would grow too long.
 *
 * @since 0.1.0
 */
import { strides as contiguous } from '../../tensor/Strides.js'
import { size } from '../../tensor/Tensor.js'
import { map, part, paths, type Value, weight } from './Cores.js'
import type { Buffer, Limits, Step } from './Sequence.js'
import {
  type Access,
  accesses,
  apply,
  type Core,
  mapLeaves,
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
 * What has been scheduled so far. It is written to while a program is walked once, and never seen outside of that.
 *
 * @category model
 * @since 0.1.0
 */
export interface State {
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

/** The most operations in one elementwise term; longer chains are cut so that kernels compile quickly. */
const longestTerm = 96

/** The most ways from a term to its leaves: gpu.js walks all of them to find out types. */
const mostPaths = 2 ** 15

// -------------------------------------------------------------------------------------
// effects
// -------------------------------------------------------------------------------------

/**
 * A read of the whole of a buffer, row-major.
 *
 * @category constructors
 * @since 0.1.0
 */
export const wholeOf = (buffer: number, shape: ReadonlyArray<number>): Term => read(View.whole(buffer, shape))

/**
 * Adds a buffer, and gives its position.
 *
 * @category constructors
 * @since 0.1.0
 */
export const addBuffer = (state: State, buffer: Buffer): number => state.buffers.push(buffer) - 1

const written = (state: State, cells: number): number => addBuffer(state, { _tag: 'Written', size: cells })

/**
 * Makes kernels of the waiting cores that some accesses read.
 *
 * @category effects
 * @since 0.1.0
 */
export const settle = (state: State, reads: ReadonlyArray<Access>): void => {
  for (const { buffer } of reads) {
    const spec = state.waiting.get(buffer) ?? state.taken.get(buffer)
    if (spec === undefined) continue
    state.waiting.delete(buffer)
    state.taken.delete(buffer)
    state.steps.push({ spec, output: buffer })
  }
}

/**
 * A kernel, after those that it reads; gives the buffer that it writes.
 *
 * @category effects
 * @since 0.1.0
 */
export const emit = (state: State, spec: Spec): number => {
  settle(state, specAccesses(spec))
  const output = written(state, spec.cells)
  state.steps.push({ spec, output })
  return output
}

/**
 * A core of its own kernel, now or, where exactly one kernel reads it, when that one is known.
 *
 * @category effects
 * @since 0.1.0
 */
export const emitCore = (state: State, core: Core, shape: ReadonlyArray<number>, alone: boolean): Term => {
  const spec: Spec = { cells: size(shape), core, epilogue: undefined }
  if (!alone || !state.limits.fuse) return wholeOf(emit(state, spec), shape)
  settle(state, specAccesses(spec))
  const buffer = written(state, spec.cells)
  state.waiting.set(buffer, spec)
  return wholeOf(buffer, shape)
}

/**
 * The same value as the whole of a buffer, row-major.
 *
 * @category effects
 * @since 0.1.0
 */
export const store = (state: State, value: Value): Term => {
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

/**
 * A term in which what was cut off is read from its buffer, so that nothing is computed on both sides of a cut.
 *
 * @category effects
 * @since 0.1.0
 */
export const current = (state: State, root: Term): Term => {
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
 *
 * @category effects
 * @since 0.1.0
 */
export const bounded = (state: State, args: ReadonlyArray<Value>): ReadonlyArray<Value> => {
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

/**
 * A value in which every waiting core that cannot be taken in has become a buffer.
 *
 * @category effects
 * @since 0.1.0
 */
export const prepared = (state: State, value: Value): Value => {
  settle(state, accesses(value.term))
  return value
}

/**
 * A strided view of a buffer that has been written.
 *
 * @category effects
 * @since 0.1.0
 */
export const stored = (state: State, value: Value): Access => {
  const term = value.term._tag === 'Read' ? value.term : store(state, value)
  if (term._tag !== 'Read') return View.whole(0, value.shape)
  settle(state, accesses(term))
  return term.access
}
