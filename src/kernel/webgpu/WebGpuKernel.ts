/**
 * The door into gpu.js's WebGPU kernels: a class of kernels whose shaders are written here.
 *
 * gpu.js translates a function to WGSL, compiles it on a device that it opens by itself, and starts a thread an element.
 * This class hands over a text, a device and a number of workgroups of ours instead; arguments, sizes and pipelines stay
 * gpu.js's. The methods are not part of gpu.js's public interface: the dependency is pinned to one version, and kernels
 * throw where a method is missing.
 *
 * @since 0.1.0
 */
import type { GPU } from 'gpu.js'
import { kernelNumber } from '../gpujs/Door.js'
import { acquire, compiled, type Open } from './Adapter.js'
import type { DoorDispatch, DoorKernel, GpuDevice } from './Api.js'
import type { Kernel } from '../plan/Template.js'
import type { Shader } from './KernelWgsl.js'

/**
 * The most workgroups along an axis that every adapter starts.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostGroups = 65535

/**
 * Workgroups along two axes, at least so many in all.
 *
 * @category utils
 * @since 0.1.0
 */
export const folded = (groups: number): ReadonlyArray<number> => {
  const rows = Math.ceil(groups / mostGroups)
  return [Math.ceil(groups / rows), rows, 1]
}

/**
 * A kernel class for one GPU instance, which is on WebGPU, that looks its kernels up by number.
 *
 * @category constructors
 * @since 0.1.0
 */
export const webgpuKernel = (
  gpu: GPU,
  kernels: ReadonlyMap<number, Kernel>,
  shaders: WeakMap<Kernel, Shader>
): GPU['Kernel'] => {
  // the declarations of gpu.js lack this class; `open` tests what is taken from it
  const Base = gpu.Kernel as unknown as new (...given: ReadonlyArray<unknown>) => DoorKernel
  const methods = ['translateSource', 'assembleWGSL', '_computeDispatch', '_buildAsync']
  const open = methods.every((name) => typeof Reflect.get(Base.prototype, name) === 'function')
  const shaderOf = ({ constants }: DoorKernel): Shader => {
    const kernel = kernels.get(Number(constants?.[kernelNumber]))
    const shader = kernel && shaders.get(kernel)
    if (shader === undefined || !open)
      throw new Error('gpu.js builds WebGPU kernels in another way than version 2.24.1 does')
    return shader
  }
  class Written extends Base {
    override translateSource(): void {
      this.returnType = 'Number'
      this.componentCount = 1
      this.translatedBody = ''
      this.translatedFunctions = ''
    }
    override assembleWGSL(): string {
      return shaderOf(this).text
    }
    override _computeDispatch(): DoorDispatch {
      return { groups: folded(shaderOf(this).groups), dispatchWidth: 0 }
    }
    override async _buildAsync(): Promise<void> {
      const on: Open = await acquire()
      const device: GpuDevice = on.device
      this.context = on
      this._device = device
      const { pipeline, layout } = await compiled(
        on,
        this.compiledSource,
        this.paramsLayout?.arrayArgs.length ?? 0,
        shaderOf(this).numbers.length > 0
      )
      this.bindGroupLayout = layout
      this.computePipeline = pipeline
      this.constantBuffers = []
      this.built = true
    }
  }
  // a subclass of the class that it replaces
  return Written as unknown as GPU['Kernel']
}
