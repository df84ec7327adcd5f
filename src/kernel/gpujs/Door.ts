/**
 * The door into gpu.js: a kernel class whose WebAssembly modules are assembled here.
 *
 * gpu.js's single kernels and its pipelines both take the module of a kernel from the method `_assembleModule(layout,
 * cells, shared)`, and call its exported `run(start, end, seed)` for all cells at once where `run_simd` is missing. That
 * method is not part of gpu.js's public interface: the dependency is pinned to one version, and a test fails when the
 * method, the layout or the call changes.
 *
 * @since 0.1.0
 */
import gpujs from 'gpu.js'
import * as t from 'io-ts'
import { assemble } from '../wasm/Assemble.js'
import type { Kernel } from '../plan/Template.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What gpu.js hands over: byte offsets of the kernel's arguments by name and of its output. Pipelines also say where
 * the memory that all of their kernels share ends.
 *
 * @category model
 * @since 0.1.0
 */
export const Layout: t.Type<Layout> = t.intersection([
  t.type({
    arrays: t.record(t.string, t.type({ offset: t.number })),
    scalars: t.record(t.string, t.type({ offset: t.number })),
    outputOffset: t.number
  }),
  t.partial({ totalBytes: t.number })
])

/**
 * The type of the same name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Layout {
  readonly arrays: Readonly<Record<string, { readonly offset: number }>>
  readonly scalars: Readonly<Record<string, { readonly offset: number }>>
  readonly outputOffset: number
  readonly totalBytes?: number
}

/**
 * What gpu.js expects back: the module and the limits of the memory that it imports, in pages.
 *
 * @category model
 * @since 0.1.0
 */
export interface Assembly {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly initial: number
  readonly maximum: number
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

const pageBytes = 65536

/** Pages behind everything else, which gpu.js adds too: our scratch space. */
const sparePages = 16

/**
 * The constant of a gpu.js kernel that says which of our kernels it is.
 *
 * @category constants
 * @since 0.1.0
 */
export const kernelNumber = 'kernelNumber'

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A kernel class for one GPU instance that looks its kernels up by number. It throws, and the run is a `Failed` left,
 * where gpu.js calls it in a way that it does not know.
 *
 * @category constructors
 * @since 0.1.0
 */
export const assembledKernel = (kernels: ReadonlyMap<number, Kernel>, fused: boolean): typeof gpujs.WebAssemblyKernel =>
  class Assembled extends gpujs.WebAssemblyKernel {
    _assembleModule(layout: unknown, cells: number, shared: boolean): Assembly {
      const kernel = kernels.get(Number(this.constants?.[kernelNumber]))
      const decoded = Layout.decode(layout)
      if (kernel === undefined || decoded._tag === 'Left') {
        throw new Error('gpu.js asked for a module in another way than version 2.24.1 does')
      }
      return module(kernel, decoded.right, cells, shared, fused)
    }
  }

/**
 * The module of a kernel for one layout; `fused` where the machine multiplies and adds in one instruction.
 *
 * @category constructors
 * @since 0.1.0
 */
export const module = (kernel: Kernel, layout: Layout, cells: number, shared: boolean, fused: boolean): Assembly => {
  const end = layout.totalBytes ?? layout.outputOffset + 4 * cells
  const initial = Math.ceil(end / pageBytes) + sparePages
  const maximum = Math.max(initial, 4096)
  const memory = {
    buffer: (index: number): number => layout.arrays[`b${index}`]?.offset ?? 0,
    parameter: (index: number): number => layout.scalars[`p${index}`]?.offset ?? 0,
    output: layout.outputOffset,
    scratch: 16 * Math.ceil(end / 16),
    scratchBytes: (sparePages - 1) * pageBytes,
    fused
  }
  return { bytes: assemble(kernel.spec, memory, { initial, maximum, shared }), initial, maximum }
}
