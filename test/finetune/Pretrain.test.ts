import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Pretrain from '../../src/finetune/Pretrain.js'
import { batchAt, hide, table, type LabelledImages } from '../../src/finetune/PretrainBatch.js'
import * as Metrics from '../../src/finetune/PretrainMetrics.js'
import * as Objectives from '../../src/finetune/PretrainObjective.js'
import { ddim } from '../../src/chain/Ddim.js'
import * as Schedule from '../../src/chain/Schedule.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import * as Faces from '../../src/model/Faces.js'
import { initial } from '../../src/model/Initial.js'
import * as Latent from '../../src/model/Latent.js'
import { mlp } from '../../src/model/Mlp.js'
import * as Safetensors from '../../src/model/Safetensors.js'
import { shares } from '../../src/model/Share.js'
import { clean } from '../../src/model/Unet.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { reference, type Executable } from '../../src/tensor/Target.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { get, values } from '../model/adjoint.js'

const features = 6
const labels = Faces.labelWidth
const rows = 16

const denoising = Objectives.denoising({
  kind: 'mlp',
  features,
  labels,
  hidden: 8,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
})
const tinyUnet = {
  kind: 'unet',
  size: [2, 1, 3],
  labels,
  patch: 1,
  channels: [4],
  groups: 2,
  embedding: 4,
  share: 'flow'
} as const
const tinyLatent = {
  kind: 'latent',
  size: [3, 1, 2],
  patch: 1,
  channels: [4],
  groups: 2,
  latent: 1,
  labels,
  hidden: 5,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
} as const
const unetDenoising = Objectives.denoising(tinyUnet)
const flowMatching = Objectives.flowMatching(tinyUnet)
const latentDenoising = Objectives.latentDenoising(tinyLatent)
const classifying = Objectives.classifying({ kind: 'classifier', features, labels, hidden: 8, blocks: 1 })

const recipe: Pretrain.Recipe = {
  steps: 6,
  learningRate: 1e-2,
  warmup: 2,
  beta2: 0.99,
  weightDecay: 1e-4,
  clip: 1,
  average: 0.9
}

const faces = get(Faces.sample(Draw.uniform(Key.make(1), [rows, Faces.attributeNames.length])))
const data: LabelledImages = {
  images: Draw.normal32(Key.make(2), [rows, features]),
  labels: { shape: [rows, labels], data: Float32Array.from(faces.flatMap((face) => Faces.encode(face))) }
}

const compile = (objective: Objectives.Objective<Params>): Executable =>
  get(reference.compile(get(Pretrain.trainingStep(objective, recipe)), { batch: 8 }))

const batches = batchAt(table(data), 8, { all: 0.1, some: 0.5 }, Key.make(3))

const states = async (
  objective: Objectives.Objective<Params>,
  from: Pretrain.TrainingState,
  steps: number
): Promise<ReadonlyArray<Pretrain.TrainingState>> => {
  const found: Array<Pretrain.TrainingState> = []
  for await (const state of Pretrain.train(compile(objective), { ...recipe, steps }, batches, from))
    found.push(get(state))
  return found
}

describe('train', () => {
  test.each([
    ['denoising', denoising],
    ['classifying', classifying],
    ['denoising by a U-Net', unetDenoising],
    ['flow matching', flowMatching],
    ['denoising latents', latentDenoising]
  ])('%s: a resumed training is the unbroken one, bit for bit, through a checkpoint', async (_, objective) => {
    const start = Pretrain.start(objective, recipe, Key.make(4))
    const whole = await states(objective, start, recipe.steps)
    const middle = whole[2]
    const bytes = get(Safetensors.encode('own')({ tensors: middle?.values ?? {}, metadata: {} }))
    const resumed = { step: middle?.step ?? 0, loss: middle?.loss ?? 0, values: get(Safetensors.decode(bytes)).tensors }
    expect(await states(objective, resumed, recipe.steps)).toEqual(whole.slice(3))
    expect(whole.map(({ step }) => step)).toEqual([1, 2, 3, 4, 5, 6])
  })

  test('the first step goes against the gradient: by the learning rate in each parameter, as AdamW does', async () => {
    const start = Pretrain.start(denoising, recipe, Key.make(4))
    const [first] = await states(denoising, start, 1)
    const before = start.values['parameters.out.bias']?.data ?? []
    const after = first?.values['parameters.out.bias']?.data ?? []
    const rate = Pretrain.learningRateAt({ ...recipe, steps: 1 }, 0)
    for (let i = 0; i < features; i++) {
      // |m| / (sqrt(v) + epsilon) is 1 but for epsilon 1e-8 over a gradient above 1e-3; the bias starts at 0
      expect(Math.abs(Math.abs((after[i] ?? 0) - (before[i] ?? 0)) / rate - 1)).toBeLessThan(1e-4)
    }
  })

  test('the average of the parameters follows its decay', async () => {
    const start = Pretrain.start(denoising, recipe, Key.make(4))
    const [first, second] = await states(denoising, start, 2)
    const at = (state: Pretrain.TrainingState | undefined, name: string): number =>
      state?.values[`${name}.out.bias`]?.data[0] ?? Number.NaN
    const decay = Pretrain.averageDecayAt(recipe, 1)
    const expected = decay * at(first, 'average') + (1 - decay) * at(second, 'parameters')
    expect(decay).toBe(2 / 11)
    // each of the values is rounded to f32
    expect(Math.abs(at(second, 'average') - expected)).toBeLessThanOrEqual(4 * 2 ** -24 * 2 * recipe.learningRate)
  })

  test('the loss of the evaluation is that of the training step', async () => {
    const start = Pretrain.start(classifying, recipe, Key.make(4))
    const [first] = await states(classifying, start, 1)
    const executable = get(reference.compile(get(Pretrain.evaluation(classifying)), { batch: 8 }))
    const named = Object.fromEntries(Object.entries(start.values).filter(([name]) => name.startsWith('parameters.')))
    expect(get(await executable.run({ ...named, ...batches(0) })())['loss']?.data[0]).toBe(first?.loss)
  })

  test('a target that fails ends the stream with what it said', async () => {
    const executable = compile(denoising)
    const broken: Executable = {
      ...executable,
      run: () => () => Promise.resolve(E.left({ _tag: 'Disposed', target: 'x' }))
    }
    const found: Array<unknown> = []
    for await (const state of Pretrain.train(broken, recipe, batches, Pretrain.start(denoising, recipe, Key.make(4)))) {
      found.push(state)
    }
    expect(found).toEqual([E.left({ _tag: 'Disposed', target: 'x' })])
  })

  test('training lowers the loss', async () => {
    const long = { ...recipe, steps: 200 }
    const found = await states(denoising, Pretrain.start(denoising, long, Key.make(4)), 200)
    const mean = (some: ReadonlyArray<Pretrain.TrainingState>): number => Metrics.mean(some.map(({ loss }) => loss))
    expect(mean(found.slice(-20))).toBeLessThan(0.9 * mean(found.slice(0, 20)))
  })
})

describe('objectives', () => {
  const p = (objective: Objectives.Objective<Params>): Values =>
    values(L.shapes(objective.parameters), 'p', Key.make(8), 0.5)
  const batch: Objectives.Batch = {
    x0: X.input('x0', ['batch', features]),
    labels: X.input('labels', ['batch', labels]),
    noise: X.input('noise', ['batch', features]),
    time: X.input('time', ['batch', 1])
  }
  const shapes = {
    x0: ['batch', features],
    labels: ['batch', labels],
    noise: ['batch', features],
    time: ['batch', 1]
  } as const
  const run = <O extends Exprs>(
    objective: Objectives.Objective<Params>,
    time: number,
    of: (p: Params) => O
  ): Values => {
    const program = get(Program.make({ p: L.shapes(objective.parameters), ...shapes }, (inputs) => of(inputs.p)))
    const times = { time: { shape: [3, 1], data: Float64Array.of(time, time, time) } }
    return get(Reference.run(program, { batch: 3 }, { ...p(objective), ...values(shapes, '', Key.make(9)), ...times }))
  }

  test.each([
    [0.05, 5],
    [0.3, 5],
    [0.8, 1 / 0.64]
  ])('flow matching at %d weights the error of the clean image by %d', (time, weight) => {
    const { loss, error } = run(flowMatching, time, (parameters) => {
      const share = shares.flow(batch.time)
      const row = ['batch', features] as const
      const x = X.add(
        X.mul(X.broadcastTo(X.sqrt(share.data), row), batch.x0),
        X.mul(X.broadcastTo(X.sqrt(share.noise), row), batch.noise)
      )
      const image = clean(tinyUnet).forward(parameters, { x, time: batch.time, c: batch.labels })
      const difference = X.sub(image, batch.x0)
      return {
        loss: flowMatching.run(parameters, batch)[0],
        error: X.sumTo(X.mul(difference, difference), ['batch', 1])
      }
    })
    for (let i = 0; i < 3; i++) {
      const expected = (weight * (error?.data[i] ?? Number.NaN)) / features
      // the velocity divides by the time and is weighted by its square
      expect(Math.abs((loss?.data[i] ?? 0) - expected)).toBeLessThan(1e-10 * expected)
    }
  })

  test('denoising latents does not move the encoder by the denoiser, nor the denoiser by the image', () => {
    const gradient = (objective: Objectives.Objective<Params>): Values =>
      run(objective, 0.5, (parameters) => objective.run(parameters, batch)[1](X.fill(['batch'], 1)))
    const both = gradient(latentDenoising)
    const direction = (i: number): number => (i % 5) - 2
    const paths = Object.keys(both)
    for (const part of ['encoder', 'decoder', 'denoiser'])
      expect(paths.some((path) => path.startsWith(part))).toBe(true)
    // the encoder's gradient is the reconstruction's: that of the loss less the denoiser's, which does not reach it
    const lossOf = (part: 'all' | 'encoder', h: number): number => {
      const objective = latentDenoising
      const moved = Object.fromEntries(
        Object.entries(p(objective)).map(([name, t]) => [
          name,
          name === 'p.encoder.in.weight' ? { ...t, data: Float64Array.from(t.data, (x, i) => x + h * direction(i)) } : t
        ])
      )
      const program = get(
        Program.make({ p: L.shapes(objective.parameters), ...shapes }, (inputs) => ({
          y: X.sumTo(part === 'all' ? objective.run(inputs.p, batch)[0] : reconstructionLoss(inputs.p, batch), [])
        }))
      )
      const times = { time: { shape: [3, 1], data: Float64Array.of(0.5, 0.5, 0.5) } }
      const out = get(Reference.run(program, { batch: 3 }, { ...moved, ...values(shapes, '', Key.make(9)), ...times }))
      return out['y']?.data[0] ?? Number.NaN
    }
    const slope = (part: 'all' | 'encoder'): number => (lossOf(part, 1e-4) - lossOf(part, -1e-4)) / 2e-4
    const found = Array.from(both['encoder.in.weight']?.data ?? []).reduce((a, b, i) => a + b * direction(i), 0)
    expect(Math.abs(found - slope('encoder'))).toBeLessThan(1e-5 * (1 + Math.abs(found)))
    // the whole loss does depend on the encoder through the denoiser: the stop makes a difference
    expect(Math.abs(found - slope('all'))).toBeGreaterThan(1e-3)
  })
})

/** The part of the loss that `latentDenoising` sends to encoder and decoder. */
const reconstructionLoss = (p: Params, { x0, noise }: Objectives.Batch): X.Expr => {
  // the branches that the objective declares
  const { encoder, decoder } = p as { readonly encoder: Params; readonly decoder: Params }
  const z = Latent.encoder(tinyLatent).forward(encoder, x0)
  const blurred = X.add(z, X.scale(X.slice(noise, 1, 0, 3), Objectives.latents.noise))
  const difference = X.sub(Latent.decoder(tinyLatent).forward(decoder, blurred), x0)
  return X.scale(X.mul(difference, difference), Objectives.latents.reconstruction / features)
}

describe('schedules of a recipe', () => {
  test('the learning rate rises, peaks and falls to almost 0', () => {
    const long = { ...recipe, steps: 1000, warmup: 100, learningRate: 1 }
    const at = (step: number): number => Pretrain.learningRateAt(long, step)
    expect(at(0)).toBe(0.01)
    expect(at(99)).toBe(1)
    expect(at(100)).toBe(1)
    expect(at(550)).toBeCloseTo(0.5, 12)
    expect(at(999)).toBeLessThan(1e-5)
  })
})

describe('batches', () => {
  test('depend on the step alone', () => {
    expect(batches(7)).toEqual(batches(7))
    expect(batches(7)['x0']).not.toEqual(batches(8)['x0'])
  })

  test('times are one in each equal interval', () => {
    fc.assert(
      fc.property(fc.nat(), (step) => {
        const times = batches(step)['time']?.data ?? new Float32Array(0)
        times.forEach((time: number, i: number) => expect(Math.floor(time * 8 - (time * 8 === i + 1 ? 1 : 0))).toBe(i))
      })
    )
  })

  test('labels are hidden by whole attributes and as often as asked', () => {
    const many = { shape: [4000, labels], data: new Float32Array(4000 * labels) }
    for (let row = 0; row < 4000; row++) many.data.set(data.labels.data.subarray(0, labels), row * labels)
    const hidden = hide(many, { all: 0.1, some: 0.5 }, Key.make(5))
    let none = 0
    let skins = 0
    for (let row = 0; row < 4000; row++) {
      const shown = Faces.attributeNames.filter((attribute) => {
        const { offset, width } = Faces.block(attribute)
        const part = hidden.data.subarray(row * labels + offset, row * labels + offset + width)
        const whole = data.labels.data.subarray(offset, offset + width)
        const sum = Array.from(part).reduce((a, b) => a + b, 0)
        expect(sum === 0 || Array.from(part).every((x, i) => x === whole[i])).toBe(true)
        return sum > 0
      })
      none += shown.length === 0 ? 1 : 0
      skins += shown.includes('skin') ? 0 : 1
    }
    // five standard errors of the shares 0.1 + 0.9 / 2 / 2^8 and 0.1 + 0.9 / 2 / 2 of 4000 rows
    const near = (found: number, p: number): void =>
      expect(Math.abs(found / 4000 - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / 4000))
    near(none, 0.1 + 0.45 / 256)
    near(skins, 0.325)
    expect(hide(many, { all: 0, some: 0 }, Key.make(5))).toEqual(many)
  })

  test('what follows a face, such as a motion, is hidden like an attribute', () => {
    const count = 4000
    const width = labels + 3
    const ones = { shape: [count, width], data: new Float32Array(count * width).fill(1) }
    const hidden = hide(ones, { all: 0.1, some: 0.5 }, Key.make(6)).data
    let none = 0
    for (let row = 0; row < count; row++) {
      const motion = Array.from(hidden.subarray(row * width + labels, (row + 1) * width))
      expect(new Set(motion).size).toBe(1)
      none += motion[0] === 0 ? 1 : 0
    }
    expect(Math.abs(none / count - 0.325)).toBeLessThan(5 * Math.sqrt((0.325 * 0.675) / count))
  })
})

describe('metrics', () => {
  test('accuracy counts the attributes that the greatest logit names', () => {
    const all = Metrics.accuracy(data.labels, data.labels)
    expect(Object.values(all)).toEqual(Faces.attributeNames.map(() => 1))
    const wrong = { ...data.labels, data: Float32Array.from(data.labels.data, (x) => -x) }
    expect(Metrics.accuracy(wrong, data.labels).mouth).toBe(0)
    const open = { shape: [rows, labels], data: new Float32Array(rows * labels) }
    expect(Metrics.accuracy(data.labels, open).skin).toBe(0)
  })

  test('distances are root mean squares', () => {
    const a = { shape: [2, 2], data: Float32Array.of(0, 0, 1, 1) }
    const b = { shape: [2, 2], data: Float32Array.of(1, 1, 3, 1) }
    expect(Metrics.distances(a, b)).toEqual([1, Math.SQRT2])
    expect(Metrics.nearest(a, b)).toEqual([1, 0])
  })

  test('drawing replays its key', async () => {
    const description = { kind: 'mlp', features, labels, hidden: 8, blocks: 1, embedding: 4, share: 'cosine' } as const
    const chain = ddim({ denoiser: mlp(description), schedule: Schedule.cosine(3), eta: 1 })
    const step = get(reference.compile(get(Metrics.samplingStep(chain, labels)), { batch: rows }))
    const start = initial(chain.parameters, Key.make(6))
    const parameters = { ...start, 'out.weight': Draw.normal(Key.make(7), start['out.weight']?.shape ?? []) }
    const draw = async (key: number): Promise<unknown> =>
      get(await Metrics.draw(step, chain.T, features, parameters, data.labels, Key.make(key)))
    expect(await draw(1)).toEqual(await draw(1))
    expect(await draw(1)).not.toEqual(await draw(2))
  })
})
