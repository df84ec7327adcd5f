import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Run from '../../laws/run/Run.js'
import * as Law from '../../laws/law/Schedule.js'
import { exactDenoiser } from '../../laws/toy/GaussianData.js'
import { linearSetting } from '../../laws/toy/LinearGaussian.js'
import { tanhChain } from '../../laws/toy/Tanh.js'
import * as V from '../../laws/Verdict.js'
import * as Chain from '../../laws/law/Chain.js'
import { lookup, below } from '../../src/chain/Chain.js'
import * as Ddim from '../../src/chain/sampler/Ddim.js'
import * as Ddpm from '../../src/chain/sampler/Ddpm.js'
import { guided, type Denoiser, type DenoiserInput } from '../../src/chain/Denoiser.js'
import { cosine, linear, type Schedule } from '../../src/chain/Schedule.js'
import { tanh } from '../../src/lens/layer/Activation.js'
import { dense, type Dense } from '../../src/lens/layer/Dense.js'
import type { Rows } from '../../src/lens/Rows.js'
import * as L from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'

type Weights = { readonly x: Dense<2, 2>; readonly c: Dense<1, 2> }

/** A small network with a weight for the state and one for the condition. */
const denoiser: Denoiser<Weights, 2, 1> = {
  features: 2,
  labels: 1,
  networkCalls: 1,
  lens: L.make<Weights, DenoiserInput<2, 1>, Rows<2>>(
    { x: dense(2, 2).parameters, c: dense(1, 2).parameters },
    (p, { x, time, c }) => {
      const [a, backA] = dense(2, 2).run(p.x, x)
      const [b, backB] = dense(1, 2).run(p.c, c)
      const [y, backY] = tanh<readonly ['batch', 2]>().run({}, X.add(X.add(a, b), X.broadcastTo(time, ['batch', 2])))
      return [
        y,
        (bar) => {
          const [, z] = backY(bar)
          const [xWeight, xBar] = backA(z)
          const [cWeight, cBar] = backB(z)
          return [
            { x: xWeight, c: cWeight },
            { x: xBar, time: X.reshape(X.sum<readonly ['batch', 2], [1]>(z, [1]), ['batch', 1]), c: cBar }
          ]
        }
      ]
    }
  )
}

const params = {
  'x.weight': T.matrix([
    [0.5, -0.25],
    [0.75, 1]
  ]),
  'x.bias': T.vector([0.125, -0.5]),
  'c.weight': T.matrix([[0.5, -1]]),
  'c.bias': T.vector([0, 0.25])
}

const runs = { numRuns: 10 }

describe('chains: segments compose, keys replay, density ratio 1, score is the gradient of the log-density', () => {
  it.each([
    ['ddpm, large', Ddpm.ddpm({ denoiser, schedule: cosine(4), variance: 'large' })],
    ['ddpm, small, guided', Ddpm.ddpm({ denoiser: guided(2.5)(denoiser), schedule: linear(3), variance: 'small' })],
    ['ddim, eta = 0', Ddim.ddim({ denoiser, schedule: linear(3), eta: 0 })],
    ['ddim, eta = 1/2', Ddim.ddim({ denoiser, schedule: linear(4), eta: 0.5 })]
  ] as const)('%s', (_, chain) => Run.chain({ chain, params, condition: { c: T.vector([1]) } }, runs))

  it('linear-Gaussian, in three dimensions', () =>
    Run.forAll(
      fc.record({ numbers: Toys.linearGaussian(3, 2, 4), key: Toys.key, k: fc.integer({ min: 1, max: 3 }) }),
      ({ numbers, key, k }) => {
        const setting = linearSetting(numbers)
        return V.all('linear-Gaussian', [
          Chain.segmentsCompose(setting)(k, key),
          Chain.rolloutIsSegments(setting)(key),
          Chain.onPolicy(setting)(key),
          Chain.scoreIsGradient(setting)(key)
        ])
      },
      runs
    ))

  it('tanh', () =>
    Run.chain(
      {
        chain: tanhChain({ T: 5, alpha: 0.9, sigma: [0.25, 0.5, 0.75, 1, 0.125] }),
        params: { theta: T.vector([0.25, -0.5]) },
        condition: {}
      },
      runs
    ))
})

describe('guidance', () => {
  it('of scale 1 is the denoiser itself; any other scale evaluates it twice', () => {
    expect(guided(1)(denoiser)).toBe(denoiser)
    expect(guided(2)(denoiser).networkCalls).toBe(2)
    expect(guided(0)(guided(2)(denoiser)).networkCalls).toBe(4)
  })
})

describe('tables', () => {
  it('are read at literal steps without a node, and counted down from literal ones', () => {
    expect(lookup([5, 6, 7], X.scalar(2)).op).toEqual({ _tag: 'Scalar', value: 7 })
    for (const none of [9, -1, 0.5, Number.NaN]) {
      expect(lookup([5, 6, 7], X.scalar(none)).op).toEqual({
        _tag: 'Invalid',
        error: {
          _tag: 'ShapeError',
          operation: 'step',
          expected: 'a whole number of at most 2',
          got: String(none),
          remedy: 'count steps from 1 to T'
        }
      })
    }
    expect(lookup([5, 6, 7], X.input('t', [])).op._tag).toBe('Take')
    expect(below(X.scalar(5), 2).op).toEqual({ _tag: 'Scalar', value: 3 })
  })
})

describe('schedules', () => {
  const schedules = fc
    .record({ T: fc.integer({ min: 1, max: 200 }), make: fc.constantFrom(cosine, linear) })
    .map(({ T: n, make }) => make(n))

  it('fall, and DDIM at eta = 1 is DDPM with the small variance', () =>
    Run.forAll(schedules, (schedule) => V.all('schedule', [Law.falls(schedule), Law.ddimIsDdpm()(schedule)])))

  it('are silent at the last step: DDIM of any eta, and DDPM with the small variance', () => {
    for (const n of [1, 2, 10]) {
      expect(Ddim.coefficients(cosine(n), 1, 1).sigma).toBe(0)
      expect(Ddpm.coefficients(linear(n), 'small', 1).sigma).toBe(0)
      expect(Ddpm.coefficients(linear(n), 'large', 1).sigma).toBeGreaterThan(0)
      expect(Ddim.coefficients(cosine(n), 0, n).sigma).toBe(0)
    }
  })

  it('take at least one step', () => {
    expect(cosine(0).T).toBe(1)
    expect(linear(2.4).T).toBe(2)
  })
})

describe('marginals with the exact denoiser of Gaussian data', () => {
  const mean = fc.integer({ min: -32, max: 32 }).map((n) => n / 16)
  const length = fc.integer({ min: 1, max: 40 })

  it('are exact for DDPM with the large variance and data of unit variance', () =>
    Run.forAll(
      fc.record({ mean, length }),
      ({ mean: m, length: n }) => {
        const data = { mean: m, variance: 1 }
        const chain = Ddpm.ddpm({ denoiser: exactDenoiser(data), schedule: linear(n), variance: 'large' })
        return Law.marginalsAreExact(linear(n), data)(chain)
      },
      { numRuns: 30 }
    ))

  it('are exact for one point, with DDPM of the small variance and DDIM of any eta', () =>
    Run.forAll(
      fc.record({ mean, length, eta: fc.integer({ min: 0, max: 16 }).map((n) => n / 16) }),
      ({ mean: m, length: n, eta }) => {
        const data = { mean: m, variance: 0 }
        const law = Law.marginalsAreExact(linear(n), data)
        return V.all('one point', [
          law(Ddpm.ddpm({ denoiser: exactDenoiser(data), schedule: linear(n), variance: 'small' })),
          law(Ddim.ddim({ denoiser: exactDenoiser(data), schedule: linear(n), eta }))
        ])
      },
      { numRuns: 30 }
    ))

  const data = { mean: 0.75, variance: 0.5 }
  const samplers: ReadonlyArray<readonly [string, (schedule: Schedule) => Law.Sampler]> = [
    ['DDPM, large', (schedule) => Ddpm.ddpm({ denoiser: exactDenoiser(data), schedule, variance: 'large' })],
    ['DDPM, small', (schedule) => Ddpm.ddpm({ denoiser: exactDenoiser(data), schedule, variance: 'small' })],
    ['DDIM, eta = 0', (schedule) => Ddim.ddim({ denoiser: exactDenoiser(data), schedule, eta: 0 })],
    ['DDIM, eta = 1/2', (schedule) => Ddim.ddim({ denoiser: exactDenoiser(data), schedule, eta: 0.5 })]
  ]

  it.each(samplers)('converge to the closed form otherwise: %s', (_, sampler) => {
    Run.assert(Law.marginalsConverge(linear, data, sampler)(128))
  })

  it('do not for a sampler whose noise is too loud: the law can fail', () => {
    const loud = (schedule: Schedule): Law.Sampler => {
      const chain = Ddpm.ddpm({ denoiser: exactDenoiser(data), schedule, variance: 'large' })
      return { ...chain, sigma: chain.sigma.map((s) => 1.125 * s) }
    }
    expect(Law.marginalsConverge(linear, data, loud)(32)._tag).toBe('Left')
  })
})
