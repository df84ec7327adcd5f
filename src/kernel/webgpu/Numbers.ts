/**
 * The numbers of shaders that are compiled once for several kernels, on a device: written when a pipeline starts, and bound beside what
 * gpu.js binds.
 *
 * @since 0.1.0
 */
import type { Open } from './Adapter.js'
import type { Opaque } from './Api.js'
import type { Shader } from './KernelWgsl.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What is bound for each shader, or `undefined` where it reads no numbers, and how to give the memory back.
 *
 * @category model
 * @since 0.1.0
 */
export interface Numbers {
  readonly groups: ReadonlyArray<Opaque | undefined>
  readonly dispose: () => void
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const uniform = 64
const written = 8

/**
 * The numbers of some shaders, in one buffer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const numbersOn = ({ device, numbers: layout }: Open, shaders: ReadonlyArray<Shader>): Numbers => {
  const step = device.limits['minUniformBufferOffsetAlignment'] ?? 256
  const bytes = (numbers: ReadonlyArray<number>): number => 16 * Math.ceil(numbers.length / 4)
  let end = 0
  const places = shaders.map(({ numbers }) => {
    if (numbers.length === 0) return undefined
    const place = { offset: end, size: bytes(numbers), numbers }
    end = step * Math.ceil((end + place.size) / step)
    return place
  })
  if (end === 0) return { groups: places.map(() => undefined), dispose: () => undefined }
  const all = new Uint32Array(end / 4)
  for (const place of places) all.set(place?.numbers ?? [], (place?.offset ?? 0) / 4)
  const buffer = device.createBuffer({ size: end, usage: uniform | written })
  device.queue.writeBuffer(buffer, 0, all)
  return {
    groups: places.map(
      (place) =>
        place &&
        device.createBindGroup({
          layout,
          entries: [{ binding: 0, resource: { buffer, offset: place.offset, size: place.size } }]
        })
    ),
    dispose: () => buffer.destroy()
  }
}
