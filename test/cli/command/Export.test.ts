import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exportModel } from '../../../cli/command/file/Export.js'
import { fileModel } from '../../../cli/command/file/FileModel.js'
import { inspect } from '../../../cli/command/Inspect.js'
import * as Safetensors from '../../../src/format/Safetensors.js'
import { smallUnet, smallWeights } from '../../network/small.js'
import { captured } from '../captured.js'

const folder = mkdtempSync(join(tmpdir(), 'halforder-export-'))
afterAll(() => rmSync(folder, { recursive: true }))

const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const fixture = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))

beforeAll(() => {
  mkdirSync(at('unet'))
  mkdirSync(at('scheduler'))
  const bytes = Safetensors.encode('own')({ tensors: smallWeights(smallUnet), metadata: {} })
  if (E.isLeft(bytes)) throw new Error('no file')
  writeFileSync(at('unet', 'config.json'), JSON.stringify(smallUnet))
  writeFileSync(at('unet', 'diffusion_pytorch_model.safetensors'), bytes.right)
})

describe('halforder export', () => {
  test('writes a model of diffusers, says what is missing, and takes the record of its pipeline along', async () => {
    const without = await captured(() => exportModel({ model: folder, out: at('out', 'm.onnx') }))
    expect([without.code, without.err]).toEqual([0, ''])
    expect(without.out).toMatch(
      /m\.onnx: sample \[batch, 3, 8, 8\], timestep \[batch\] to out \[batch, 3, 8, 8\], \d+ bytes\n/
    )
    expect(without.out).toContain(
      `missing: what its numbers mean; say it in ${at('out', 'm.json')}, such as {"scheduler"`
    )
    expect(existsSync(at('out', 'm.json'))).toBe(false)
    const scheduler = { _class_name: 'DDPMScheduler', num_train_timesteps: 50, prediction_type: 'v_prediction' }
    writeFileSync(at('scheduler', 'scheduler_config.json'), JSON.stringify(scheduler))
    writeFileSync(at('unet', 'meaning.json'), JSON.stringify({ range: [0, 1] }))
    const { code, out } = await captured(() => exportModel({ model: folder, out: at('out', 'm.onnx') }))
    expect(code).toBe(0)
    expect(out).toContain('m.json: what its numbers mean, as ')
    expect(JSON.parse(readFileSync(at('out', 'm.json'), 'utf8'))).toEqual({ scheduler, range: [0, 1] })
    const file = at('out', 'm.onnx')
    expect((await captured(() => inspect(file, {}))).out).toContain(`${file}: a model (ONNX), 142 tensors`)
    expect(await fileModel(file, undefined)()).toMatchObject({
      _tag: 'Right',
      right: { image: { channels: 3, height: 8, width: 8, range: [0, 1] }, file: 'model.onnx' }
    })
  })

  test.each([
    ['another name', { model: '.', out: 'm.pt' }, 'export: --out: expected a name that ends in .onnx, got m.pt'],
    ['weights alone', { model: fixture('format/fixtures/checkpoint.pt') }, 'got weights alone; put config.json beside'],
    ['ONNX', { model: fixture('network/fixtures/denoiser.onnx') }, 'got ONNX already'],
    ['nothing there', { model: at('none') }, 'expected *.onnx, *.safetensors, *.pt']
  ])('refuses %s', async (_, options, message) => {
    const { code, out, err } = await captured(() => exportModel({ out: at('x.onnx'), ...options }))
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
    expect(existsSync(at('x.onnx'))).toBe(false)
  })

  test('refuses a folder to write to', async () => {
    copyFileSync(at('unet', 'config.json'), at('file'))
    const { code } = await captured(() => exportModel({ model: folder, out: at('file', 'x.onnx') }))
    expect(code).toBe(1)
  })
})
