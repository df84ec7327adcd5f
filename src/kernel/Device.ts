/**
 * A mode of gpu.js, opened: its instance with our kernel class, and what it can do.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import gpujs from 'gpu.js'
import type { TargetError } from '../tensor/Target.js'
import { cpuKernel, webasmKernel } from './gpujs/Door.js'
import type { GpuInstance } from './gpujs/Pipeline.js'
import { type Mode, modes } from './Mode.js'
import { host, type Reach } from './plan/Reach.js'
import { defaultLimits, type FusionLimits } from './plan/Sequence.js'
import type { Kernel } from './plan/Template.js'
import { mostThreads, type Pool, pool, usualPatience } from './threads/Workers.js'
import { enabled, type Fma, fmas } from './wasm/Fma.js'
import { type Ground, ground } from './wasm/Ground.js'
import type { Shader } from './webgpu/KernelWgsl.js'
import { webgpuKernel } from './webgpu/WebGpuKernel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * - `mode`: default `webasm`.
 * - `fuse`: false runs every operation as a kernel of its own, for comparison. Default: true.
 * - `threads`: on `webasm`, how many threads share the rows of the dimension `batch`, 1 to 256 (see `Threads`). With
 *   it, sums over rows are defined over blocks of rows, so that their bits are the same for any number, 1 included.
 *   Default: rows are not split.
 * - `patience`: with `threads`, how many milliseconds a thread may take for a block of rows before it is taken to hang: the
 *   run is then a left, and the next one starts another thread. Above 0. Default: 600,000, ten minutes.
 * - `fma`: on `webasm`, whether kernels multiply and add in one instruction that rounds once, where the machine has it
 *   (default, `auto`), or never (`off`): then the bits are the same on machines with and without it.
 *
 * @category model
 * @since 0.1.0
 */
export interface GpuJsOptions {
  readonly mode?: Mode
  readonly fuse?: boolean
  readonly threads?: number
  readonly patience?: number
  readonly fma?: Fma
}

/**
 * An instance of gpu.js and what it can do.
 *
 * - `name`: of the target. `limits`: how far to fuse. `reach`: how large an array may be.
 * - `assembled`: kernels are WebAssembly that is made here; `fma`: with an instruction that multiplies and adds.
 * - `shaders`: on WebGPU, those of the kernels, which are written here.
 * - `ground`: the memory of its programs, where they are WebAssembly. `pool`: threads, where some were asked for.
 *
 * @category model
 * @since 0.1.0
 */
export interface Device extends GpuInstance {
  readonly name: string
  readonly limits: FusionLimits
  readonly reach: Reach
  readonly assembled: boolean
  readonly fma: boolean
  readonly shaders: WeakMap<Kernel, Shader> | undefined
  readonly ground: Ground | undefined
  readonly pool: Pool | undefined
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

// a shader stage may bind 8 storage buffers (WebGPU), one of which is the output, or 8 textures (WebGL): more are not
// promised
const gpuBuffers = 7

// gpu.js keeps whole numbers of a shader in f32, which has all of them up to this one
const gpuPositions = 2 ** 24

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Opens a mode. Left: an option that is none, or a mode that is not there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const openDevice = (
  name: string,
  { mode = 'webasm', fuse = true, threads, patience = usualPatience, fma = 'auto' }: GpuJsOptions
): E.Either<TargetError, Device> => {
  const unsupported = (reason: string, remedy: string): E.Either<TargetError, never> =>
    E.left({ _tag: 'Unsupported', target: name, reason, remedy })
  if (!modes.includes(mode)) return unsupported(`there is no mode '${mode}'`, `use one of ${modes.join(', ')}`)
  if (!fmas.includes(fma)) return unsupported(`there is no fma '${fma}'`, `use one of ${fmas.join(', ')}`)
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1 && threads <= mostThreads)) {
    return unsupported(
      `threads: expected a whole number from 1 to ${mostThreads}, got ${String(threads)}`,
      'leave it out, or ask for as many as the machine has cores'
    )
  }
  if (!(patience > 0)) {
    return unsupported(`patience: expected milliseconds above 0, got ${String(patience)}`, 'leave it out, or raise it')
  }
  return E.tryCatch(
    () => opened(name, mode, fuse, threads === undefined ? undefined : pool(threads, { patience }), fma),
    (error): TargetError => ({
      _tag: 'Unsupported',
      target: name,
      reason: error instanceof Error ? error.message : String(error),
      remedy: "use the mode 'webasm', which runs anywhere"
    })
  )
}

const opened = (name: string, mode: Mode, fuse: boolean, threads: Pool | undefined, fma: Fma): Device => {
  const onHost = mode === 'webasm' || mode === 'cpu'
  const gpu = new gpujs.GPU({ mode })
  const kernels = new Map<number, Kernel>()
  let count = 0
  // `gpu` falls back to the host where there is no GPU
  const found = gpu.Kernel.mode
  const side = gpu.Kernel.features.maxTextureSize
  const assembled = found === 'webasm'
  const multiplyAdds = assembled && enabled(fma)
  const shaders = found === 'webgpu' ? new WeakMap<Kernel, Shader>() : undefined
  if (assembled) gpu.Kernel = webasmKernel(kernels, multiplyAdds)
  if (found === 'cpu') gpu.Kernel = cpuKernel()
  if (shaders !== undefined) gpu.Kernel = webgpuKernel(gpu, kernels, shaders)
  return {
    name,
    gpu,
    kernels,
    newNumber: () => count++,
    limits: { buffers: onHost ? defaultLimits.buffers : gpuBuffers, fuse },
    reach: onHost ? host : shaders === undefined ? textures(side) : bindings,
    assembled,
    fma: multiplyAdds,
    shaders,
    ground: assembled ? ground({ fma: multiplyAdds }) : undefined,
    pool: assembled ? threads : undefined
  }
}

// every adapter binds 128 MiB
const bindings: Reach = { elements: 2 ** 25, who: 'an array of a shader' }

/** An array of a shader is a texture of at most `side` by `side` elements, where it is a texture. */
const textures = (side: number | undefined): Reach =>
  side !== undefined && side ** 2 < gpuPositions
    ? { elements: side ** 2, who: 'a texture' }
    : { elements: gpuPositions, who: 'an array of a shader' }
