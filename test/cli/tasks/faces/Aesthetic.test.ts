import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from 'vitest'
import * as Files from '../../../../cli/edge/Files.js'
import { faces } from '../../../../cli/tasks/faces/Renderer.js'
import * as Objective from '../../../../cli/tasks/faces/AestheticObjective.js'
import * as Pretrain from '../../../../src/training/Pretrain.js'
import { gpuJs } from '../../../../src/kernel/GpuJs.js'
import * as L from '../../../../src/lens/Lens.js'
import * as Aesthetic from '../../../../cli/tasks/faces/Aesthetic.js'
import { showError } from '../../../../src/network/Model.js'
import * as Preference from '../../../../cli/tasks/faces/Preference.js'
import * as Draw from '../../../../src/random/Draw.js'
import * as Key from '../../../../src/random/Key.js'
import { below, under } from '../../../../src/tensor/Program.js'
import { reference } from '../../../../src/tensor/Target.js'
import { size } from '../../../../src/tensor/Tensor.js'
import * as Tree from '../../../../src/tensor/Tree.js'
import { get } from '../../../network/adjoint.js'

const asset = (name: string): Uint8Array => readFileSync(Files.asset(`${name}.safetensors`))

const target = gpuJs()
afterAll(() => target.dispose())

const byte = fc.integer({ min: 0, max: 255 }).map((v) => v / 127.5 - 1)
const image = fc.array(byte, { minLength: 48, maxLength: 48 })

describe('the preference', () => {
  test('finds an image symmetric exactly where it is its mirror image', () => {
    fc.assert(
      fc.property(image, (row) => {
        const at = (x: number, y: number, c: number): number => row[(y * 4 + x) * 3 + c] ?? 0
        const mirrored = row.map((_, i) => at(3 - (Math.floor(i / 3) % 4), Math.floor(i / 12), i % 3))
        const symmetric = row.map((v, i) => (v + (mirrored[i] ?? 0)) / 2)
        expect(Preference.asymmetry(symmetric)).toBe(0)
        expect(Preference.asymmetry(row)).toBe(Preference.asymmetry(mirrored))
        const square = row.reduce((sum, v, i) => sum + (v - (mirrored[i] ?? 0)) ** 2, 0) / 48
        expect(Preference.asymmetry(row)).toBeCloseTo(Math.sqrt(square), 12)
      })
    )
  })

  test('finds a palette harmonious where hues are equal or opposite, whatever the hue', () => {
    const gray = [0.2, 0.2, 0.2]
    const lines: ReadonlyArray<ReadonlyArray<number>> = [
      [1, -1, -1],
      [-0.5, 0.8, 0.1],
      [0.3, 0.9, -0.9]
    ]
    for (const line of lines) {
      const palette = [1, -0.4, 0.7].flatMap((t) => line.map((v, i) => t * v + (gray[i] ?? 0)))
      expect(Preference.harmony(palette)).toBeGreaterThan(0.95)
    }
    // red, green and blue are as far from one another as hues can be; grey has none
    expect(Preference.harmony([1, -1, -1, -1, 1, -1, -1, -1, 1])).toBeLessThan(1e-12)
    expect(Preference.harmony([0.5, 0.5, 0.5])).toBe(0)
  })

  test('chooses as often as it should, and alike for one key', () => {
    const utility = [0, 1.5, -0.5]
    const n = 20_000
    const choices = Preference.choices(utility, n, Key.make(5))
    expect(choices).toEqual(Preference.choices(utility, n, Key.make(5)))
    const mean = choices.reduce((sum, { chosen, probability: p }) => sum + (chosen ? 1 : 0) - p, 0) / n
    // the deviation of a choice from its probability is at most 1/2; five standard errors
    expect(Math.abs(mean)).toBeLessThan((5 * 0.5) / Math.sqrt(n))
    const best = Preference.accuracy(utility, choices)
    expect(Math.abs(best - Preference.bayesRate(choices))).toBeLessThan((5 * 0.5) / Math.sqrt(n))
    expect(Preference.accuracy([1, 1, 1], choices)).toBe(0.5)
  })
})

describe('the shipped score', () => {
  const { description, parameters, metadata } = get(Aesthetic.loadAesthetic(asset('aesthetic')))
  const count = 4000
  // draws of another seed than the training's
  const { images } = get(faces(Draw.uniform(Key.make(77), [count, 8])))

  test('has as many parameters as its description says, and says how it was made', () => {
    const sizes = Tree.leaves(L.isParameter, Aesthetic.score(description).parameters).map(([, { shape }]) =>
      size(shape.map(Number))
    )
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(3377)
    expect(description).toEqual(Aesthetic.shipped)
    expect(metadata['command']).toMatch(/^halforder pretrain aesthetic --steps \d+ --batch \d+ --faces \d+ --seed \d+$/)
  })

  test('agrees with choices almost as often as the utility itself', async () => {
    const executable = get(target.compile(get(Objective.scoring(description)), { batch: count }))
    const out = get(await executable.run({ ...under('params', parameters), x: images })())
    await executable.dispose()
    const utility = Preference.utilities(images)
    const found = Preference.quality(out['score']?.data ?? [], utility, Key.make(6))
    // it gives away less than 2 % of the choices; paired on the same ones, so that their noise is shared
    expect(found.accuracy).toBeGreaterThan(found.trueAccuracy - 0.02)
    expect(found.bayesRate).toBeGreaterThan(0.8)
    expect(found.correlation).toBeGreaterThan(0.95)
    // and it can fail: the score of the faces in another order is worth a coin
    const shuffled = Preference.quality(out['score']?.data.toReversed() ?? [], utility, Key.make(6))
    expect(shuffled.accuracy).toBeLessThan(0.6)
  })

  test('is no classifier', () => {
    expect(E.mapLeft(showError)(Aesthetic.loadAesthetic(asset('classifier')))).toEqual(
      E.left(
        'description.features: expected one of the fields kind, side, pool, hidden, got "features"; use a file that `halforder pretrain` wrote'
      )
    )
  })
})

describe('training on choices', () => {
  test('lowers the loss from log 2', async () => {
    const tiny: Aesthetic.AestheticDescription = { kind: 'aesthetic', side: 4, pool: 2, hidden: 4 }
    const recipe = { steps: 150, learningRate: 1e-2, warmup: 5, beta2: 0.99, weightDecay: 0, clip: 1, average: 0.9 }
    const objective = Objective.preferring(tiny)
    const images = Draw.normal32(Key.make(8), [64, 48])
    // a preference that this network can learn: brightness
    const utility = Float64Array.from({ length: 64 }, (_, i) =>
      images.data.subarray(48 * i, 48 * (i + 1)).reduce((sum, v) => sum + v / 3, 0)
    )
    const executable = get(reference.compile(get(Pretrain.trainingStep(objective, recipe)), { batch: 16 }))
    const losses: Array<number> = []
    let last: Pretrain.TrainingState | undefined
    const batches = Objective.choicesAt(images, utility, 16, Key.make(9))
    for await (const state of Pretrain.train(
      executable,
      recipe,
      batches,
      Pretrain.start(objective, recipe, Key.make(10))
    )) {
      last = get(state)
      losses.push(last.loss)
    }
    // scores start at zero, so the first pair is a coin
    expect(losses[0]).toBeCloseTo(Math.LN2, 6)
    const mean = losses.slice(-30).reduce((a, b) => a + b, 0) / 30
    expect(mean).toBeLessThan(0.75 * Math.LN2)
    expect(Object.keys(below('average', last?.values ?? {}))).toContain('out.weight')
  })
})
