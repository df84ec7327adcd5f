import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as GM from '../../laws/law/GaussianMarginals.js'
import * as Run from '../../laws/run/Run.js'
import { exactConsistency, exactDenoiser, type Data } from '../../laws/toy/GaussianData.js'
import * as V from '../../laws/Verdict.js'
import type { Chain } from '../../src/chain/Chain.js'
import * as Consistency from '../../src/chain/sampler/Consistency.js'
import * as Ddim from '../../src/chain/sampler/Ddim.js'
import * as Edm from '../../src/chain/sampler/Edm.js'
import { fromCoefficients, type Coefficients } from '../../src/chain/EpsilonSampler.js'
import * as Flow from '../../src/chain/sampler/Flow.js'
import * as FlowCps from '../../src/chain/sampler/FlowCps.js'
import * as FlowDance from '../../src/chain/sampler/FlowDance.js'
import type { Schedule } from '../../src/chain/Schedule.js'
import * as TimeMap from '../../src/chain/TimeMap.js'
import * as VeSde from '../../src/chain/sampler/VeSde.js'
import * as VpSde from '../../src/chain/sampler/VpSde.js'
import type { Rows } from '../../src/lens/Rows.js'
import type { None } from '../../src/lens/Lens.js'
import * as T from '../../src/tensor/Tensor.js'
import { network, networkParams } from './network.js'

type Sampler = Chain<None, readonly ['batch', 1], Rows<1>>

const map = TimeMap.linear
const runs = { numRuns: 5 }

describe('chain laws', () => {
  const denoiser = network
  const cosine = TimeMap.cosine
  it.each([
    ['vp-sde', VpSde.vpSde({ denoiser, schedule: VpSde.schedule(cosine)(4) })],
    ['ve-sde', VeSde.veSde({ denoiser, schedule: VeSde.schedule(cosine)(3) })],
    ['edm', Edm.edm({ denoiser, schedule: Edm.schedule(cosine)(3), eta: 1 })],
    ['edm, churn', Edm.churned({ denoiser, map: cosine, schedule: Edm.schedule(cosine)(3), churn: 0.25 }).chain],
    ['flow-ode', Flow.flowOde({ denoiser, schedule: Flow.schedule(cosine)(3) })],
    ['flow-sde', Flow.flowSde({ denoiser, schedule: Flow.schedule(cosine)(4), eta: 0.7 })],
    ['flow-sde, a window', Flow.flowSde({ denoiser, schedule: Flow.schedule(cosine)(4), eta: 0.7, window: [2, 3] })],
    ['flow-cps', FlowCps.flowCps({ denoiser, schedule: Flow.schedule(cosine)(4), eta: 0.7 })],
    ['flow-dance', FlowDance.flowDance({ denoiser, schedule: Flow.schedule(cosine)(4), eta: 0.3 })],
    ['consistency', Consistency.consistency({ denoiser, schedule: Flow.schedule(cosine)(3) })]
  ] as const)('%s', (_, chain) => Run.chain({ chain, params: networkParams, condition: { c: T.vector([1]) } }, runs))
})

describe('every sampler starts at a standard draw and ends in the scale of the data', () => {
  it('shares of data fall from 1, and stay within those that the denoiser knows', () => {
    for (const known of [TimeMap.cosine, TimeMap.linear]) {
      for (const schedule of [VeSde.schedule(known)(20), Edm.schedule(known)(20), Flow.schedule(known)(20)]) {
        expect(schedule.alphaBar[0]).toBe(1)
        expect(schedule.alphaBar).toEqual(schedule.alphaBar.toSorted((a, b) => b - a))
        expect(schedule.time).toEqual(schedule.time.toSorted((a, b) => a - b))
        expect(schedule.alphaBar[20]).toBeGreaterThanOrEqual(known.share(1) * (1 - 1e-12))
      }
    }
  })
})

describe('marginals are exact', () => {
  const data = fc.record({
    mean: fc.integer({ min: -32, max: 32 }).map((n) => n / 16),
    variance: fc.integer({ min: 1, max: 32 }).map((n) => n / 16)
  })
  const length = fc.integer({ min: 1, max: 12 })
  const schedules = fc
    .record({ n: length, make: fc.constantFrom(VpSde.schedule, VeSde.schedule, Edm.schedule, Flow.schedule) })
    .map(({ n, make }) => make(map)(n))

  const consistency = (one: Data, schedule: Schedule): Sampler =>
    Consistency.consistency({ denoiser: exactConsistency(one), schedule })

  it('for consistency sampling with a consistency function, any data, any schedule', () =>
    Run.forAll(
      fc.record({ one: data, schedule: schedules }),
      ({ one, schedule }) => GM.exact(GM.sampler(consistency(one, schedule)), GM.ofSchedule(schedule, one)),
      { numRuns: 30 }
    ))

  it('for ancestral EDM and coefficients-preserving noise of any eta and window, and the flow ODE, on one point', () =>
    Run.forAll(
      fc.record({ one: data, schedule: schedules, eta: fc.integer({ min: 0, max: 16 }).map((n) => n / 16) }),
      ({ one, schedule, eta }) => {
        const point = { mean: one.mean, variance: 0 }
        const denoiser = exactDenoiser(point)
        const law = (chain: Sampler): V.Verdict => GM.exact(GM.sampler(chain), GM.ofSchedule(schedule, point))
        return V.all('one point', [
          law(Edm.edm({ denoiser, schedule, eta })),
          law(Edm.edm({ denoiser, schedule, eta, window: [1, Math.ceil(schedule.T / 2)] })),
          law(FlowCps.flowCps({ denoiser, schedule, eta })),
          law(FlowCps.flowCps({ denoiser, schedule, eta, window: [schedule.T, schedule.T] })),
          law(Flow.flowOde({ denoiser, schedule }))
        ])
      },
      { numRuns: 30 }
    ))

  it('but not with a posterior mean for a consistency function, nor with the noise left out', () => {
    const one = { mean: 0.5, variance: 0.5 }
    const schedule = Flow.schedule(map)(4)
    const law = (chain: Sampler): V.Verdict => GM.exact(GM.sampler(chain), GM.ofSchedule(schedule, one))
    expect(law(Consistency.consistency({ denoiser: exactDenoiser(one), schedule }))).toMatchObject({
      left: { _tag: 'Refuted' }
    })
    const right = consistency(one, schedule)
    expect(law({ ...right, sigma: right.sigma.map((s) => s * 0.99) })).toMatchObject({ left: { _tag: 'Refuted' } })
  })
})

describe('ancestral EDM', () => {
  it('is DDIM in another scale', () => {
    const schedule = Edm.schedule(map)(10)
    for (const eta of [0, 0.5, 1]) {
      for (let t = 1; t <= 10; t++) {
        const one = Edm.coefficients(schedule, eta, t)
        const two = Ddim.coefficients(schedule, eta, t)
        expect(one.state).toBeCloseTo(two.state, 10)
        expect(one.epsilon).toBeCloseTo(two.epsilon, 8)
        expect(one.sigma).toBeCloseTo(two.sigma, 8)
      }
    }
  })

  it('splits a level into what is left and what is put back', () => {
    const { down, up } = Edm.split(2, 1, 1)
    expect(down ** 2 + up ** 2).toBeCloseTo(1, 14)
    expect(Edm.split(2, 1, 0)).toEqual({ down: 1, up: 0 })
  })
})

describe('marginals converge at order 1', () => {
  const data = { mean: 0.75, variance: 0.5 }
  const denoiser = exactDenoiser(data)
  const refined =
    (make: (n: number) => { readonly chain: Sampler; readonly schedule: Schedule }, at = 0) =>
    (n: number): GM.Refined<None, 1, Rows<1>> => {
      const { chain, schedule } = make(n)
      return { subject: GM.sampler(chain), closed: GM.ofSchedule(schedule, data), at }
    }
  /** A sampler of a schedule, and one whose coefficients are tampered with. */
  const of = (
    schedule: (n: number) => Schedule,
    coefficients: (s: Schedule, t: number) => Coefficients,
    at = 0
  ): ((n: number) => GM.Refined<None, 1, Rows<1>>) =>
    refined((n) => {
      // where the least level is fixed, n intervals lie above it
      const one = schedule(n + at)
      return { schedule: one, chain: fromCoefficients('sampler', denoiser, one, (t) => coefficients(one, t)) }
    }, at)

  // next to s = 1, where g^2 = s / (1 - s) has its pole, a step must be shorter than 1 - s before its order can be seen
  const later = (n: number): Schedule =>
    TimeMap.matched(map)(Array.from({ length: n }, (_, i) => TimeMap.flow.share((0.9 * (i + 1)) / n)))

  const flowSde = (s: Schedule, t: number): Coefficients => Flow.coefficients(s, 0.7, t)
  const dance = (s: Schedule, t: number): Coefficients => FlowDance.coefficients(s, 0.5, t)
  const flowOde = (s: Schedule, t: number): Coefficients => Flow.coefficients(s, 0, t)
  const ancestral = (s: Schedule, t: number): Coefficients => Edm.coefficients(s, 1, t)

  it.each([
    ['VP SDE', of(VpSde.schedule(map), VpSde.coefficients), 32],
    ['VE SDE, down to its least level', of(VeSde.schedule(map), VeSde.coefficients, 1), 64],
    ['EDM, ancestral, down to its least level', of(Edm.schedule(map), ancestral, 1), 32],
    [
      'EDM, churned, down to its least level',
      refined((n) => Edm.churned({ denoiser, map, schedule: Edm.schedule(map)(n + 1), churn: 4 / n }), 1),
      32
    ],
    ['flow ODE', of(Flow.schedule(map), flowOde), 32],
    ['flow SDE, from s = 0.9', of(later, flowSde), 32],
    ['flow SDE of constant noise', of(later, dance), 64]
  ] as const)('%s', (_, family, shortest) => {
    Run.assert(GM.converges(family, 1)(shortest))
  })

  it.each([
    [
      'VP SDE without the half of the drift',
      of(VpSde.schedule(map), (s, t) => {
        const { state, ...rest } = VpSde.coefficients(s, t)
        return { state: 2 * state - 1, ...rest }
      })
    ],
    [
      'VE SDE with half the score, which is right for the ODE',
      of(
        VeSde.schedule(map),
        (s, t) => {
          const { epsilon, ...rest } = VeSde.coefficients(s, t)
          return { epsilon: epsilon / 2, ...rest }
        },
        1
      )
    ],
    [
      'flow SDE whose noise is not paid for by the score',
      of(later, (s, t) => ({ ...flowSde(s, t), epsilon: flowOde(s, t).epsilon }))
    ],
    [
      'flow SDE of constant noise that is not paid for by the score',
      of(later, (s, t) => ({ ...dance(s, t), epsilon: flowOde(s, t).epsilon }))
    ],
    [
      'flow SDE with the whole of g^2 in the drift',
      of(later, (s, t) => {
        const [sde, ode] = [flowSde(s, t), flowOde(s, t)]
        return { ...sde, epsilon: 2 * sde.epsilon - ode.epsilon }
      })
    ]
  ] as const)('not: %s', (_, family) => {
    expect(GM.converges(family, 1)(64)).toMatchObject({ left: { _tag: 'Refuted' } })
  })
})

describe('times', () => {
  const share = fc.double({ min: 1e-4, max: 1, noNaN: true, minExcluded: true })

  it('are inverse to shares: in closed form, and by bisection of the same share', () => {
    fc.assert(
      fc.property(share, fc.constantFrom(TimeMap.cosine, TimeMap.linear, TimeMap.flow), (a, one) => {
        // a share is off by as much as its own formula is, and time by that over its slope: compare shares
        expect(Math.abs(one.share(one.time(a)) - a)).toBeLessThan(1e-14)
        const slow = TimeMap.fromShare(one.share)
        expect(Math.abs(one.share(slow.time(a)) - a)).toBeLessThan(1e-14)
      })
    )
  })

  it('stay in [0, 1]', () => {
    for (const one of [TimeMap.cosine, TimeMap.linear, TimeMap.flow, TimeMap.fromShare(TimeMap.linear.share)]) {
      expect(one.time(1)).toBe(0)
      expect(one.time(1e-9)).toBeLessThanOrEqual(1)
      expect(one.time(1.5)).toBeGreaterThanOrEqual(0)
    }
    expect(TimeMap.cosine.time(1e-9)).toBe(1)
  })

  it('of a schedule of its own kind are those of the schedule', () => {
    const schedule = TimeMap.retimed(TimeMap.linear)(VpSde.schedule(TimeMap.linear)(10))
    schedule.time.forEach((u, t) => expect(u).toBeCloseTo(t / 10, 12))
  })
})

describe('a window of noise', () => {
  const denoiser = exactDenoiser({ mean: 0.5, variance: 0.5 })
  const schedule = Flow.schedule(map)(5)

  it('keeps the steps of the sampler within, and has those of the ODE outside', () => {
    const sampler = { denoiser, schedule, eta: 0.7 }
    const [all, some] = [Flow.flowSde(sampler), Flow.flowSde({ ...sampler, window: [2, 3] })]
    expect(some.sigma).toEqual(all.sigma.map((sigma, t) => (t === 2 || t === 3 ? sigma : 0)))
    expect(some.name).toBe('flow-sde(eta = 0.7 at 2..3)')
  })

  it('is within the chain', () => {
    const of = (window: readonly [number, number]): unknown =>
      GM.exact(
        GM.sampler(Flow.flowSde({ denoiser, schedule, eta: 1, window })),
        GM.ofSchedule(schedule, { mean: 0, variance: 1 })
      )
    for (const window of [
      [0, 2],
      [3, 2],
      [2, 6],
      [1.5, 2]
    ] as const) {
      expect(JSON.stringify(of(window))).toContain('a window of steps within 1..5, the lowest first')
    }
  })
})
