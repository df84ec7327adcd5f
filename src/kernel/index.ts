/**
 * From programs to running kernels: gpu.js as the target that compiles and runs them. What a compiled program does,
 * kernel by kernel, `tensor.Target.describe` tells.
 *
 * @since 0.1.0
 */
export type { GpuJsOptions } from './Device.js'
export { gpuJs } from './GpuJs.js'
export { accuracy, type Mode, modes } from './Mode.js'
export { fastest, probe, showTrials, type Trial } from './Probe.js'
export type { Fma } from './wasm/Fma.js'
