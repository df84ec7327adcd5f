import { describe, expect, test } from 'vitest'
import { cyclesGrow, hosts, runsGrow } from './cycles.js'

// 2,000 cycles on each, with a bound a twentieth of this, are in `npm run faults`
describe.each(hosts)('memory on %s', (_, options) => {
  test('is flat over 25 cycles of compiling, running and disposing', async () => {
    // the kernels that gpu.js kept in its cpu mode were 340 KiB a cycle, a page of WebAssembly memory is 64 KiB
    expect(await cyclesGrow(options, 40, 25)).toBeLessThan(25 * 40 * 1024)
  })

  test('is flat over 400 runs', async () => {
    // the results of a run that is kept are 8 KiB, or more
    expect(await runsGrow(options, 100, 400)).toBeLessThan(400 * 4 * 1024)
  })
})
