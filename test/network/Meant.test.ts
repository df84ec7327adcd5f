import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Run from '../../laws/run/Run.js'
import { affine, type AffineStep, straight } from '../../src/chain/Affine.js'
import type { RowChain } from '../../src/chain/SamplerRow.js'
import { showError as showDocument } from '../../src/document/Document.js'
import { showConfigError } from '../../src/network/diffusers/Config.js'
import { anyScheduler } from '../../src/network/diffusers/Scheduler.js'
import type { Imported } from '../../src/network/graph/Import.js'
import * as Meaning from '../../src/network/Meaning.js'
import { meant, type MeantOptions, type Source } from '../../src/network/Meant.js'
import type { Model } from '../../src/network/Model.js'
import { showError as showModel } from '../../src/network/Model.js'
import { decode } from '../../src/network/Record.js'
import { reference } from '../../src/tensor/Target.js'
import { type Tensor, vector } from '../../src/tensor/Tensor.js'
import { adaptModel } from '../../src/training/Adapters.js'
import * as Config from '../../src/training/Config.js'
import * as Setup from '../../src/training/Setup.js'
import { key } from '../../src/random/index.js'
import { graph, imported, node, right } from './graphs.js'
import { part, runOn } from './runs.js'

// -------------------------------------------------------------------------------------
// a model, and what it computes in plain numbers
// -------------------------------------------------------------------------------------

/** `w x + t / 100 + row(y)`, for two numbers; labels 0 and 1, and 2 for none. */
const model = (): Imported =>
  imported(
    graph(
      [
        node('Reshape', ['t', 'column'], ['tc']),
        node('Mul', ['tc', 'rate'], ['rt']),
        node('Gather', ['table', 'y'], ['row']),
        node('Mul', ['x', 'w'], ['xw']),
        node('Add', ['xw', 'rt'], ['a']),
        node('Add', ['a', 'row'], ['out'])
      ],
      { x: ['batch', 2], t: ['batch'], y: ['batch'] },
      {
        constants: {
          column: { shape: [2], data: Float64Array.of(-1, 1) },
          rate: { shape: [], data: Float64Array.of(0.01) }
        },
        weights: {
          w: { shape: [2], data: Float64Array.of(0.5, -0.3) },
          table: { shape: [3, 1], data: Float64Array.of(0.2, -0.4, 0.1) }
        },
        whole: ['y'],
        outputs: ['out']
      }
    )
  )

type Point = readonly [number, number]

const network = ([a, b]: Point, t: number, label = 2): Point => {
  const rest = t / 100 + ([0.2, -0.4, 0.1][label] ?? 0)
  return [0.5 * a + rest, -0.3 * b + rest]
}

const mix = (a: number, x: Point, b: number, y: Point): Point => [a * x[0] + b * y[0], a * x[1] + b * y[1]]

const source: Source = { name: 'model.onnx', encode: () => E.left('nowhere') }
const labels = { labels: 2, nullLabel: 2, layout: 'rows' } as const

const modelOf = (options: Omit<MeantOptions, 'source'>): Model =>
  right(meant(model(), { ...options, source }), showDocument)

const chainOf = (of: Model, options: Partial<Setup.Setup['base']> | object): RowChain =>
  right(Setup.chain({ ...Config.defaults.chain, kind: 'own', ...options }, of), showDocument)

const noise = { shape: [4, 1, 2], data: Float64Array.of(0.3, -0.2, 1.1, 0.7, -0.9, 0.4, 0.1, -1.3) }
const start: Tensor = { shape: [1, 2], data: Float64Array.of(0.8, -1.2) }

const ended = async (of: Model, chain: RowChain, condition?: Tensor): Promise<ReadonlyArray<number>> => [
  ...(await runOn(reference, chain, of.parameters, start, (t) => part(noise, (chain.T - t) % 4), condition)).data
]

const drawn = (i: number): Point => [noise.data[2 * i] ?? 0, noise.data[2 * i + 1] ?? 0]

/** The largest difference. */
const off = (got: ReadonlyArray<number>, expected: ReadonlyArray<number>): number =>
  Math.max(...expected.map((value, i) => Math.abs(value - (got[i] ?? NaN))))

// -------------------------------------------------------------------------------------
// schedulers
// -------------------------------------------------------------------------------------

const config = {
  _class_name: 'EulerAncestralDiscreteScheduler',
  num_train_timesteps: 100,
  beta_schedule: 'linear',
  beta_start: 0.001,
  beta_end: 0.1
}

/** As its `step` has it, on `y = data + sigma noise`. */
const ancestral = (prediction: string, spacing: string): Point => {
  let product = 1
  const sigmas = Array.from({ length: 100 }, (_, i) => {
    product *= 1 - (0.001 + (0.099 * i) / 99)
    return Math.sqrt((1 - product) / product)
  })
  const at = { linspace: [99, 66, 33, 0], leading: [75, 50, 25, 0], trailing: [99, 74, 49, 24] }[spacing] ?? []
  const level = [...at.map((step) => sigmas[step] ?? 0), 0]
  const begin = spacing === 'leading' ? Math.hypot(level[0] ?? 0, 1) : (level[0] ?? 0)
  let y: Point = [0.8 * begin, -1.2 * begin]
  at.forEach((step, i) => {
    const [from, to] = [level[i] ?? 0, level[i + 1] ?? 0]
    const out = network(mix(1 / Math.hypot(from, 1), y, 0, y), step)
    const clean =
      prediction === 'epsilon' ? mix(1, y, -from, out) : mix(-from / Math.hypot(from, 1), out, 1 / (from * from + 1), y)
    const up = Math.sqrt((to ** 2 * (from ** 2 - to ** 2)) / from ** 2)
    const down = Math.sqrt(to ** 2 - up ** 2)
    const derivative = mix(1 / from, y, -1 / from, clean)
    y = mix(1, mix(1, y, down - from, derivative), up, drawn(i))
  })
  return y
}

describe('Euler schedulers', () => {
  test.each([
    ['epsilon', 'linspace'],
    ['epsilon', 'leading'],
    ['v_prediction', 'trailing'],
    ['v_prediction', 'linspace']
  ])('ancestral, of %s at %s steps: the numbers of its own', async (prediction, spacing) => {
    const document = { ...config, prediction_type: prediction, timestep_spacing: spacing }
    const { meaning, scheduler } = right(decode(model())({ scheduler: document, ...labels }), showDocument)
    const of = modelOf({ meaning, scheduler })
    const chain = chainOf(of, { T: 4, eta: 1 })
    expect(chain.name).toBe('euler-ancestral(eta = 1)')
    expect(off(await ended(of, chain), ancestral(prediction, spacing))).toBeLessThan(1e-9)
  })

  test.each([1, 3])('of straight paths, shifted by %d: the numbers of its own', async (shift) => {
    const document = { _class_name: 'FlowMatchEulerDiscreteScheduler', num_train_timesteps: 1000, shift }
    const { meaning, scheduler } = right(decode(model())({ scheduler: document, ...labels }), showDocument)
    const shifted = (s: number): number => (shift * s) / (1 + (shift - 1) * s)
    const least = shifted(1 / 1000)
    const sigmas = [...[0, 1, 2, 3].map((i) => shifted(1 + ((least - 1) * i) / 3)), 0]
    let y: Point = [0.8, -1.2]
    for (let i = 0; i < 4; i++) {
      const [from, to] = [sigmas[i] ?? 0, sigmas[i + 1] ?? 0]
      y = mix(1, y, to - from, network(y, 1000 * from))
    }
    const of = modelOf({ meaning, scheduler })
    expect(off(await ended(of, chainOf(of, { T: 4, eta: 0 })), y)).toBeLessThan(1e-9)
  })

  test('are refused by their fields', () => {
    const refusals = [
      [
        { _class_name: 'FlowMatchEulerDiscreteScheduler', use_dynamic_shifting: true },
        'use_dynamic_shifting: expected false'
      ],
      [{ _class_name: 'FlowMatchEulerDiscreteScheduler', shfit: 3 }, 'shfit'],
      [
        { _class_name: 'LMSDiscreteScheduler' },
        '"EulerAncestralDiscreteScheduler" or "FlowMatchEulerDiscreteScheduler"'
      ]
    ] as const
    for (const [document, message] of refusals) {
      const result = anyScheduler(document)
      expect(E.isLeft(result) && showConfigError(result.left)).toContain(message)
    }
  })
})

// -------------------------------------------------------------------------------------
// straight paths
// -------------------------------------------------------------------------------------

describe('a model of straight paths', () => {
  const meaning: Meaning.Meaning = { ...labels, flow: { data: 1, noise: 0 }, prediction: 'clean', guided: [0.3, 0.7] }

  // the ends are strict: of the two, f32 has 0.3 above and 0.7 below the number
  test.each([
    [
      [0.3, 0.7],
      [4, 5, 6]
    ],
    [
      [0.7, 0.95],
      [8, 9]
    ]
  ] as const)('from noise at 0 to data at 1, guided within %j, as its own solver has it', async (guided, where) => {
    // x' = x + v / 10 with v = (F - x) / (1 - t)
    let x: Point = [0.8, -1.2]
    for (let i = 0; i < 10; i++) {
      const t = i / 10
      const guidance = where.some((one) => one === i) ? 2 : 1
      const out = mix(guidance, network(x, t, 1), 1 - guidance, network(x, t))
      x = mix(1, x, 0.1 / (1 - t), mix(1, out, -1, x))
    }
    const of = modelOf({ meaning: { ...meaning, guided }, scheduler: undefined })
    const chain = chainOf(of, { T: 10, eta: 0, guidance: 2 })
    expect([chain.networkCalls, chainOf(of, { T: 4, eta: 0 }).networkCalls]).toEqual([2, 1])
    expect(off(await ended(of, chain, { shape: [1, 2], data: Float64Array.of(0, 1) }), x)).toBeLessThan(1e-9)
  })

  test('whose velocity points to the data, or away from it', async () => {
    const towards = modelOf({
      meaning: { ...labels, flow: { data: 1, noise: 0 }, prediction: 'flow' },
      scheduler: undefined
    })
    let x: Point = [0.8, -1.2]
    for (const t of [0, 0.25, 0.5, 0.75]) x = mix(1, x, 0.25, network(x, t))
    expect(off(await ended(towards, chainOf(towards, { T: 4, eta: 0 })), x)).toBeLessThan(1e-9)
    const away = modelOf({
      meaning: { ...labels, flow: { data: 0, noise: 10 }, prediction: 'flow' },
      scheduler: undefined
    })
    x = [0.8, -1.2]
    for (const t of [10, 7.5, 5, 2.5]) x = mix(1, x, -0.25, network(x, t))
    expect(off(await ended(away, chainOf(away, { T: 4, eta: 0 })), x)).toBeLessThan(1e-9)
  })

  test.each(['clean', 'flow'] as const)('is a denoiser for any chain: the noise by %s', async (prediction) => {
    const of = modelOf({ meaning: { ...labels, flow: { data: 0, noise: 10 }, prediction }, scheduler: undefined })
    // one step of DDIM without noise, from a share of one half to the data: y = x / (2 sqrt(1/2)) at s = 1/2
    const chain = right(Setup.chain({ ...Config.defaults.chain, kind: 'flow-ode', T: 1 }, of), showDocument)
    const [end] = await ended(of, chain)
    const s = 0.9999 ** 0.5 / (0.9999 ** 0.5 + 0.01)
    const y: Point = mix(1 / (Math.sqrt(0.9999) + 0.01), [0.8, -1.2], 0, [0, 0])
    const out = network(y, 10 * s)
    expect(end).toBeCloseTo(prediction === 'clean' ? out[0] : y[0] - s * out[0], 2)
  })

  test('with noise, the noise at each level is what the path has there, and of it as much new as the process has', () => {
    const noises = [0, 0.2, 0.5, 0.8, 1]
    for (const kind of ['clean', 'flow'] as const) {
      const one = (): number => 1
      const of = (eta: number): ReadonlyArray<AffineStep> =>
        straight({ kind, noises, eta, told: (s) => s, guidance: one })
      for (const eta of [0, 0.5, 1]) {
        of(eta).forEach(({ state, output, sigma }, i) => {
          const [u = 0, s = 0] = noises.slice(i)
          // of y = (1 - s) data + s noise with the network's answer right: factors of the data and of the noise
          const [data, kept] =
            kind === 'clean' ? [state * (1 - s) + output, state * s] : [state * (1 - s) - output, state * s + output]
          expect(data).toBeCloseTo(1 - u, 12)
          expect(kept ** 2 + sigma ** 2).toBeCloseTo(u ** 2, 12)
          // the process adds noise to y_u (1 - s) / (1 - u): what is common to the two is u (1 - s) / (1 - u) of s
          const common = (u * u * (1 - s)) / ((1 - u) * s)
          expect(kept).toBeCloseTo(Math.sqrt(u ** 2 - eta ** 2 * (u ** 2 - common ** 2)), 12)
        })
      }
    }
  })

  test('is a chain by the laws, clean outputs and guidance included', async () => {
    const of = modelOf({ meaning, scheduler: undefined })
    const own = right(Meaning.networkOf(model(), meaning), showDocument)
    const chain = affine(
      'straight',
      own,
      straight({ kind: 'clean', noises: [0, 0.5, 1], eta: 0.8, told: (s) => s, guidance: () => 2 })
    )
    await Run.chain({ chain, params: of.parameters, condition: { c: vector([0, 1]) } }, { numRuns: 1 })
  })
})

// -------------------------------------------------------------------------------------
// the rest
// -------------------------------------------------------------------------------------

describe('a model by its record', () => {
  const records: ReadonlyArray<readonly [string, object, string]> = [
    ['prediction', { alphaBar: [0.9] }, 'prediction: expected epsilon, clean, velocity or flow'],
    [
      'prediction',
      { alphaBar: [0.9], prediction: 'noise' },
      'prediction: expected one of epsilon, clean, velocity, flow, got "noise"'
    ],
    ['field', { alphabar: [0.9] }, 'alphabar: expected one of the fields scheduler, alphaBar, flow'],
    ['scheduler', { scheduler: { ...config, thresholding: true } }, 'scheduler.thresholding: expected false'],
    ['levels', { prediction: 'epsilon' }, 'alphaBar: expected the shares of data at its steps, or `flow`, got neither'],
    ['path', { alphaBar: [0.9], prediction: 'flow' }, 'flow: expected straight paths, since the prediction is theirs'],
    [
      'path',
      { flow: { data: 0, noise: 1 }, prediction: 'velocity' },
      "prediction: expected 'flow' or 'clean', on straight paths"
    ],
    [
      'path',
      { flow: { data: 1, noise: 1 }, prediction: 'flow' },
      'flow: expected two times, of the data and of the noise'
    ],
    ['window', { alphaBar: [0.9], prediction: 'epsilon', guided: [0, 1] }, 'guided: expected straight paths beside it'],
    ['layout', { alphaBar: [0.9], prediction: 'epsilon', layout: 'channels last' }, "layout: expected 'rows' for rows"]
  ]

  test.each(records)('a wrong %s is answered by the field to change', (_, document, message) => {
    const result = decode(model())({ labels: 2, ...document })
    const shown = E.isLeft(result) ? result : meant(model(), { ...result.right, source })
    expect(E.isLeft(shown) && showDocument(shown.left)).toContain(message)
  })

  test('images with channels behind, and times that are whole', () => {
    const images = (channels: ReadonlyArray<number>, whole: ReadonlyArray<string>): Imported =>
      imported(
        graph(
          [node('Mul', ['x', 'w'], ['out'])],
          { x: ['batch', ...channels], t: ['batch'] },
          {
            weights: { w: { shape: [1], data: Float64Array.of(1) } },
            whole,
            outputs: ['out']
          }
        )
      )
    const said = (of: Imported, document: object): string => {
      const result = decode(of)({ prediction: 'epsilon', ...document })
      const made = E.isLeft(result) ? result : meant(of, { ...result.right, source })
      return E.isLeft(made) ? showDocument(made.left) : 'right'
    }
    const alphaBar = [0.9]
    expect(said(images([8, 8, 3], []), { alphaBar })).toContain(
      "layout: expected 'channels last', got [batch, 8, 8, 3]"
    )
    expect(said(images([8, 8, 3], []), { alphaBar, layout: 'channels last' })).toBe('right')
    expect(said(images([3, 8, 8], []), { alphaBar, layout: 'channels last' })).toContain(
      "layout: expected 'channels first'"
    )
    expect(said(images([3, 8, 8], ['t']), { flow: { data: 0, noise: 1 }, prediction: 'flow' })).toContain(
      'flow: expected times in whole steps for t, such as { data: 0, noise: 1000 }'
    )
  })

  test('has its own chain under an adapter too, and says what it cannot be written as', () => {
    const of = modelOf({ meaning: { ...labels, alphaBar: [0.9, 0.5], prediction: 'clean' }, scheduler: undefined })
    const { model: adapted } = adaptModel({ rank: 1 })(() => true, key(1))(of)
    expect(Object.keys(adapted.own?.network.lens.parameters ?? {})).toContain('frozen')
    expect(chainOf(of, { T: 2, eta: 0.5 }).name).toBe('ddim(eta = 0.5)')
    const written = of.encode({}, {}, 'own')
    expect(E.isLeft(written) && showModel(written.left)).toContain('nowhere')
  })
})
