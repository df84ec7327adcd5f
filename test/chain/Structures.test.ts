import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, expectTypeOf, it } from 'vitest'
import * as GM from '../../laws/GaussianMarginals.js'
import * as Reward from '../../laws/Reward.js'
import * as Run from '../../laws/run/Run.js'
import { exactConsistencyOf } from '../../laws/toy/GaussianData.js'
import * as V from '../../laws/Verdict.js'
import * as Cascade from '../../src/chain/Cascade.js'
import type { Chain } from '../../src/chain/Chain.js'
import * as Consistency from '../../src/chain/Consistency.js'
import { ddim } from '../../src/chain/Ddim.js'
import { ddpm } from '../../src/chain/Ddpm.js'
import { autoguided, guided, type Denoiser } from '../../src/chain/Denoiser.js'
import { edm } from '../../src/chain/Edm.js'
import * as Flow from '../../src/chain/Flow.js'
import * as Haar from '../../src/chain/Haar.js'
import { outputs } from '../../src/chain/Latent.js'
import { linearQuadratic, type Matrix } from '../../src/chain/LinearQuadratic.js'
import { perStep, thirds } from '../../src/chain/PerStep.js'
import * as Prediction from '../../src/chain/Prediction.js'
import { recurrentPolicy } from '../../src/chain/RecurrentPolicy.js'
import { cosine, linear } from '../../src/chain/Schedule.js'
import * as TimeMap from '../../src/chain/TimeMap.js'
import { fullBackprop, rlr } from '../../src/estimator/Catalogue.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { dense, type Rows } from '../../src/lens/Dense.js'
import * as L from '../../src/lens/Lens.js'
import { shares } from '../../src/model/Share.js'
import { blackBox, type BlackBox } from '../../src/reward/Reward.js'
import { decoded, decodedBlackBox } from '../../src/reward/Decoded.js'
import { brightness } from '../../src/reward/Pixels.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { network, networkOf, networkParams, paramsOf } from './network.js'

const runs = { numRuns: 2 }
const c = { c: T.vector([1]) }

const right = <A>(result: E.Either<unknown, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

const numbers = (
  build: () => Exprs,
  inputs: Readonly<Record<string, T.Tensor>> = {},
  shapes: Readonly<Record<string, ReadonlyArray<number | 'batch'>>> = {}
): Readonly<Record<string, ReadonlyArray<number>>> =>
  Object.fromEntries(
    Object.entries(right(Reference.run(right(Program.make(shapes, build)), { batch: 2 }, inputs))).map(
      ([name, { data }]) => [name, Array.from(data)]
    )
  )

describe('predictions', () => {
  const kinds = ['clean', 'velocity', 'flow'] as const
  const inputs = {
    x: T.matrix([
      [0.5, -1],
      [2, 0.25]
    ]),
    time: T.matrix([[0.25], [0.875]]),
    c: T.matrix([[1], [0]])
  }
  const shapes = { x: ['batch', 2], time: ['batch', 1], c: ['batch', 1] } as const
  const read = (lens: typeof network.lens): Exprs =>
    lens.forward(
      {
        x: { weight: X.constant(networkParams['x.weight'] ?? T.scalar(0), [2, 2]), bias: X.zeros([2]) },
        c: { weight: X.constant(networkParams['c.weight'] ?? T.scalar(0), [1, 2]), bias: X.zeros([2]) }
      },
      { x: X.input('x', shapes.x), time: X.input('time', shapes.time), c: X.input('c', shapes.c) }
    )

  it.each(kinds)('%s there and back is the denoiser', (kind) => {
    const back = Prediction.epsilon(shares.cosine)(Prediction.predictor(kind, shares.cosine)(network))
    const { one, two } = numbers(() => ({ one: read(network.lens), two: read(back.lens) }), inputs, shapes)
    one?.forEach((v, i) => expect(two?.[i]).toBeCloseTo(v, 12))
  })

  it.each([
    // from x = sqrt(a) x0 + sqrt(1 - a) eps with a known pair, each prediction by its definition
    ['clean', (x0: number) => x0],
    ['velocity', (x0: number, eps: number, a: number) => Math.sqrt(a) * eps - Math.sqrt(1 - a) * x0],
    ['flow', (x0: number, eps: number) => eps - x0]
  ] as ReadonlyArray<readonly [Prediction.Kind, (x0: number, eps: number, a: number) => number]>)(
    '%s means what its name says',
    (kind, definition) => {
      const [x0, eps, u] = [0.75, -1.25, 0.5]
      const a = TimeMap.linear.share(u)
      const state = Math.sqrt(a) * x0 + Math.sqrt(1 - a) * eps
      const told: Denoiser<L.None, 1, 1> = {
        features: 1,
        labels: 1,
        networkCalls: 1,
        lens: L.pure(({ time, c: held }) => [
          X.fill(['batch', 1], definition(x0, eps, a)),
          (bar) => ({ x: X.zeros(bar.shape), time, c: held })
        ])
      }
      const { noise } = numbers(() => ({
        noise: Prediction.epsilon(shares.linear)({ ...told, kind }).lens.forward(
          {},
          { x: X.fill(['batch', 1], state), time: X.fill(['batch', 1], u), c: X.zeros(['batch', 1]) }
        )
      }))
      expect(noise?.[0]).toBeCloseTo(eps, 10)
    }
  )

  it('a flow network reads the state of straight paths', () => {
    const reader: Prediction.Predictor<L.None, 1, 1> = {
      kind: 'flow',
      features: 1,
      labels: 1,
      networkCalls: 1,
      lens: L.pure(({ x, time, c: held }) => [x, (bar) => ({ x: bar, time, c: held })])
    }
    // u = y, so eps = y + (1 - s) y with y = x / (sqrt(a) + sqrt(1 - a))
    const s = 0.25
    const { noise } = numbers(() => ({
      noise: Prediction.epsilon((time) => {
        const [n, d] = [
          X.mul(time, time),
          X.mul(X.sub(X.fill(['batch', 1], 1), time), X.sub(X.fill(['batch', 1], 1), time))
        ]
        return { data: X.div(d, X.add(d, n)), noise: X.div(n, X.add(d, n)) }
      })(reader).lens.forward(
        {},
        { x: X.fill(['batch', 1], 1), time: X.fill(['batch', 1], s), c: X.zeros(['batch', 1]) }
      )
    }))
    const y = Math.sqrt((1 - s) ** 2 + s ** 2)
    expect(noise?.[0]).toBeCloseTo(y * (2 - s), 12)
  })

  it.each(kinds)('chain laws: a %s network in DDPM and in DDIM', async (kind) => {
    const denoiser = Prediction.epsilon(shares.cosine)({ ...network, kind })
    const params = networkParams
    await Run.chain({ chain: ddpm({ denoiser, schedule: cosine(3), variance: 'large' }), params, condition: c }, runs)
    await Run.chain({ chain: ddim({ denoiser, schedule: cosine(3), eta: 0.5 }), params, condition: c }, runs)
  })
})

describe('guidance', () => {
  it('is on the denoiser, so every chain takes it', async () => {
    const denoiser = guided(2.5)(network)
    const schedule = Flow.schedule(TimeMap.cosine)(3)
    for (const chain of [
      Flow.flowSde({ denoiser, schedule, eta: 0.7 }),
      edm({ denoiser, schedule, eta: 1 }),
      Consistency.consistency({ denoiser, schedule })
    ]) {
      expect(chain.networkCalls).toBe(2)
      await Run.chain({ chain, params: networkParams, condition: c }, { numRuns: 2 })
    }
  })

  it('by a worse network has both networks side by side', async () => {
    const denoiser = autoguided(2)(network, network)
    expect(denoiser.networkCalls).toBe(2)
    const both = (prefix: string, by: number): ReadonlyArray<readonly [string, T.Tensor]> =>
      Object.entries(networkParams).map(([path, value]) => [`${prefix}.${path}`, T.map((v) => v * by)(value)])
    const params = Object.fromEntries([...both('main', 1), ...both('weak', 0.5)])
    await Run.chain({ chain: edm({ denoiser, schedule: linear(3), eta: 1 }), params, condition: c }, runs)
  })
})

describe('a condition for each part', () => {
  const base = ddim({ denoiser: network, schedule: cosine(6), eta: 1 })
  const chain = perStep(thirds(6))(base)
  const condition = { 'c.coarse': T.vector([1]), 'c.mid': T.vector([0]), 'c.fine': T.vector([-0.5]) }

  it('keeps the laws', () => Run.chain({ chain, params: networkParams, condition }, runs))

  it('divides the steps, at literal and at run-time steps', () => {
    expect(thirds(6)).toEqual([
      ['coarse', 5],
      ['mid', 3],
      ['fine', 1]
    ])
    const x: Rows<2> = X.fill(['batch', 2], 0.5)
    const p = {
      x: { weight: X.zeros([2, 2]), bias: X.zeros([2]) },
      c: { weight: X.fill([1, 2], 1), bias: X.zeros([2]) }
    }
    const levels = { coarse: 1, mid: 2, fine: 3 } as const
    const row = (value: number): Rows<1> => X.fill(['batch', 1], value)
    for (const [t, part] of [
      [6, 'coarse'],
      [5, 'coarse'],
      [4, 'mid'],
      [3, 'mid'],
      [2, 'fine'],
      [1, 'fine']
    ] as const) {
      const tree = { coarse: row(1), mid: row(2), fine: row(3) }
      const out = numbers(
        () => ({
          literal: chain.mean(X.scalar(t)).forward(p, { x, c: tree }),
          late: chain.mean(X.input('t', [])).forward(p, { x, c: tree }),
          plain: base.mean(X.scalar(t)).forward(p, { x, c: row(levels[part]) })
        }),
        { t: T.scalar(t) },
        { t: [] }
      )
      expect(out['literal']).toEqual(out['plain'])
      expect(out['late']).toEqual(out['plain'])
    }
  })
})

describe('cascades', () => {
  const layout = { side: 2, channels: 1 }
  const phase = (T: number): Cascade.Phase => ({ schedule: linear(T), coefficients: Consistency.coefficients })
  /** Data without details: blocks of one value, `N(m, v)`. */
  const value = { mean: 0.5, variance: 0.25 }
  const band = exactConsistencyOf(1)(value)
  const whole = exactConsistencyOf(4)
  const twice = exactConsistencyOf(1)({ mean: 2 * value.mean, variance: 4 * value.variance })
  /** The consistency function of such data on the image: that of twice the value on the low band, of 0 on the details. */
  const image: Denoiser<L.None, 4, 1> = {
    ...whole(value),
    lens: L.make({}, (_, input) => {
      const smooth = Haar.average(layout, 4)
      const [low, backLow] = Haar.lifted(layout, 4)(twice).lens.run({}, input)
      const [rest, backRest] = whole({ mean: 0, variance: 0 }).lens.run({}, input)
      const detail = (x: Rows<4>): Rows<4> => X.sub(x, smooth(x))
      return [
        X.add(low, detail(rest)),
        (bar) => [{}, { ...input, x: X.add(backLow(bar)[1].x, backRest(detail(bar))[1].x) }]
      ]
    })
  }
  const [low, high] = [phase(3), phase(4)]
  /** The small image's schedule in `low`: its share `b` has `b / (1 - b) = 4 a / (1 - a)`. */
  const small = TimeMap.matched(TimeMap.linear)(low.schedule.alphaBar.slice(1).map((a) => (4 * a) / (4 * a + 1 - a)))
  const closed: GM.Closed = {
    marginal: (t) => {
      const share = (a: number, mean: number, variance: number): readonly [number, number] => [
        Math.sqrt(a) * mean,
        a * variance + 1 - a
      ]
      const a = high.schedule.alphaBar[t] ?? 1
      const b = small.alphaBar[t - 4] ?? 1
      const [mean, variance] =
        t <= 4 ? share(a, 2 * value.mean, 4 * value.variance) : share(b, value.mean, value.variance)
      const details = t <= 4 ? 1 - a : 1
      // the low band has weight 1/2 in each pixel
      return {
        mean: new Array<number>(4).fill(mean / 2),
        covariance: Array.from({ length: 4 }, (_, i) =>
          Array.from({ length: 4 }, (_column, j) => (variance - details) / 4 + (i === j ? details : 0))
        )
      }
    },
    // as for schedules; the numbers of the network's reading add 1 / (1 - a) with a < b
    conditioning: (t) => {
      const of = (alphaBar: ReadonlyArray<number>, k: number): number => {
        const [a, b] = [alphaBar[k] ?? 1, alphaBar[k - 1] ?? 1]
        return a < 1 ? 16 * (1 + b / a + 1 / (1 - a)) : 16
      }
      return t <= 4 ? of(high.schedule.alphaBar, t) : of(low.schedule.alphaBar, t - 4) + of(high.schedule.alphaBar, 4)
    }
  }
  const one = (from: Cascade.Phase): Chain<L.None, readonly ['batch', 4], Rows<1>> =>
    Cascade.cascade({ denoiser: image, layout, low: from, high })

  it('have their closed form at every step: with a network for each, and with one for both', () => {
    const two = Cascade.cascadeOfTwo({
      small: Haar.lifted(layout, 4)(band),
      denoiser: image,
      layout,
      low: { ...low, schedule: small },
      high
    })
    Run.assert(GM.exact({ chain: two, params: {}, condition: { c: T.vector([0]) } }, closed))
    Run.assert(GM.exact(GM.sampler(one(low)), closed))
  })

  it('do not if the hand-over forgets the scale of the low band, or the network is told a wrong time', () => {
    const chain = one(low)
    const law = (mean: typeof chain.mean): V.Verdict => GM.exact(GM.sampler({ ...chain, mean }), closed)
    const half: typeof chain.mean = (t) =>
      L.compose(
        chain.mean(t),
        L.pure((x) => {
          const factor = X.select(X.equal(t, X.scalar(5)), X.scalar(0.5), X.scalar(1))
          return [X.mul(x, factor), (bar) => X.mul(bar, factor)]
        })
      )
    expect(law(half)).toMatchObject({ left: { _tag: 'Refuted' } })
    expect(
      GM.exact(GM.sampler(one({ ...low, schedule: TimeMap.retimed(TimeMap.cosine)(low.schedule) })), closed)
    ).toMatchObject({ left: { _tag: 'Refuted' } })
  })

  it('keep the chain laws', async () => {
    const denoiser = networkOf(4)
    const chain = Cascade.cascade({ denoiser, layout, low: phase(2), high: phase(2) })
    expect(chain.networkCalls).toBe(1)
    expect(chain.T).toBe(4)
    await Run.chain({ chain, params: paramsOf(4), condition: c }, runs)
    const small = Haar.lifted(layout, 4)(networkOf(1))
    const two = Cascade.cascadeOfTwo({ small, denoiser, layout, low: phase(1), high: phase(1) })
    const params = Object.fromEntries([
      ...Object.entries(paramsOf(1)).map(([path, v]) => [`low.${path}`, v] as const),
      ...Object.entries(paramsOf(4)).map(([path, v]) => [`high.${path}`, v] as const)
    ])
    await Run.chain({ chain: two, params, condition: c }, runs)
  })

  it('the low band is orthonormal: raising is its inverse and its transpose', () => {
    const x = T.tabulate([2, 48], (i) => Math.sin(i))
    const shape = { side: 4, channels: 3 }
    const {
      again,
      low: z,
      inner,
      outer
    } = numbers(
      () => {
        const rows: Rows<48> = X.input('x', ['batch', 48])
        const first: Rows<12> = Haar.low(shape)(rows, 12)
        const up: Rows<48> = Haar.raised(shape)(first, 48)
        return {
          low: first,
          again: Haar.low(shape)(up, 12),
          inner: X.sum<readonly ['batch', 12], [1]>(X.mul(first, first), [1]),
          outer: X.sum<readonly ['batch', 48], [1]>(X.mul(up, rows), [1])
        }
      },
      { x },
      { x: ['batch', 48] }
    )
    z?.forEach((v, i) => expect(again?.[i]).toBeCloseTo(v, 13))
    inner?.forEach((v, i) => expect(outer?.[i]).toBeCloseTo(v, 12))
    // the first channel of the first block: lines 0 and 1, columns 0 and 1 of a 4 x 4 image of 3 channels
    const at = (i: number): number => x.data[i] ?? 0
    expect(z?.[0]).toBeCloseTo((at(0) + at(3) + at(12) + at(15)) / 2, 13)
  })
})

describe('latents', () => {
  const decoder = dense(2, 5)
  const parameters = { weight: T.tabulate([2, 5], (i) => (i - 4) / 4), bias: T.fill([5], 0.125) }
  const reward = brightness(5)

  it('have a reward through the decoder, with its pullback', async () => {
    const latent = decoded(decoder, parameters)(reward)
    expectTypeOf(latent._tag).toEqualTypeOf<'Differentiable'>()
    expect(Object.keys(latent.parameters)).toEqual(['decoder.weight', 'decoder.bias'])
    await Run.lens(Reward.subject(latent, ['batch', 2], {}))
  })

  it("have a black-box reward through a host function, whose failure is the reward's", async () => {
    const total = blackBox('total', (x) => [Array.from(x.data).reduce((a, b) => a + b, 0)])
    const doubled = decodedBlackBox((z) => TE.right(T.map((v) => 2 * v)(z)))(total)
    expectTypeOf(doubled).toEqualTypeOf<BlackBox>()
    // @ts-expect-error a black box has no lens to compose with
    const refused = (): unknown => decoded(decoder, parameters)(total)
    expectTypeOf(refused).toBeFunction()
    expect(await doubled.evaluate(T.matrix([[1, 2]]))()).toEqual(E.right([6]))
    const error = { _tag: 'RewardError', reward: 'total', reason: 'no decoder' } as const
    expect(await decodedBlackBox(() => TE.left(error))(total).evaluate(T.matrix([[1]]))()).toEqual(E.left(error))
  })

  it('decode the end of a rollout', () => {
    const chain = ddim({ denoiser: network, schedule: cosine(2), eta: 1 })
    const p = {
      x: { weight: X.zeros([2, 2]), bias: X.zeros([2]) },
      c: { weight: X.zeros([1, 2]), bias: X.zeros([2]) }
    }
    const q = { weight: X.fill([2, 5], 1), bias: X.fill([5], 1) }
    const { out } = numbers(() => ({
      out: outputs({ chain, decoder })(p, q, X.zeros(['batch', 2]), X.zeros([2, 'batch', 2]), X.zeros(['batch', 1]))
    }))
    expect(out?.length).toBe(10)
  })
})

describe('chains that are no diffusion', () => {
  const plant = {
    A: [
      [1, 1],
      [0, 1]
    ],
    B: [[0], [1]]
  }

  it('linear-quadratic: laws, and marginals in closed form', async () => {
    const sigma = [0.5, 0.25, 1, 0.75]
    const chain = linearQuadratic({ plant, sigma })
    const gain = T.matrix([[0.25, 0.5]])
    await Run.chain({ chain, params: { gain }, condition: {} }, runs)
    // M = A - B K; powers of it, summed over the noises so far
    const M: Matrix = [
      [1, 1],
      [-0.25, 0.5]
    ]
    const product = (a: Matrix, b: Matrix): Matrix =>
      a.map((row) => [0, 1].map((j) => row.reduce((sum, v, k) => sum + v * (b[k]?.[j] ?? 0), 0)))
    const power = (n: number): Matrix =>
      n === 0
        ? [
            [1, 0],
            [0, 1]
          ]
        : product(M, power(n - 1))
    const spread = (n: number): Matrix => {
      const m = power(n)
      return product(
        m,
        [0, 1].map((i) => m.map((row) => row[i] ?? 0))
      )
    }
    const closed: GM.Closed = {
      marginal: (t) => {
        // x_t has the start after 4 - t steps, and the noise of step s > t after s - 1 - t of them
        const terms = [{ n: 4 - t, v: 1 }, ...sigma.flatMap((s, i) => (i + 1 > t ? [{ n: i - t, v: s * s }] : []))]
        const covariance = [0, 1].map((i) =>
          [0, 1].map((j) => terms.reduce((sum, { n, v }) => sum + v * (spread(n)[i]?.[j] ?? 0), 0))
        )
        return { mean: [0, 0], covariance }
      }
    }
    Run.assert(GM.exact({ chain, params: { gain }, condition: {} }, closed))
    const wrong = { chain, params: { gain: T.matrix([[0.25, -0.5]]) }, condition: {} }
    expect(GM.exact(wrong, closed)).toMatchObject({ left: { _tag: 'Refuted' } })
  })

  it('recurrent policy: laws; and it is not affine, which the law of marginals says', async () => {
    const chain = recurrentPolicy({ plant, hidden: 2, sigma: [0.5, 0.25, 1] })
    const params = {
      'memory.weight': T.tabulate([4, 2], (i) => ((3 * i + 1) % 5) / 4 - 0.5),
      'memory.bias': T.vector([0.25, -0.125]),
      'control.weight': T.matrix([[0.5], [-0.75]]),
      'control.bias': T.vector([0.125])
    }
    await Run.chain({ chain, params, condition: {} }, runs)
    const verdict = GM.exact({ chain, params, condition: {} }, { marginal: () => GM.isotropic(4, 0, 1) })
    expect(E.isLeft(verdict) && V.show(verdict.left)).toContain('not affine')
  })
})

describe('no score where there is no noise', () => {
  const chain = Flow.flowOde({ denoiser: network, schedule: Flow.schedule(TimeMap.cosine)(5) })
  const on = (estimator: E.Either<unknown, Parameters<ReturnType<typeof Gradient.problem>>[0]>): string => {
    const checked = Gradient.check(Gradient.problem(chain, brightness(2), 4)(right(estimator)))
    return E.isLeft(checked) ? checked.left._tag : 'accepted'
  }

  it('the flow ODE takes first- and zeroth-order cells alone', () => {
    expect(on(rlr({ T: 5, h: 2 }))).toBe('NoScore')
    expect(on(fullBackprop(5))).toBe('accepted')
  })
})
