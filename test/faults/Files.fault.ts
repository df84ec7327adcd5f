import { afterAll, expect, test } from 'vitest'
import { campaign } from './files/Campaign.js'
import { kinds } from './files/Kinds.js'
import { record, type Row } from './results.js'

const files = Number(process.env['FAULT_FILES'] ?? 100_000)
const seed = Number(process.env['FAULT_SEED'] ?? 1)
const rows: Array<Row> = []

afterAll(() =>
  record(
    'Files',
    'Files and documents of each kind, changed at random bytes, numbers, names and places. Each is to be taken, or refused in words ' +
      'within a second of the processor and 200 MB; `faults` counts those that were not.',
    rows
  )
)

test.each(kinds.map((kind) => [kind.name, kind] as const))(
  'bad files are each taken or refused in words, within a second and 200 MB: %s',
  (_, kind) => {
    const { faults, taken, refused, slowest, megabytes } = campaign(kind, files, seed)
    const found = { taken, refused, faults: faults.length, 'slowest, s': slowest, 'grown by, MB': megabytes }
    rows.push({ fault: `bad ${kind.name}`, tried: files, found })
    process.stdout.write(`${JSON.stringify({ kind: kind.name, files, seed, ...found })}\n`)
    expect(faults.slice(0, 20)).toEqual([])
    expect(refused).toBeGreaterThan(files / 2)
  }
)
