import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as t from 'io-ts'
import { afterAll, describe, expect, test } from 'vitest'
import { compareEstimators } from '../../../cli/command/Compare.js'
import { finetune } from '../../../cli/command/Finetune.js'
import { plan } from '../../../cli/command/Plan.js'
import { sample } from '../../../cli/command/Sample.js'
import { isRecord, showError } from '../../../src/document/Document.js'
import { gpuJs } from '../../../src/kernel/GpuJs.js'
import { errorOf } from '../../../src/network/Check.js'
import { fromModule } from '../../../src/task/Task.js'
import * as Config from '../../../src/training/Config.js'
import * as Setup from '../../../src/training/Setup.js'
import { arraysOf, bytesOf, folder as data } from '../../data.js'
import { right } from '../../network/graphs.js'
import { part, runOn, zeros } from '../../network/runs.js'
import { captured } from '../captured.js'

const folder = mkdtempSync(join(tmpdir(), 'halforder-elsewhere-'))
afterAll(() => rmSync(folder, { recursive: true }))

const task = fileURLToPath(new URL('../../../docs/examples/elsewhere.mjs', import.meta.url))
const dino = 'external/tiny-tiny-diffusion/dino'
const params = `${data ?? ''}/${dino}/params.pt`

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

const Summary = t.type({ before: t.type({ mean: t.number }), after: t.type({ mean: t.number }) })

/** What PyTorch reads of a file: the names, and how far the first layer and the two that are one are from those of another. */
const python = `
import sys, torch
a, b = (torch.load(path, map_location='cpu') for path in sys.argv[1:])
assert list(a) == list(b), (list(a), list(b))
assert all(a[n].shape == b[n].shape and a[n].dtype == b[n].dtype for n in a)
assert torch.equal(b['net.2.weight'], b['net.4.weight'])
print(max((a[n] - b[n]).abs().max().item() for n in a))
`

describe.skipIf(data === undefined)('a task on a file of someone else', () => {
  test('is sampled by the command', async () => {
    const out = join(folder, 'points.png')
    const { code, err } = await captured(() => sample(options(params, out)))
    expect([code, err.split('\n').filter((line) => line.startsWith('halforder'))]).toEqual([0, []])
    expect([...readFileSync(out).subarray(1, 4)]).toEqual([0x50, 0x4e, 0x47])
  })

  test('draws the points that it drew there on the same noise', async () => {
    const arrays = arraysOf(`${dino}/reference.npz`)
    const loaded: unknown = await import(pathToFileURL(task).href)
    const found = right(fromModule(isRecord(loaded) ? loaded['default'] : undefined), String)
    const model = right(found.read(bytesOf(`${dino}/params.pt`)), String)
    const chain = right(
      Setup.chain({ ...Config.defaults.chain, kind: 'ddpm', T: 50, variance: 'small' }, model),
      showError
    )
    const target = gpuJs()
    const z = arrays['s256.z'] ?? zeros([])
    const end = await runOn(target, chain, model.parameters, arrays['s256.x_T'] ?? zeros([]), (step) =>
      part(z, 50 - step)
    )
    await target.dispose()
    expect(errorOf(end, arrays['s256.x_0'] ?? zeros([]))).toBeLessThan(1e-4)
  })

  test('is fine-tuned further to the left, and goes back to a file that PyTorch loads', async (context) => {
    const config = join(folder, 'left.json')
    // by the gradient with the least noise: a few steps show that it moves
    const quick = { estimator: { name: 'fullBackprop' }, steps: 8, chain: { T: 10 }, evaluationSamples: 64 }
    writeFileSync(config, JSON.stringify({ task, model: params, ...quick }))
    const out = join(folder, 'left')
    const ran = await captured(() => finetune({ config, out, lora: '4', json: true }, new Date(0)))
    expect(ran.code).toBe(0)
    const summary: unknown = JSON.parse(ran.out)
    // the noise is the same before and after
    expect(Summary.is(summary) && summary.after.mean - summary.before.mean).toBeGreaterThan(0.05)
    const written = join(out, 'model.pt')
    expect([existsSync(written), existsSync(join(out, 'model.safetensors'))]).toEqual([true, false])
    const again = await captured(() => sample({ ...options(out, join(folder, 'left.png')), count: '4', steps: '5' }))
    expect(again.code).toBe(0)
    const { status, stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', python, params, written], {
      encoding: 'utf8'
    })
    if (status === null || /No module named/.test(stderr)) context.skip('PyTorch is not installed')
    expect([status, stderr]).toEqual([0, ''])
    expect(Number(stdout)).toBeGreaterThan(1e-4)
  })

  test('is planned and compared by its file', async () => {
    const small = { task, model: params, T: '3', seed: '1', json: true }
    const planned = await captured(() => plan({ ...small, batch: '2', estimator: 'reinforce', kl: '0' }))
    expect([planned.code, planned.err]).toEqual([0, ''])
    expect(planned.out).toContain('"program":"update"')
    const compared = await captured(() => compareEstimators({ ...small, samples: '64', estimator: 'reinforce' }))
    expect(compared.code).toBe(0)
    expect(JSON.parse(compared.out)).toMatchObject({
      // REINFORCE: a rollout of 3 steps, and each step once more for its score
      estimator: 'segmented half-order(h = 1)',
      networkEvaluations: 6
    })
    // without the task there is no graph for the weights
    const alone = await captured(() => plan({ model: params, T: '3' }))
    expect([alone.code, alone.out]).toEqual([2, ''])
    expect(alone.err).toContain('expected a network, got weights alone')
  })

  test('refuses a chain on other levels, and a file that is another', async () => {
    const chain = await captured(() => sample(options(params, join(folder, 'x.png'), 'edm')))
    expect([chain.code, chain.err]).toEqual([2, expect.stringContaining("choose 'ddpm' or 'ddim'")])
    const other = `${data ?? ''}/torch/simple.pt`
    const wrong = await captured(() => sample(options(other, join(folder, 'x.png'))))
    expect([wrong.code, wrong.err]).toEqual([
      2,
      expect.stringContaining('"net.0.weight": expected [64, 3] for "in.weight"')
    ])
  })
})
