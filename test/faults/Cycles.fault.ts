import { afterAll, expect, test } from 'vitest'
import { cyclesGrow, hosts } from '../kernel/cycles.js'
import { record, type Row } from './results.js'

const cycles = 2000
const rows: Array<Row> = []

afterAll(() =>
  record(
    'Memory',
    'Programs that are compiled, run and disposed of, over and over, in every mode that runs on the host.',
    rows
  )
)

// compiled machine code and feedback of the engine grow on for a while: about 1 KiB a cycle at first, and less later
test.each(hosts)('memory is flat over 2,000 cycles of compiling, running and disposing: %s', async (name, options) => {
  const grown = await cyclesGrow(options, 300, cycles)
  const each = Math.round(grown / cycles)
  rows.push({ fault: name, tried: cycles, found: { 'bytes kept a cycle': each } })
  process.stdout.write(`${name}: ${each} bytes a cycle\n`)
  expect(grown).toBeLessThan(cycles * 2 * 1024)
})
