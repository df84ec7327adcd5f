import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { pretrainAesthetic } from '../../../../cli/tasks/faces/AestheticTraining.js'
import { loadAesthetic } from '../../../../cli/tasks/faces/Aesthetic.js'
import { get } from '../../../network/adjoint.js'

let folder = ''
let said = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halforder-aesthetic-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

afterEach(() => {
  vi.restoreAllMocks()
})

const run = async (options: Parameters<typeof pretrainAesthetic>[0]): Promise<number> => {
  said = ''
  const record = (text: string | Uint8Array): boolean => {
    said += String(text)
    return true
  }
  vi.spyOn(process.stderr, 'write').mockImplementation(record)
  vi.spyOn(process.stdout, 'write').mockImplementation(record)
  return pretrainAesthetic(options)
}

describe('halforder pretrain aesthetic', () => {
  test.each([
    [{ steps: '0' }, '--steps: expected a whole number of at least 1, got "0"'],
    [{ faces: 'many' }, '--faces: expected a whole number of at least 2, got "many"'],
    [{ mode: 'x' }, '--mode: expected one of webasm, cpu']
  ])('%o is refused, and nothing is written', async (options, message) => {
    const out = join(folder, 'refused')
    expect(await run({ ...options, out })).toBe(2)
    expect(said).toContain(`halforder pretrain: ${message}`)
    expect(existsSync(out)).toBe(false)
  })

  test('trains, reports, and gives the same file for the same seed', async () => {
    const options = { steps: '2', batch: '8', faces: '64' }
    const bytes = async (name: string, seed: string): Promise<Buffer> => {
      const out = join(folder, name)
      expect(await run({ ...options, seed, out })).toBe(0)
      expect(said).toContain('held-out pairs, accuracy')
      const file = readFileSync(join(out, 'aesthetic.safetensors'))
      const { metadata } = get(loadAesthetic(file))
      expect(metadata['command']).toBe(`halforder pretrain aesthetic --steps 2 --batch 8 --faces 64 --seed ${seed}`)
      expect(JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'))).toEqual(JSON.parse(metadata['metrics'] ?? ''))
      return file
    }
    const first = await bytes('first', '1')
    expect((await bytes('again', '1')).equals(first)).toBe(true)
    expect((await bytes('other', '2')).equals(first)).toBe(false)
  })
})
