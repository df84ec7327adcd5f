import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { sample } from '../../../cli/command/Sample.js'
import { folder as data } from '../../data.js'
import { captured } from '../captured.js'

const folder = mkdtempSync(join(tmpdir(), 'halforder-elsewhere-'))
afterAll(() => rmSync(folder, { recursive: true }))

const task = fileURLToPath(new URL('../../../docs/examples/elsewhere.mjs', import.meta.url))

const options = (model: string, out: string, chain = 'ddpm') => ({
  task,
  model,
  prompt: '',
  count: '64',
  seed: '1',
  out,
  chain,
  steps: '50',
  eta: '1',
  guidance: '1',
  columns: '8',
  mode: 'webasm'
})

describe.skipIf(data === undefined)('a task on a file of someone else', () => {
  const model = `${data ?? ''}/external/tiny-tiny-diffusion/dino/params.pt`

  test('is sampled by the command', async () => {
    const out = join(folder, 'points.png')
    const { code, err } = await captured(() => sample(options(model, out)))
    expect([code, err.split('\n').filter((line) => line.startsWith('halforder'))]).toEqual([0, []])
    expect([...readFileSync(out).subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47])
  })

  test('refuses a chain on other levels, and a file that is another', async () => {
    const chain = await captured(() => sample(options(model, join(folder, 'x.png'), 'edm')))
    expect([chain.code, chain.err]).toEqual([2, expect.stringContaining("choose 'ddpm' or 'ddim'")])
    const other = `${data ?? ''}/torch/simple.pt`
    const wrong = await captured(() => sample(options(other, join(folder, 'x.png'))))
    expect([wrong.code, wrong.err]).toEqual([
      2,
      expect.stringContaining('"net.0.weight": expected [64, 3] for "in.weight"')
    ])
  })
})
