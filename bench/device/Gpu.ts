/** WebGPU in Node, from the package `webgpu`, where it is installed. */
import * as E from 'fp-ts/lib/Either.js'
import { webGpu } from '../../cli/edge/WebGpu.js'
import { acquire } from '../../src/kernel/webgpu/Adapter.js'

/** Opens the adapter and says which it is; ends the process where there is none. */
export const adapter = async (): Promise<object> => {
  const there = await webGpu('webgpu')()
  if (E.isLeft(there)) {
    process.stdout.write(`${JSON.stringify({ step: 'adapter', wrong: there.left.message })}\n`)
    process.exit(1)
  }
  const { adapter: found, device } = await acquire()
  const info: object = found.info ?? {}
  return {
    ...Object.fromEntries(
      ['vendor', 'architecture', 'description', 'subgroupMinSize', 'subgroupMaxSize'].map((name) => [
        name,
        Reflect.get(info, name)
      ])
    ),
    bytes: device.limits['maxStorageBufferBindingSize']
  }
}
