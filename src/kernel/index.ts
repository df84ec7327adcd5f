/**
 * From programs to fused kernels, and gpu.js as the target that runs them.
 *
 * @since 0.1.0
 */
export * as Fusion from './Fusion.js'
export * as Schedule from './Schedule.js'
export * as GpuJs from './GpuJs.js'
export * as Plan from './Plan.js'
export * as Source from './Source.js'
export * as Spec from './Spec.js'
export * as Template from './Template.js'

export { gpuJs } from './GpuJs.js'
