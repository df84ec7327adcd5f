import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { heldOutFaces, make } from '../../../cli/tasks/faces/Data.js'
import { pretrain } from '../../../cli/command/Pretrain.js'
import * as Faces from '../../../cli/tasks/faces/Faces.js'
import { loadClassifier } from '../../../src/network/Model.js'
import * as Key from '../../../src/random/Key.js'
import { get } from '../../network/adjoint.js'
import { captured, interrupt, type Ran } from '../captured.js'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'halforder-pretrain-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (...args: Parameters<typeof pretrain>): Promise<Ran> => captured(() => pretrain(...args))

describe('halforder pretrain', () => {
  test.each([
    [
      'other',
      {},
      'name: expected one of faces-mlp, unet, flow, clip, latent, classifier, judge, clip-classifier, clip-judge, aesthetic, got "other"; choose one of them'
    ],
    ['classifier', { steps: '1.5' }, '--steps: expected a whole number of at least 1, got "1.5"'],
    ['classifier', { batch: '' }, '--batch: expected a whole number of at least 1, got ""'],
    ['classifier', { seed: '-1' }, '--seed: expected a whole number in 0..9007199254740991, got "-1"'],
    ['classifier', { mode: 'x' }, '--mode: expected one of webasm, cpu']
  ] as const)('%s %o is refused, and nothing is written', async (name, options, message) => {
    const out = join(folder, 'refused')
    const { code, out: printed, err } = await run(name, { ...options, out })
    expect([code, printed]).toEqual([2, ''])
    expect(err).toContain(`halforder pretrain: ${message}`)
    expect(existsSync(out)).toBe(false)
  })

  test('trains, reports, resumes, and says so when a folder is of another training', async () => {
    const out = join(folder, 'classifier')
    expect((await run('classifier', { steps: '2', batch: '8', faces: '512', out })).code).toBe(0)
    const { metadata } = get(loadClassifier(readFileSync(join(out, 'classifier.safetensors'))))
    expect(metadata['command']).toBe('halforder pretrain classifier --steps 2 --batch 8 --examples 512 --seed 1')
    expect(JSON.parse(readFileSync(join(out, 'metrics.json'), 'utf8'))).toEqual(JSON.parse(metadata['metrics'] ?? ''))
    const other = await run('classifier', { steps: '2', batch: '8', examples: '512', seed: '2', out })
    expect(other.code).toBe(2)
    expect(other.err).toBe(
      `halforder pretrain: ${join(out, 'checkpoint.safetensors')}: seed: expected 2, got 1; ` +
        'the checkpoint is of another run, so go on with that one, or begin again in another folder\n'
    )
    // a training that is interrupted after its first step, and run again, leaves the same bytes
    const again = join(folder, 'again')
    interrupt()
    expect((await run('classifier', { steps: '2', batch: '8', examples: '512', out: again })).code).toBe(130)
    expect(existsSync(join(again, 'classifier.safetensors'))).toBe(false)
    expect((await run('classifier', { steps: '2', batch: '8', examples: '512', out: again })).code).toBe(0)
    expect(readFileSync(join(again, 'classifier.safetensors'))).toEqual(
      readFileSync(join(out, 'classifier.safetensors'))
    )
  })
})

describe('the data', () => {
  test('held-out faces are not among the training faces', () => {
    const { training, heldOut } = make(Key.make(1), 512)
    const code = (face: Faces.Attributes): string => Faces.encode(face).join('')
    const seen = new Set(training.attributes.map(code))
    expect(training.attributes).toHaveLength(512)
    expect(heldOut.attributes).toHaveLength(heldOutFaces)
    expect(heldOut.attributes.filter((face) => seen.has(code(face)))).toEqual([])
  })
})
