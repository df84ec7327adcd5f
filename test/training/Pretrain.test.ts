import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Pretrain from '../../src/training/Pretrain.js'
import { batchAt, hide, table, type Labelled } from '../../src/training/Batches.js'
import * as Clips from '../../cli/tasks/clips/Clips.js'
import * as Metrics from '../../cli/tasks/faces/Metrics.js'
import * as Objectives from '../../src/training/Objective.js'
import type { Params } from '../../src/lens/Lens.js'
import * as Faces from '../../cli/tasks/faces/Faces.js'
import * as Safetensors from '../../src/format/Safetensors.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { reference, type Executable } from '../../src/tensor/Target.js'
import { get } from '../network/adjoint.js'
import { tinyLatent, tinyUnet } from './descriptions.js'

const features = 6
const labels = Faces.labelWidth
const rows = 16

const attributes = Faces.attributeNames.map(Faces.block)
const denoising = Objectives.denoising({
  kind: 'mlp',
  features,
  labels,
  hidden: 8,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
})
const unetDenoising = Objectives.denoising(tinyUnet)
const flowMatching = Objectives.flowMatching(tinyUnet)
const latentDenoising = Objectives.latentDenoising(tinyLatent)
const classifying = Objectives.classifying({ kind: 'classifier', features, labels, hidden: 8, blocks: 1 }, attributes)

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
const data: Labelled = {
  x0: Draw.normal32(Key.make(2), [rows, features]),
  labels: { shape: [rows, labels], data: Float32Array.from(faces.flatMap((face) => Faces.encode(face))) }
}

const compile = (objective: Objectives.Objective<Params>): Executable =>
  get(reference.compile(get(Pretrain.trainingStep(objective, recipe)), { batch: 8 }))

const batches = batchAt(table(data, attributes), 8, { all: 0.1, some: 0.5 }, Key.make(3))

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
    const before = start.values['params.out.bias']?.data ?? []
    const after = first?.values['params.out.bias']?.data ?? []
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
    const expected = decay * at(first, 'average') + (1 - decay) * at(second, 'params')
    expect(decay).toBe(2 / 11)
    // each of the values is rounded to f32
    expect(Math.abs(at(second, 'average') - expected)).toBeLessThanOrEqual(4 * 2 ** -24 * 2 * recipe.learningRate)
  })

  test('the loss of the evaluation is that of the training step', async () => {
    const start = Pretrain.start(classifying, recipe, Key.make(4))
    const [first] = await states(classifying, start, 1)
    const executable = get(reference.compile(get(Pretrain.evaluation(classifying)), { batch: 8 }))
    const named = Object.fromEntries(Object.entries(start.values).filter(([name]) => name.startsWith('params.')))
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
    const hidden = hide(many, attributes, { all: 0.1, some: 0.5 }, Key.make(5))
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
    expect(hide(many, attributes, { all: 0, some: 0 }, Key.make(5))).toEqual(many)
  })

  test('what follows a face, such as a motion, is hidden like an attribute', () => {
    const count = 4000
    const width = labels + 3
    const ones = { shape: [count, width], data: new Float32Array(count * width).fill(1) }
    const hidden = hide(ones, Clips.spans, { all: 0.1, some: 0.5 }, Key.make(6)).data
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
})
