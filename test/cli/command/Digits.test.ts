import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isRecord, showError } from '../../../src/document/Document.js'
import * as Torch from '../../../src/format/Torch.js'
import { gpuJs } from '../../../src/kernel/GpuJs.js'
import * as L from '../../../src/lens/Lens.js'
import { errorOf } from '../../../src/network/Check.js'
import { type Model, showError as showModel } from '../../../src/network/Model.js'
import * as Build from '../../../src/tensor/Build.js'
import * as Program from '../../../src/tensor/Program.js'
import { tabulate, type Tensor } from '../../../src/tensor/Tensor.js'
import { fromModule } from '../../../src/task/Task.js'
import * as Config from '../../../src/training/Config.js'
import * as Setup from '../../../src/training/Setup.js'
import { arraysOf, bytesOf, folder } from '../../data.js'
import { right } from '../../network/graphs.js'
import { part, runOn, zeros } from '../../network/runs.js'

const task = fileURLToPath(new URL('../../../docs/examples/digits.mjs', import.meta.url))
const path = 'external/mnist-diffusion'

/** One channel: rows are as they are. */
const flat = ({ shape: [n = 1, ...rest], data }: Tensor): Tensor => ({
  shape: [n, rest.reduce((product, d) => product * d, 1)],
  data
})

/** Labels by their ones; -1 is none. */
const coded = (labels: Tensor): Tensor =>
  tabulate([labels.data.length, 10], (i) => (labels.data[Math.floor(i / 10)] === i % 10 ? 1 : 0))

describe.skipIf(folder === undefined)('a transformer of digits that someone else trained', () => {
  const target = gpuJs()
  let model: Model
  const arrays = folder === undefined ? {} : arraysOf(`${path}/reference.npz`)
  const array = (name: string): Tensor => arrays[name] ?? zeros([0])

  beforeAll(async () => {
    const loaded: unknown = await import(pathToFileURL(task).href)
    const found = right(fromModule(isRecord(loaded) ? loaded['default'] : undefined), String)
    model = right(found.read(bytesOf(`${path}/DiffusionViT.pth`)), String)
  })

  afterAll(() => target.dispose())

  test('predicts and sends back what it does there', async () => {
    const network = model.own?.network ?? model.denoiser
    const { lens } = network
    const program = Program.make(
      {
        p: L.shapesOf(lens),
        in: { x: ['batch', 784], time: ['batch', 1], c: ['batch', 10] },
        w: ['batch', 784]
      },
      ({ p, in: given, w }) => {
        const [y, back] = lens.run(p, given)
        const [pBar, aBar] = back(w)
        return { y, p: pBar, x: aBar.x }
      }
    )
    const times = array('t')
    const results = right(
      await Build.using(target, { batch: 6 })('digits', program)((run) =>
        run({
          ...Program.under('p', model.parameters),
          'in.x': flat(array('x')),
          'in.time': { shape: [6, 1], data: Float32Array.from(times.data, (t) => 1 - t) },
          'in.c': coded(array('y')),
          w: flat(array('w'))
        })
      )(),
      Build.showError
    )
    const off = (name: string, expected: Tensor): number => errorOf(results[name] ?? zeros([0]), expected)
    expect(off('y', flat(array('x1_pred')))).toBeLessThan(2e-5)
    expect(off('x', flat(array('grad.x')))).toBeLessThan(2e-5)
    // paths of parameters are the names in the file
    const gradients = Object.keys(arrays).filter((name) => name.startsWith('grad.') && !/^grad\.[xt]$/.test(name))
    expect(gradients).toHaveLength(6)
    for (const name of gradients) expect(off(name.replace('grad.', 'p.'), array(name))).toBeLessThan(2e-5)
  })

  test.each([
    ['ode', { T: 50, eta: 0 }],
    ['sde', { T: 10, eta: 1 }]
  ])('draws the digits asked for, by its %s, on the same noise', async (name, options) => {
    const chain = right(
      Setup.chain({ ...Config.defaults.chain, kind: 'own', guidance: 2, ...options }, model),
      showError
    )
    const eps = arrays[`${name}.eps`]
    const start = flat(array('ode.x0'))
    const noise = (t: number): Tensor => (eps === undefined ? zeros(start.shape) : flat(part(eps, options.T - t)))
    const end = await runOn(target, chain, model.parameters, start, noise, coded(array('ode.labels')))
    expect(errorOf(end, flat(array(`${name}.x1`)))).toBeLessThan(1e-4)
  })

  test('goes back to a file that differs in its numbers alone', () => {
    const bytes = bytesOf(`${path}/DiffusionViT.pth`)
    const name = 'transformer.1.norm1.weight'
    const moved = { ...model.parameters, [name]: { shape: [64], data: new Float32Array(64).fill(0.5) } }
    const same = right(model.encode(model.parameters, {}, 'own'), showModel)
    expect([same.length, Buffer.compare(same, bytes)]).toEqual([bytes.length, 0])
    const read = right(Torch.decode(right(model.encode(moved, {}, 'own'), showModel)), Torch.showError)
    expect([...(right(Torch.weights(undefined)(read), Torch.showError)[name]?.data ?? [])]).toEqual(
      new Array(64).fill(0.5)
    )
  })
})
