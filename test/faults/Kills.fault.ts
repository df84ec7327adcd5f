import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Killing, killing, type Tally } from './kills.js'
import { build, finetuneIn, newFolder, pretrainIn, resumed, scratch } from './program.js'
import { record, type Row } from './results.js'

const { path, remove } = scratch('kills')
const rows: Array<Row> = []

/** How many kills of each kind; the page has 100. */
const kills = Number(process.env['FAULT_KILLS'] ?? 100)

beforeAll(build)

afterAll(() => {
  record(
    'Kills',
    'Runs of `finetune` (40 steps) and `pretrain` (60 steps) that write a checkpoint after each step are ended at a random moment of ' +
      'their time, three in ten of them once more while they go on, and then run to their end.',
    rows
  )
  remove()
})

const row = (fault: string, { killed, beforeCheckpoint, midway, unresumable, different }: Tally): Row => ({
  fault,
  tried: killed,
  found: {
    'before the first checkpoint': beforeCheckpoint,
    'between the first and the last': midway,
    'not to be gone on from': unresumable,
    'other bytes': different
  }
})

type Way = Pick<Killing, 'begin' | 'goOn'>

const ways: Readonly<Record<string, (base: string) => Way>> = {
  finetune: (base) => ({ begin: (folder) => finetuneIn(base, folder), goOn: resumed }),
  pretrain: () => ({ begin: (folder) => pretrainIn(folder), goOn: (folder) => pretrainIn(folder) })
}

const faults: ReadonlyArray<
  readonly [name: string, share: number, signals: ReadonlyArray<NodeJS.Signals>, apart: number]
> = [
  ['SIGKILL', 1, ['SIGKILL'], 0],
  ['SIGINT twice', 0.2, ['SIGINT', 'SIGINT'], 30],
  ['SIGINT', 0.2, ['SIGINT'], 0],
  ['SIGHUP', 0.2, ['SIGHUP'], 0],
  ['SIGTERM', 0.2, ['SIGTERM'], 0]
]

describe.each(Object.entries(ways))('%s', (command, way) => {
  test.each(faults)('ended by %s goes on to the bytes of an unbroken run', async (name, share, signals, apart) => {
    const base = newFolder(path, `${command}-${name.replaceAll(' ', '-')}`)
    const tally = await killing({
      ...way(base),
      base,
      kills: Math.max(2, Math.round(share * kills)),
      seed: 20260,
      signals,
      apart
    })
    rows.push(row(`${command}, ${name}`, tally))
    expect(tally).toMatchObject({ unresumable: 0, different: 0, complaints: [] })
  })
})
