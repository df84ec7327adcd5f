/**
 * What another engine computes of a file that a run wrote. It is used where it is: onnxruntime of Python (that of `HALFORDER_PYTHON`, or
 * `python3`), and onnxruntime-node (from `HALFORDER_NODE_MODULES`, or beside the project).
 */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSession } from '../../../cli/command/file/OnnxRuntime.js'
import { finetune } from '../../../cli/command/Finetune.js'
import { gpuJs } from '../../../src/kernel/GpuJs.js'
import { defaultBounds, errorOf } from '../../../src/network/Check.js'
import { diffusersGraph, fromDiffusers, showDiffusersError } from '../../../src/network/FromDiffusers.js'
import { fromOnnx, showOnnxError } from '../../../src/network/FromOnnx.js'
import type { Imported } from '../../../src/network/graph/Import.js'
import { toOnnx } from '../../../src/network/graph/ToOnnx.js'
import * as L from '../../../src/lens/Lens.js'
import * as Build from '../../../src/tensor/Build.js'
import * as Program from '../../../src/tensor/Program.js'
import { reference, type Target } from '../../../src/tensor/Target.js'
import { tabulate, type Tensor, toFloat32 } from '../../../src/tensor/Tensor.js'
import { right } from '../../network/graphs.js'
import { smallUnet, smallWeights } from '../../network/small.js'
import { captured } from '../captured.js'

const folder = mkdtempSync(join(tmpdir(), 'halforder-onnxruntime-'))
afterAll(() => rmSync(folder, { recursive: true }))

const at = (...path: ReadonlyArray<string>): string => join(folder, ...path)
const fixture = (name: string): string => fileURLToPath(new URL(`../../network/fixtures/${name}`, import.meta.url))

const x = toFloat32(tabulate([3, 2, 4, 4], (i) => Math.sin(1.3 * i)))
const steps = [0, 3, 7]

beforeAll(() => {
  const modules = process.env['HALFORDER_NODE_MODULES']
  if (modules !== undefined) symlinkSync(modules, at('node_modules'))
  copyFileSync(fixture('denoiser.onnx'), at('model.onnx'))
  copyFileSync(fixture('judge.onnx'), at('judge.onnx'))
  writeFileSync(at('model.json'), JSON.stringify({ alphaBar: [0.95, 0.8, 0.6, 0.4, 0.2], prediction: 'epsilon' }))
})

const script = `
import json, sys
import numpy as np
import onnxruntime
given = json.load(sys.stdin)
session = onnxruntime.InferenceSession(given['path'], providers=['CPUExecutionProvider'])
feed = {'x': np.array(given['x'], 'float32').reshape(given['shape']), 't': np.array(given['t'], 'int64')}
(out,) = session.run(['out'], feed)
json.dump({'shape': out.shape, 'data': out.ravel().astype(float).tolist()}, sys.stdout)
`

const nodeScript = `
const { InferenceSession, Tensor } = require('onnxruntime-node')
const { path, shape, x, times } = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const main = async () => {
  const session = await InferenceSession.create(path)
  const sample = new Tensor('float32', Float32Array.from(x), shape)
  const timestep = new Tensor('int64', BigInt64Array.from(times, BigInt), [times.length])
  const { out } = await session.run({ sample, timestep })
  console.log(JSON.stringify({ shape: out.dims, data: [...out.data] }))
}
main()
`

const Answer = t.type({ shape: t.array(t.number), data: t.array(t.number) })

/** By Python's; undefined where it is not installed. */
const python = (path: string): Tensor | undefined => {
  const input = JSON.stringify({ path, shape: x.shape, x: Array.from(x.data), t: steps })
  const { status, stdout, stderr } = spawnSync(process.env['HALFORDER_PYTHON'] ?? 'python3', ['-c', script], {
    encoding: 'utf8',
    input
  })
  if (status === null || /No module named/.test(stderr)) return undefined
  expect([status, stderr.includes('Error')]).toEqual([0, false])
  const answer = Answer.decode(JSON.parse(stdout))
  return E.isRight(answer) ? { shape: answer.right.shape, data: Float32Array.from(answer.right.data) } : undefined
}

/** By that of Node; undefined where it is not installed. */
const byNode = (path: string, image: Tensor, times: ReadonlyArray<number>): Tensor | undefined => {
  const input = JSON.stringify({ path, shape: image.shape, x: Array.from(image.data), times })
  const given = { encoding: 'utf8', input, cwd: folder } as const
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', nodeScript], given)
  if (stderr.includes('Cannot find module')) return undefined
  expect(stderr).toBe('')
  const answer = Answer.decode(JSON.parse(stdout))
  return E.isRight(answer) ? { shape: answer.right.shape, data: Float32Array.from(answer.right.data) } : undefined
}

/** What is computed here of a model. */
const computed = async (model: Imported, inputs: Program.Values, batch: number, target: Target): Promise<Tensor> => {
  if (model._tag === 'Forward') throw new Error('no lens')
  const shapes = Object.fromEntries(model.inputs.map(({ name, shape }) => [name, shape]))
  const program = Program.make({ p: L.shapesOf(model.lens), in: shapes }, ({ p, in: given }) => ({
    y: model.lens.forward(p, given)
  }))
  const values = { ...Program.under('p', model.values), ...Program.under('in', inputs) }
  const run = Build.using(target, { batch })('model', program)((go) => go(values))
  return right(await run(), Build.showError)['y.out'] ?? { shape: [], data: new Float64Array(0) }
}

/** What is computed here of a file. */
const ours = (path: string, target: Target): Promise<Tensor> =>
  computed(
    right(fromOnnx(new Uint8Array(readFileSync(path))), showOnnxError),
    { x, t: { shape: [3], data: Float64Array.from(steps) } },
    3,
    target
  )

describe('a fine-tuned network of ONNX', () => {
  test('is to onnxruntime what it is here', async (context) => {
    if (python(at('model.onnx')) === undefined) context.skip('onnxruntime of Python is not installed')
    const config = at('config.json')
    const small = { model: at('model.onnx'), chain: { T: 2 }, batch: 4, steps: 2, evaluationSamples: 8 }
    // far enough to tell the file from the one before
    const quick = { estimator: { name: 'fullBackprop' }, optimizer: { learningRate: 0.05 } }
    writeFileSync(config, JSON.stringify({ ...small, ...quick }))
    expect((await captured(() => finetune({ config, out: at('run'), json: true }, new Date(0)))).code).toBe(0)
    const path = at('run', 'model.onnx')
    const [before, theirs] = [python(at('model.onnx')), python(path)]
    const exact = await ours(path, reference)
    const target = gpuJs()
    const rounded = await ours(path, target)
    await target.dispose()
    for (const one of [exact, rounded]) expect(theirs && errorOf(theirs, one)).toBeLessThan(defaultBounds.single)
    expect(before && errorOf(before, exact)).toBeGreaterThan(0.01)
  })
})

describe('a model of diffusers', () => {
  test('is as ONNX to onnxruntime-node what it is here', async (context) => {
    const weights = smallWeights(smallUnet)
    const graph = right(diffusersGraph(smallUnet, weights), showDiffusersError)
    writeFileSync(at('small.onnx'), right(toOnnx(graph), showOnnxError))
    const [sample, times] = [toFloat32(tabulate([2, 3, 8, 8], (i) => Math.sin(1.3 * i))), [3, 700]]
    const theirs = byNode(at('small.onnx'), sample, times)
    if (theirs === undefined) context.skip('onnxruntime-node is not installed')
    const model = right(fromDiffusers(smallUnet, weights), showDiffusersError)
    const exact = await computed(
      model,
      { sample, timestep: { shape: [2], data: Float64Array.from(times) } },
      2,
      reference
    )
    expect(theirs && errorOf(theirs, exact)).toBeLessThan(defaultBounds.single)
  })
})

describe('onnxruntime-node', () => {
  test('runs a judge as its graph has it', async (context) => {
    const session = await openSession(at('judge.onnx'))()
    if (E.isLeft(session) && session.left.includes('does not load')) context.skip('onnxruntime-node is not installed')
    const { inputs, outputs, engine } = right(session, String)
    expect([inputs, outputs]).toEqual([['image'], ['logits']])
    const theirs = right(await engine('image', 'logits')(x)(), String)
    const model = right(fromOnnx(new Uint8Array(readFileSync(at('judge.onnx')))), showOnnxError)
    if (model._tag === 'Forward') throw new Error('no lens')
    const program = Program.make({ p: L.shapesOf(model.lens), x: ['batch', 2, 4, 4] }, ({ p, x: image }) => ({
      y: model.lens.forward(p, { image })
    }))
    const run = Build.using(reference, { batch: 3 })('judge', program)
    const exact = right(await run((go) => go({ ...Program.under('p', model.values), x }))(), Build.showError)[
      'y.logits'
    ]
    expect(exact && errorOf(theirs, exact)).toBeLessThan(defaultBounds.single)
  })
})
