/**
 * The tensor laws on the adapter that Node has by the package `webgpu`: every case of the tests, then every way of every kernel
 * of the small shapes, against the reference and its bounds. A line of JSON each.
 */
import { cases } from '../../test/browser/cases.js'
import { shapes } from '../../test/browser/shapes.js'
import { forced } from '../../test/browser/webgpu.js'
import { agreement, runOn } from '../../test/kernel/arbitrary.js'
import { accuracy, gpuJs } from '../../src/kernel/index.js'
import { adapter } from './Gpu.js'

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

print({ step: 'adapter', found: await adapter() })
const target = gpuJs({ mode: 'webgpu' })
for (const [name, example] of Object.entries(cases)) {
  try {
    const { ratio, at, claimed } = agreement(example, await runOn(target, example), accuracy('webgpu'))
    print({ step: 'law', name, ratio, claimed, ...(ratio <= 1 ? {} : { wrong: at }) })
  } catch (error) {
    print({ step: 'law', name, wrong: String(error) })
  }
}
await target.dispose()
for (const [name, example] of Object.entries(shapes)) {
  try {
    const { worst, same, names } = await forced(example)
    print({
      step: 'ways',
      name,
      ratio: worst.ratio,
      same,
      ways: names.length,
      ...(worst.ratio <= 1 ? {} : { wrong: worst.at })
    })
  } catch (error) {
    print({ step: 'ways', name, wrong: String(error) })
  }
}
process.exit(0)
