/**
 * What the playground's workers compute, without a browser.
 */
import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as C from '../../src/estimator/Cover.js'
import { isExact, ledger } from '../../src/estimator/reading/Ledger.js'
import * as FaceValues from '../../cli/tasks/faces/Faces.js'
import { gpuJs } from '../../src/kernel/index.js'
import * as L from '../../src/lens/Lens.js'
import type { PerRow } from '../../src/lens/layer/Loss.js'
import type { Rows } from '../../src/lens/Rows.js'
import { loadModel } from '../../src/network/Model.js'
import * as Key from '../../src/random/Key.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { adjoint } from '../../test/network/adjoint.js'
import { root } from '../scripts/modules.mjs'
import * as Covers from '../playground/covers/Design.js'
import { engine } from '../playground/covers/Engine.js'
import { nextStratum, tally } from '../playground/covers/Tally.js'
import * as Faces from '../playground/faces/Design.js'
import { pairs, taught, tuning } from '../playground/faces/Engine.js'
import * as Taste from '../playground/faces/Taste.js'
import * as Means from '../playground/Means.js'
import * as Points from '../playground/points/Design.js'
import * as PointsEngine from '../playground/points/Engine.js'
import * as Series from '../playground/Series.js'

const right = <A>(made: E.Either<unknown, A>): A => {
  if (E.isLeft(made)) throw new Error(String(made.left))
  return made.right
}

const asset = (name: string): Uint8Array => readFileSync(`${root}cli/assets/${name}.safetensors`)

describe('addresses', () => {
  test('say designs of covers, and what they do not say is as at first', () => {
    expect(Covers.fromQuery('')).toEqual(Covers.initial)
    expect(Covers.toQuery(Covers.initial)).toBe('')
    const design: Covers.Design = {
      ...Covers.initial,
      T: 7,
      beta: 0.5,
      estimator: Covers.textOf([C.firstOrder(2), C.halfOrder(3, 7)]),
      others: ['reinforce'],
      form: 'onePoint'
    }
    expect(Covers.fromQuery(Covers.toQuery(design))).toEqual(design)
    expect(Covers.fromQuery('?T=1e9&sigma=no&form=none')).toEqual({ ...Covers.initial, T: 24 })
  })

  test('say designs of points and of faces', () => {
    const points: Points.Design = {
      ...Points.initial,
      data: 'drawn',
      stroke: [
        [0.5, -1.25],
        [1, 0]
      ],
      lanes: [{ estimator: 'rlr(h = 3)', kl: 0.25 }]
    }
    expect(Points.fromQuery(Points.toQuery(points))).toEqual(points)
    expect(Points.toQuery(Points.initial)).toBe('')
    expect(Points.fromQuery('?data=drawn&lanes=none')).toEqual(Points.initial)
    const faces: Faces.Design = { ...Faces.initial, reward: 'hat', prompt: 'a woman', kl: 0 }
    expect(Faces.fromQuery(Faces.toQuery(faces))).toEqual(faces)
    expect(Faces.toQuery(Faces.initial)).toBe('')
  })
})

describe('means of computing', () => {
  const all: Means.Host = { webgpu: 'device', shared: true, cores: 8 }
  const bare: Means.Host = { webgpu: 'none', shared: false, cores: 8 }

  test('of large work are the first that are there, but for WebGPU where it is emulated', () => {
    expect(Means.meansOf('automatic', all, 'large')).toEqual(E.right('webgpu'))
    expect(Means.meansOf('automatic', { ...all, webgpu: 'emulated' }, 'large')).toEqual(E.right('threads'))
    expect(Means.meansOf('automatic', { ...all, webgpu: 'none' }, 'large')).toEqual(E.right('threads'))
    expect(Means.meansOf('automatic', bare, 'large')).toEqual(E.right('webasm'))
  })

  test('of small work are one thread, whatever there is', () => {
    expect(Means.meansOf('automatic', all, 'small')).toEqual(E.right('webasm'))
    expect(Means.meansOf('automatic', bare, 'small')).toEqual(E.right('webasm'))
    expect(Means.meansOf('threads', all, 'small')).toEqual(E.right('threads'))
  })

  test('are what was chosen, or said to be missing', () => {
    expect(Means.meansOf('webgpu', { ...all, webgpu: 'emulated' }, 'large')).toEqual(E.right('webgpu'))
    expect(Means.meansOf('webasm', all, 'large')).toEqual(E.right('webasm'))
    expect(Means.meansOf('webgpu', bare, 'small')).toEqual(
      E.left('this browser has no WebGPU; choose automatic kernels')
    )
    expect(Means.meansOf('threads', bare, 'large')).toMatchObject({
      left: expect.stringContaining('shares no memory')
    })
  })

  test('leave a core to the page, and are told for what they are', () => {
    expect([1, 2, 3, 8, 64].map((cores) => Means.threadsOf({ cores }))).toEqual([2, 2, 2, 7, 8])
    expect(Means.optionsOf('threads', all)).toEqual({ mode: 'webasm', threads: 7 })
    expect(Means.show('webgpu', { ...all, webgpu: 'emulated' })).toBe('WebGPU, emulated')
    expect([null, 'threads', 'cpu'].map(Means.choiceOf)).toEqual(['automatic', 'threads', 'automatic'])
  })

  test('are what a browser says', async () => {
    const gpu = (adapter: object | null): Parameters<typeof Means.hostOf>[0] => ({
      hardwareConcurrency: 4,
      gpu: { requestAdapter: async () => adapter }
    })
    expect((await Means.hostOf(gpu(null))).webgpu).toBe('none')
    expect((await Means.hostOf(gpu({}))).webgpu).toBe('device')
    expect((await Means.hostOf(gpu({ info: { isFallbackAdapter: true } }))).webgpu).toBe('emulated')
    expect(await Means.hostOf({})).toEqual({ webgpu: 'none', shared: true, cores: 2 })
  })
})

describe('painting steps', () => {
  const painted = (cells: ReadonlyArray<C.Cell>, brush: Covers.Brush, from: number, to: number): string =>
    right(C.cover(10, Covers.paint(cells, brush, from, to)))._tag +
    ': ' +
    C.show(right(C.cover(10, Covers.paint(cells, brush, from, to))))
  const whole = [C.firstOrder(10)]

  test('gives them to the brush alone', () => {
    expect(painted(whole, 'half', 6, 10)).toBe('exact: FO(1..5) + HO(6..10)')
    expect(painted(whole, 'half', 10, 6)).toBe('exact: FO(1..5) + HO(6..10)')
    expect(painted([C.firstOrder(1), C.halfOrder(2, 10)], 'zeroth', 4, 5)).toBe(
      'exact: FO(1..1) + HO(2..3) + HO(6..10) + ZO(4..5; central, shared, s = 0.05)'
    )
    expect(painted([C.firstOrder(1), C.halfOrder(2, 10)], 'none', 1, 1)).toBe('partial: HO(2..10)')
    expect(painted([C.halfOrder(1, 10)], 'first', 3, 4)).toBe('exact: FO(1..4) + HO(5..10)')
  })

  test('never pays for a step twice, whatever is painted over what', () => {
    const brushes = ['first', 'half', 'zeroth', 'none'] as const
    let cells: ReadonlyArray<C.Cell> = whole
    for (let i = 0; i < 400; i++) {
      cells = Covers.paint(cells, brushes[(i * 7) % 4] ?? 'half', 1 + ((i * 13) % 10), 1 + ((i * 29) % 10))
      expect(E.isRight(C.cover(10, cells))).toBe(true)
    }
  })
})

describe('the ledgers of presets', () => {
  test.each(Covers.presets)('$name is exact unless it is said to be wrong', ({ text, wrong }) => {
    const account = ledger(right(Covers.build(Covers.initial)(text)))
    expect(isExact(account)).toBe(wrong !== true)
  })

  test('equation (6) as printed pays for step 1 twice, and for other steps too little', () => {
    const [first, ...others] = ledger(right(Covers.build(Covers.initial)('printed(h = 2)'))).entries
    expect(first?.paid).toBeCloseTo(2, 12)
    expect(others.some(({ paid }) => paid < 1)).toBe(true)
  })
})

describe('curves', () => {
  const climbed = (steps: number): Series.Series => {
    let series: Series.Series = []
    for (let step = 0; step < steps; step++) series = Series.grown(series, step, 2 * step)
    return series
  }

  test('keep all points while they are few, and what is no number is none', () => {
    expect(climbed(Series.most).map(([step]) => step)).toEqual(Array.from({ length: Series.most }, (_, i) => i))
    expect(Series.grown(climbed(3), 3, Number.NaN)).toEqual(climbed(3))
  })

  test('are never longer than can be seen, keep their order, their start and their end', () => {
    const long = climbed(20 * Series.most + 7)
    expect(long.length).toBeLessThanOrEqual(Series.most)
    expect(long.length).toBeGreaterThan(Series.most / 2)
    expect([long[0]?.[0], long.at(-1)?.[0]]).toEqual([0, 20 * Series.most + 6])
    expect(long.every(([step, value], i) => value === 2 * step && step > (long[i - 1]?.[0] ?? -1))).toBe(true)
  })
})

describe('tallies', () => {
  test('have the moments of strata', () => {
    const sum = tally([0.25, 0.75], 1)
    sum.add(0, { width: 1, data: Float64Array.of(1, 3) })
    expect(sum.read()).toBeUndefined()
    sum.add(1, { width: 1, data: Float64Array.of(10, 14, 12) })
    const read = sum.read()
    expect(read?.mean[0]).toBeCloseTo(0.25 * 2 + 0.75 * 12, 12)
    expect(read?.standardError[0]).toBeCloseTo(Math.sqrt((0.0625 * 2) / 2 + (0.5625 * 4) / 3), 12)
    expect(read?.variance).toBeCloseTo(0.25 * (2 + 7.5 ** 2) + 0.75 * (4 + 2.5 ** 2), 12)
  })

  test('meet strata by their weights', () => {
    const counts = [0, 0, 0]
    for (let i = 0; i < 1000; i++) {
      const at = nextStratum([0.2, 0.3, 0.5], counts)
      counts[at] = (counts[at] ?? 0) + 1
    }
    expect(counts).toEqual([200, 300, 500])
  })
})

test('covers: samples agree with the exact gradient, and with the predicted bias where there is one', async () => {
  const target = gpuJs()
  const made = right(
    engine(
      { ...Covers.initial, estimator: 'segmented(h = 3)', others: ['truncatedBackprop(k = 3)', 'printed(h = 2)'] },
      target
    )
  )
  for (let i = 0; i < 40; i++) await made.step()
  for (const { text, known, moments, fault } of made.read()) {
    expect(fault).toBeUndefined()
    made.gradient.forEach((_, i) => {
      const off = Math.abs((moments?.mean[i] ?? Number.NaN) - (known?.expectation[i] ?? 0))
      // 5.5 standard errors are passed once in 26 million
      const error = moments?.standardError[i] ?? 0
      expect({ text, holds: off < 5.5 * error }).toEqual({ text, holds: true })
    })
  }
  const [own, truncated] = made.read()
  expect(own?.known?.expectation).toEqual(own?.known?.gradient)
  expect(Math.abs((truncated?.moments?.mean[0] ?? 0) - (made.gradient[0] ?? 0))).toBeGreaterThan(10)
  expect(own?.parts.map(({ steps }) => steps[0]).sort((a, b) => Number(a) - Number(b))).toEqual(C.range(1, 10))
  await made.dispose()
  await target.dispose()
})

test('points: a fine-tune of the weights that come with the page earns the reward', async () => {
  const target = gpuJs()
  const model = right(loadModel(asset('eight-gaussians')))
  const base = right(await PointsEngine.baseFrame(Points.initial, model, target))
  expect(base.states).toHaveLength(Points.T + 1)
  expect(base.distance).toBeLessThan(0.05)
  const run = right(PointsEngine.tuning(Points.initial, { estimator: 'segmented(h = 3)', kl: 0.5 }, model, target))
  const before = right(await run.frame())
  expect(before.states).toEqual(base.states)
  for (let i = 0; i < 15; i++) right(await run.step())
  const after = right(await run.frame())
  expect(after.reward ?? Number.NaN).toBeGreaterThan((before.reward ?? 0) + 1)
  await run.dispose()
  await target.dispose()
})

test('points: training on drawn data goes to it', async () => {
  const target = gpuJs()
  const design: Points.Design = { ...Points.initial, data: 'drawn', stroke: [[1, 1]], pretraining: 200 }
  const run = right(PointsEngine.training(design, target))
  const before = right(await run.frame())
  for (;;) {
    const state = await run.step()
    if (state === undefined) break
    right(state)
  }
  const after = right(await run.frame())
  expect(after.distance).toBeLessThan(0.2 * before.distance)
  await run.dispose()
  await target.dispose()
})

test('faces: a reward that is none, and a model of something else, are said to be', () => {
  const target = gpuJs()
  const files = { model: asset('faces-mlp'), classifier: asset('classifier'), judge: asset('judge') }
  expect(tuning({ ...Faces.initial, reward: 'glases' }, files, target)).toMatchObject({ _tag: 'Left' })
  const other = tuning(Faces.initial, { ...files, model: asset('moons') }, target)
  expect(other).toEqual(E.left('expected a model of images of 768 numbers, got one of 2; load one of faces'))
})

describe('faces: a taste', () => {
  const choices = (text: string): ReadonlyArray<Taste.Choice> => Taste.fromText(text)
  /** One pair a row: the share of one value in the first face and in the second. */
  const shares = (rows: ReadonlyArray<readonly [number, number]>): Tensor => ({
    shape: [2 * rows.length, 2],
    data: Float32Array.from(rows.flatMap(([a, b]) => [a, 1 - a, b, 1 - b]))
  })

  test('is learned from choices: the most probable weights, which are as likely both ways where nothing was chosen', () => {
    const seen = shares(Array.from({ length: 4 }, () => [1, 0] as const))
    expect(Taste.learned(seen, [])).toEqual([0, 0])
    expect(Taste.learned(seen, choices('--'))).toEqual([0, 0])
    const liked = Taste.learned(seen, choices('LLLL'))
    // of two values the differences are d = (1, -1): w = (a, -a) with a / 4 = 4 sigmoid(-2 a)
    const a = liked[0] ?? 0
    expect(a / 4).toBeCloseTo(4 / (1 + Math.exp(2 * a)), 9)
    expect(liked[1]).toBeCloseTo(-a, 12)
    const both = Taste.learned(seen, choices('LRLR'))
    expect(Math.hypot(...both)).toBeLessThan(1e-12)
    expect(Taste.learned(seen, choices('RRRR'))[0]).toBeCloseTo(-a, 9)
    expect(Taste.odds(seen, liked)[0]).toBeCloseTo(1 / (1 + Math.exp(-2 * a)), 12)
  })

  test('is a text, a letter a choice', () => {
    expect(Taste.fromText('LR-x L')).toEqual(['first', 'second', 'neither', 'first'])
    expect(Taste.toText(Taste.fromText('LR-L'))).toBe('LR-L')
    expect(Taste.fromText('L'.repeat(1000))).toHaveLength(Taste.pairs)
  })

  test('as a reward has the gradient that it has', () => {
    const taste = Array.from({ length: FaceValues.labelWidth }, (_, i) => Math.sin(i))
    const lens = Taste.tasteOf(FaceValues.labelWidth, taste)
    const record = L.make(lens.parameters, (p, { x }: { readonly x: Rows<number> }) => {
      const [value, back] = lens.run(p, x)
      return [value, (bar: PerRow) => [back(bar)[0], { x: back(bar)[1] }]]
    })
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { left, right: other, tolerance } = adjoint(record, { x: ['batch', 34] }, ['batch'], Key.make(seed))
        expect(Math.abs(left - other)).toBeLessThanOrEqual(tolerance)
      }),
      { numRuns: 10, seed: 1 }
    )
  })

  test('of glasses is learned from a dozen choices, and a fine-tune follows it', async () => {
    const target = gpuJs()
    const files = { model: asset('faces-mlp'), classifier: asset('classifier'), judge: asset('judge') }
    const { shares: seen, images, side } = right(await pairs(Faces.initial, files, target))
    expect([images.length, side]).toEqual([2 * Taste.pairs * 768, 16])
    const { offset, width } = FaceValues.block('glasses')
    const wears = (row: number): number => 1 - (seen.data[row * FaceValues.labelWidth + offset] ?? 0)
    expect(width).toBe(3)
    const all = Array.from({ length: Taste.pairs }, (_, i): Taste.Choice => {
      const off = wears(2 * i) - wears(2 * i + 1)
      return Math.abs(off) < 0.3 ? 'neither' : off > 0 ? 'first' : 'second'
    })
    const told = all.slice(0, 25)
    const taste = Taste.learned(seen, told)
    expect(Taste.words(taste).liked).toContain('glasses round')
    expect(Taste.words(taste).disliked).toContain('no glasses')
    const odds = Taste.odds(seen, taste)
    const later = all.flatMap((choice, i) =>
      i < 25 || choice === 'neither' ? [] : [[choice, odds[i] ?? 0.5] as const]
    )
    expect(later.length).toBeGreaterThan(5)
    expect(later.filter(([choice, p]) => p > 0.5 === (choice === 'first'))).toHaveLength(later.length)

    const design: Faces.Design = { ...Faces.initial, reward: 'taught', choices: Taste.toText(told) }
    const followed = right(await taught(design, files, target))
    expect(followed).toEqual(taste)
    const run = right(tuning(design, files, target, followed))
    const before = right(await run.frame())
    for (let i = 0; i < 10; i++) right(await run.step())
    const after = right(await run.frame())
    expect((after.reward ?? 0) - (before.reward ?? 0)).toBeGreaterThan(0.5)
    expect((after.heldOut ?? 0) - (before.heldOut ?? 0)).toBeGreaterThan(0.5)
    await run.dispose()
    await target.dispose()
  })

  test('is followed where the reward asks for it, and where there are choices enough', async () => {
    const target = gpuJs()
    const files = { model: asset('faces-mlp'), classifier: asset('classifier'), judge: asset('judge') }
    expect(await taught({ ...Faces.initial, choices: 'LLLLLLLL' }, files, target)).toEqual(E.right(undefined))
    expect(await taught({ ...Faces.initial, reward: 'hat + taught', choices: 'L--' }, files, target)).toEqual(
      E.left('expected at least 8 choices to be taught by, got 1; choose between more pairs')
    )
    await target.dispose()
  })
})
