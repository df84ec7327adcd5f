/**
 * Models in files that a visitor chooses, without a browser.
 */
import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { encode } from '../../src/format/Safetensors.js'
import { gpuJs } from '../../src/kernel/index.js'
import { planOf } from '../../src/network/FromDiffusers.js'
import type { Model } from '../../src/network/Model.js'
import * as Faces from '../playground/faces/Design.js'
import { tuning, type Files } from '../playground/faces/Engine.js'
import { ownModel, type Chosen } from '../playground/faces/OwnModel.js'
import { root } from '../scripts/modules.mjs'

const right = <A>(made: E.Either<string, A>): A => {
  if (E.isLeft(made)) throw new Error(made.left)
  return made.right
}
const asset = (name: string): Uint8Array => readFileSync(`${root}cli/assets/${name}.safetensors`)
const file = (name: string, content: string | Uint8Array | object): Chosen => ({
  name,
  bytes:
    content instanceof Uint8Array
      ? content
      : new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content))
})
const safetensors = (tensors: Parameters<ReturnType<typeof encode>>[0]['tensors']): Uint8Array => {
  const made = encode('own')({ tensors, metadata: {} })
  if (E.isLeft(made)) throw new Error('no file')
  return made.right
}

const onnx = file('faces.onnx', readFileSync(`${root}site/test/fixtures/faces.onnx`))
const ddpm = { _class_name: 'DDPMScheduler', num_train_timesteps: 100, beta_schedule: 'linear' }
const record = { scheduler: ddpm, prediction: 'epsilon' }
const weights = safetensors({ w: { shape: [2], data: Float32Array.of(1, 2) } })

const design: Faces.Design = { ...Faces.initial, reward: 'clarity', estimator: 'fullBackprop', batch: 4, rate: 0.001 }
const run = async (
  model: Files['model'],
  steps: number
): Promise<{ readonly images: Float32Array; readonly files: ReadonlyArray<Chosen> }> => {
  const target = gpuJs()
  const made = right(
    tuning({ ...design, kl: 0 }, { model, classifier: asset('classifier'), judge: asset('judge') }, target)
  )
  for (let i = 0; i < steps; i++) right(await made.step())
  const { images } = right(await made.frame())
  const files = right(made.saved())
  await made.dispose()
  await target.dispose()
  return { images, files }
}

describe('a model of a visitor', () => {
  test('of ONNX, with its record beside it, is fine-tuned, and goes back into such files', async () => {
    const model = right(ownModel([file('faces.json', record), onnx]))
    expect(model.image).toMatchObject({ height: 16, width: 16, channels: 3 })
    const before = await run(model, 0)
    const after = await run(model, 1)
    expect(after.images).not.toEqual(before.images)
    expect(after.files.map(({ name }) => name)).toEqual(['model.onnx', 'model.json'])
    const again = await run(right(ownModel(after.files)), 0)
    expect(again.images).toEqual(after.images)
  })

  test('of diffusers is read by its configuration, and by what its scheduler says', () => {
    const config = {
      _class_name: 'UNet2DModel',
      sample_size: 16,
      in_channels: 3,
      out_channels: 3,
      block_out_channels: [8],
      down_block_types: ['DownBlock2D'],
      up_block_types: ['UpBlock2D'],
      layers_per_block: 1,
      norm_num_groups: 4
    }
    const plan = planOf(config)
    if (E.isLeft(plan)) throw new Error('no plan')
    const tensors = Object.fromEntries(
      [...plan.right.parameters].map(([name, shape]) => [
        name,
        { shape, data: new Float32Array(shape.reduce((n, d) => n * d, 1)) }
      ])
    )

    const chosen = [
      file('config.json', config),
      file('scheduler_config.json', ddpm),
      file('diffusion_pytorch_model.safetensors', safetensors(tensors))
    ]
    const model: Model = right(ownModel(chosen))
    expect(model.denoiser.features).toBe(768)
    expect(model.own).toBeDefined()
    expect(ownModel(chosen.filter(({ name }) => name !== 'scheduler_config.json'))).toMatchObject({
      left: expect.stringContaining('choose meaning.json together with it, such as {"scheduler"')
    })
  })

  test('that was written here needs nothing beside it', () => {
    const model = right(ownModel([file('mine.safetensors', asset('faces-mlp'))]))
    expect([model.denoiser.features, model.own]).toEqual([768, undefined])
  })

  test.each<readonly [string, ReadonlyArray<Chosen>, RegExp]>([
    ['nothing', [], /^expected a model: .*; got no file$/],
    ['a text', [file('README.md', '# A')], /; got README\.md$/],
    ['no record', [onnx], /^expected a record .* choose faces\.json together with it, such as \{"scheduler"/],
    ['a broken record', [onnx, file('faces.json', '{')], /^faces\.json: the document: expected JSON/],
    ['a record of nothing', [onnx, file('faces.json', {})], /^faces\.json: prediction: expected epsilon/],
    ['a record that is no record', [onnx, file('faces.json', '[]')], /^faces\.json: .*expected a record/],
    ['no ONNX', [file('a.onnx', 'no'), file('a.json', record)], /^a\.onnx: /],
    [
      'weights alone',
      [file('w.safetensors', weights)],
      /^w\.safetensors: .*weights alone \(1 tensors\); choose config/
    ],
    ['no torch', [file('w.pt', 'no')], /^w\.pt: /],
    ['no safetensors', [file('w.safetensors', 'no')], /^w\.safetensors: /],
    ['no diffusers', [file('config.json', {}), file('w.safetensors', weights)], /^config\.json: /]
  ])('says in a sentence what is wrong with %s', (_, chosen, sentence) => {
    expect(ownModel(chosen)).toMatchObject({ _tag: 'Left', left: expect.stringMatching(sentence) })
  })

  test('of other images, or of too few steps, is refused', async () => {
    const target = gpuJs()
    const files = { model: asset('moons'), classifier: asset('classifier'), judge: asset('judge') }
    expect(tuning(design, files, target)).toMatchObject({ left: expect.stringContaining('images of 768 numbers') })
    const far = right(ownModel([onnx, file('faces.json', { ...record, range: [0, 1] })]))
    expect(tuning(design, { ...files, model: far }, target)).toMatchObject({
      left: expect.stringContaining('got one from 0 to 1')
    })
    const few = right(ownModel([onnx, file('faces.json', { alphaBar: [0.95, 0.8, 0.6], prediction: 'epsilon' })]))
    expect(tuning(design, { ...files, model: few }, target)).toMatchObject({
      left: expect.stringMatching(/T: expected at most 3, the steps that the model was trained at, got 50/)
    })
    await target.dispose()
  })
})
