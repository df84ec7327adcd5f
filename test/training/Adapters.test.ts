import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { asset } from '../../cli/edge/Files.js'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { cosine } from '../../src/chain/Schedule.js'
import * as Catalogue from '../../src/estimator/Catalogue.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { adapt, adaptModel } from '../../src/training/Adapters.js'
import type { Conditions } from '../../src/training/Conditions.js'
import * as Finetune from '../../src/training/Finetune.js'
import * as Requests from '../../src/training/Requests.js'
import { trained as matching } from '../../src/training/Setup.js'
import * as Kernel from '../../src/kernel/index.js'
import { isTrained, type LoraOptions } from '../../src/lens/Adapter.js'
import { initial } from '../../src/lens/Initial.js'
import { mlp } from '../../src/network/Mlp.js'
import { loadModel } from '../../src/network/Model.js'
import { denoiser as describedBy } from '../../src/network/Network.js'
import { adamW } from '../../src/optimizer/Optimizer.js'
import * as Key from '../../src/random/Key.js'
import { brightness } from '../../src/reward/Pixels.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Tensor from '../../src/tensor/Tensor.js'
import { conditions, right, T } from './tiny.js'

const key = Key.make(7)
const target = Kernel.gpuJs({ mode: 'webasm' })
afterAll(() => target.dispose())

const tiny = mlp({ features: 12, labels: 34, hidden: 8, blocks: 1, embedding: 4, share: 'cosine' })
// an output layer starts at zero: move it, so that every weight has a say
const base = Object.fromEntries(
  Object.entries(initial(tiny.lens.parameters, Key.make(3))).map(([path, value]) => [
    path,
    path === 'out.weight' ? Tensor.toFloat32(Tensor.map((_, i) => 0.3 * Math.sin(i))(value)) : value
  ])
)

const problem = (options: LoraOptions, on: ReadonlyArray<string>) => {
  const adapted = adapt(options)(matching(on))(tiny)
  const chain = ddim({ denoiser: adapted.denoiser, schedule: cosine(T), eta: 1 })
  const estimator = right(Catalogue.rlr({ T, h: 2 }))
  return { adapted, problem: Gradient.problem(chain, brightness(12), 4, { trained: adapted.trained })(estimator) }
}

/** Some samples of a chain. */
const samples = async (denoiser: typeof tiny, values: Values): Promise<ReadonlyArray<number>> => {
  const chain = ddim({ denoiser, schedule: cosine(T), eta: 1 })
  const asked = Gradient.problem(chain, brightness(12), 4)(right(Catalogue.fullBackprop(T)))
  const gradients = right(Gradient.compile(asked, target))
  const { x0 } = right(await gradients.run(Requests.request(asked, conditions, key, values))())
  await gradients.dispose()
  return Array.from(x0.data)
}

describe('a fine-tune of an adapter', () => {
  const { adapted, problem: asked } = problem({ rank: 2 }, ['in', 'blocks', 'out'])
  const start = adapted.initial(base, key)
  const run = right(Finetune.compile(asked, { optimizer: adamW(0.05), conditions, target }))
  afterAll(() => run.dispose())

  it('starts at the samples of the denoiser, leaves what is held as it was, and raises the reward', async () => {
    let state = run.start(start)
    const rewards: Array<number> = []
    for await (const progress of Finetune.unfold(run, key, state, 30)) {
      const { state: next, rewards: seen } = right(progress)
      state = next
      rewards.push(seen.reduce((a, b) => a + b, 0) / seen.length)
    }
    for (const [path, value] of Object.entries(base)) expect(state.params[`frozen.${path}`]).toEqual(value)
    for (const path of Object.keys(start).filter(isTrained)) {
      expect([path, state.params[path]]).not.toEqual([path, start[path]])
    }
    const mean = (part: ReadonlyArray<number>): number => part.reduce((a, b) => a + b, 0) / part.length
    expect(mean(rewards.slice(20))).toBeGreaterThan(mean(rewards.slice(0, 10)))

    // merged, it is the fine-tuned denoiser, but for the order of f32 operations: nearer than any merge that forgets a weight
    const merged = right(adapted.merge(state.params))
    expect(Object.keys(merged).sort()).toEqual(Object.keys(base).sort())
    const tuned = right(await run.gradients.run(Requests.request(asked, conditions, key, state.params))())
    const plain = await samples(tiny, merged)
    const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
      Math.max(...Array.from(a, (x, i) => Math.abs(x - (b[i] ?? NaN))))
    const changed = Object.keys(base).filter((path) => gap(merged[path]?.data ?? [], base[path]?.data ?? []) > 0)
    expect(changed.length).toBeGreaterThan(2)
    const apart = gap(tuned.x0.data, plain)
    for (const path of changed) {
      const forgetful = await samples(tiny, {
        ...merged,
        [path]: base[path] ?? { shape: [], data: new Float32Array(1) }
      })
      expect([path, gap(tuned.x0.data, forgetful) > 10 * apart]).toEqual([path, true])
    }
  })

  it('is that of the denoiser where the adapter is at its start, bit for bit', async () => {
    const { x0 } = right(await run.gradients.run(Requests.request(asked, conditions, key, start))())
    expect(Array.from(x0.data)).toEqual(await samples(tiny, base))
  })

  it('of nothing is refused', () => {
    const { problem: none } = problem({}, ['norm'])
    expect(Gradient.check(none)).toMatchObject({ left: { _tag: 'NothingTrained' } })
  })
})

describe('the shipped denoiser', () => {
  const model = right(loadModel(readFileSync(asset('faces-mlp.safetensors'))))

  it('adapted at the default rank trains less than a twentieth of its numbers', () => {
    const { trainedFraction } = adapt()(() => true)(model.denoiser)
    expect(trainedFraction).toBeGreaterThan(0)
    expect(trainedFraction).toBeLessThanOrEqual(0.05)
  })

  it('merged at its start is the file, bit for bit', () => {
    const { model: adapted, merge } = adaptModel({ rank: 1 })(matching(['labels']), key)(model)
    expect(Object.keys(adapted.parameters).filter((path) => path.startsWith('adapter'))).toEqual([
      'adapter.labels.weight.down',
      'adapter.labels.weight.up'
    ])
    expect(right(merge(adapted.parameters))).toEqual(model.parameters)
  })
})

describe('a U-Net', () => {
  const unet = describedBy({
    kind: 'unet',
    size: [4, 4, 1],
    labels: 5,
    patch: 1,
    channels: [2, 4],
    groups: 2,
    embedding: 4,
    share: 'cosine'
  })
  const { denoiser, initial: start, merge } = adapt({ rank: 2 })(() => true)(unet)
  const own = initial(unet.lens.parameters, Key.make(2))
  // nothing at zero, as it is before training, so that every weight has a say
  const moved: Values = Object.fromEntries(
    Object.entries(own).map(([path, value]) => [path, Tensor.map((x, i) => x + 0.2 * Math.sin(i))(value)])
  )
  const values = start(moved, key)

  it('is adapted as any denoiser is, its convolutions as matrices', () => {
    const taps = Object.entries(own).filter(([, { shape }]) => shape.length === 4)
    expect(taps.length).toBeGreaterThan(0)
    for (const [path, { shape }] of taps) {
      const [height = 0, width = 0, inputs = 0, outputs = 0] = shape
      const rank = Math.min(2, height * width * inputs, outputs)
      expect(values[`adapter.${path}.down`]?.shape).toEqual([height * width * inputs, rank])
      expect(values[`adapter.${path}.up`]?.shape).toEqual([rank, outputs])
    }
    expect(Object.keys(right(merge(values)))).toEqual(Object.keys(own))
  })

  it('is run by an estimator: every weight has a gradient at the start', async () => {
    const chain = ddim({ denoiser, schedule: cosine(T), eta: 1 })
    const asked = Gradient.problem(chain, brightness<number>(16), 2, { trained: isTrained })(
      right(Catalogue.fullBackprop(T))
    )
    const gradients = right(Gradient.compile(asked, target))
    const ones: Conditions = (_, n) => ({ c: Tensor.toFloat32(Tensor.fill([n, 5], 1)) })
    const { gradient } = right(await gradients.run(Requests.request(asked, ones, key, values))())
    await gradients.dispose()
    for (const [path, { data }] of Object.entries(gradient)) {
      expect([path, data.some((x: number) => x !== 0)]).toEqual([path, path.endsWith('.up')])
    }
  })
})
