/**
 * A kernel as a WebAssembly module.
 *
 * @since 0.1.0
 */
import type { Core, OutputPart, Spec } from '../plan/Spec.js'
import type { Kernel } from '../plan/Template.js'
import { contractionCode } from './ContractionCode.js'
import { elementwiseCode, reductionCode } from './ElementwiseCode.js'
import { type Code, code, encodeModule } from './Encoder.js'
import { type Pages, pagesFor, scratchBytes } from './Pages.js'
import { type Addresses, type Base, pushBase } from './TermCode.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where the arguments of a kernel, by name, and its output lie in the memory, in bytes from its start, and where the
 * memory that all kernels of a program share ends; without `totalBytes` nothing lies behind the output.
 *
 * @category model
 * @since 0.1.0
 */
export interface ModuleLayout {
  readonly arrays: Readonly<Record<string, { readonly offset: number }>>
  readonly scalars: Readonly<Record<string, { readonly offset: number }>>
  readonly outputOffset: number
  readonly totalBytes?: number
}

/**
 * The bytes of a module, and the pages of the memory that it imports.
 *
 * @category model
 * @since 0.1.0
 */
export interface WasmModule extends Pages {
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * How modules are made for a machine: is the memory shared between threads (`shared`), and is there an instruction that
 * multiplies and adds (`fma`)?
 *
 * @category model
 * @since 0.1.0
 */
export interface Machine {
  readonly shared: boolean
  readonly fma: boolean
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The module of a kernel for one layout, whose output is `cells` long.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const wasmModule = (
  kernel: Kernel,
  layout: ModuleLayout,
  cells: number,
  { shared, fma }: Machine
): WasmModule => {
  const end = layout.totalBytes ?? layout.outputOffset + 4 * cells
  const pages = pagesFor(end)
  const known = (offset: number | undefined): Base => ({ offset: offset ?? 0, told: undefined })
  const addresses: Addresses = {
    buffer: (index) => known(layout.arrays[`b${index}`]?.offset),
    parameter: (index) => layout.scalars[`p${index}`]?.offset ?? 0,
    output: known(layout.outputOffset),
    scratch: 16 * Math.ceil(end / 16),
    scratchBytes,
    fma
  }
  return { bytes: moduleBytes(kernel.spec, addresses, { ...pages, shared }), ...pages }
}

/**
 * The bytes of a module whose `run` computes the whole output: the core, then the epilogue over what the core wrote.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const moduleBytes = (
  { cells, core, epilogue }: Spec,
  addresses: Addresses,
  pages: Pages & Pick<Machine, 'shared'>
): Uint8Array<ArrayBuffer> => {
  const { phases: own, left } = coreCode(addresses, core, cells, epilogue)
  const phases = [...own, ...(left === undefined ? [] : [[elementwiseCode(addresses, left)]])]
  const run = code(['i32', 'i32', 'i32'])
  let functions = 0
  for (const phase of phases) {
    functions += phase.length
    run.call(functions - 1)
  }
  return encodeModule({ functions: [...phases.flat(), run], run: functions, ...pages })
}

/**
 * The functions of a core in phases that run one after the other; of each phase the last function is called. `left`: what
 * of the epilogue they do not do.
 */
const coreCode = (
  addresses: Addresses,
  core: Core,
  cells: number,
  epilogue: OutputPart | undefined
): { readonly phases: ReadonlyArray<ReadonlyArray<Code>>; readonly left: OutputPart | undefined } => {
  switch (core._tag) {
    case 'Elementwise':
      return { phases: core.parts.map((part) => [elementwiseCode(addresses, part)]), left: epilogue }
    case 'Padding': {
      const clear = code()
      pushBase(clear, addresses.output)
      clear.zeros(4 * cells)
      return { phases: [[clear], [elementwiseCode(addresses, core.part)]], left: epilogue }
    }
    case 'Reduction':
      return { phases: [[reductionCode(addresses, core)]], left: epilogue }
    case 'Contraction': {
      const { functions, left } = contractionCode(addresses, core, epilogue)
      return { phases: [functions], left }
    }
  }
}
