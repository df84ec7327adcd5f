/**
 * The door into gpu.js on the host: kernel classes for `webasm`, whose modules are assembled here, and for `cpu`, which
 * gpu.js does not let go of by itself.
 *
 * gpu.js's single kernels and its pipelines both take the module of a kernel from the method `_assembleModule(layout,
 * cells, shared)`, and call its exported `run(start, end, seed)` for all cells at once where `run_simd` is missing.
 * That method is not part of gpu.js's public interface: the dependency is pinned to one version, and a test fails when
 * the method, the layout or the call changes.
 *
 * @since 0.1.0
 */
import gpujs from 'gpu.js'
import * as t from 'io-ts'
import type { Kernel } from '../plan/Template.js'
import { type ModuleLayout, type WasmModule, wasmModule } from '../wasm/Module.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What gpu.js hands over with the method: byte offsets of the kernel's arguments by name and of its output. Pipelines
 * also say where the memory that all of their kernels share ends.
 *
 * @category model
 * @since 0.1.0
 */
export const moduleLayout: t.Type<ModuleLayout> = t.intersection([
  t.type({
    arrays: t.record(t.string, t.type({ offset: t.number })),
    scalars: t.record(t.string, t.type({ offset: t.number })),
    outputOffset: t.number
  }),
  t.partial({ totalBytes: t.number })
])

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
 * A kernel class for one GPU instance on `webasm` that looks its kernels up by number. It throws, and the run is a
 * `Failed` left, where gpu.js calls it in a way that it does not know.
 *
 * @category constructors
 * @since 0.1.0
 */
export const webasmKernel = (kernels: ReadonlyMap<number, Kernel>, fma: boolean): typeof gpujs.WebAssemblyKernel =>
  class extends gpujs.WebAssemblyKernel {
    _assembleModule(layout: unknown, cells: number, shared: boolean): WasmModule {
      const kernel = kernels.get(Number(this.constants?.[kernelNumber]))
      const decoded = moduleLayout.decode(layout)
      if (kernel === undefined || decoded._tag === 'Left') {
        throw new Error('gpu.js asked for a module in another way than version 2.24.1 does')
      }
      return wasmModule(kernel, decoded.right, cells, { shared, fma })
    }
  }

/**
 * A kernel class for `cpu`. gpu.js lists the kernels of an instance, to destroy them with it. Its other classes take a
 * kernel that is destroyed off that list; its class for `cpu` does not, so that every kernel, with its text and its last
 * output, would stay until the instance goes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cpuKernel = (): typeof gpujs.CPUKernel =>
  class extends gpujs.CPUKernel {
    override destroy(removeCanvasReferences?: boolean): void {
      super.destroy(removeCanvasReferences)
      const gpu: unknown = Reflect.get(this, 'gpu')
      const listed: unknown = typeof gpu === 'object' && gpu !== null ? Reflect.get(gpu, 'kernels') : undefined
      if (!Array.isArray(listed)) return
      const at = listed.indexOf(this)
      if (at >= 0) listed.splice(at, 1)
    }
  }
