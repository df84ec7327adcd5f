/**
 * gpu.js as a target: a program becomes one gpu.js pipeline of fused kernels, on any of gpu.js's modes.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import gpujs, { type GPU, type IKernelRunShortcut, type IPipelineRunShortcut } from 'gpu.js'
import { type Accuracy, processor, shader } from '../tensor/Op.js'
import * as Program from '../tensor/Program.js'
import type { BoundProgram, Values } from '../tensor/Program.js'
import type { Sizes } from '../tensor/Shape.js'
import type { Executable, Target, TargetError } from '../tensor/Target.js'
import { type Data, size, toFloat32 } from '../tensor/Tensor.js'
import { type Mode, modes } from './Mode.js'
import { assembledKernel, kernelNumber } from './gpujs/Door.js'
import { cached } from './gpujs/Cache.js'
import { enabled, type Fma } from './wasm/Fma.js'
import { defaultLimits, type Limits } from './plan/Sequence.js'
import { lengths } from './plan/Lengths.js'
import { type Plan, plan, report } from './plan/Plan.js'
import { argument, keep } from './gpujs/Resident.js'
import { argumentNames, constants, source } from './gpujs/Source.js'
import type { Kernel } from './plan/Template.js'
import * as Threads from './threads/Threads.js'
import { blockedKernel } from './webgpu/Blocked.js'
import { type Pool, pool } from './threads/Workers.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How accurately a mode computes, for `Reference.runWithBounds`.
 *
 * @category constants
 * @since 0.1.0
 */
export const accuracy = (mode: Mode): Accuracy => (mode === 'webasm' || mode === 'cpu' ? processor : shader)

/**
 * - `mode`: default `webasm`.
 * - `fuse`: false runs every operation as a kernel of its own, for comparison. Default: true.
 * - `threads`: on `webasm`, how many threads share the rows of the dimension `batch` (see `Threads`). With it, sums over rows
 *   are defined over blocks of rows, so that their bits are the same for any number, 1 included. Default: rows are not
 *   split.
 * - `fma`: on `webasm`, whether kernels multiply and add in one instruction that rounds once, where the machine has it
 *   (default, `auto`), or never (`off`): then the bits are the same on machines with and without it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly mode?: Mode
  readonly fuse?: boolean
  readonly threads?: number
  readonly fma?: Fma
}

/** A GPU instance, and the kernels that its kernel class knows by number. */
interface Device {
  readonly name: string
  readonly gpu: GPU
  readonly kernels: Map<number, Kernel>
  readonly limits: Limits
  /** the most elements of one array */
  readonly positions: number
  readonly executables: Set<Executable>
  readonly assembled: boolean
  /** contractions compute several elements a thread */
  readonly blocked: boolean
  readonly pool: Pool | undefined
  readonly fused: boolean
  next: number
  disposed: boolean
}

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

/**
 * A gpu.js instance as a target. Making it does nothing; the first `compile` makes the instance, and is `Unsupported`
 * where the mode is not there. `dispose` frees everything that was compiled with it.
 *
 * @category instances
 * @since 0.1.0
 */
export const gpuJs = ({ mode = 'webasm', fuse = true, threads, fma = 'auto' }: Options = {}): Target => {
  const name = `gpu.js ${mode}`
  let device: E.Either<TargetError, Device> | undefined
  const compileOn = cached(name, (program, sizes) =>
    pipe(
      (device ??= open(name, mode, fuse, threads, fma)),
      E.flatMap((opened) => split(opened, program, sizes))
    )
  )
  return {
    name,
    compile: (program, sizes) =>
      device !== undefined && E.isRight(device) && device.right.disposed
        ? E.left(gone(name))
        : compileOn(program, sizes),
    dispose: async () => {
      device ??= E.left(gone(name))
      if (E.isLeft(device) || device.right.disposed) return
      const opened = device.right
      opened.disposed = true
      for (const executable of opened.executables) await executable.dispose()
      await opened.gpu.destroy()
      await opened.pool?.dispose()
    }
  }
}

const gone = (target: string): TargetError => ({ _tag: 'Disposed', target })

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error))

// a shader stage may bind 8 storage buffers (WebGPU), one of which is the output, or 8 textures (WebGL): more are not
// promised
const gpuBuffers = 7

// gpu.js keeps whole numbers of a shader in f32, which has all of them up to this one
const gpuPositions = 2 ** 24

const open = (
  name: string,
  mode: Mode,
  fuse: boolean,
  threads: number | undefined,
  fma: Fma
): E.Either<TargetError, Device> => {
  const unsupported = (reason: string): TargetError => ({
    _tag: 'Unsupported',
    target: name,
    reason,
    remedy: "use the mode 'webasm', which runs anywhere"
  })
  if (!modes.includes(mode))
    return E.left({ ...unsupported(`there is no mode '${mode}'`), remedy: `use one of ${modes.join(', ')}` })
  const onHost = mode === 'webasm' || mode === 'cpu'
  const limits: Limits = { buffers: onHost ? defaultLimits.buffers : gpuBuffers, fuse }
  const positions = onHost ? Infinity : gpuPositions
  const kernels = new Map<number, Kernel>()
  return E.tryCatch(
    () => {
      const gpu = new gpujs.GPU({ mode })
      // `gpu` falls back to the host where there is no GPU
      const assembled = gpu.Kernel.mode === 'webasm'
      const fused = assembled && enabled(fma)
      if (assembled) gpu.Kernel = assembledKernel(kernels, fused)
      const blocked = gpu.Kernel.mode === 'webgpu'
      if (blocked) gpu.Kernel = blockedKernel(gpu, kernels)
      const workers = assembled && threads !== undefined ? pool(Math.max(1, Math.floor(threads))) : undefined
      const executables = new Set<Executable>()
      const own = { name, gpu, kernels, limits, positions, executables, assembled, fused, blocked }
      return { ...own, pool: workers, next: 0, disposed: false }
    },
    (error) => unsupported(message(error))
  )
}

/** Among the threads of the device, where it has some. */
const split = (device: Device, program: Program.Program, sizes: Sizes): E.Either<TargetError, Executable> => {
  const alone = (part: Program.Program, ofPart: Sizes): E.Either<TargetError, Executable> =>
    compile(device, part, ofPart)
  if (device.pool === undefined) return alone(program, sizes)
  return pipe(
    Threads.compile({ name: device.name, pool: device.pool, fused: device.fused, alone }, program, sizes),
    E.map((made) => {
      const self: Executable = {
        ...made,
        dispose: async () => {
          device.executables.delete(self)
          await made.dispose()
        }
      }
      device.executables.add(self)
      return self
    })
  )
}

const compile = (device: Device, program: Program.Program, sizes: Sizes): E.Either<TargetError, Executable> =>
  pipe(
    Program.bind(program, sizes),
    E.mapLeft((errors): TargetError => ({ _tag: 'Misshapen', errors })),
    E.flatMap((bound) =>
      E.tryCatch(
        () => {
          const planned = plan(bound, device.limits)
          const large = planned.buffers.find((buffer) => buffer.size > device.positions)
          return large === undefined
            ? E.right(executable(device, bound, planned))
            : E.left(tooLarge(device, large.size))
        },
        (error): TargetError => ({ _tag: 'Failed', target: device.name, reason: message(error) })
      )
    ),
    E.flatten
  )

const tooLarge = ({ name, positions }: Device, elements: number): TargetError => ({
  _tag: 'Unsupported',
  target: name,
  reason: `an array has ${elements} elements, and shaders count up to ${positions}`,
  remedy: "use a smaller batch, or the mode 'webasm'"
})

const executable = (device: Device, program: BoundProgram, planned: Plan): Executable => {
  const inputs = feeds(planned)
  const numbers: Array<number> = []
  // only kernels that are assembled here may have outputs that are longer than what they compute
  const outputs = device.assembled ? lengths(planned) : planned.kernels.map(({ spec }) => spec.cells)
  const kernels = planned.kernels.map((kernel, i) => {
    const number = device.next++
    device.kernels.set(number, kernel)
    numbers.push(number)
    return createKernel(device, kernel, number, outputs[i] ?? kernel.spec.cells)
  })
  const results = written(planned)
  const pipeline = results.length === 0 ? undefined : createPipeline(device.gpu, planned, kernels, inputs, results)
  let disposed = false
  let kept = false
  const call = async (values: Values): Promise<unknown> => {
    if (pipeline === undefined) return []
    const returned: unknown = await pipeline(...inputs.map((feed) => feed.data(values)))
    kept ||= keep(pipeline)
    return returned
  }
  const self: Executable = {
    program,
    work: planned.work,
    report: () => report(planned),
    run: (values) =>
      disposed
        ? TE.left(gone(device.name))
        : pipe(
            TE.fromEither(Program.checkValues(program, values)),
            TE.mapLeft((errors): TargetError => ({ _tag: 'Misshapen', errors })),
            TE.flatMap(() =>
              TE.tryCatch(
                async () => collect(planned, results, await call(values), values),
                (error): TargetError =>
                  disposed ? gone(device.name) : { _tag: 'Failed', target: device.name, reason: message(error) }
              )
            )
          ),
    dispose: async () => {
      if (disposed) return
      disposed = true
      device.executables.delete(self)
      await pipeline?.destroy()
      for (const kernel of kernels) kernel.destroy()
      for (const number of numbers) device.kernels.delete(number)
    }
  }
  device.executables.add(self)
  return self
}

// -------------------------------------------------------------------------------------
// kernels and pipelines
// -------------------------------------------------------------------------------------

const createKernel = ({ gpu, blocked }: Device, kernel: Kernel, number: number, length: number): IKernelRunShortcut =>
  gpu.createKernel(source(kernel, blocked), {
    output: [length],
    precision: 'single',
    constants: { ...constants(kernel), [kernelNumber]: number },
    constantTypes: Object.fromEntries([...Object.keys(constants(kernel)), kernelNumber].map((key) => [key, 'Integer'])),
    argumentTypes: Object.fromEntries(
      argumentNames(kernel).map((argument, i) => [argument, kernel.parameters[i - kernel.buffers] ?? 'Array'])
    )
  })

/** An argument of the pipeline: a buffer, and how to get its data for a run. */
interface Feed {
  readonly buffer: number
  readonly data: (values: Values) => Float32Array
}

const feeds = ({ buffers, calls }: Plan): ReadonlyArray<Feed> => {
  const read = new Set(calls.flatMap((call) => call.buffers))
  return buffers.flatMap((buffer, i): ReadonlyArray<Feed> => {
    if (!read.has(i) || buffer._tag === 'Written') return []
    if (buffer._tag === 'Input') return [{ buffer: i, data: (values) => argument(inputData(values, buffer.name)) }]
    const data = argument(toFloat32(buffer.value).data)
    return [{ buffer: i, data: () => data }]
  })
}

// `checkValues` has made sure that the input is there
const inputData = (values: Values, name: string): Data => values[name]?.data ?? new Float32Array(0)

/** The buffers that the pipeline hands out, each once. */
const written = ({ buffers, outputs }: Plan): ReadonlyArray<number> => [
  ...new Set(
    outputs.flatMap(({ source: from }) =>
      from._tag === 'Buffer' && buffers[from.buffer]?._tag === 'Written' ? [from.buffer] : []
    )
  )
]

const createPipeline = (
  gpu: GPU,
  { calls }: Plan,
  kernels: ReadonlyArray<IKernelRunShortcut>,
  inputs: ReadonlyArray<Feed>,
  results: ReadonlyArray<number>
): IPipelineRunShortcut => {
  const orchestrate = (...handles: ReadonlyArray<Handle>): Array<Handle> => {
    const values = new Map<number, Handle>(inputs.map(({ buffer }, i) => [buffer, handles[i]]))
    for (const call of calls) {
      const run = kernels[call.kernel]
      values.set(call.output, run?.(...call.buffers.map((buffer) => values.get(buffer)), ...call.parameters))
    }
    return results.map((buffer) => values.get(buffer))
  }
  // gpu.js makes as many handles as the function has parameters
  Object.defineProperty(orchestrate, 'length', { value: inputs.length })
  return gpu.createPipeline(orchestrate, { threads: false })
}

/** What gpu.js passes around while it records a pipeline: opaque to us. */
type Handle = ReturnType<IKernelRunShortcut> | undefined

/** The outputs by name from what the pipeline returned. */
const collect = (planned: Plan, results: ReadonlyArray<number>, returned: unknown, values: Values): Values => {
  const data = (buffer: number): Float32Array => {
    const from = planned.buffers[buffer]
    if (from?._tag === 'Input') return Float32Array.from(inputData(values, from.name))
    if (from?._tag === 'Constant') return Float32Array.from(from.value.data)
    const result: unknown = Array.isArray(returned) ? returned[results.indexOf(buffer)] : undefined
    if (!(result instanceof Float32Array)) throw new Error('gpu.js returned a result that is not a flat array')
    return result
  }
  return Object.fromEntries(
    planned.outputs.map(({ name, shape, source: from }) => [
      name,
      { shape, data: from._tag === 'Fill' ? new Float32Array(size(shape)).fill(from.value) : data(from.buffer) }
    ])
  )
}
