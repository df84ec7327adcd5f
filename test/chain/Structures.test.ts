import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { describe, expect, expectTypeOf, it } from 'vitest'
import * as GM from '../../laws/law/GaussianMarginals.js'
import * as Reward from '../../laws/law/Reward.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import * as Consistency from '../../src/chain/sampler/Consistency.js'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { autoguided, guided } from '../../src/chain/Denoiser.js'
import { edm } from '../../src/chain/sampler/Edm.js'
import * as Flow from '../../src/chain/sampler/Flow.js'
import { outputs } from '../../src/chain/Latent.js'
import { linearQuadratic, type Matrix } from '../../src/chain/other/LinearQuadratic.js'
import { perStep, thirds } from '../../src/chain/PerStep.js'
import { recurrentPolicy } from '../../src/chain/other/RecurrentPolicy.js'
import { cosine, linear } from '../../src/chain/Schedule.js'
import * as TimeMap from '../../src/chain/TimeMap.js'
import { fullBackprop, rlr } from '../../src/estimator/Catalogue.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { dense } from '../../src/lens/layer/Dense.js'
import type { Rows } from '../../src/lens/Rows.js'
import { blackBox, type BlackBox } from '../../src/reward/Reward.js'
import { decoded, decodedBlackBox } from '../../src/reward/Decoded.js'
import { brightness } from '../../src/reward/Pixels.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'
import { network, networkParams } from './network.js'
import { numbers, right } from './numbers.js'

const runs = { numRuns: 2 }
const c = { c: T.vector([1]) }

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
