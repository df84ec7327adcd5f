import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Run from '../../laws/run/Run.js'
import { ddpm } from '../../src/chain/sampler/Ddpm.js'
import { showError as showDocument } from '../../src/document/Document.js'
import * as Foreign from '../../src/format/Foreign.js'
import * as Safetensors from '../../src/format/Safetensors.js'
import * as Torch from '../../src/format/Torch.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { gelu } from '../../src/lens/layer/Activation.js'
import { dense } from '../../src/lens/layer/Dense.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import type { Rows } from '../../src/lens/Rows.js'
import { erase } from '../../src/lens/Erase.js'
import type { Denoiser, DenoiserInput } from '../../src/chain/Denoiser.js'
import { errorOf } from '../../src/network/Check.js'
import { showConfigError } from '../../src/network/diffusers/Config.js'
import { scheduler } from '../../src/network/diffusers/Scheduler.js'
import { fromDiffusers, showDiffusersError } from '../../src/network/FromDiffusers.js'
import type { Imported } from '../../src/network/graph/Import.js'
import { denoiserOf, type Meaning, schedule, unitOf } from '../../src/network/Meaning.js'
import { meant } from '../../src/network/Meant.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import * as Chains from '../../src/training/Chains.js'
import * as Config from '../../src/training/Config.js'
import { isRecord } from '../../src/document/Document.js'
import { arraysOf, bytesOf, folder, jsonOf } from '../data.js'
import { graph, imported, node, right } from './graphs.js'
import { part, rows, runOn, zeros } from './runs.js'

describe.skipIf(folder === undefined)("diffusers' schedulers", () => {
  const runs = [
    { config: 'ddpm-cifar10', name: 'ddpm-fixed_large-clip', eta: 0, table: 'linear' },
    { config: 'ddpm-small', name: 'ddpm-fixed_small', eta: 0, table: 'linear' },
    { config: 'ddim-sd', name: 'ddim-sd-eta0', eta: 0, table: 'scaled_linear' },
    { config: 'ddim-sd', name: 'ddim-sd-eta1', eta: 1, table: 'scaled_linear' },
    // its first step has a share of data of 2e-9: a chain that goes on from the noise has few digits of it left in f32
    { config: 'ddim-cosine-v', name: 'ddim-cosine-v', eta: 0, table: 'squaredcos_cap_v2' }
  ] as const

  test.each(runs)('$name: the same samples on the same noise', async ({ config, name, eta, table }) => {
    const arrays = arraysOf('diffusers/sampling/reference.npz')
    const document = jsonOf(`diffusers/sampling/${config}.json`)
    const of = right(scheduler(isRecord(document) ? document : {}), showConfigError)
    expect(
      errorOf({ shape: [1000], data: Float64Array.from(of.alphaBar) }, arrays[`${table}.alphas_cumprod`] ?? zeros([]))
    ).toBeLessThan(2e-6)
    expect([...of.steps(8)].toReversed()).toEqual([...(arrays[`${name}.timesteps`]?.data ?? [])])
    const weights = right(
      Safetensors.decode(bytesOf('diffusers/unet2d/diffusion_pytorch_model.safetensors')),
      Safetensors.showError
    ).tensors
    const model = right(fromDiffusers(jsonOf('diffusers/unet2d/config.json'), weights), showDiffusersError)
    const meaning: Meaning = { alphaBar: of.alphaBar, prediction: of.prediction, layout: 'channels first' }
    const source = { name: 'model', encode: () => E.left('nowhere') }
    const { own } = right(meant(model, { meaning, scheduler: of, source }), showDocument)
    if (own === undefined) throw new Error('no chain')
    const chain = right(
      own.build(own.network, { ...Config.defaults.chain, T: 8, eta, clip: 0, window: [1, 8] }),
      showDocument
    )
    const z = arrays[`${name}.z`]
    const start = rows(arrays['noise'] ?? zeros([]))
    const noise = (t: number): Tensor =>
      z === undefined || 8 - t >= (z.shape[0] ?? 0) ? zeros(start.shape) : rows(part(z, 8 - t))
    const target = gpuJs()
    const end = await runOn(target, chain, model.values, start, noise)
    await target.dispose()
    expect(errorOf(end, rows(arrays[`${name}.final`] ?? zeros([])))).toBeLessThan(1e-4)
  })

  test.each([
    [{ _class_name: 'EulerDiscreteScheduler' }, '_class_name: expected "DDPMScheduler" or "DDIMScheduler" or'],
    [{ _class_name: 'DDPMScheduler', thresholding: true }, 'thresholding: expected false, got true'],
    [
      { _class_name: 'DDPMScheduler', variance_type: 'learned' },
      'variance_type: expected "fixed_small" or "fixed_large"'
    ]
  ])('%o is refused by its field', (config, message) => {
    const result = scheduler(config)
    expect(E.isLeft(result) && showConfigError(result.left)).toContain(message)
  })
})

// -------------------------------------------------------------------------------------
// a model of points
// -------------------------------------------------------------------------------------

/** Two coordinates and the step as a plain number, through three layers of which the middle ones are one. */
const dino = (): Denoiser<Params, number, number> => {
  const activation = gelu<readonly ['batch', number]>()
  const entering = L.pure<DenoiserInput<number, number>, Rows<3>>(({ x, time, c }) => {
    const parts: ReadonlyArray<X.Expr> = [x, X.scale(time, 64)]
    return [
      X.retype(X.concat<ReadonlyArray<number | string>, 1>(parts, 1), ['batch', 3]),
      (bar) => ({
        x: X.retype(X.slice<ReadonlyArray<number | string>, number, number>(bar, 1, 0, 2), x.shape),
        time: X.zeros(time.shape),
        c: X.zeros(c.shape)
      })
    ]
  })
  const hidden = L.compose(L.at('hidden', dense<number, number>(64, 64)), activation)
  const network = L.compose(
    L.compose(entering, L.compose(L.at('in', dense<3, number>(3, 64)), activation)),
    L.compose(L.compose(hidden, hidden), L.at('out', dense<number, number>(64, 2)))
  )
  return { features: 2, labels: 1, networkCalls: 1, lens: erase(network) }
}

describe.skipIf(folder === undefined)('points that draw a dinosaur, which someone else trained', () => {
  const path = 'external/tiny-tiny-diffusion/dino'

  test('are drawn as there on the same noise', async () => {
    const arrays = arraysOf(`${path}/reference.npz`)
    const file = right(Torch.decode(bytesOf(`${path}/params.pt`)), Torch.showError)
    const tensors = right(Torch.weights(undefined)(file), Torch.showError)
    // the layers between are one, and the file has it under both names
    expect(tensors['net.2.weight']).toEqual(tensors['net.4.weight'])
    const mapping = [
      ...Foreign.linear('net.0', 'in'),
      ...Foreign.linear('net.2', 'hidden'),
      ...Foreign.linear('net.6', 'out'),
      ...Foreign.ignore('net.4.*')
    ]
    const denoiser = dino()
    const parameters = right(Foreign.fromForeign(mapping)(denoiser.lens.parameters, tensors), Foreign.showError)
    const alphaBar = [...(arrays['alphas_cumprod']?.data ?? [])]
    expect(unitOf({ alphaBar })).toBe(64)
    const of = ddpm({ denoiser, schedule: schedule({ alphaBar }), variance: 'small' })
    const z = arrays['s256.z'] ?? zeros([])
    const target = gpuJs()
    const end = await runOn(target, of, parameters, arrays['s256.x_T'] ?? zeros([]), (t) => part(z, 50 - t))
    await target.dispose()
    expect(errorOf(end, arrays['s256.x_0'] ?? zeros([]))).toBeLessThan(1e-4)
  })
})

// -------------------------------------------------------------------------------------
// the record
// -------------------------------------------------------------------------------------

/** Images times 2 plus the step, a label's row and twice as many channels as it was given. */
const model = (): Imported =>
  imported(
    graph(
      [
        node('Cast', ['t'], ['tf'], { to: 1 }),
        node('Reshape', ['tf', 'four'], ['tw']),
        node('Mul', ['x', 'w'], ['xw']),
        node('Gather', ['table', 'y'], ['row']),
        node('Reshape', ['row', 'four'], ['rw']),
        node('Add', ['xw', 'tw'], ['a']),
        node('Add', ['a', 'rw'], ['mean']),
        node('Concat', ['mean', 'x'], ['out'], { axis: 1 })
      ],
      { x: ['batch', 2, 1, 3], t: ['batch'], y: ['batch'] },
      {
        constants: { four: { shape: [4], data: Float64Array.of(-1, 1, 1, 1) } },
        weights: {
          w: { shape: [1, 2, 1, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) },
          table: { shape: [3, 1], data: Float32Array.of(100, 200, 300) }
        },
        whole: ['t', 'y'],
        outputs: ['out']
      }
    )
  )

const meaning: Meaning = {
  alphaBar: [0.9, 0.6, 0.3],
  prediction: 'epsilon',
  layout: 'channels first',
  labels: 2,
  nullLabel: 2
}

const evaluated = (
  of: Denoiser<Params, number, number>,
  values: Values,
  c: ReadonlyArray<number>,
  time: number
): ReadonlyArray<number> => {
  const program = right(
    Program.make(
      { p: L.shapesOf(of.lens), x: ['batch', 6], time: ['batch', 1], c: ['batch', 2] },
      ({ p, ...input }) => ({
        y: of.lens.forward(p, input)
      })
    ),
    (errors) => errors.map(({ got }) => got).join()
  )
  const x = { shape: [1, 6], data: Float64Array.of(1, 10, 2, 20, 3, 30) }
  const given = {
    ...Program.under('p', values),
    x,
    time: { shape: [1, 1], data: Float64Array.of(time) },
    c: { shape: [1, 2], data: Float64Array.from(c) }
  }
  return [...(right(referenceRun(program, given), String)['y']?.data ?? [])]
}

const referenceRun = (program: Program.Program, values: Values): E.Either<string, Values> => {
  const result = Reference.run(program, { batch: 1 }, values)
  return E.isLeft(result) ? E.left('not run') : result
}

describe('what a model means', () => {
  test('rows of height, width, channel; the step; the row of a label, and that of none', () => {
    const found = model()
    const of = right(denoiserOf(found, meaning), showDocument)
    expect([of.features, of.labels]).toEqual([6, 2])
    const step1 = schedule(meaning).time[2] ?? 0
    // channels 0 and 1 in turn: x w, then the step 1, then the label's row
    const product = [1, 40, 4, 100, 9, 180]
    expect(evaluated(of, found.values, [0, 1], step1)).toEqual(product.map((value) => value + 1 + 200))
    expect(evaluated(of, found.values, [0, 0], step1)).toEqual(product.map((value) => value + 1 + 300))
  })

  test.each([
    ['clean', (x: number, y: number) => (x - Math.sqrt(0.6) * y) / Math.sqrt(0.4)],
    ['velocity', (x: number, y: number) => Math.sqrt(0.4) * x + Math.sqrt(0.6) * y]
  ] as const)('the noise by what is predicted: %s', (prediction, noise) => {
    const found = model()
    const time = schedule(meaning).time[2] ?? 0
    const plain = evaluated(right(denoiserOf(found, meaning), showDocument), found.values, [1, 0], time)
    const other = evaluated(
      right(denoiserOf(found, { ...meaning, prediction }), showDocument),
      found.values,
      [1, 0],
      time
    )
    const x = [1, 10, 2, 20, 3, 30]
    other.forEach((value, i) => expect(value).toBeCloseTo(noise(x[i] ?? 0, plain[i] ?? 0), 9))
  })

  test('its pullback is the transpose of its derivative', async () => {
    const of = right(denoiserOf(model(), { ...meaning, prediction: 'velocity' }), showDocument)
    await Run.lens(
      {
        name: 'meant',
        lens: of.lens,
        argument: { x: ['batch', 6], time: ['batch', 1], c: ['batch', 2] },
        sizes: { batch: 2 },
        held: (path) => path === 'a.time' || path === 'a.c',
        at: {
          'a.time': { shape: [2, 1], data: Float64Array.of(0, 0.5) },
          'a.c': { shape: [2, 2], data: Float64Array.of(1, 0, 0, 1) }
        }
      },
      { numRuns: 2 }
    )
  })

  const { labels: _, ...unlabelled } = meaning
  const records: ReadonlyArray<readonly [string, Meaning, string]> = [
    [
      'layout',
      { ...meaning, layout: 'rows' },
      "layout: expected 'channels first' for images, got [batch, 2, 1, 3]; set `layout` in the record"
    ],
    ['labels', unlabelled, 'labels: expected inputs that are the state, the time or the label, got y [batch] int'],
    [
      'time',
      { ...meaning, time: 'when' },
      'time: expected an input called when, got x [batch, 2, 1, 3] float, t [batch] int, y [batch] int'
    ],
    [
      'alphaBar',
      { ...meaning, alphaBar: [0.3, 0.6] },
      'alphaBar: expected shares of data in (0, 1] that fall from step to step'
    ],
    ['output', { ...meaning, output: 'eps' }, 'output: expected an output as [batch, 2, 1, 3], got out']
  ]

  test.each(records)('a wrong %s is answered by the field to change', (__, record, message) => {
    const result = denoiserOf(model(), record)
    expect(E.isLeft(result) && showDocument(result.left)).toContain(message)
  })
})

describe('a model with levels of its own', () => {
  const of = right(denoiserOf(model(), meaning), showDocument)
  const base = { denoiser: of, share: 'linear', latent: false, levels: () => schedule(meaning) } as const
  const options = {
    T: 3,
    eta: 1,
    variance: 'small',
    schedule: 'cosine',
    guidance: 1,
    clip: 0,
    lastNoise: true,
    window: null
  } as const

  test('has a chain on them, whatever schedule is named', () => {
    const found = right(Chains.chain(base, { ...options, kind: 'ddpm' }), showDocument)
    expect([found.T, found.sigma]).toEqual([
      3,
      ddpm({ denoiser: of, schedule: schedule(meaning), variance: 'small' }).sigma
    ])
  })

  test.each(['edm', 'vp-sde', 've-sde', 'cascade'] as const)('has none of %s, which has its own', (kind) => {
    const result = Chains.chain(base, { ...options, kind })
    expect(E.isLeft(result) && showDocument(result.left)).toContain("choose 'ddpm' or 'ddim'")
  })
})
