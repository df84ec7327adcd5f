/**
 * A plan laid out in one memory: where every buffer lies, and the modules to run one after the other. Buffers whose lives
 * do not overlap share their place. This is what a worker runs.
 *
 * @since 0.1.0
 */
import { toFloat32 } from '../tensor/Tensor.js'
import { module, type Layout } from './Assembled.js'
import type { Buffer } from './Fusion.js'
import type { Plan } from './Plan.js'
import { argumentNames } from './Source.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * - `modules`: WebAssembly modules that import `env.memory`. `steps`: positions of modules, in the order of their runs.
 * - `pages`: the size of the memory. `inputs`, `outputs`: where they lie, in elements. A `Fill` is one repeated number.
 * - `constants`: what to write once.
 *
 * @category model
 * @since 0.1.0
 */
export interface Image {
  readonly modules: ReadonlyArray<Uint8Array<ArrayBuffer>>
  readonly steps: ReadonlyArray<number>
  readonly pages: { readonly initial: number; readonly maximum: number }
  readonly inputs: ReadonlyArray<{ readonly name: string; readonly at: number; readonly size: number }>
  readonly outputs: ReadonlyArray<{
    readonly name: string
    readonly shape: ReadonlyArray<number>
    readonly size: number
    readonly source: { readonly _tag: 'At'; readonly at: number } | { readonly _tag: 'Fill'; readonly value: number }
  }>
  readonly constants: ReadonlyArray<{ readonly at: number; readonly data: Float32Array | Int32Array }>
  readonly bytes: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The image of a plan.
 *
 * @category constructors
 * @since 0.1.0
 */
export const image = (plan: Plan): Image => {
  const { buffers, kernels, calls, outputs } = plan
  const kept = buffers.map((buffer) => (buffer._tag === 'Written' ? 0 : align(4 * buffer.size)))
  const starts = runningSum(kept)
  const scalarsAt = total(kept)
  const scalars = calls.flatMap((call) => call.parameters)
  const scalarStarts = runningSum(calls.map((call) => 4 * call.parameters.length))
  const writtenAt = scalarsAt + align(4 * scalars.length)
  const places = place(plan)
  const offset = (buffer: number): number =>
    buffers[buffer]?._tag === 'Written' ? writtenAt + (places.at.get(buffer) ?? 0) : (starts[buffer] ?? 0)
  const bytes = writtenAt + places.bytes

  const known = new Map<string, number>()
  const modules: Array<Uint8Array<ArrayBuffer>> = []
  const pages = { initial: 0, maximum: 0 }
  const steps = calls.flatMap((call, i): ReadonlyArray<number> => {
    const kernel = kernels[call.kernel]
    if (kernel === undefined) return []
    const names = argumentNames(kernel)
    const scalarAt = scalarsAt + (scalarStarts[i] ?? 0)
    const layout: Layout = {
      arrays: Object.fromEntries(call.buffers.map((buffer, j) => [names[j] ?? '', { offset: offset(buffer) }])),
      scalars: Object.fromEntries(
        call.parameters.map((_, j) => [names[call.buffers.length + j] ?? '', { offset: scalarAt + 4 * j }])
      ),
      outputOffset: offset(call.output),
      totalBytes: bytes
    }
    const key = JSON.stringify([call.kernel, layout])
    const before = known.get(key)
    if (before !== undefined) return [before]
    const assembled = module(kernel, layout, kernel.spec.cells, true)
    pages.initial = assembled.initial
    pages.maximum = assembled.maximum
    const index = modules.push(assembled.bytes) - 1
    known.set(key, index)
    return [index]
  })
  const numbers = calls.flatMap((call, i) =>
    call.parameters.map((value, j) => {
      const at = (scalarsAt + (scalarStarts[i] ?? 0)) / 4 + j
      const integer = kernels[call.kernel]?.parameters[j] === 'Integer'
      return { at, data: integer ? Int32Array.of(value) : Float32Array.of(value) }
    })
  )
  const literals = buffers.flatMap((buffer, i) =>
    buffer._tag === 'Constant' ? [{ at: offset(i) / 4, data: toFloat32(buffer.value).data }] : []
  )
  return {
    modules,
    steps,
    pages,
    inputs: buffers.flatMap((buffer, i) =>
      buffer._tag === 'Input' ? [{ name: buffer.name, at: offset(i) / 4, size: buffer.size }] : []
    ),
    outputs: outputs.map(({ name, shape, source }) => ({
      name,
      shape,
      size: shape.reduce((n, d) => n * d, 1),
      source: source._tag === 'Fill' ? source : { _tag: 'At', at: offset(source.buffer) / 4 }
    })),
    constants: [...numbers, ...literals],
    bytes
  }
}

// -------------------------------------------------------------------------------------
// places
// -------------------------------------------------------------------------------------

const align = (bytes: number): number => 16 * Math.ceil(bytes / 16)

const total = (sizes: ReadonlyArray<number>): number => sizes.reduce((sum, size) => sum + size, 0)

const runningSum = (sizes: ReadonlyArray<number>): ReadonlyArray<number> => {
  let sum = 0
  return sizes.map((size) => {
    const start = sum
    sum += size
    return start
  })
}

/** A written buffer: its bytes, and the calls from the one that writes it to the last one that reads it. */
interface Life {
  readonly buffer: number
  readonly bytes: number
  readonly from: number
  readonly to: number
}

/**
 * Where the written buffers lie, in bytes. The largest are placed first, each at the lowest place that is free for as long
 * as it lives.
 */
const place = ({
  buffers,
  calls,
  outputs
}: Plan): { readonly at: ReadonlyMap<number, number>; readonly bytes: number } => {
  const last = new Map<number, number>()
  calls.forEach((call, i) => call.buffers.forEach((buffer) => last.set(buffer, i)))
  outputs.forEach(({ source }) => source._tag === 'Buffer' && last.set(source.buffer, calls.length))
  const lives = calls.map((call, i): Life => {
    const size = sizeOf(buffers[call.output])
    return { buffer: call.output, bytes: align(4 * size), from: i, to: Math.max(i, last.get(call.output) ?? i) }
  })
  const placed: Array<Life & { readonly at: number }> = []
  const at = new Map<number, number>()
  let bytes = 0
  for (const life of [...lives].sort((x, y) => y.bytes - x.bytes || x.from - y.from)) {
    const busy = placed.filter((other) => other.from <= life.to && life.from <= other.to).sort((x, y) => x.at - y.at)
    let free = 0
    for (const other of busy) {
      if (other.at - free >= life.bytes) break
      free = Math.max(free, other.at + other.bytes)
    }
    placed.push({ ...life, at: free })
    at.set(life.buffer, free)
    bytes = Math.max(bytes, free + life.bytes)
  }
  return { at, bytes }
}

const sizeOf = (buffer: Buffer | undefined): number => buffer?.size ?? 0
