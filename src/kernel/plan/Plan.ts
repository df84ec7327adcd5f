/**
 * A program as a plan: which kernels run in which order on which buffers, and what a run costs.
 *
 * @since 0.1.0
 */
import type { BoundProgram } from '../../tensor/Program.js'
import { operationFlops, type Report, type Work } from '../../tensor/Target.js'
import { size } from '../../tensor/Tensor.js'
import { weight } from './Cores.js'
import { sequence } from './Fusion.js'
import { type Buffer, defaultLimits, type FusionLimits, type Sequence } from './Sequence.js'
import { type Access, type Core, type Spec, surface, type ElementTerm } from './Spec.js'
import { type Call, type Kernel, distinct } from './Template.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a target runs.
 *
 * - `kernels`: to compile; `calls`: in order, naming kernels and buffers by position.
 * - `work`: operations of the program; bytes that the calls read and write, an element once a call; and the most bytes
 *   that written buffers need at once, each alive from the call that writes it to the last one that reads it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Plan {
  readonly buffers: ReadonlyArray<Buffer>
  readonly kernels: ReadonlyArray<Kernel>
  readonly calls: ReadonlyArray<Call>
  readonly outputs: Sequence['outputs']
  readonly work: Work
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The plan of a program.
 *
 * @category constructors
 * @since 0.1.0
 */
export const plan = (program: BoundProgram, limits: FusionLimits = defaultLimits): Plan => {
  const { buffers, steps, outputs } = sequence(program, limits)
  const { kernels, calls } = distinct(steps)
  const flops = program.instructions.reduce((sum, _, i) => sum + operationFlops(program, i), 0)
  const bytesMoved = steps.reduce((sum, { spec }) => sum + bytes(spec, buffers), 0)
  return { buffers, kernels, calls, outputs, work: { flops, bytesMoved, peakBytes: peak(buffers, calls, outputs) } }
}

const bytes = (spec: Spec, buffers: ReadonlyArray<Buffer>): number => {
  const read = new Map<number, number>()
  const count =
    (dims: ReadonlyArray<number>) =>
    (access: Access): void => {
      const cells = dims.reduce((n, d, axis) => ((access.strides[axis] ?? 0) === 0 ? n : n * d), 1)
      const limit = buffers[access.buffer]?.size ?? 0
      read.set(access.buffer, Math.min(limit, Math.max(read.get(access.buffer) ?? 0, cells)))
    }
  const { core, epilogue } = spec
  if (epilogue !== undefined) surface(epilogue.body).forEach(count(epilogue.dims))
  for (const { dims, accesses } of walks(core)) accesses.forEach(count(dims))
  return 4 * [...read.values()].reduce((sum, n) => sum + n, spec.cells)
}

/** Which axes a core walks, and what it reads along them. */
const walks = (
  core: Core
): ReadonlyArray<{ readonly dims: ReadonlyArray<number>; readonly accesses: ReadonlyArray<Access> }> => {
  switch (core._tag) {
    case 'Elementwise':
      return core.parts.map(({ dims, body }) => ({ dims, accesses: surface(body) }))
    case 'Padding':
      return [{ dims: core.part.dims, accesses: surface(core.part.body) }]
    case 'Reduction':
      return [{ dims: core.dims, accesses: surface(core.body) }]
    case 'Contraction':
      return [{ dims: core.dims, accesses: [core.a, core.b] }]
  }
}

const peak = (buffers: ReadonlyArray<Buffer>, calls: ReadonlyArray<Call>, outputs: Sequence['outputs']): number => {
  const last = new Map<number, number>()
  calls.forEach((call, i) => call.buffers.forEach((buffer) => last.set(buffer, i)))
  outputs.forEach(({ source }) => source._tag === 'Buffer' && last.set(source.buffer, calls.length))
  const size = (buffer: number): number => (buffers[buffer]?._tag === 'Written' ? 4 * (buffers[buffer]?.size ?? 0) : 0)
  let alive = 0
  let most = 0
  calls.forEach((call, i) => {
    alive += size(call.output)
    most = Math.max(most, alive)
    for (const buffer of new Set([...call.buffers, call.output])) {
      if ((last.get(buffer) ?? i) === i) alive -= size(buffer)
    }
  })
  return most
}

/**
 * What a plan does, by kernel and in all.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const report = ({ kernels, calls, buffers, work }: Plan): Report => ({
  kernels: kernels.map(({ spec }, i) => {
    const own = calls.filter((call) => call.kernel === i)
    const moved = own.map((call) =>
      bytes(
        spec,
        call.buffers.flatMap((buffer) => buffers[buffer] ?? [])
      )
    )
    return {
      name: kernelName(spec),
      calls: own.length,
      flops: own.length * flopsOf(spec),
      bytesMoved: moved.reduce((sum, n) => sum + n, 0)
    }
  }),
  work
})

/**
 * The operations of one call: those of a term for each element, and those of the core.
 *
 * @category utils
 * @since 0.1.0
 */
export const flopsOf = ({ cells, core, epilogue }: Spec): number => {
  const after = epilogue === undefined ? 0 : cells * weight([epilogue.body])
  switch (core._tag) {
    case 'Elementwise':
      return after + core.parts.reduce((n, part) => n + size(part.dims) * weight([part.body]), 0)
    case 'Padding':
      return after + size(core.part.dims) * weight([core.part.body])
    case 'Reduction':
      return after + size(core.dims) * (1 + weight([core.body]))
    case 'Contraction':
      return after + 2 * size(core.dims)
  }
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * One line a call for a person: the kind of kernel, its sizes, and the operations fused into it.
 *
 * @category utils
 * @since 0.1.0
 */
export const listing = (value: Plan): ReadonlyArray<string> =>
  value.calls.map(({ kernel, buffers, output }) => {
    const spec = value.kernels[kernel]?.spec
    return spec === undefined ? '' : `${kernelName(spec)}: [${buffers.join(', ')}] -> ${output}`
  })

/**
 * A short name for what a kernel does.
 *
 * @category utils
 * @since 0.1.0
 */
export const kernelName = ({ core, epilogue }: Spec): string => {
  const after = epilogue === undefined ? '' : `, then ${operations(epilogue.body)}`
  switch (core._tag) {
    case 'Elementwise':
      return core.parts.length === 1
        ? `${operations(core.parts[0]?.body)} of ${core.rowLength}`
        : `join of ${core.parts.length} parts`
    case 'Padding':
      return `${operations(core.part.body)} of ${size(core.part.dims)}, padded${after}`
    case 'Reduction':
      return `${core.name} of ${operations(core.body)} over ${core.dims.slice(core.kept).join('x')} for each of ${core.dims.slice(0, core.kept).join('x') || 1}${after}`
    case 'Contraction':
      return `contraction ${core.dims.join('x')} by ${core.form}${after}`
  }
}

const operations = (term: ElementTerm | undefined): string => {
  const found = new Set<string>()
  const seen = new Set<ElementTerm>()
  const go = (node: ElementTerm | undefined): void => {
    if (node === undefined || seen.has(node)) return
    seen.add(node)
    if (node._tag !== 'Apply') return
    node.args.forEach(go)
    found.add(node.name)
  }
  go(term)
  return found.size === 0 ? 'copy' : [...found].join(' ')
}
