/**
 * The calls of a plan as runs of modules, for buffers that lie somewhere in a memory.
 *
 * @since 0.1.0
 */
import type { Plan } from '../plan/Plan.js'
import { argumentNames, type Kernel } from '../plan/Template.js'
import type { ModuleLayout } from './Module.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

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

/**
 * - `modules`: WebAssembly modules that import `env.memory`. `steps`: which run in which order, each after 32-bit
 *   numbers have been written for it: the scalar arguments of its kernel, which share their place with those of other
 *   steps, so that steps that differ in numbers only run one module.
 *
 * @category model
 * @since 0.1.0
 */
export interface ModuleRuns {
  readonly modules: ReadonlyArray<Uint8Array<ArrayBuffer>>
  readonly steps: ReadonlyArray<ModuleRun>
}

/**
 * Where things lie, in bytes: each buffer of the plan, and the numbers of a step.
 *
 * @category model
 * @since 0.1.0
 */
export interface Offsets {
  readonly buffer: (buffer: number) => number
  readonly scalars: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** A call with the way in which its arguments lie, and what tells it from others: calls of one key run one module. */
interface Laid {
  readonly kernel: Kernel
  readonly layout: ModuleLayout
  readonly key: string
  readonly parameters: ReadonlyArray<number>
}

const laid = ({ kernels, calls }: Plan, { buffer: offset, scalars }: Offsets): ReadonlyArray<Laid> =>
  calls.flatMap((call): ReadonlyArray<Laid> => {
    const kernel = kernels[call.kernel]
    if (kernel === undefined) return []
    const names = argumentNames(kernel)
    const layout: ModuleLayout = {
      arrays: Object.fromEntries(call.buffers.map((buffer, j) => [names[j] ?? '', { offset: offset(buffer) }])),
      scalars: Object.fromEntries(
        call.parameters.map((_, j) => [names[call.buffers.length + j] ?? '', { offset: scalars + 4 * j }])
      ),
      outputOffset: offset(call.output)
    }
    return [{ kernel, layout, key: JSON.stringify([call.kernel, layout]), parameters: call.parameters }]
  })

/**
 * How many modules the runs of a plan have.
 *
 * @category utils
 * @since 0.1.0
 */
export const moduleCount = (plan: Plan, offsets: Offsets): number =>
  new Set(laid(plan, offsets).map(({ key }) => key)).size

/**
 * The runs of a plan, whose modules `assemble` makes, one for each kernel and each way in which its arguments lie.
 *
 * @category constructors
 * @since 0.1.0
 */
export const moduleRuns = (
  plan: Plan,
  offsets: Offsets,
  assemble: (kernel: Kernel, layout: ModuleLayout) => Uint8Array<ArrayBuffer>
): ModuleRuns => {
  const known = new Map<string, number>()
  const modules: Array<Uint8Array<ArrayBuffer>> = []
  const steps = laid(plan, offsets).map(({ kernel, layout, key, parameters }): ModuleRun => {
    const bits = parameters.map((value, j) => (kernel.parameters[j] === 'Integer' ? value : bitsOf(value)))
    const index = known.get(key) ?? modules.push(assemble(kernel, layout)) - 1
    known.set(key, index)
    return { module: index, at: offsets.scalars / 4, bits }
  })
  return { modules, steps }
}

/** The bits of a number in f32. */
const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] ?? 0
