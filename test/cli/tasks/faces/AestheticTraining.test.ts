import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { pretrain, type PretrainOptions } from '../../../../cli/command/Pretrain.js'
import { loadAesthetic } from '../../../../cli/tasks/faces/Aesthetic.js'
import { get } from '../../../network/adjoint.js'
import { captured, type Ran } from '../../captured.js'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halforder-aesthetic-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (options: PretrainOptions): Promise<Ran> => captured(() => pretrain('aesthetic', options))

describe('halforder pretrain aesthetic', () => {
  test.each([
    [{ steps: '0' }, '--steps: expected a whole number of at least 1, got "0"'],
    [{ faces: 'many' }, '--faces: expected a whole number of at least 1, got "many"'],
    [{ examples: '1' }, '--examples: expected at least 2, got 1'],
    [{ mode: 'x' }, '--mode: expected one of webasm, cpu']
  ])('%o is refused, and nothing is written', async (options, message) => {
    const out = join(folder, 'refused')
    const { code, out: printed, err } = await run({ ...options, out })
    expect([code, printed]).toEqual([2, ''])
    expect(err).toContain(`halforder pretrain: ${message}`)
    expect(existsSync(out)).toBe(false)
  })

  test('trains, reports, and gives the same file for the same seed', async () => {
    const options = { steps: '2', batch: '8', faces: '64' }
    const bytes = async (name: string, seed: string): Promise<Buffer> => {
      const out = join(folder, name)
      const ran = await run({ ...options, seed, out })
      expect(ran.code).toBe(0)
      expect(ran.out).toMatch(/^wrote .*: \d+ held-out pairs, accuracy /)
      const file = readFileSync(join(out, 'aesthetic.safetensors'))
      const { metadata } = get(loadAesthetic(file))
      expect(metadata['command']).toBe(`halforder pretrain aesthetic --steps 2 --batch 8 --examples 64 --seed ${seed}`)
      expect(JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'))).toEqual(JSON.parse(metadata['metrics'] ?? ''))
      return file
    }
    const first = await bytes('first', '1')
    expect((await bytes('again', '1')).equals(first)).toBe(true)
    expect((await bytes('other', '2')).equals(first)).toBe(false)
  })
})
