/**
 * The device that all kernels on WebGPU share, and the shaders that were compiled for it.
 *
 * @since 0.1.0
 */
import type { GpuAdapter, GpuDevice, Opaque } from './Api.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A shader that is ready to run, and how its arguments are bound.
 *
 * @category model
 * @since 0.1.0
 */
export interface Compiled {
  readonly pipeline: Opaque
  readonly layout: Opaque
}

/**
 * A device that is open; `numbers` is how those that a shader reads are bound. `isLost` and `fault` change when it goes or complains: `fault` is what went wrong that no call
 * has answered for, such as memory that was not there.
 *
 * @category model
 * @since 0.1.0
 */
export interface Open {
  readonly adapter: GpuAdapter
  readonly device: GpuDevice
  readonly shaders: Map<string, Promise<Compiled>>
  readonly numbers: Opaque
  isLost: boolean
  fault: string | undefined
}

// -------------------------------------------------------------------------------------
// devices
// -------------------------------------------------------------------------------------

/** How many shaders are kept after their kernels are gone. */
const mostKept = 512

let opening: Promise<Open> | undefined

const gpuOf = (): unknown => {
  const navigator: unknown = Reflect.get(globalThis, 'navigator')
  return typeof navigator === 'object' && navigator !== null ? Reflect.get(navigator, 'gpu') : undefined
}

const adapterOf = async (): Promise<GpuAdapter> => {
  const gpu = gpuOf()
  const request: unknown = typeof gpu === 'object' && gpu !== null ? Reflect.get(gpu, 'requestAdapter') : undefined
  if (typeof request !== 'function') throw new Error('there is no WebGPU here: navigator.gpu is missing')
  // what WebGPU's own `requestAdapter` gives
  const adapter = (await Reflect.apply(request, gpu, [])) as GpuAdapter | null
  if (adapter === null) throw new Error('WebGPU is here, but there is no adapter: no GPU, or no driver for it')
  return adapter
}

const asked = ['maxStorageBufferBindingSize', 'maxBufferSize'] as const

/** Where WebGPU may bind what a compute shader reads. */
const compute = 4

const subgroups = 'subgroups'

const wanted = [subgroups] as const

const open = async (): Promise<Open> => {
  const adapter = await adapterOf()
  const requiredLimits = Object.fromEntries(asked.map((name) => [name, adapter.limits[name]]))
  const requiredFeatures = wanted.filter((name) => adapter.features.has(name))
  const device = await adapter.requestDevice({ requiredLimits, requiredFeatures })
  const numbers = device.createBindGroupLayout({
    entries: [{ binding: 0, visibility: compute, buffer: { type: 'uniform' } }]
  })
  const opened: Open = { adapter, device, shaders: new Map(), numbers, isLost: false, fault: undefined }
  void device.lost.then(() => {
    opened.isLost = true
  })
  device.onuncapturederror = ({ error }) => {
    opened.fault ??= error.message
  }
  return opened
}

/**
 * The device, opened where there is none, or where the last one was lost.
 *
 * @category constructors
 * @since 0.1.0
 */
export const acquire = async (): Promise<Open> => {
  const before = await opening?.catch(() => undefined)
  if (before !== undefined && !before.isLost) return before
  const now = open()
  opening = now
  return now
}

// what most GPUs have, where an adapter does not tell
const usualSubgroup = 32

/**
 * How threads go together on a device: how many at most, and whether four of them can hand values to each other. For that a thread
 * must know its place among those of its workgroup, which is younger than handing on.
 *
 * @category utils
 * @since 0.1.0
 */
export const threadsOf = ({ adapter, device }: Open): { readonly subgroup: number; readonly quads: boolean } => {
  const gpu = gpuOf()
  const language: unknown =
    typeof gpu === 'object' && gpu !== null ? Reflect.get(gpu, 'wgslLanguageFeatures') : undefined
  // WebGPU's own set of names
  const places = (language as ReadonlySet<string> | undefined)?.has('subgroup_id') ?? false
  return {
    subgroup: adapter.info?.subgroupMaxSize ?? usualSubgroup,
    quads: places && device.features.has(subgroups)
  }
}

// -------------------------------------------------------------------------------------
// shaders
// -------------------------------------------------------------------------------------

/**
 * The shader of a text that reads so many arrays, and numbers of its own or not. The same text is compiled once.
 *
 * @category utils
 * @since 0.1.0
 */
export const compiled = (on: Open, text: string, arrays: number, reads: boolean): Promise<Compiled> => {
  const { device, shaders, numbers } = on
  const before = shaders.get(text)
  if (before !== undefined) {
    // what was used last goes last
    shaders.delete(text)
    shaders.set(text, before)
    return before
  }
  const types = ['uniform', ...Array.from({ length: arrays }, () => 'read-only-storage'), 'storage']
  const layout = device.createBindGroupLayout({
    entries: types.map((type, binding) => ({ binding, visibility: compute, buffer: { type } }))
  })
  const module = device.createShaderModule({ code: text })
  const made = device
    .createComputePipelineAsync({
      layout: device.createPipelineLayout({ bindGroupLayouts: reads ? [layout, numbers] : [layout] }),
      compute: { module, entryPoint: 'main' }
    })
    .then(
      (pipeline): Compiled => ({ pipeline, layout }),
      async (error: unknown) => {
        shaders.delete(text)
        const { messages } = await module.getCompilationInfo()
        const [first] = messages.filter(({ type }) => type === 'error')
        on.fault = undefined
        if (first === undefined) throw error
        throw new Error(`a shader does not compile: ${first.message} (${text.split('\n')[first.lineNum - 1] ?? ''})`)
      }
    )
  made.catch(() => undefined)
  shaders.set(text, made)
  const [oldest] = shaders.keys()
  if (shaders.size > mostKept && oldest !== undefined) shaders.delete(oldest)
  return made
}
