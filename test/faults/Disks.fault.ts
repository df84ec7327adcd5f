import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Broken, full, limited, mayMount, readOnly, removed, struck, vanished, type Way } from './disks.js'
import { build, finetuneIn, newFolder, pretrainIn, resumed, scratch } from './program.js'
import { record, type Row } from './results.js'

const { path, remove } = scratch('disks')
const rows: Array<Row> = []

beforeAll(build)

afterAll(() => {
  record(
    'Disks',
    'Disks in memory that are too small, turn read-only or are taken away while a run writes to them; folders that are removed under it; ' +
      'a limit on the size of a file. The run ends with 1 and says why; then the fault is mended and the run goes on.',
    rows
  )
  remove()
})

const row = (fault: string, { failed, ran, unclear, unresumable, different }: Broken): Row => ({
  fault,
  tried: failed + ran,
  found: {
    'ended by it': failed,
    'ended before it': ran,
    'without a clear word': unclear,
    'not to be gone on from': unresumable,
    'other bytes': different
  }
})

const ways: ReadonlyArray<readonly [string, (base: string) => Way]> = [
  ['finetune', (base) => ({ begin: (folder) => finetuneIn(base, folder), goOn: resumed })],
  ['pretrain', () => ({ begin: (folder) => pretrainIn(folder), goOn: (folder) => pretrainIn(folder) })]
]

const whole = { unclear: 0, unresumable: 0, different: 0, complaints: [] }

const upTo = (n: number, step: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => (i + 1) * step)

const moments = upTo(10, 90)

describe.each(ways)('%s', (command, way) => {
  test('a limit on the size of files', async () => {
    const base = newFolder(path, `${command}-limited`)
    const broken = await limited(base, way(base), upTo(20, 40))
    rows.push(row(`${command}, limit on the size of files`, broken))
    expect(broken).toMatchObject(whole)
    expect(broken.failed).toBeGreaterThan(0)
  })

  describe.runIf(mayMount(path))('on a disk of its own', () => {
    test('that is full', async () => {
      const base = newFolder(path, `${command}-full`)
      const broken = await full(base, way(base), upTo(20, 60))
      rows.push(row(`${command}, full disk of 60 to 1200 kB`, broken))
      expect(broken).toMatchObject(whole)
      expect(broken.failed).toBeGreaterThan(0)
    })

    test.each([
      ['that turns read-only', readOnly],
      ['that is taken away', vanished],
      ['whose folder is removed', removed]
    ] as const)('%s', async (name, blow) => {
      const base = newFolder(path, `${command}-${name.replaceAll(' ', '-')}`)
      const broken = await struck(base, way(base), blow, moments)
      rows.push(row(`${command}, disk ${name}`, broken))
      expect(broken).toMatchObject(whole)
      expect(broken.failed).toBeGreaterThan(0)
    })
  })
})
