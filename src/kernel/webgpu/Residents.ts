/**
 * How a pipeline runs on WebGPU: arguments are written where they changed, all steps go in one submission, and results are
 * read once. gpu.js prepares all of it (places, bind groups, numbers), and would write every argument every run.
 *
 * Tensors are immutable, so the same array holds the same numbers and may stay where it is.
 *
 * @since 0.1.0
 */
import type { Open } from './Adapter.js'
import type { DoorExecutor, DoorPass, DoorPipeline, GpuDevice, Opaque } from './Api.js'
import { folded, mostGroups } from './WebGpuKernel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What runs have cost so far: bytes that were written to the device, and submissions.
 *
 * @category model
 * @since 0.1.0
 */
export interface Traffic {
  bytes: number
  submissions: number
}

/**
 * What a run is cut at: a submission ends where it has so many operations, so that a page and the watchdog of a driver stay
 * alive. `flops` are those of each step, `numbers` what is bound for those that it reads.
 *
 * @category model
 * @since 0.1.0
 */
export interface Pace {
  readonly flops: ReadonlyArray<number>
  readonly numbers: ReadonlyArray<Opaque | undefined>
  readonly most: number
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

const other = (): Error => new Error('gpu.js runs WebGPU pipelines in another way than version 2.24.1 does')

/**
 * Lets a pipeline of gpu.js run this way whenever it prepares itself.
 *
 * @category combinators
 * @since 0.1.0
 */
export const install = (pipeline: unknown, on: Open, pace: Pace, traffic: Traffic): void => {
  const door = property(pipeline, 'pipeline') as DoorPipeline | undefined
  if (door === undefined || typeof door._prepareExecutor !== 'function') throw other()
  const prepare = door._prepareExecutor.bind(door)
  door._prepareExecutor = async (args) => {
    await prepare(args)
    const executor = door._executor
    // gpu.js would go on with a kernel at a time, on buffers of its own
    if (executor === false || executor === undefined) throw new Error(door.fallbackReason ?? other().message)
    if (executor.kind !== 'fused-encoder') throw other()
    executor.execute = running(executor, on, pace, traffic)
    for (const region of executor._argRegions.values()) region.scratch = new Float32Array(0)
  }
}

const property = (value: unknown, name: string): unknown =>
  (typeof value === 'object' && value !== null) || typeof value === 'function' ? Reflect.get(value, name) : undefined

const mapRead = 1

const running = (executor: DoorExecutor, on: Open, pace: Pace, traffic: Traffic): DoorExecutor['execute'] => {
  const written = new Map<number, Float32Array>()
  const { _device: device, _passes: passes } = executor
  const { queue } = device
  if (passes.some(({ perCall }) => perCall)) throw other()
  return async (args) => {
    if (on.isLost) throw new Error('the device was lost')
    for (const [index, { buffer, flatLength }] of executor._argRegions) {
      const value = args[index]
      if (!(value instanceof Float32Array) || value.length !== flatLength) throw other()
      if (written.get(index) === value) continue
      queue.writeBuffer(buffer, 0, value)
      written.set(index, value)
      traffic.bytes += value.byteLength
    }
    const encoder = await encoded(device, passes, pace, traffic)
    for (const { kind, buffer, offset, byteLength } of executor._resultReads) {
      if (kind === 'step' && executor._staging !== null) {
        encoder.copyBufferToBuffer(buffer, 0, executor._staging, offset, byteLength)
      }
    }
    queue.submit([encoder.finish()])
    traffic.submissions++
    if (executor._staging === null) return executor._shapeResults(args, null)
    await executor._staging.mapAsync(mapRead)
    const values = executor._shapeResults(args, executor._staging.getMappedRange())
    executor._staging.unmap()
    if (on.fault !== undefined) {
      const { fault } = on
      on.fault = undefined
      throw new Error(fault)
    }
    return values
  }
}

/** Writes the commands of all steps, and submits those that are enough for once. What is left is not submitted yet. */
const encoded = async (
  device: GpuDevice,
  passes: ReadonlyArray<DoorPass>,
  { flops, numbers, most }: Pace,
  traffic: Traffic
): Promise<ReturnType<GpuDevice['createCommandEncoder']>> => {
  let encoder = device.createCommandEncoder()
  let pass = encoder.beginComputePass()
  let load = 0
  const dispatch = (i: number, [x = 1, y = 1, z = 1]: ReadonlyArray<number>): void => {
    const { pipeline, bindGroup } = passes[i] ?? {}
    if (pipeline === undefined || bindGroup === undefined) return
    const own = numbers[i]
    pass.setPipeline(pipeline)
    pass.setBindGroup(0, bindGroup)
    if (own !== undefined) pass.setBindGroup(1, own)
    pass.dispatchWorkgroups(x, y, z)
  }
  const submit = async (): Promise<void> => {
    pass.end()
    device.queue.submit([encoder.finish()])
    traffic.submissions++
    await device.queue.onSubmittedWorkDone()
    encoder = device.createCommandEncoder()
    pass = encoder.beginComputePass()
    load = 0
  }
  for (const [i, step] of passes.entries()) {
    const work = flops[i] ?? 0
    if (load > 0 && load + work > most) await submit()
    if (work <= most) {
      dispatch(i, step.groups)
      load += work
      continue
    }
    // one that is too long by itself: so many workgroups at a time
    const [x = 1, y = 1] = step.groups
    const share = Math.min(mostGroups, Math.max(1, Math.floor((x * y * most) / work)))
    for (let from = 0; from < x * y; from += share) {
      device.queue.writeBuffer(step.paramsBuffer, 4, Uint32Array.of(from + 1))
      dispatch(i, folded(Math.min(share, x * y - from)))
      await submit()
    }
    device.queue.writeBuffer(step.paramsBuffer, 4, Uint32Array.of(1))
  }
  pass.end()
  return encoder
}
