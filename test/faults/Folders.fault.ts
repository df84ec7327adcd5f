import { afterAll, beforeAll, expect, test } from 'vitest'
import { build, newFolder, scratch } from './program.js'
import { record, type Row } from './results.js'
import { resumedTogether, type Shared, together, unnamed } from './sharing.js'

const { path, remove } = scratch('folders')
const rows: Array<Row> = []

beforeAll(build)

afterAll(() => {
  record(
    'Folders',
    'Several processes of `finetune` want one folder at the same time, with different seeds or to resume it.',
    rows
  )
  remove()
})

const row = (fault: string, { rounds, ran, refused, other, different }: Shared): Row => ({
  fault,
  tried: rounds,
  found: { 'ran to the end': ran, refused, 'ended otherwise': other, 'other bytes than of one alone': different }
})

test('of processes that start in one folder one runs, and the folder is its own', async () => {
  const shared = await together(newFolder(path, 'together'), 20, 3)
  rows.push(row('three processes, one new folder', shared))
  expect(shared).toMatchObject({ ran: 20, refused: 40, other: 0, different: 0, complaints: [] })
})

test('of processes that resume a killed run at once one goes on at a time', async () => {
  const shared = await resumedTogether(newFolder(path, 'resumed'), 20, 3)
  rows.push(row('three processes resume a killed run', shared))
  expect(shared).toMatchObject({ other: 0, different: 0, complaints: [] })
  expect(shared.ran).toBeGreaterThanOrEqual(20)
})

test('processes that are told no folder make one each', async () => {
  const folders = await unnamed(path, 8)
  rows.push({ fault: 'eight processes without `--out` in one second', tried: 8, found: { folders: folders.length } })
  expect(folders).toHaveLength(8)
})
