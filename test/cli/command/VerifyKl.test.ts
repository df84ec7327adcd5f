import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { verify } from '../../../cli/command/Verify.js'
import type * as Verify from '../../../laws/verify/Verify.js'
import * as Draw from '../../../src/random/Draw.js'
import * as Key from '../../../src/random/Key.js'
import { captured } from '../captured.js'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verify-kl-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const file = (name: string, content: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

const length = 10
const [a, b] = [0.3, 0.1]
const centre = 2
const plain = {
  kind: 'tanh',
  T: length,
  alpha: 0.9,
  theta: [a, b],
  sigma: 0.3,
  reward: { kind: 'quadratic', m: centre }
}
const near = { ...plain, kl: { beta: 0.2, reference: [0.2, 0] } }

const row = async (model: unknown, estimator: unknown, samples = 40_000): Promise<Verify.Row> => {
  const { code, out } = await captured(() =>
    verify({
      model: file('model.json', model),
      estimator: file('estimator.json', estimator),
      samples: String(samples),
      seed: '1',
      json: true
    })
  )
  expect(code).toBe(0)
  // what the command printed a moment ago
  return JSON.parse(out) as Verify.Row
}

/** Is a row unbiased, with a gradient to so many places? */
const found = ({ verdict, exactGradient }: Verify.Row): unknown => [
  verdict,
  exactGradient?.map((g) => Number(g.toFixed(4)))
]

/** States of the chain by step, `x_0` first. */
const states = ((): ReadonlyArray<ReadonlyArray<number>> => {
  const n = 4000
  const eps = Draw.normal(Key.make(2), [length, n]).data
  const all: Array<ReadonlyArray<number>> = [Array.from(Draw.normal(Key.make(1), [n]).data)]
  for (let t = 0; t < length; t++) {
    const [above = []] = all
    all.unshift(above.map((x, i) => 0.9 * x + a * Math.tanh(x) + b + 0.3 * (eps[t * n + i] ?? 0)))
  }
  return all
})()

/** The reward where the rest of the chain, from `x_t`, is the line that fits it best: a polynomial in `x_t`. */
const lines = states.map((x): ReadonlyArray<number> => {
  const [y = []] = states
  const mean = (f: (i: number) => number): number => x.reduce((sum, _, i) => sum + f(i) / x.length, 0)
  const [mx, my] = [mean((i) => x[i] ?? 0), mean((i) => y[i] ?? 0)]
  const slope = mean((i) => ((x[i] ?? 0) - mx) * (y[i] ?? 0)) / mean((i) => ((x[i] ?? 0) - mx) ** 2)
  const offset = my - slope * mx - centre
  return [-(offset ** 2), -2 * offset * slope, -(slope ** 2)]
})

const scores = (look: (t: number) => object): unknown => ({
  cells: Array.from({ length }, (_, i) => ({ kind: 'halfOrder', from: i + 1, to: i + 1, ...look(i + 1) }))
})

describe('the objective without a penalty, by verify', () => {
  // by another program, on 400,000 samples or more; the last number is how far variances of 40,000 spread over seeds
  it.each<[string, unknown, number, number]>([
    ['scores with a constant', { name: 'reinforce', constant: -4 }, 1.163e4, 0.035],
    ["Stein's control by one line a step", scores((t) => ({ control: { state: lines[t - 1] } })), 3.67e3, 0.015],
    ['a baseline of the state by one line a step', scores((t) => ({ baseline: { state: lines[t] } })), 4.25e3, 0.015],
    ['full backpropagation', { name: 'fullBackprop' }, 2.13e3, 0.015]
  ])('%s is unbiased, with its variance', async (_, estimator, variance, spread) => {
    const measured = await row(plain, estimator)
    expect(found(measured)).toEqual(['unbiased', [-20.6457, 24.7331]])
    expect(Math.abs((measured.variance ?? 0) / variance - 1)).toBeLessThan(4 * spread)
  })
})

describe('the objective with the price of leaving a reference, by verify', () => {
  it.each<[string, unknown]>([
    ['full backpropagation', { name: 'fullBackprop' }],
    ['scores with returns to go', { name: 'reinforce', constant: -4.8869 }],
    ['scores with a baseline of the state', scores((t) => ({ baseline: { state: lines[t] } }))],
    ["scores with Stein's control", scores((t) => ({ control: { state: lines[t - 1] } }))],
    ['a third of the scores at random', { name: 'subsampled', every: 3, constant: -4.8869 }],
    ['segments, of several steps', { name: 'segmented', h: 3, constant: -4.8869 }],
    ['RLR', { name: 'rlr', h: 2, radius: 0.02, constant: -4.8869 }]
  ])('is what %s estimates', async (_, estimator) => {
    const measured = await row(near, estimator)
    const { verdict, exactGradient, target } = measured
    expect(verdict).toBe('unbiased')
    // a smoothing of radius 0.02 moves it by less than a tenth; without a penalty it is (-20.6457, 24.7331)
    const off = [-22.4392, 21.6495].map((g, i) => Math.abs((exactGradient?.[i] ?? Number.NaN) - g))
    expect(Math.max(...off)).toBeLessThan(target === 'J' ? 5e-5 : 0.1)
  })

  it('has the price as the network calls of the reference, and an unpaid step as its bias', async () => {
    const { networkEvaluations } = await row(near, { name: 'fullBackprop' }, 1000)
    // ten steps rolled out and ten pulled back, each with its reference
    expect(networkEvaluations).toBe(40)
    const partial = await row(near, { name: 'truncatedBackprop', k: 2 })
    expect(partial.verdict).toBe('biased as predicted')
  })

  it('in a linear chain is that of its closed form, at steps with noise', async () => {
    const linear = {
      kind: 'linearGaussian',
      T: 2,
      A: [[1]],
      B: [[1]],
      c: [0],
      sigma: [0, 0.5],
      prior: { mean: [3], cov: [[0.25]] },
      theta: [0.5],
      reward: { Q: [[1]], m: [1], q: [0] },
      kl: { beta: 0.1, reference: [0.25] }
    }
    // -2 (3 + 1 - 1) of the reward, and -0.1 (0.5 - 0.25) / 0.25 of step 2; step 1 has no noise and no price
    const measured = await row(linear, { name: 'fullBackprop' }, 2000)
    expect(found(measured)).toEqual(['unbiased', [-6.1]])
    expect(found(await row(linear, { name: 'reinforce', baseline: -4.5 }))).toEqual(['unbiased', [-6.1]])
  })
})
