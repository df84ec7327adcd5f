import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { fetchData } from '../../../cli/command/Fetch.js'
import { captured } from '../captured.js'

const scratch = mkdtempSync(join(tmpdir(), 'halforder-fetch-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A task whose data are brought by the given text of a function. */
const fetching = (name: string, fetch: string): string => {
  const path = join(scratch, name)
  const rest = "_tag: 'Task', name: 'own', about: 'x', defaults: () => ({}), models: new Map(), trainings: new Map()"
  writeFileSync(path, `export default { ${rest}, toys: new Map(), fetch: ${fetch} }`)
  return path
}

describe('halforder fetch', () => {
  test('brings the data, and says what they are', async () => {
    const task = fetching('brings.mjs', "async () => ({ _tag: 'Right', right: '3 pictures in data/own' })")
    expect(await captured(() => fetchData({ task }))).toEqual({ code: 0, out: '3 pictures in data/own\n', err: '' })
  })

  test('fails where they cannot be had', async () => {
    const task = fetching('fails.mjs', "async () => ({ _tag: 'Left', left: 'no network' })")
    const { code, err } = await captured(() => fetchData({ task }))
    expect([code, err]).toEqual([1, 'halforder fetch: no network\n'])
  })

  test('is refused by a task that has none', async () => {
    const { code, err } = await captured(() => fetchData({ task: 'points' }))
    expect([code, err]).toEqual([
      2,
      'halforder fetch: --task: points has nothing to fetch: its examples are drawn by itself; choose another\n'
    ])
  })
})
