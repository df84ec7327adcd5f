import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Schedule from '../../src/chain/Schedule.js'
import * as L from '../../src/lens/Lens.js'
import type { MlpDescription } from '../../src/network/Description.js'
import { clean, mlp } from '../../src/network/Mlp.js'
import { flowShare, schedules, shares } from '../../src/chain/Share.js'
import * as Key from '../../src/random/Key.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Tree from '../../src/tensor/Tree.js'
import { adjoint, get, values } from './adjoint.js'

const tiny: MlpDescription = {
  kind: 'mlp',
  features: 6,
  labels: 5,
  hidden: 7,
  blocks: 2,
  embedding: 4,
  share: 'cosine'
}

const argument = { x: ['batch', 6], time: ['batch', 1], c: ['batch', 5] } as const

/** Times have to be in [0, 1]; away from 0, where the deviation that the noise is divided by vanishes. */
const times = (inputs: Values): Values => ({
  ...inputs,
  'a.time': { shape: [3, 1], data: Float64Array.of(0.2, 0.5, 0.9) }
})

describe('Mlp', () => {
  test.each(['cosine', 'linear', 'flow'] as const)('the pullback is the adjoint of the derivative (%s)', (share) => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const description = { ...tiny, share }
        for (const lens of [clean(description), mlp(description).lens]) {
          const { left, right, tolerance } = adjoint(lens, argument, ['batch', 6], Key.make(seed), ['a.time'], times)
          expect(Math.abs(left - right)).toBeLessThanOrEqual(tolerance)
          expect(tolerance).toBeLessThan(1e-3 * (1 + Math.abs(left)))
        }
      }),
      { numRuns: 5 }
    )
  })

  test('the noise it reports is the one that leads from its clean image to x', () => {
    const denoiser = mlp(tiny)
    const p = L.shapes(denoiser.lens.parameters)
    const program = get(
      Program.make({ p, a: argument }, (inputs) => {
        // the tree of inputs has the shapes that the network declares
        const parameters = inputs.p as Parameters<typeof denoiser.lens.run>[0]
        return { noise: denoiser.lens.forward(parameters, inputs.a), image: clean(tiny).forward(parameters, inputs.a) }
      })
    )
    const key = Key.make(3)
    const inputs = times({ ...values(p, 'p', key), ...values(argument, 'a', key) })
    const { noise, image } = get(Reference.run(program, { batch: 3 }, inputs))
    for (let i = 0; i < 18; i++) {
      const share = Schedule.cosineShare(inputs['a.time']?.data[Math.floor(i / 6)] ?? 0)
      const x = Math.sqrt(share) * (image?.data[i] ?? 0) + Math.sqrt(1 - share) * (noise?.data[i] ?? 0)
      // three roundings of terms below 10, each at most 2^-53 of it
      expect(Math.abs(x - (inputs['a.x']?.data[i] ?? 0))).toBeLessThan(1e-13)
    }
  })

  test('its parameters have readable names', () => {
    const names = Tree.leaves(L.isParameter, mlp({ ...tiny, blocks: 1 }).lens.parameters).map(([path]) => path)
    expect(names.sort()).toEqual([
      'blocks.0.dense.bias',
      'blocks.0.dense.weight',
      'blocks.0.film.scale.bias',
      'blocks.0.film.scale.weight',
      'blocks.0.film.shift.bias',
      'blocks.0.film.shift.weight',
      'blocks.0.norm.bias',
      'blocks.0.norm.gain',
      'in.bias',
      'in.weight',
      'labels.bias',
      'labels.weight',
      'norm.bias',
      'norm.gain',
      'out.bias',
      'out.weight',
      'time.bias',
      'time.weight'
    ])
  })
})

describe('Share', () => {
  const at = (share: MlpDescription['share'], u: number): { readonly data: number; readonly noise: number } => {
    const program = get(Program.make({ time: ['batch', 1] }, ({ time }) => ({ ...shares[share](time) })))
    const out = get(Reference.run(program, { batch: 1 }, { time: { shape: [1, 1], data: Float64Array.of(u) } }))
    return { data: out['data']?.data[0] ?? Number.NaN, noise: out['noise']?.data[0] ?? Number.NaN }
  }

  test.each([
    ['cosine', Schedule.cosineShare],
    ['linear', Schedule.linearShare],
    ['flow', flowShare]
  ] as const)('%s agrees with the schedule, and the two shares add to one', (name, expected) => {
    fc.assert(
      fc.property(fc.double({ min: 0.002, max: 1, noNaN: true }), (u) => {
        const { data, noise } = at(name, u)
        // both formulas are a dozen roundings of numbers of at most 11, relative to which nothing cancels
        expect(Math.abs(data - expected(u))).toBeLessThan(100 * 2 ** -52)
        expect(Math.abs(data + noise - 1)).toBeLessThan(100 * 2 ** -52)
      })
    )
  })

  test('the schedule of a name has its shares at its times', () => {
    for (const name of ['cosine', 'linear', 'flow'] as const) {
      const { alphaBar, time } = schedules[name](7)
      expect(alphaBar).toHaveLength(8)
      // as above; at time 0 the program keeps a noise of 1e-6
      alphaBar.forEach((a, t) => expect(Math.abs(at(name, time[t] ?? 0).data - a)).toBeLessThan(t === 0 ? 2e-6 : 1e-13))
    }
  })

  test.each(['cosine', 'linear', 'flow'] as const)(
    '%s: the noise keeps its digits near time 0, and is never 0',
    (name) => {
      // the leading term of each share of noise; the next is smaller by about u
      const u = 1e-2
      const slope = {
        cosine: (u_: number) => (Math.PI / 2 / 1.008) ** 2 * u_ * (u_ + 0.016),
        linear: (u_: number) => 0.1 * u_ + 9.95 * u_ * u_,
        flow: (u_: number) => u_ * u_ * (1 + 2 * u_)
      }
      expect(at(name, u).noise / slope[name](u)).toBeCloseTo(1, 2)
      expect(at(name, 0).noise).toBe(1e-6)
    }
  )
})
