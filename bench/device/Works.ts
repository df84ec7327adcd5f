/** The works of the benchmark on the adapter that Node has by the package `webgpu`: first runs and others. A line of JSON each. */
import { credits } from '../Credit.js'
import { elementwise } from '../Elementwise.js'
import { matmul } from '../Matmul.js'
import { rollout } from '../Rollout.js'
import { unet } from '../Unet.js'
import { adapter } from './Gpu.js'

const rounds = 20

await adapter()
for (const work of [...[256, 512, 1024, 2048].map(matmul), elementwise, rollout, unet, ...credits]) {
  const make = work.contenders.ours
  if (make === undefined) continue
  try {
    const began = performance.now()
    const one = await make(1, 'webgpu')
    await one.run()
    const first = performance.now() - began
    const times: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      const start = performance.now()
      await one.run()
      times.push(performance.now() - start)
    }
    await one.dispose()
    times.sort((a, b) => a - b)
    const line = { step: 'work', who: 'ours', work: work.name, first, median: times[rounds / 2], least: times[0] }
    process.stdout.write(`${JSON.stringify(line)}\n`)
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ step: 'work', who: 'ours', work: work.name, wrong: String(error) })}\n`)
  }
}
process.exit(0)
