/**
 * A plan laid out in one memory: where every buffer lies, and the modules to run one after the other. Buffers whose
 * lives do not overlap share their place. This is what a worker runs.
 *
 * @since 0.1.0
 */
import { toFloat32 } from '../../tensor/Tensor.js'
import { alignedBytes, places } from '../plan/Places.js'
import type { Plan } from '../plan/Plan.js'
import { type ModuleRuns, moduleRuns, mostNumbers } from '../wasm/ModuleRuns.js'
import { type Pages, pagesFor } from '../wasm/Pages.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The runs of modules, and what they need.
 *
 * - `pages`: the size of the memory. `inputs`, `outputs`: where they lie, in elements. A `Fill` is one repeated number.
 * - `constants`: what to write once.
 *
 * @category model
 * @since 0.1.0
 */
export interface MemoryImage extends ModuleRuns {
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
  const { buffers, outputs } = plan
  const { offset, numbersAt, bytes } = layOut(plan)
  const pages = pagesFor(bytes)
  const runs = moduleRuns(
    plan,
    { pages, buffer: offset, numbers: numbersAt, scratch: 16 * Math.ceil(bytes / 16) },
    { shared: true, fma }
  )
  const literals = buffers.flatMap((buffer, i) =>
    buffer._tag === 'Constant' ? [{ at: offset(i) / 4, data: toFloat32(buffer.value).data }] : []
  )
  return {
    ...runs,
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
  readonly numbersAt: number
  readonly bytes: number
}

const layOut = (plan: Plan): Layout => {
  const { buffers } = plan
  const kept = buffers.map((buffer) => (buffer._tag === 'Written' ? 0 : alignedBytes(buffer.size)))
  const starts = runningSum(kept)
  const numbersAt = total(kept)
  const writtenAt = numbersAt + alignedBytes(mostNumbers(plan))
  const written = places(plan)
  return {
    offset: (buffer) =>
      buffers[buffer]?._tag === 'Written' ? writtenAt + (written.at.get(buffer) ?? 0) : (starts[buffer] ?? 0),
    numbersAt,
    bytes: writtenAt + written.end
  }
}

const total = (sizes: ReadonlyArray<number>): number => sizes.reduce((sum, size) => sum + size, 0)

const runningSum = (sizes: ReadonlyArray<number>): ReadonlyArray<number> => {
  let sum = 0
  return sizes.map((size) => {
    const start = sum
    sum += size
    return start
  })
}
