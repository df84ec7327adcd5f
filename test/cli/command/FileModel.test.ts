import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compareEstimators } from '../../../cli/command/Compare.js'
import { finetune } from '../../../cli/command/Finetune.js'
import { plan } from '../../../cli/command/Plan.js'
import { sample } from '../../../cli/command/Sample.js'
import * as Onnx from '../../../src/format/Onnx.js'
import { decode, encode } from '../../../src/format/Safetensors.js'
import { planOf } from '../../../src/network/FromDiffusers.js'
import type { Values } from '../../../src/tensor/Program.js'
import { captured } from '../captured.js'
import { smallUnet } from '../../network/small.js'

const folder = mkdtempSync(join(tmpdir(), 'halforder-file-'))
afterAll(() => rmSync(folder, { recursive: true }))

const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)

/** Two channels of 4 x 4, told whole steps. */
const model = at('model.onnx')
const record = { alphaBar: [0.95, 0.8, 0.6, 0.4, 0.2], prediction: 'epsilon' }

const fixture = (name: string): string => fileURLToPath(new URL(`../../network/fixtures/${name}`, import.meta.url))

beforeAll(() => {
  copyFileSync(fixture('denoiser.onnx'), model)
  writeFileSync(at('model.json'), JSON.stringify(record))
})

const drawing = (path: string, more: object = {}) =>
  captured(() =>
    sample({
      model: path,
      prompt: '',
      count: '2',
      seed: '1',
      out: at('out.png'),
      steps: '3',
      eta: '1',
      guidance: '1',
      columns: '8',
      mode: 'webasm',
      ...more
    })
  )

const comparing = (path: string) =>
  captured(() =>
    compareEstimators({
      model: path,
      T: '3',
      samples: '16',
      batch: '4',
      seed: '1',
      estimator: 'truncatedBackprop',
      json: true
    })
  )

const initializers = (path: string): Values => {
  const decoded = Onnx.decode(new Uint8Array(readFileSync(path)))
  if (E.isLeft(decoded)) throw new Error(Onnx.showError(decoded.left))
  return Object.fromEntries(Object.entries(decoded.right.initializers).map(([name, { tensor }]) => [name, tensor]))
}

describe('an ONNX file', () => {
  test('is sampled without a task, by what lies beside it', async () => {
    const { code, out } = await drawing(model)
    expect([code, out]).toEqual([0, `2 of ddim(eta = 1), 3 steps, in ${at('out.png')}\n`])
    const named = await drawing(model, { chain: 'ddpm' })
    expect(named.out).toContain('2 of ddpm(small)')
  })

  test('is fine-tuned, and its run is a model by the same file and record', async () => {
    const config = at('config-of-a-run.json')
    writeFileSync(
      config,
      JSON.stringify({
        model,
        estimator: { name: 'fullBackprop' },
        chain: { T: 2 },
        batch: 4,
        steps: 2,
        evaluationSamples: 8
      })
    )
    const ran = await captured(() => finetune({ config, out: at('run'), json: true }, new Date(0)))
    expect([ran.code, JSON.parse(ran.out)]).toEqual([0, expect.objectContaining({ reward: 'brightness', steps: 2 })])
    expect([existsSync(at('run', 'model.onnx')), existsSync(at('run', 'model.safetensors'))]).toEqual([true, false])
    const [before, after] = [initializers(model), initializers(at('run', 'model.onnx'))]
    expect(Object.keys(after)).toEqual(Object.keys(before))
    expect(
      Object.keys(after).some((name) => after[name]?.data.some((value, i) => value !== before[name]?.data[i]))
    ).toBe(true)
    expect(JSON.parse(readFileSync(at('run', 'config.json'), 'utf8'))).toMatchObject({ task: 'file', model })
    const drawn = await drawing(at('run'))
    expect([drawn.code, drawn.out]).toEqual([0, expect.stringContaining('2 of ddim')])
    const on = await captured(() => finetune({ resume: at('run'), steps: '3', json: true }, new Date(0)))
    expect([on.code, JSON.parse(on.out)]).toEqual([0, expect.objectContaining({ steps: 3 })])
  })

  test('is planned, of vectors alone too, which its rows share', async () => {
    const config = at('vectors.json')
    writeFileSync(config, JSON.stringify({ model, chain: { T: 4 }, batch: 4, trained: ['**.bias'] }))
    const { code, out } = await captured(() => plan({ config }))
    expect([code, out]).toEqual([0, expect.stringContaining('zerothOrder(shared)')])
  })

  test('is compared, of the chain that is its own', async () => {
    const { code, out } = await comparing(model)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ model, chain: 'own', reward: 'brightness' })
  })

  const wrong: ReadonlyArray<readonly [string, object | undefined, string]> = [
    ['without a record', undefined, 'wrong.onnx: expected a record of what its numbers mean, got none; write it in '],
    ['with times that are none', { flow: { data: 0, noise: 1 }, prediction: 'flow' }, 'set `flow` in the record'],
    ['with no prediction', { alphaBar: [0.9] }, 'wrong.json: prediction: expected epsilon, clean, velocity or flow'],
    [
      'with a layout that is another',
      { ...record, layout: 'rows' },
      "layout: expected 'channels first' for images, got [batch, 2, 4, 4]; set `layout`"
    ],
    ['with labels that it has none of', { ...record, labels: 3 }, 'label: expected an input that is it'],
    [
      'with a field that is none',
      { ...record, predicts: 'noise' },
      'predicts: expected one of the fields scheduler, alphaBar'
    ]
  ]

  test.each(wrong)('%s is refused by the field to change', async (_, document, message) => {
    copyFileSync(model, at('wrong.onnx'))
    rmSync(at('wrong.json'), { force: true })
    if (document !== undefined) writeFileSync(at('wrong.json'), JSON.stringify(document))
    const { code, err } = await drawing(at('wrong.onnx'))
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
  })
})

describe('a graph as the reward', () => {
  const judge = fixture('judge.onnx')

  /** What the command says of a judge and its record. */
  const planned = async (document: object | undefined, more: object = {}) => {
    const path = at('judge.onnx')
    copyFileSync(judge, path)
    rmSync(at('judge.json'), { force: true })
    if (document !== undefined) writeFileSync(at('judge.json'), JSON.stringify(document))
    const config = at('judged.json')
    writeFileSync(config, JSON.stringify({ model, chain: { T: 3 }, batch: 4, reward: path, ...more }))
    return captured(() => plan({ config, json: true }))
  }

  test('is differentiated: the default estimator stands on it', async () => {
    const { code, out } = await planned({ class: 1 })
    expect([code, out]).toEqual([0, expect.stringContaining('"firstOrder(1)"')])
  })

  test('is refused by the field to change, or for its size', async () => {
    const silent = await planned(undefined)
    expect([silent.code, silent.err]).toEqual([
      2,
      expect.stringContaining("judge.json: class: expected a class of 0..2, or 'asked', got 3 numbers for each row")
    ])
    const faces = await planned({ class: 0 }, { model: 'faces-mlp', task: 'faces' })
    expect([faces.code, faces.err]).toEqual([
      2,
      expect.stringContaining('expected an image of 768 numbers, as the model gives, got 32; export it at that size')
    ])
  })
})

describe('a graph as a black box', () => {
  // a package that is loaded stays: each has a folder of its own
  let number = 0
  const place = (): string => at(`judges-${number}`)
  const path = (): string => join(place(), 'judge.onnx')

  /** The judge with an operator that is none here, which a package by the name of onnxruntime-node says to know. */
  const written = (document: object, runtime: string | undefined): void => {
    number++
    const folder = join(place(), 'node_modules', 'onnxruntime-node')
    mkdirSync(folder, { recursive: true })
    writeFileSync(
      path(),
      Buffer.from(readFileSync(fixture('judge.onnx')).toString('latin1').replaceAll('Relu', 'Floo'), 'latin1')
    )
    writeFileSync(join(place(), 'judge.json'), JSON.stringify(document))
    if (runtime !== undefined) writeFileSync(join(folder, 'index.js'), runtime)
  }

  /** Three logits for each image: its sum, its first number, and zero. */
  const runtime = `
    class Tensor { constructor(type, data, dims) { Object.assign(this, { type, data, dims }) } }
    const run = async ({ image: { data, dims: [n], type } }) => {
      if (type !== 'float32') throw new Error(type)
      const out = new Float32Array(3 * n)
      for (let i = 0; i < n; i++) {
        out[3 * i] = data.slice(i * 32, (i + 1) * 32).reduce((a, b) => a + b, 0)
        out[3 * i + 1] = data[i * 32]
      }
      return { logits: new Tensor('float32', out, [n, 3]) }
    }
    const create = async () => ({ inputNames: ['image'], outputNames: ['logits'], run })
    module.exports = { Tensor, InferenceSession: { create } }`

  const finetuned = (more: object, name: string) => {
    const config = at('opaque.json')
    const small = { model, chain: { T: 3 }, batch: 4, steps: 1, evaluationSamples: 8, reward: path() }
    writeFileSync(config, JSON.stringify({ ...small, ...more }))
    return captured(() => finetune({ config, out: at(name), json: true }, new Date(0)))
  }

  test('is run by onnxruntime-node where an operator is none here, and says so', async () => {
    written({ class: 0 }, runtime)
    const estimator = { name: 'blackBoxRlr', radius: 0.05 }
    const { code, out, err } = await finetuned({ estimator }, 'opaque')
    expect([code, JSON.parse(out)]).toEqual([0, expect.objectContaining({ reward: path(), steps: 1 })])
    expect(err).toContain('judge.onnx is a black box: onnxruntime-node runs it; ')
    expect(err).toContain('got Floo in node')
    // an estimator that differentiates it does not stand on it
    const differentiated = await finetuned({ estimator: { name: 'fullBackprop' } }, 'none')
    expect([differentiated.code, differentiated.err]).toEqual([
      2,
      expect.stringContaining('expected an estimator that needs no gradient of the reward')
    ])
  })

  test.each<readonly [string, object, string | undefined, string]>([
    ['no record', {}, runtime, "judge.json: class: expected a class of 0..2, or 'asked', got 3 numbers for each row"],
    ['another package', { class: 0 }, 'module.exports = {}', 'onnxruntime-node: it is another package by that name'],
    [
      'an input that is none',
      { class: 0, x: 'pixels' },
      runtime,
      'judge.json: x, output: expected an image of known size'
    ]
  ])('is refused by the field to change, or for the package: %s', async (_, document, package_, message) => {
    written(document, package_)
    const { code, err } = await finetuned({}, 'none')
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
  })

  test('names the package where it is not installed', async () => {
    written({ class: 0 }, undefined)
    rmSync(join(place(), 'node_modules'), { recursive: true })
    const { code, err } = await finetuned({}, 'none')
    if (err.includes('is a black box')) return
    expect(code).toBe(2)
    expect(err).toContain('got Floo in node')
    expect(err).toContain('onnxruntime-node, which could run it as a black box, does not load: it is not installed')
  })
})

describe('a folder of diffusers', () => {
  const config = smallUnet

  test('is sampled by its scheduler, as a pipeline or the network alone', async () => {
    const found = planOf(config)
    if (E.isLeft(found)) throw new Error('no plan')
    const tensors: Values = Object.fromEntries(
      [...found.right.parameters].map(([name, shape]) => [
        name,
        { shape, data: new Float32Array(shape.reduce((n, d) => n * d, 1)) }
      ])
    )
    const bytes = encode('own')({ tensors, metadata: {} })
    if (E.isLeft(bytes)) throw new Error('no file')
    mkdirSync(at('pipe', 'unet'), { recursive: true })
    mkdirSync(at('pipe', 'scheduler'))
    writeFileSync(at('pipe', 'unet', 'config.json'), JSON.stringify(config))
    writeFileSync(at('pipe', 'unet', 'diffusion_pytorch_model.safetensors'), bytes.right)
    const euler = { _class_name: 'EulerAncestralDiscreteScheduler', num_train_timesteps: 100 }
    writeFileSync(at('pipe', 'scheduler', 'scheduler_config.json'), JSON.stringify(euler))
    const unet = at('pipe', 'unet')
    for (const path of [at('pipe'), unet, join(unet, 'diffusion_pytorch_model.safetensors')]) {
      const { code, out } = await drawing(path, { steps: '2' })
      expect([code, out]).toEqual([0, expect.stringContaining('2 of euler-ancestral(eta = 1), 2 steps')])
    }
    const file = at('pipe.json')
    writeFileSync(
      file,
      JSON.stringify({ model: at('pipe'), chain: { T: 2 }, batch: 2, estimator: { name: 'fullBackprop' } })
    )
    const planned = await captured(() => plan({ config: file }))
    expect([planned.code, planned.out]).toEqual([0, expect.stringContaining('rollout(none)')])
    const nothing = await drawing(at('pipe', 'scheduler') + '/')
    expect([nothing.code, nothing.err]).toEqual([
      2,
      expect.stringContaining('expected a file *.safetensors or the folder of a run')
    ])
  })
})

describe('weights alone', () => {
  const tensors: Values = {
    'in.weight': { shape: [2, 2], data: Float32Array.of(0.5, 0, 0, 0.5) },
    'in.bias': { shape: [2], data: Float32Array.of(0.1, -0.1) }
  }

  const written = (): string => {
    const bytes = encode('own')({ tensors, metadata: {} })
    if (E.isLeft(bytes)) throw new Error('no file')
    const path = at('alone.safetensors')
    writeFileSync(path, bytes.right)
    return path
  }

  test('are refused with a task to fill in, which runs, and whose run is the same file', async () => {
    const path = written()
    const { code, err } = await drawing(path)
    expect(code).toBe(2)
    const [said = '', ...module] = err.split('\n\n')
    expect(said).toContain('expected a network, got weights alone (2 tensors, 6 numbers)')
    expect(said).toContain('--task mine.mjs')
    const filled = module.join('\n\n').replace("return ['x']", () => {
      return "return [b.add('Gemm', ['x', weight('in.weight'), weight('in.bias')], { transB: 1 })]"
    })
    expect(filled).toContain('const shapes = {\n  "in.bias": [2],\n  "in.weight": [2, 2]\n}')
    writeFileSync(at('mine.mjs'), filled)
    symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), at('node_modules'))
    const drawn = await drawing(path, { task: at('mine.mjs') })
    expect(drawn.code).toBe(0)
    const config = at('mine.json')
    const small = { model: path, task: at('mine.mjs'), chain: { T: 2 }, batch: 4, steps: 1, evaluationSamples: 8 }
    writeFileSync(config, JSON.stringify({ ...small, estimator: { name: 'fullBackprop' } }))
    const ran = await captured(() => finetune({ config, out: at('mine'), json: true }, new Date(0)))
    expect(ran.code).toBe(0)
    const trained = decode(new Uint8Array(readFileSync(at('mine', 'model.safetensors'))))
    expect(E.isRight(trained) && Object.keys(trained.right.tensors).sort()).toEqual(Object.keys(tensors).sort())
    expect(E.isRight(trained) && trained.right.tensors['in.bias']?.data).not.toEqual(tensors['in.bias']?.data)
  })

  test('that are damaged say so', async () => {
    writeFileSync(at('broken.pt'), 'no weights')
    const { code, err } = await drawing(at('broken.pt'))
    expect([code, err]).toEqual([2, expect.stringContaining('broken.pt: ')])
    expect(err).not.toContain('mine.mjs')
  })
})
