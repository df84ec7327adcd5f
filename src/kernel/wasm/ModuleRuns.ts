/**
 * The calls of a plan as runs of modules, for buffers that lie somewhere in a memory.
 *
 * @since 0.1.0
 */
import type { Plan } from '../plan/Plan.js'
import type { Call } from '../plan/Template.js'
import { moduleBytes, type Machine } from './Module.js'
import { type Pages, scratchBytes } from './Pages.js'
import type { Base } from './TermCode.js'

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
 * - `modules`: WebAssembly modules that import `env.memory`, one for each kernel. `steps`: which run in which order, each
 *   after 32-bit numbers have been written for it, which share their place with those of other steps: the scalar arguments
 *   of its kernel, and where its arrays lie, if those of another step lie elsewhere.
 *
 * @category model
 * @since 0.1.0
 */
export interface ModuleRuns {
  readonly modules: ReadonlyArray<Uint8Array<ArrayBuffer>>
  readonly steps: ReadonlyArray<ModuleRun>
}

/**
 * The size of a memory, and where things lie in it, in bytes: each buffer of the plan, the numbers of a step, and the scratch space of
 * whichever kernel runs.
 *
 * @category model
 * @since 0.1.0
 */
export interface Where {
  readonly pages: Pages
  readonly buffer: (buffer: number) => number
  readonly numbers: number
  readonly scratch: number
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * Room for the numbers of any step of a plan: how many, at most, each is told.
 *
 * @category utils
 * @since 0.1.0
 */
export const mostNumbers = ({ kernels, calls }: Plan): number => {
  const once = new Map<number, boolean>()
  for (const { kernel } of calls) once.set(kernel, !once.has(kernel))
  return kernels.reduce((most, { parameters, buffers }, i) => {
    const places = once.get(i) === true ? 0 : buffers + 1
    return Math.max(most, parameters.length + places)
  }, 0)
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The runs of a plan. What all calls of a kernel agree on is part of its module.
 *
 * @category constructors
 * @since 0.1.0
 */
export const moduleRuns = ({ kernels, calls }: Plan, on: Where, { shared, fma }: Machine): ModuleRuns => {
  const arrays = ({ buffers, output }: Call): ReadonlyArray<number> => [...buffers, output].map(on.buffer)
  const own: ReadonlyArray<Array<Call>> = kernels.map(() => [])
  for (const call of calls) own[call.kernel]?.push(call)
  const varying = own.map(([first, ...others]): ReadonlyArray<number> => {
    if (first === undefined) return []
    const lie = others.map(arrays)
    return arrays(first).flatMap((offset, i) => (lie.some((other) => other[i] !== offset) ? [i] : []))
  })
  const modules = kernels.map(({ spec, parameters, buffers }, kernel) => {
    const [first] = own[kernel] ?? []
    const offsets = first === undefined ? [] : arrays(first)
    const base = (i: number): Base => {
      const rank = varying[kernel]?.indexOf(i) ?? -1
      return rank < 0
        ? { offset: offsets[i] ?? 0, told: undefined }
        : { offset: 0, told: on.numbers + 4 * (parameters.length + rank) }
    }
    const addresses = {
      buffer: base,
      parameter: (i: number): number => on.numbers + 4 * i,
      output: base(buffers),
      scratch: on.scratch,
      scratchBytes,
      fma
    }
    return moduleBytes(spec, addresses, { ...on.pages, shared })
  })
  const steps = calls.map((call): ModuleRun => {
    const types = kernels[call.kernel]?.parameters ?? []
    const offsets = arrays(call)
    return {
      module: call.kernel,
      at: on.numbers / 4,
      bits: [
        ...call.parameters.map((value, i) => (types[i] === 'Integer' ? value : bitsOf(value))),
        ...(varying[call.kernel] ?? []).map((i) => offsets[i] ?? 0)
      ]
    }
  })
  return { modules, steps }
}

/** The bits of a number in f32. */
const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] ?? 0
