import { afterAll, beforeAll, expect, test } from 'vitest'
import { closed } from './pipes.js'
import { build, newFolder, run, scratch, start } from './program.js'
import { record, type Row } from './results.js'

const { path, remove } = scratch('pipes')
const rows: Array<Row> = []

beforeAll(build)

afterAll(() => {
  record('Pipes', 'Whoever reads stdout or stderr goes away, at the start of a run or later; or takes no more.', rows)
  remove()
})

test('a run whose readers go away ends with 0 and a whole folder', async () => {
  const piped = await closed(
    newFolder(path, 'closed'),
    Array.from({ length: 10 }, (_, i) => i / 10)
  )
  rows.push({
    fault: 'stdout, stderr or both closed during `finetune`',
    tried: piped.tried,
    found: { wrong: piped.wrong }
  })
  expect(piped).toMatchObject({ wrong: 0, complaints: [] })
})

test.each([
  ['compare', ['compare', '--task', 'points', '--samples', '64', '--json']],
  ['plan', ['plan', '--task', 'points', '--json']],
  ['help', ['finetune', '--help']]
])('%s ends quietly when no one reads', async (name, args) => {
  const { child, ended } = start(args)
  child.stdout?.destroy()
  const { code, err } = await ended
  rows.push({ fault: `stdout of \`${name}\` closed`, tried: 1, found: { 'exit code': String(code) } })
  expect(err).not.toMatch(/error|EPIPE/i)
  expect(code === 141 || code === 0).toBe(true)
})

test('a stdout that is full is said, and ends with 1', async () => {
  const under = ['sh', '-c', 'exec "$@" > /dev/full', 'sh']
  const { code, err } = await run(['plan', '--task', 'points'], { under })
  rows.push({ fault: 'stdout of `plan` on a full disk', tried: 1, found: { 'exit code': String(code) } })
  expect([code, err]).toEqual([1, 'halforder: could not write to stdout: ENOSPC: no space left on device, write\n'])
})
