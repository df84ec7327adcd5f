/**
 * From programs to fused kernels, and gpu.js as the target that runs them.
 *
 * @since 0.1.0
 */
export * as Fusion from './plan/Fusion.js'
export * as Schedule from './plan/Sequence.js'
export * as GpuJs from './GpuJs.js'
export * as Plan from './plan/Plan.js'
export * as Source from './gpujs/Source.js'
export * as Spec from './plan/Spec.js'
export * as Template from './plan/Template.js'

export { gpuJs } from './GpuJs.js'
export { type Mode, modes } from './Mode.js'
