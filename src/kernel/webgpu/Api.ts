/**
 * What is used of WebGPU, and of gpu.js's classes for it, which its declarations lack. The dependency is pinned to one
 * version; `WebGpuKernel` and `Residents` refuse to work with one that is built in another way.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// WebGPU
// -------------------------------------------------------------------------------------

/**
 * A place in the memory of a device.
 *
 * @category model
 * @since 0.1.0
 */
export interface GpuBuffer {
  readonly destroy: () => void
  readonly mapAsync: (mode: number) => Promise<undefined>
  readonly getMappedRange: () => ArrayBuffer
  readonly unmap: () => void
}

/**
 * What is only passed on.
 *
 * @category model
 * @since 0.1.0
 */
export interface Opaque {
  readonly label: string
}

/**
 * The text of a shader on a device.
 *
 * @category model
 * @since 0.1.0
 */
export interface GpuModule {
  readonly getCompilationInfo: () => Promise<{
    readonly messages: ReadonlyArray<{ readonly type: string; readonly lineNum: number; readonly message: string }>
  }>
}

/**
 * Where the commands of one dispatch after the other are written.
 *
 * @category model
 * @since 0.1.0
 */
export interface GpuPass {
  readonly setPipeline: (pipeline: Opaque) => void
  readonly setBindGroup: (index: number, group: Opaque) => void
  readonly dispatchWorkgroups: (x: number, y: number, z: number) => void
  readonly end: () => void
}

/**
 * Where commands are written.
 *
 * @category model
 * @since 0.1.0
 */
export interface GpuEncoder {
  readonly beginComputePass: () => GpuPass
  readonly copyBufferToBuffer: (from: GpuBuffer, start: number, to: GpuBuffer, at: number, bytes: number) => void
  readonly finish: () => Opaque
}

/**
 * A device.
 *
 * @category model
 * @since 0.1.0
 */
export interface GpuDevice {
  readonly features: ReadonlySet<string>
  readonly limits: Readonly<Record<string, number>>
  readonly lost: Promise<{ readonly message: string }>
  readonly queue: {
    readonly writeBuffer: (buffer: GpuBuffer, offset: number, data: ArrayBufferView | ArrayBufferLike) => void
    readonly submit: (commands: ReadonlyArray<Opaque>) => void
    readonly onSubmittedWorkDone: () => Promise<undefined>
  }
  readonly createBuffer: (described: { readonly size: number; readonly usage: number }) => GpuBuffer
  readonly createBindGroup: (described: object) => Opaque
  readonly createCommandEncoder: () => GpuEncoder
  readonly createShaderModule: (described: { readonly code: string }) => GpuModule
  readonly createBindGroupLayout: (described: object) => Opaque
  readonly createPipelineLayout: (described: object) => Opaque
  readonly createComputePipelineAsync: (described: object) => Promise<Opaque>
  readonly destroy: () => void
  onuncapturederror: ((event: { readonly error: { readonly message: string } }) => void) | null
}

/**
 * An adapter.
 *
 * @category model
 * @since 0.1.0
 */
export interface GpuAdapter {
  readonly features: ReadonlySet<string>
  readonly limits: Readonly<Record<string, number>>
  readonly info?: { readonly subgroupMaxSize?: number }
  readonly requestDevice: (described: object) => Promise<GpuDevice>
}

// -------------------------------------------------------------------------------------
// gpu.js
// -------------------------------------------------------------------------------------

/**
 * A kernel of gpu.js on WebGPU.
 *
 * @category model
 * @since 0.1.0
 */
export interface DoorKernel {
  readonly constants?: Readonly<Record<string, unknown>>
  readonly paramsLayout: { readonly arrayArgs: ReadonlyArray<unknown> } | null
  returnType: string
  componentCount: number
  translatedBody: string
  translatedFunctions: string
  compiledSource: string
  context: unknown
  _device: GpuDevice
  bindGroupLayout: Opaque
  computePipeline: Opaque
  constantBuffers: ReadonlyArray<unknown>
  built: boolean
  translateSource(): void
  assembleWGSL(): string
  _computeDispatch(threads: ReadonlyArray<number>): DoorDispatch
  _buildAsync(): Promise<void>
}

/**
 * How many workgroups there are along each axis.
 *
 * @category model
 * @since 0.1.0
 */
export interface DoorDispatch {
  readonly groups: ReadonlyArray<number>
  readonly dispatchWidth: number
}

/**
 * A step of a pipeline as gpu.js prepared it.
 *
 * @category model
 * @since 0.1.0
 */
export interface DoorPass {
  readonly pipeline: Opaque
  readonly bindGroup: Opaque
  readonly groups: ReadonlyArray<number>
  readonly paramsBuffer: GpuBuffer
  readonly perCall: boolean
}

/**
 * A pipeline as gpu.js prepared it: arguments, steps, what is read back.
 *
 * @category model
 * @since 0.1.0
 */
export interface DoorExecutor {
  readonly kind: string
  readonly destroyed: boolean
  readonly _argRegions: ReadonlyMap<number, { readonly flatLength: number; scratch: Float32Array; buffer: GpuBuffer }>
  readonly _passes: ReadonlyArray<DoorPass>
  readonly _resultReads: ReadonlyArray<{
    readonly kind: string
    readonly buffer: GpuBuffer
    readonly offset: number
    readonly byteLength: number
  }>
  readonly _staging: GpuBuffer | null
  readonly _device: GpuDevice
  readonly _shapeResults: (args: ReadonlyArray<unknown>, mapped: ArrayBuffer | null) => unknown
  execute: (args: ReadonlyArray<unknown>) => Promise<unknown>
}

/**
 * A pipeline of gpu.js, behind what it hands out.
 *
 * @category model
 * @since 0.1.0
 */
export interface DoorPipeline {
  readonly fallbackReason: string | null
  readonly _executor: DoorExecutor | false | undefined
  _prepareExecutor: (args: ReadonlyArray<unknown>) => Promise<void> | undefined
}
