import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import * as Run from '../../laws/run/Run.js'
import { logDensity, rollout, type Chain } from '../../src/chain/Chain.js'
import { guided } from '../../src/chain/Denoiser.js'
import * as Noise from '../../src/chain/Noise.js'
import * as Cascade from '../../src/chain/sampler/Cascade.js'
import * as Consistency from '../../src/chain/sampler/Consistency.js'
import * as Ddim from '../../src/chain/sampler/Ddim.js'
import * as Ddpm from '../../src/chain/sampler/Ddpm.js'
import * as Edm from '../../src/chain/sampler/Edm.js'
import * as Flow from '../../src/chain/sampler/Flow.js'
import * as VeSde from '../../src/chain/sampler/VeSde.js'
import * as VpSde from '../../src/chain/sampler/VpSde.js'
import * as Schedule from '../../src/chain/Schedule.js'
import { schedules } from '../../src/chain/Share.js'
import * as TimeMap from '../../src/chain/TimeMap.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import * as L from '../../src/lens/Lens.js'
import type { Rows } from '../../src/lens/Rows.js'
import { declared } from '../../src/random/Density.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { showError, type ShapeError } from '../../src/tensor/Shape.js'
import { reference } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { get } from '../network/adjoint.js'
import { network, networkOf, networkParams, type Weights } from './network.js'

type Sampler = Chain<Weights, readonly ['batch', 2], Rows<1>>

const text = (result: E.Either<ReadonlyArray<ShapeError>, unknown>): string =>
  E.isLeft(result) ? result.left.map(showError).join('\n') : 'accepted'

/** A program of a chain's step at a literal or a run-time step, with the pullback's outputs alone where asked. */
const stepOf = <D extends number>(
  chain: Chain<Weights, readonly ['batch', D], Rows<1>>,
  t: X.Scalar
): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const params = L.shapes(chain.parameters)
  const inputs: Shapes = { params, x: chain.state, c: chain.condition, t: [] }
  return Program.make<Shapes, Exprs>(inputs, () => {
    const [mean, back] = chain.mean(t).run(L.parameterInputs('params', chain.parameters), {
      x: X.input('x', chain.state),
      c: X.input('c', ['batch', 1])
    })
    return { mean, back: back(X.input('x', chain.state))[1] }
  })
}

const wrong = (chain: Sampler): string => text(stepOf(chain, X.scalar(1)))

const samplers: ReadonlyArray<(schedule: Schedule.Schedule) => Sampler> = [
  (schedule) => Ddpm.ddpm({ denoiser: network, schedule, variance: 'large' }),
  (schedule) => Ddpm.ddpm({ denoiser: network, schedule, variance: 'small', lastNoise: false }),
  (schedule) => Ddim.ddim({ denoiser: network, schedule, eta: 1 }),
  (schedule) => VpSde.vpSde({ denoiser: network, schedule }),
  (schedule) => VeSde.veSde({ denoiser: network, schedule }),
  (schedule) => Edm.edm({ denoiser: network, schedule, eta: 0.5, clip: 1 }),
  (schedule) => Edm.churned({ denoiser: network, map: TimeMap.cosine, schedule, churn: 0.25 }).chain,
  (schedule) => Flow.flowOde({ denoiser: network, schedule }),
  (schedule) => Flow.flowSde({ denoiser: network, schedule, eta: 0.7 }),
  (schedule) => Flow.flowSde({ denoiser: network, schedule, eta: 0.7, at: 'start' }),
  (schedule) => Consistency.consistency({ denoiser: network, schedule })
]

describe('the tables of every schedule', () => {
  const maps = [TimeMap.cosine, TimeMap.linear, TimeMap.flow, TimeMap.maps.flow, TimeMap.fromShare((u) => 1 - u)]
  const made = fc.oneof(
    fc.constantFrom(schedules.cosine, schedules.linear, schedules.flow, Schedule.cosine, Schedule.linear),
    fc
      .tuple(fc.constantFrom(...maps), fc.constantFrom(VpSde.schedule, VeSde.schedule, Edm.schedule, Flow.schedule))
      .map(
        ([map, of]) =>
          (T: number) =>
            of(map)(T)
      )
  )
  const length = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.constantFrom(1, 2, 1000, 2.5, 0, -3))

  it('are finite and ordered, and samplers take them', () =>
    fc.assert(
      fc.property(made, length, fc.nat(samplers.length - 1), (of, T, k) => {
        const schedule = of(T)
        expect(Schedule.check(schedule)).toEqual([])
        expect(schedule.T).toBe(Math.max(1, Math.round(T)))
        const chain = samplers[k]?.(schedule)
        expect(chain === undefined ? 'none' : text(stepOf(chain, X.input('t', [])))).toBe('accepted')
        expect(chain?.sigma.every((sigma) => Number.isFinite(sigma) && sigma >= 0)).toBe(true)
      }),
      { numRuns: 300 }
    ))

  it('are none for a number of steps that is none', () => {
    for (const T of [Number.NaN, Infinity, 1e15]) {
      for (const of of [
        schedules.cosine,
        VeSde.schedule(TimeMap.linear),
        Edm.schedule(TimeMap.linear),
        Flow.schedule(TimeMap.linear)
      ]) {
        const message = `schedule: expected steps: a whole number from 1 to 16777216, got ${T}; take such a number`
        expect(text(E.left(Schedule.check(of(T))))).toBe(message)
        for (const sampler of samplers) expect(wrong(sampler(of(T)))).toContain(message)
      }
    }
  })

  it('that straight paths begin with, end above 0', () => {
    const { alphaBar } = Flow.schedule(TimeMap.flow)(4)
    expect(alphaBar[4]).toBeCloseTo(Schedule.leastShare(1), 12)
  })
})

describe('tables that are no schedule are refused by every sampler', () => {
  const four = Schedule.linear(4)
  const share = (t: number, a: number): Schedule.Schedule => ({
    ...four,
    alphaBar: four.alphaBar.map((one, i) => (i === t ? a : one))
  })
  const falls = 'shares that fall from step to step'
  const remedy = 'take a share that falls with time'
  it.each<readonly [string, Schedule.Schedule, string]>([
    [
      'a share of 0 at the last step',
      share(4, 0),
      'expected a share above 0 at the last step, got 0; hold it above `Schedule.leastShare`: what is all noise says nothing of the data'
    ],
    ['a share of 1 at step 1', share(1, 1), `expected ${falls}, got 1 at step 0 and 1 at step 1; ${remedy}`],
    [
      'a share that rises',
      share(3, 0.99),
      `expected ${falls}, got ${four.alphaBar[2]} at step 2 and 0.99 at step 3; ${remedy}`
    ],
    [
      'a negative share',
      share(4, -0.5),
      'expected a share above 0 at the last step, got -0.5; hold it above `Schedule.leastShare`: what is all noise says nothing of the data'
    ],
    [
      'no number',
      share(2, Number.NaN),
      `expected ${falls}, got ${four.alphaBar[1]} at step 1 and NaN at step 2; ${remedy}`
    ],
    ['another start', share(0, 2), 'expected a share of 1 at step 0, got 2; begin with 1'],
    [
      'a table that is too short',
      { ...four, alphaBar: [1, 0.5] },
      'expected shares and times of steps 0 to 4, got 2 and 5 of them; give one more than there are steps'
    ],
    [
      'half a step',
      { ...four, T: 2.5 },
      'expected steps: a whole number from 1 to 16777216, got 2.5; take such a number'
    ],
    [
      'a time that is none',
      { ...four, time: [0, 0.25, 1.5, 0.75, 1] },
      'expected times in [0, 1], got 1.5 at step 2; tell the denoiser such a time'
    ],
    [
      'levels that rise towards the output',
      VeSde.schedule(TimeMap.linear, { least: 50, greatest: 0.01 })(4),
      `expected ${falls}, got `
    ],
    ['levels of nothing', Edm.schedule(TimeMap.linear, { least: 0, greatest: 0, rho: 7 })(4), `expected ${falls}, got `]
  ])('%s', (_, schedule, expected) => {
    for (const sampler of samplers) expect(wrong(sampler(schedule))).toContain(`schedule: ${expected}`)
    const phase = { schedule, coefficients: Consistency.coefficients }
    const sound = { schedule: four, coefficients: Consistency.coefficients }
    const denoiser = networkOf(4)
    const layout = { side: 2, channels: 1 }
    for (const phases of [
      { low: phase, high: sound },
      { low: sound, high: phase }
    ]) {
      expect(text(stepOf(Cascade.cascade({ denoiser, layout, ...phases }), X.scalar(1)))).toContain(
        `schedule: ${expected}`
      )
    }
  })
})

describe('options that no sampler has', () => {
  const schedule = Schedule.cosine(4)
  const denoiser = network
  const such = 'take such a number'
  it.each<readonly [string, Sampler, string]>([
    ['eta 2', Ddim.ddim({ denoiser, schedule, eta: 2 }), `ddim: expected eta: a number from 0 to 1, got 2; ${such}`],
    ['eta -1', Edm.edm({ denoiser, schedule, eta: -1 }), `edm: expected eta: a number from 0 to 1, got -1; ${such}`],
    [
      'a churn of 1',
      Edm.churned({ denoiser, map: TimeMap.cosine, schedule, churn: 1 }).chain,
      `edm: expected churn: a number from 0 to ${Math.SQRT2 - 1}, got 1; ${such}`
    ],
    [
      'a negative eta',
      Flow.flowSde({ denoiser, schedule, eta: -0.5 }),
      `flow-sde: expected eta: a number of at least 0, got -0.5; ${such}`
    ],
    [
      'a negative clip',
      VpSde.vpSde({ denoiser, schedule, clip: -1 }),
      `vp-sde: expected clip: a number of at least 0, got -1; ${such}`
    ],
    [
      'an infinite scale of guidance',
      Ddim.ddim({ denoiser: guided(Infinity)(denoiser), schedule, eta: 1 }),
      `guided: expected scale: a finite number in f32, got Infinity; ${such}`
    ]
  ])('%s', (_, chain, expected) => expect(wrong(chain)).toBe(expected))

  it('an eta that makes no number, at literal steps and at those of the run', () => {
    const chain = Flow.flowSde({ denoiser, schedule, eta: 1e300 })
    const expected =
      'flow-sde(eta = 1e+300): expected factors of the prediction that are finite in f32, got -Infinity at step 1; ' +
      'check the options of the sampler and its schedule'
    for (const t of [X.scalar(2), X.input('t', [])]) expect(text(stepOf(chain, t))).toContain(expected)
  })

  it('a table of a chain of one’s own that is not finite', () => {
    const chain: Sampler = { ...Ddim.ddim({ denoiser, schedule, eta: 1 }), sigma: [0, 0, Number.NaN, 0.5, 0.5] }
    const params = L.shapes(chain.parameters)
    const p: Weights = L.parameterInputs('params', chain.parameters)
    const [x, c] = [X.input('x', chain.state), X.input('c', ['batch', 1])]
    const expected =
      'step: expected numbers that are finite in f32, got NaN at step 2; check the schedule and the options of the chain'
    const inputs: Shapes = { params, x: chain.state, c: chain.condition, t: [], eps: [4, ...chain.state] }
    const of = (y: () => Exprs): string => text(Program.make<Shapes, Exprs>(inputs, y))
    expect(of(() => ({ y: rollout(chain)(() => p, x, X.input('eps', [4, ...chain.state]), c)[0] ?? x }))).toBe(expected)
    expect(of(() => ({ y: logDensity(chain)(X.input('t', []), p, x, x, c) }))).toBe(expected)
    // a step that is not the one
    expect(of(() => ({ y: logDensity(chain)(X.scalar(3), p, x, x, c) }))).toBe('accepted')
  })
})

// -------------------------------------------------------------------------------------
// conventions of others
// -------------------------------------------------------------------------------------

describe('clipping the prediction', () => {
  const schedule = Schedule.cosine(4)
  const targets = [reference, gpuJs()]
  afterAll(() => Promise.all(targets.map((target) => target.dispose())))

  const run = async (chain: Sampler, t: number, x: ReadonlyArray<number>): Promise<Program.Values> => {
    const program = get(stepOf(chain, X.input('t', [])))
    const executable = get(reference.compile(program, { batch: 1 }))
    const out = get(
      await executable.run({
        ...Program.under('params', networkParams),
        x: { shape: [1, 2], data: Float64Array.from(x) },
        c: T.tabulate([1, 1], () => 1),
        t: T.scalar(t)
      })()
    )
    await executable.dispose()
    return out
  }

  it('is a lens', () =>
    Run.chain(
      {
        // a range that some predictions are beyond, and no kink within the reach of differences at this key
        chain: Ddim.ddim({ denoiser: network, schedule, eta: 1, clip: 1e6 }),
        params: networkParams,
        condition: { c: T.vector([1]) }
      },
      { numRuns: 5 }
    ))

  it('changes no bit where nothing is beyond', async () => {
    const free = await run(Ddim.ddim({ denoiser: network, schedule, eta: 0.5 }), 3, [0.5, -0.25])
    const wide = await run(Ddim.ddim({ denoiser: network, schedule, eta: 0.5, clip: 1e6 }), 3, [0.5, -0.25])
    expect(wide).toEqual(free)
  })

  it('holds it within its range, and what is beyond sends nothing back through the network', async () => {
    const clip = 0.25
    const t = 3
    const x = [30, -30]
    const out = await run(Consistency.consistency({ denoiser: network, schedule, clip }), t, x)
    const b = schedule.alphaBar[t - 1] ?? 1
    // consistency sampling puts the prediction to the next level: it is clip there
    const mean = Array.from(out['mean']?.data ?? [])
    expect(mean[0]).toBeCloseTo(Math.sqrt(b) * clip, 12)
    expect(mean[1]).toBeCloseTo(-Math.sqrt(b) * clip, 12)
    // held at the end of its range it does not depend on the state
    Array.from(out['back.x']?.data ?? [Number.NaN]).forEach((bar) => expect(Math.abs(bar)).toBeLessThan(30 * 2 ** -40))
    expect(Array.from(out['back.c']?.data ?? [])).toEqual([0])
  })
})

describe('noise at the last step', () => {
  const schedule = Schedule.cosine(4)
  const of = (variance: Ddpm.Variance, lastNoise?: boolean): ReadonlyArray<number> =>
    Ddpm.ddpm({ denoiser: network, schedule, variance, lastNoise }).sigma

  it('is there for the large variance, unless it is left out', () => {
    expect(of('large')[1]).toBeGreaterThan(0)
    expect(of('large', true)).toEqual(of('large'))
    expect(of('large', false)).toEqual(of('large').map((sigma, t) => (t === 1 ? 0 : sigma)))
    expect(of('small')[1]).toBe(0)
  })
})

describe('the noise of a flow', () => {
  it('is read off at the end of a step, or at its start as Flow-GRPO has it', () => {
    const schedule = Flow.schedule(TimeMap.cosine)(4)
    for (const t of [1, 2, 3, 4]) {
      const left = (a: number): number => Math.sqrt(a) / (Math.sqrt(a) + Math.sqrt(1 - a))
      const [end, start] = [
        Flow.coefficients(schedule, 0.7, t, 'end').sigma,
        Flow.coefficients(schedule, 0.7, t, 'start').sigma
      ]
      const ratio = left(schedule.alphaBar[t - 1] ?? 1) / left(schedule.alphaBar[t] ?? 1)
      expect(start / end).toBeCloseTo(Math.sqrt(ratio), 12)
      expect(Flow.coefficients(schedule, 0.7, t).sigma).toBe(end)
    }
  })
})

describe("Student's t", () => {
  const noiseOf = (nu: number): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
    const noise = Noise.studentT(nu)
    return Program.make({ eps: [4] }, ({ eps }) => ({ score: noise.score(eps), log: noise.logDensity(eps) }), {
      eps: declared(noise.density)
    })
  }

  it.each([0.1, 0, -3, Number.NaN, Infinity, 1e9, -1e7])(
    'of %d degrees has draws that f32 has not, or is the normal',
    (nu) => {
      const range = `expected degrees of freedom: a number from 0.5 to 1048576, got ${nu}; take such a number`
      expect(text(noiseOf(nu))).toBe(`noise 'eps': ${range}\nstudentT: ${range}`)
    }
  )

  it('of the fewest degrees has draws that f32 has', () => {
    // Bailey's form at the least uniform, 2^-33
    const draw = Math.sqrt(Program.leastFreedom * ((2 ** -33) ** (-2 / Program.leastFreedom) - 1))
    expect(Number.isFinite(Math.fround(draw))).toBe(true)
  })

  it.each([0.5, 1, 3, 9, 1e4])('of %d degrees has its score and its density for draws of any size', async (nu) => {
    const eps = [0, -0.75, 1e10, -3e30]
    const target = gpuJs()
    const executable = get(target.compile(get(noiseOf(nu)), {}))
    const out = get(await executable.run({ eps: T.vector(eps) })())
    eps.forEach((e, i) => {
      const score = ((nu + 1) * e) / (nu + e * e)
      expect(Math.abs((out['score']?.data[i] ?? Number.NaN) - score)).toBeLessThanOrEqual(
        16 * 2 ** -24 * Math.abs(score)
      )
      // the density relative to that at 0: the digits of 1 + e^2 / nu are those of f32
      const log = (-(nu + 1) / 2) * Math.log1p((e * e) / nu)
      const got = (out['log']?.data[i] ?? Number.NaN) - (out['log']?.data[0] ?? Number.NaN)
      expect(Math.abs(got - log)).toBeLessThanOrEqual(
        ((nu + 1) / 2) * 8 * 2 ** -24 + 16 * 2 ** -24 * (1 + Math.abs(log))
      )
    })
    await executable.dispose()
    await target.dispose()
  })
})
