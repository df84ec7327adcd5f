import * as E from 'fp-ts/lib/Either.js'
import * as O from 'fp-ts/lib/Option.js'
import { describe, expect, test } from 'vitest'
import * as L from '../../src/lens/Lens.js'
import type { DenoiserDescription, LatentDescription, UnetDescription } from '../../src/network/Description.js'
import { initial } from '../../src/lens/Initial.js'
import * as Latent from '../../src/network/Latent.js'
import { encodeModel, loadModel, showError } from '../../src/network/Model.js'
import * as Network from '../../src/network/Network.js'
import { clean, unet } from '../../src/network/Unet.js'
import * as Key from '../../src/random/Key.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import * as X from '../../src/tensor/Expr.js'
import { adjoint, errorsOfDifferences, get, values } from './adjoint.js'

const signals: UnetDescription = {
  kind: 'unet',
  size: [8, 1],
  labels: 3,
  patch: 2,
  channels: [2, 4],
  groups: 1,
  embedding: 4,
  share: 'cosine'
}
const images: UnetDescription = { ...signals, size: [8, 4, 3], channels: [4, 8], groups: 2 }
const clips: UnetDescription = { ...images, size: [4, 8, 4, 3] }
const latent: LatentDescription = {
  kind: 'latent',
  size: [4, 4, 1],
  patch: 2,
  channels: [2, 2],
  groups: 1,
  latent: 4,
  labels: 3,
  hidden: 5,
  blocks: 1,
  embedding: 4,
  share: 'cosine'
}

const argument = (features: number) => ({ x: ['batch', features], time: ['batch', 1], c: ['batch', 3] }) as const

/** Values at times at which nothing that is divided by vanishes. */
const times = (inputs: Program.Values): Program.Values => ({
  ...inputs,
  'a.time': { shape: [3, 1], data: Float64Array.of(0.2, 0.5, 0.9) }
})

const holds = ({ left, right, tolerance }: ReturnType<typeof adjoint>): void => {
  expect(Math.abs(left - right)).toBeLessThanOrEqual(tolerance)
  expect(tolerance).toBeLessThan(1e-3 * (1 + Math.abs(left)))
}

describe('Unet', () => {
  test('the pullback is the adjoint of the derivative, and one that forgets the condition is not', () => {
    const right = clean(signals)
    const wrong: typeof right = L.make(right.parameters, (p, a) => {
      const [value, back] = right.run(p, a)
      return [
        value,
        (bar) => {
          const [pBar, aBar] = back(bar)
          return [pBar, { ...aBar, c: X.zeros(aBar.c.shape) }]
        }
      ]
    })
    const ratios = (lens: typeof right): ReadonlyArray<number> => {
      const [a = 0, b = 0, c = 0] = errorsOfDifferences(lens, argument(8), ['batch', 8], Key.make(1), ['a.time'], times)
      return [a / b, b / c]
    }
    // 4, but for the next term of the error, of order h^2 beside it
    for (const ratio of ratios(right)) expect(Math.abs(ratio - 4)).toBeLessThan(1)
    for (const ratio of ratios(wrong)) expect(ratio).toBeLessThan(2)
  })

  test('it takes and gives rows of its size, and begins by expecting nothing', () => {
    for (const description of [signals, images, clips]) {
      const denoiser = unet(description)
      const features = description.size.reduce((n, d) => n * d, 1)
      const program = get(
        Program.make({ p: L.shapes(denoiser.lens.parameters), a: argument(features) }, (inputs) => ({
          image: clean(description).forward(inputs.p, inputs.a)
        }))
      )
      const key = Key.make(1)
      const p = Program.under('p', initial(denoiser.lens.parameters, key))
      const out = get(Reference.run(program, { batch: 3 }, times({ ...p, ...values(argument(features), 'a', key) })))
      expect(denoiser.features).toBe(features)
      expect(out['image']?.shape).toEqual([3, features])
      expect(Math.max(...Array.from(out['image']?.data ?? [1], Math.abs))).toBe(0)
    }
  })

  test('its parameters have readable names', () => {
    const layers = Tree.leaves(L.isParameter, clean(images).parameters).map(([path]) =>
      path.split('.').slice(0, -1).join('.')
    )
    expect([...new Set(layers)].filter((name) => !name.startsWith('levels.0.down')).sort()).toEqual([
      '',
      'in',
      'labels',
      'levels.0.up.again',
      'levels.0.up.enter',
      'levels.0.up.film.scale',
      'levels.0.up.film.shift',
      'levels.0.up.leave',
      'levels.0.up.norm',
      'levels.0.up.skip',
      'middle.0.again',
      'middle.0.enter',
      'middle.0.film.scale',
      'middle.0.film.shift',
      'middle.0.leave',
      'middle.0.norm',
      'middle.0.skip',
      'middle.1.again',
      'middle.1.enter',
      'middle.1.film.scale',
      'middle.1.film.shift',
      'middle.1.leave',
      'middle.1.norm',
      'norm',
      'out',
      'time'
    ])
  })

  test('convolutions of clips are factorised: no weight has windows over frames and places', () => {
    const weights = Tree.leaves<L.Parameter>(L.isParameter, clean(clips).parameters).filter(
      ([, { shape }]) => shape.length === 5
    )
    expect(weights.length).toBeGreaterThan(10)
    for (const [path, { shape }] of weights) {
      expect(shape.slice(0, 3)).toEqual(path.includes('.space.') ? [1, 3, 3] : [3, 1, 1])
    }
  })
})

describe('Latent', () => {
  const run = (lens: ReturnType<typeof Latent.encoder>, x: Tensor, seed: number): Tensor => {
    const program = get(
      Program.make({ p: L.shapes(lens.parameters), x: ['batch', x.shape[1] ?? 1] }, (inputs) => ({
        y: lens.forward(inputs.p, inputs.x)
      }))
    )
    const p = values(L.shapes(lens.parameters), 'p', Key.make(seed), 0.5)
    return get(Reference.run(program, { batch: x.shape[0] ?? 1 }, { ...p, x }))['y'] ?? x
  }

  test.each([
    ['encoder', Latent.encoder(latent), 16, 4],
    ['decoder', Latent.decoder(latent), 4, 16]
  ] as const)('the pullback of the %s is the adjoint of the derivative', (_, lens, from, to) => {
    holds(adjoint(lens, ['batch', from], ['batch', to], Key.make(2)))
  })

  test('latents have mean 0 and variance 1', () => {
    const x = values({ x: ['batch', 16] }, '', Key.make(3))['x']
    const z = run(Latent.encoder(latent), x ?? { shape: [0, 16], data: new Float64Array(0) }, 4)
    expect(z.shape).toEqual([3, 4])
    for (let row = 0; row < 3; row++) {
      const one = Array.from(z.data.subarray(4 * row, 4 * row + 4))
      const mean = one.reduce((a, b) => a + b, 0) / 4
      const variance = one.reduce((a, b) => a + (b - mean) ** 2, 0) / 4
      expect(Math.abs(mean)).toBeLessThan(1e-12)
      // the norm adds 1e-5 to the variance before it divides
      expect(variance).toBeGreaterThan(0.9)
      expect(variance).toBeLessThan(1)
    }
  })

  test('the denoiser works on latents, and a decoder leads to pixels', () => {
    expect(Network.denoiser(latent).features).toBe(4)
    expect(O.isSome(Network.decoder(latent))).toBe(true)
    expect(O.isNone(Network.decoder(images))).toBe(true)
    expect(Object.keys(Network.parameters(latent)).sort()).toEqual(['decoder', 'denoiser', 'encoder'])
    expect(Object.keys(Network.denoiser(latent).lens.parameters)).toEqual(['denoiser'])
  })
})

describe('files of denoisers', () => {
  test.each([signals, clips, latent] as ReadonlyArray<DenoiserDescription>)(
    '$kind comes back from its file',
    (description) => {
      const parameters = initial(Network.parameters(description), Key.make(1))
      const model = get(loadModel(get(encodeModel(description, parameters, {}))))
      expect(model.description).toEqual(description)
      expect(model.denoiser.features).toBe(Network.featuresOf(description))
      expect(Object.keys(model.parameters).sort()).toEqual(Object.keys(parameters).sort())
      expect(O.isSome(model.decoder)).toBe(description.kind === 'latent')
    }
  )

  test.each([
    [{ ...signals, channels: [2, 0] }, 'description.channels[1]: expected an integer of at least 1, got 0'],
    [{ ...signals, share: 'other' }, 'description.share'],
    [{ ...latent, latent: undefined }, 'description.latent: expected an integer of at least 1, got nothing'],
    [{ kind: 'gan' }, 'description.kind: expected one of mlp, unet, latent, tokens, got "gan"'],
    [[], 'description: expected']
  ])('a wrong description says where', (description, message) => {
    // what a file could have
    const file = get(encodeModel(description as DenoiserDescription, {}, {}))
    const loaded = loadModel(file)
    expect(E.isLeft(loaded) ? showError(loaded.left) : 'a model').toContain(message)
  })
})
