/**
 * A plan laid out in one memory: where every buffer lies, and the modules to run one after the other. Buffers whose
 * lives do not overlap share their place. This is what a worker runs.
 *
 * @since 0.1.0
 */
import { toFloat32 } from '../../tensor/Tensor.js'
import type { Plan } from '../plan/Plan.js'
import type { Buffer } from '../plan/Sequence.js'
import { argumentNames } from '../plan/Template.js'
import { type ModuleLayout, wasmModule } from '../wasm/Module.js'
import { type Pages, pagesFor } from '../wasm/Pages.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * - `modules`: WebAssembly modules that import `env.memory`. `steps`: which run in which order, each after 32-bit
 *   numbers have been written for it: the scalar arguments of its kernel, which share their place with those of other
 *   steps, so that steps that differ in numbers only run one module.
 * - `pages`: the size of the memory. `inputs`, `outputs`: where they lie, in elements. A `Fill` is one repeated number.
 * - `constants`: what to write once.
 *
 * @category model
 * @since 0.1.0
 */
export interface MemoryImage {
  readonly modules: ReadonlyArray<Uint8Array<ArrayBuffer>>
  readonly steps: ReadonlyArray<ModuleRun>
  readonly pages: Pages
  readonly inputs: ReadonlyArray<{ readonly name: string; readonly at: number; readonly size: number }>
  readonly outputs: ReadonlyArray<{
    readonly name: string
    readonly shape: ReadonlyArray<number>
    readonly size: number
    readonly source: { readonly _tag: 'At'; readonly at: number } | { readonly _tag: 'Fill'; readonly value: number }
  }>
  readonly constants: ReadonlyArray<{ readonly at: number; readonly data: Float32Array }>
  readonly bytes: number
}

/**
 * One run of a module: the 32-bit numbers to write from element `at` on before it.
 *
 * @category model
 * @since 0.1.0
 */
export interface ModuleRun {
  readonly module: number
  readonly at: number
  readonly bits: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The image of a plan, for machines that multiply and add in one instruction or not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const memoryImage = (plan: Plan, fma: boolean): MemoryImage => {
  const { buffers, kernels, calls, outputs } = plan
  const { offset, scalarsAt, bytes } = layOut(plan)
  const known = new Map<string, number>()
  const modules: Array<Uint8Array<ArrayBuffer>> = []
  const steps = calls.flatMap((call): ReadonlyArray<ModuleRun> => {
    const kernel = kernels[call.kernel]
    if (kernel === undefined) return []
    const names = argumentNames(kernel)
    const layout: ModuleLayout = {
      arrays: Object.fromEntries(call.buffers.map((buffer, j) => [names[j] ?? '', { offset: offset(buffer) }])),
      scalars: Object.fromEntries(
        call.parameters.map((_, j) => [names[call.buffers.length + j] ?? '', { offset: scalarsAt + 4 * j }])
      ),
      outputOffset: offset(call.output),
      totalBytes: bytes
    }
    const key = JSON.stringify([call.kernel, layout])
    const bits = call.parameters.map((value, j) => (kernel.parameters[j] === 'Integer' ? value : bitsOf(value)))
    const make = (): number =>
      modules.push(wasmModule(kernel, layout, kernel.spec.cells, { shared: true, fma }).bytes) - 1
    const index = known.get(key) ?? make()
    known.set(key, index)
    return [{ module: index, at: scalarsAt / 4, bits }]
  })
  const literals = buffers.flatMap((buffer, i) =>
    buffer._tag === 'Constant' ? [{ at: offset(i) / 4, data: toFloat32(buffer.value).data }] : []
  )
  return {
    modules,
    steps,
    pages: pagesFor(bytes),
    inputs: buffers.flatMap((buffer, i) =>
      buffer._tag === 'Input' ? [{ name: buffer.name, at: offset(i) / 4, size: buffer.size }] : []
    ),
    outputs: outputs.map(({ name, shape, source }) => ({
      name,
      shape,
      size: shape.reduce((n, d) => n * d, 1),
      source: source._tag === 'Fill' ? source : { _tag: 'At', at: offset(source.buffer) / 4 }
    })),
    constants: literals,
    bytes
  }
}

/**
 * How many bytes the image of a plan has.
 *
 * @category utils
 * @since 0.1.0
 */
export const imageBytes = (plan: Plan): number => layOut(plan).bytes

// -------------------------------------------------------------------------------------
// places
// -------------------------------------------------------------------------------------

/** Where everything lies, in bytes: inputs and constants, then the numbers of a step, then what kernels write. */
interface Layout {
  readonly offset: (buffer: number) => number
  readonly scalarsAt: number
  readonly bytes: number
}

const layOut = (plan: Plan): Layout => {
  const { buffers, kernels } = plan
  const kept = buffers.map((buffer) => (buffer._tag === 'Written' ? 0 : align(4 * buffer.size)))
  const starts = runningSum(kept)
  const scalarsAt = total(kept)
  const mostScalars = kernels.reduce((most, { parameters }) => Math.max(most, parameters.length), 0)
  const writtenAt = scalarsAt + align(4 * mostScalars)
  const places = place(plan)
  return {
    offset: (buffer) =>
      buffers[buffer]?._tag === 'Written' ? writtenAt + (places.at.get(buffer) ?? 0) : (starts[buffer] ?? 0),
    scalarsAt,
    bytes: writtenAt + places.bytes
  }
}

/** The bits of a number in f32. */
const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] ?? 0

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
 * Where the written buffers lie, in bytes. The largest are placed first, each at the lowest place that is free for as
 * long as it lives.
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
