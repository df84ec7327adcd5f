import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { afterAll, describe, expect, test } from 'vitest'
import { check } from '../../../cli/command/Check.js'
import { inspect } from '../../../cli/command/Inspect.js'
import * as Npz from '../../../src/format/Npz.js'
import { encode } from '../../../src/format/Safetensors.js'
import { npy, zip } from '../../format/writers.js'
import { smallUnet, smallWeights } from '../../network/small.js'
import { captured } from '../captured.js'

const Verdict = t.type({ verdict: t.string })
const Row = t.type({ array: t.string, double: Verdict, single: Verdict })

const fixture = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const denoiser = fixture('network/fixtures/denoiser.onnx')
const arrays = fixture('network/fixtures/denoiser.npz')
const checkpoint = fixture('format/fixtures/checkpoint.pt')

const folder = mkdtempSync(join(tmpdir(), 'halforder-inspect-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A folder of diffusers. */
const written = (): string => {
  const tensors = smallWeights(smallUnet)
  const bytes = encode('own')({ tensors, metadata: {} })
  if (E.isLeft(bytes)) throw new Error('no file')
  writeFileSync(join(folder, 'config.json'), JSON.stringify(smallUnet))
  writeFileSync(join(folder, 'diffusion_pytorch_model.safetensors'), bytes.right)
  return folder
}

describe('halforder inspect', () => {
  test('says what an ONNX file has, what is assumed and what is missing', async () => {
    const { code, out, err } = await captured(() => inspect(denoiser, {}))
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('a model (ONNX)')
    expect(out).toContain('  x [batch, 2, 4, 4] float\n  t [batch] int\n')
    expect(out).toContain('  conv_in.weight [8, 2, 3, 3]\n')
    expect(out).toContain('assumed:\n  x: images, channels first\n  t: the time, in whole steps\n')
    expect(out).toContain('missing:\n  what the output is')
  })

  test('doubts a record beside it that the numbers speak against, by its field', async () => {
    const path = join(folder, 'said.onnx')
    copyFileSync(denoiser, path)
    const said = async (record: object): Promise<string> => {
      writeFileSync(join(folder, 'said.json'), JSON.stringify(record))
      return (await captured(() => inspect(path, {}))).out
    }
    const alphaBar = [0.95, 0.8, 0.6, 0.4, 0.02]
    // of random weights, which predict no noise
    expect(await said({ alphaBar, prediction: 'epsilon' })).toContain('doubtful:\n  prediction: at the noisiest time')
    const fits = await said({ alphaBar, prediction: 'clean' })
    expect(fits).not.toContain('doubtful')
    expect(fits).not.toContain('missing')
    expect(await said({ alphaBar, prediction: 'noise' })).toContain('doubtful:\n  --model: ')
  })

  test('says the same of a folder of diffusers, whose parameters are its weights and nothing else', async () => {
    const { code, out } = await captured(() => inspect(written(), { json: true }))
    expect(code).toBe(0)
    const said: unknown = JSON.parse(out)
    expect(said).toMatchObject({
      format: 'diffusers',
      differentiable: true,
      outputs: [{ name: 'out', shape: ['batch', 3, 8, 8] }]
    })
    expect(out).not.toContain('#')
  })

  test('names the weights of a checkpoint, and the group that was asked for', async () => {
    const all = await captured(() => inspect(checkpoint, {}))
    expect(all.out).toContain('weights (PyTorch), 19 tensors')
    expect(all.out).toContain('missing: the network; give config.json beside them, or export the model to ONNX')
    const ema = await captured(() => inspect(checkpoint, { weightsKey: 'ema' }))
    expect(ema.out).toContain('weights (PyTorch), 1 tensors, 6 numbers\n  f32 [2, 3]\n')
    const none = await captured(() => inspect(checkpoint, { weightsKey: 'model' }))
    expect([none.code, none.out]).toEqual([2, ''])
    expect(none.err).toContain('expected a group called "model", got state_dict, ema, optimizer')
  })

  test.each([
    ['a file that is not there', join(tmpdir(), 'nothing', 'x.onnx'), 1, 'could not read'],
    ['a file of no format that is read', fileURLToPath(import.meta.url), 2, 'expected *.onnx, *.safetensors, *.pt'],
    [
      'a file of another format by its name',
      arrays.replace(/npz$/, 'onnx').replace('denoiser', 'none'),
      1,
      'it does not exist'
    ]
  ])('%s', async (_, path, code, message) => {
    const ran = await captured(() => inspect(path, {}))
    expect([ran.code, ran.out]).toEqual([code, ''])
    expect(ran.err).toContain(message)
  })
})

describe('halforder check', () => {
  test('compares a model with what PyTorch computed, in f64 and on the mode', async () => {
    const { code, out } = await captured(() => check(denoiser, arrays, { mode: 'webasm' }))
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toMatch(/^array +f64 +bound +webasm +bound/)
    expect(lines.find((line) => line.startsWith('out64'))).toMatch(
      /^out64 +\d\.\de-\d+ +1e-5 +equal +\d\.\de-\d+ +2e-5 +equal$/
    )
    expect(lines.filter((line) => !line.includes('equal')).length).toBe(1)
    expect(code).toBe(0)
  })

  test('prints one object a line, and ends with 1 where an array is off', async () => {
    const decoded = Npz.decode(new Uint8Array(readFileSync(arrays)))
    if (E.isLeft(decoded)) throw new Error('no arrays')
    const other = join(folder, 'other.npz')
    const { 'grad.x': gradient, ...rest } = decoded.right
    const doubled = { shape: gradient?.shape ?? [], data: gradient?.data.map((x) => 2 * x) ?? new Float32Array(0) }
    const members = Object.entries({ ...rest, 'grad.x': doubled, 'grad.z': doubled }).map(
      ([name, { shape, data }]) => ({
        name: `${name}.npy`,
        content: npy({ kind: 'f8', little: true, fortran: false, version: 1, shape, values: [...data] })
      })
    )
    writeFileSync(other, zip(members))
    const { code, out } = await captured(() => check(denoiser, other, { mode: 'webasm', json: true }))
    expect(code).toBe(1)
    const verdicts = out
      .trimEnd()
      .split('\n')
      .flatMap((line) => {
        const row = Row.decode(JSON.parse(line))
        return E.isRight(row) ? [[row.right.array, row.right.double.verdict, row.right.single.verdict]] : []
      })
    expect(verdicts).toContainEqual(['out', 'equal', 'equal'])
    expect(verdicts).toContainEqual(['grad.x', 'off', 'off'])
    expect(verdicts).toContainEqual(['grad.z', 'not there', 'not there'])
  })

  test('doubts the record beside the model as inspect does, and goes by the arrays', async () => {
    const path = join(folder, 'doubted.onnx')
    copyFileSync(denoiser, path)
    writeFileSync(join(folder, 'doubted.json'), JSON.stringify({ alphaBar: [0.95, 0.5, 0.02], prediction: 'epsilon' }))
    const { code, out } = await captured(() => check(path, arrays, { mode: 'webasm' }))
    expect(code).toBe(0)
    expect(out).toContain('\ndoubtful: prediction: at the noisiest time')
  })

  test('weights alone do not run', async () => {
    const { code, err } = await captured(() => check(checkpoint, arrays, { mode: 'webasm' }))
    expect(code).toBe(2)
    expect(err).toContain('expected a model that runs, got weights; give the folder with config.json, or ONNX')
  })
})
