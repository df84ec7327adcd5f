/**
 * The door into gpu.js's WebGPU kernels: one thread computes a block of neighbours.
 *
 * A gpu.js kernel that returns a vector writes its components side by side, which is how our outputs lie; but gpu.js
 * takes such a result for an array of vectors, which no other kernel of a fused pipeline may read. This class keeps the
 * output an array of numbers, and starts a thread a block. The methods are not part of gpu.js's public interface: the
 * dependency is pinned to one version, and kernels throw where a method does not do what that version does.
 *
 * WebGL has no such door: a fragment of a texture is one element, and an output of vectors is a texture of another type
 * than the one that the kernels that read it were compiled for.
 *
 * @since 0.1.0
 */
import type { GPU } from 'gpu.js'
import { kernelNumber } from '../gpujs/Door.js'
import { blockOf, neighbours } from '../gpujs/KernelText.js'
import type { Kernel } from '../plan/Template.js'

/** What gpu.js 2.24.1 has in its class of WebGPU kernels, of what is used here. */
interface Door {
  readonly constants?: Readonly<Record<string, unknown>>
  readonly output: ReadonlyArray<number>
  componentCount: number
  translateSource(): void
  assembleWGSL(): string
  _computeDispatch(threads: ReadonlyArray<number>): unknown
}

const guard = 'if (flat_index >= params.outputX) { return; }'

/**
 * A kernel class for one GPU instance, which is on WebGPU, that looks its kernels up by number.
 *
 * @category constructors
 * @since 0.1.0
 */
export const webgpuKernel = (gpu: GPU, kernels: ReadonlyMap<number, Kernel>): GPU['Kernel'] => {
  // the declarations of gpu.js lack this class; `shut` tests what is taken from it
  const Base = gpu.Kernel as unknown as new (...given: ReadonlyArray<unknown>) => Door
  const shut = (): Error => new Error('gpu.js builds WebGPU kernels in another way than version 2.24.1 does')
  const methods = ['translateSource', 'assembleWGSL', '_computeDispatch']
  const open = methods.every((name) => typeof Reflect.get(Base.prototype, name) === 'function')
  const blockOfKernel = ({ constants }: Door): number => {
    const kernel = kernels.get(Number(constants?.[kernelNumber]))
    return kernel === undefined ? 1 : neighbours(kernel)
  }
  class InBlocks extends Base {
    override translateSource(): void {
      if (!open) throw shut()
      super.translateSource()
      if (this.componentCount !== blockOfKernel(this)) throw shut()
      this.componentCount = 1
    }
    override assembleWGSL(): string {
      const text = super.assembleWGSL()
      if (blockOfKernel(this) === 1) return text
      if (!text.includes(guard)) throw shut()
      return text.replace(guard, `if (flat_index >= params.outputX / ${blockOf}u) { return; }`)
    }
    override _computeDispatch(threads: ReadonlyArray<number>): unknown {
      const [x = 1, ...others] = threads
      return super._computeDispatch([x / blockOfKernel(this), ...others])
    }
  }
  // a subclass of the class that it replaces
  return InBlocks as unknown as GPU['Kernel']
}
