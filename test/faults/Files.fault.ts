import { expect, test } from 'vitest'
import { campaign } from './files/Campaign.js'
import { kinds } from './files/Kinds.js'

const files = Number(process.env['FAULT_FILES'] ?? 100_000)
const seed = Number(process.env['FAULT_SEED'] ?? 1)

test.each(kinds.map((kind) => [kind.name, kind] as const))(
  'hundred thousand bad files are each taken or refused in words, within a second and 200 MB: %s',
  (_, kind) => {
    const figures = campaign(kind, files, seed)
    process.stdout.write(`${JSON.stringify({ ...figures, faults: figures.faults.length, seed })}\n`)
    expect(figures.faults.slice(0, 20)).toEqual([])
    expect(figures.refused).toBeGreaterThan(files / 2)
  }
)
