import { expect, test } from 'vitest'
import { cyclesGrow, hosts } from '../kernel/cycles.js'

const cycles = 2000

// compiled machine code and feedback of the engine grow on for a while: about 1 KiB a cycle at first, and less later
test.each(hosts)('memory is flat over 2,000 cycles of compiling, running and disposing: %s', async (name, options) => {
  const grown = await cyclesGrow(options, 300, cycles)
  process.stdout.write(`${name}: ${(grown / cycles).toFixed(0)} bytes a cycle\n`)
  expect(grown).toBeLessThan(cycles * 2 * 1024)
})
