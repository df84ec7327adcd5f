/**
 * Where the values of a program are kept while its kernels are made: which are in buffers, which wait to be taken in by
 * the one kernel that reads them, and which are cut off because a kernel would grow too long.
 *
 * @since 0.1.0
 */
import { strides as contiguous } from '../../tensor/Strides.js'
import { size } from '../../tensor/Tensor.js'
import { mapCore, part, paths, type ShapedTerm, weight } from './Cores.js'
import type { Buffer, FusionLimits, KernelStep } from './Sequence.js'
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
  type ElementTerm
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
export interface Draft {
  readonly buffers: Array<Buffer>
  readonly steps: Array<KernelStep>
  /** Cores whose one reader may take them in; they become kernels when someone needs their buffer. */
  readonly waiting: Map<number, Spec>
  /** Those that were taken in; they become kernels too where a chain was cut between two of their uses. */
  readonly taken: Map<number, Spec>
  /** Terms that were stored because a chain was too long, as reads of their buffers. */
  readonly cut: Map<ElementTerm, ElementTerm>
  readonly limits: FusionLimits
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
export const wholeOf = (buffer: number, shape: ReadonlyArray<number>): ElementTerm => read(View.whole(buffer, shape))

/**
 * Adds a buffer, and gives its position.
 *
 * @category constructors
 * @since 0.1.0
 */
export const addBuffer = (draft: Draft, buffer: Buffer): number => draft.buffers.push(buffer) - 1

const written = (draft: Draft, cells: number): number => addBuffer(draft, { _tag: 'Written', size: cells })

/**
 * Makes kernels of the waiting cores that some accesses read.
 *
 * @category effects
 * @since 0.1.0
 */
export const settle = (draft: Draft, reads: ReadonlyArray<Access>): void => {
  for (const { buffer } of reads) {
    const spec = draft.waiting.get(buffer) ?? draft.taken.get(buffer)
    if (spec === undefined) continue
    draft.waiting.delete(buffer)
    draft.taken.delete(buffer)
    draft.steps.push({ spec, output: buffer })
  }
}

/**
 * A kernel, after those that it reads; gives the buffer that it writes.
 *
 * @category effects
 * @since 0.1.0
 */
export const emit = (draft: Draft, spec: Spec): number => {
  settle(draft, specAccesses(spec))
  const output = written(draft, spec.cells)
  draft.steps.push({ spec, output })
  return output
}

/**
 * A core of its own kernel, now or, where exactly one kernel reads it, when that one is known.
 *
 * @category effects
 * @since 0.1.0
 */
export const emitCore = (draft: Draft, core: Core, shape: ReadonlyArray<number>, alone: boolean): ElementTerm => {
  const spec: Spec = { cells: size(shape), core, epilogue: undefined }
  if (!alone || !draft.limits.fuse) return wholeOf(emit(draft, spec), shape)
  settle(draft, specAccesses(spec))
  const buffer = written(draft, spec.cells)
  draft.waiting.set(buffer, spec)
  return wholeOf(buffer, shape)
}

/**
 * The same value as the whole of a buffer, row-major.
 *
 * @category effects
 * @since 0.1.0
 */
export const store = (draft: Draft, value: ShapedTerm): ElementTerm => {
  const { term, shape } = value
  if (
    term._tag === 'Read' &&
    View.isWhole(term.access, shape) &&
    draft.buffers[term.access.buffer]?.size === size(shape)
  ) {
    settle(draft, [term.access])
    return wholeOf(term.access.buffer, shape)
  }
  return wholeOf(
    emit(draft, withCore(draft, value) ?? { cells: size(shape), core: mapCore(value), epilogue: undefined }),
    shape
  )
}

/** The waiting cores that an elementwise value reads in order, of which one may take it in. */
const hosts = (draft: Draft, { term, shape }: ShapedTerm): ReadonlyArray<readonly [buffer: number, spec: Spec]> => {
  const candidates = new Set(
    surface(term)
      .map(({ buffer }) => buffer)
      .filter((buffer) => draft.waiting.has(buffer))
  )
  return [...candidates].flatMap((buffer) => {
    const spec = draft.waiting.get(buffer)
    const uses = accesses(term).filter((access) => access.buffer === buffer)
    const inOrder = uses.every((access) => access.strides.length === shape.length && View.isWhole(access, shape))
    return spec === undefined || spec.cells !== size(shape) || !inOrder ? [] : [[buffer, spec] as const]
  })
}

/** An elementwise value as the epilogue of a waiting core, or `undefined`. */
const withCore = (draft: Draft, value: ShapedTerm): Spec | undefined => {
  const { term, shape } = value
  const cells = size(shape)
  for (const [buffer, spec] of hosts(draft, value)) {
    const bound = new Set([...accesses(term), ...specAccesses(spec)].map((access) => access.buffer)).size - 1
    if (bound > draft.limits.buffers) continue
    draft.waiting.delete(buffer)
    draft.taken.set(buffer, spec)
    const body = mapLeaves((leaf) => (leaf._tag === 'Read' && leaf.access.buffer === buffer ? result : leaf))(term)
    return { ...spec, epilogue: part(body, shape, contiguous(shape), 0, cells) }
  }
  return undefined
}

/**
 * Arguments of which at most one reads waiting cores. One kernel takes in one core: the others would be written as they are, and
 * those of a long sum would all be kept until its end, where each can be added to what there is.
 *
 * @category effects
 * @since 0.1.0
 */
export const oneHost = (draft: Draft, args: ReadonlyArray<ShapedTerm>): ReadonlyArray<ShapedTerm> => {
  const holding = args.map((arg) => ({ arg, buffers: hosts(draft, arg).map(([buffer]) => buffer) }))
  const [lightest] = holding
    .filter(({ buffers }) => buffers.length > 0)
    .sort((x, y) => weight([x.arg.term]) - weight([y.arg.term]))
  if (lightest === undefined || !draft.limits.fuse) return args
  return holding.map(({ arg, buffers }) => {
    if (buffers.length === 0 || buffers.some((buffer) => lightest.buffers.includes(buffer))) return arg
    const kept = store(draft, arg)
    if (arg.term._tag === 'Apply') draft.cut.set(arg.term, kept)
    return { ...arg, term: kept }
  })
}

/**
 * A term in which what was cut off is read from its buffer, so that nothing is computed on both sides of a cut.
 *
 * @category effects
 * @since 0.1.0
 */
export const current = (draft: Draft, root: ElementTerm): ElementTerm => {
  if (draft.cut.size === 0) return root
  const known = new Map<ElementTerm, ElementTerm>()
  const go = (term: ElementTerm): ElementTerm => {
    const before = draft.cut.get(term) ?? known.get(term)
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
 * Arguments small enough to be read by one kernel. Long ones are stored, the shortest of them first: the longer ones
 * may contain it.
 *
 * @category effects
 * @since 0.1.0
 */
export const bounded = (draft: Draft, args: ReadonlyArray<ShapedTerm>): ReadonlyArray<ShapedTerm> => {
  const { buffers } = draft.limits
  const load = (values: ReadonlyArray<ShapedTerm>): number => values.reduce((n, { term }) => n + weight([term]), 0)
  const ways = (values: ReadonlyArray<ShapedTerm>): number => values.reduce((n, { term }) => n + paths(term), 0)
  const bound = (values: ReadonlyArray<ShapedTerm>): number =>
    new Set(values.flatMap(({ term }) => accesses(term).map(({ buffer }) => buffer))).size
  let kept = args
  while (load(kept) > longestTerm || ways(kept) > mostPaths || bound(kept) > buffers) {
    const sorted = [...kept].sort((x, y) => weight([x.term]) - weight([y.term]))
    const long = (term: ElementTerm): boolean => weight([term]) >= longestTerm / 3 || paths(term) >= mostPaths / 3
    const chosen = sorted.find(({ term }) => long(term)) ?? sorted.at(-1)
    if (chosen?.term._tag !== 'Apply') break
    draft.cut.set(chosen.term, store(draft, chosen))
    kept = kept.map(({ term, shape }) => ({ term: current(draft, term), shape }))
  }
  return kept
}

/**
 * A value in which every waiting core that cannot be taken in has become a buffer.
 *
 * @category effects
 * @since 0.1.0
 */
export const prepared = (draft: Draft, value: ShapedTerm): ShapedTerm => {
  settle(draft, accesses(value.term))
  return value
}

/**
 * A strided view of a buffer that has been written.
 *
 * @category effects
 * @since 0.1.0
 */
export const stored = (draft: Draft, value: ShapedTerm): Access => {
  const term = value.term._tag === 'Read' ? value.term : store(draft, value)
  if (term._tag !== 'Read') return View.whole(0, value.shape)
  settle(draft, accesses(term))
  return term.access
}
