import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { expectation } from '../../../laws/exact/Expectation.js'
import { product } from '../../../laws/exact/Quadrature.js'
import { polynomialReward } from '../../../laws/toy/Polynomial.js'
import type { Numbers, ScalarChain, Theta } from '../../../laws/toy/Tanh.js'
import { lookup } from '../../../src/chain/Chain.js'
import { normal } from '../../../src/chain/Noise.js'
import { coefficients } from '../../../src/chain/sampler/Ddim.js'
import * as Catalogue from '../../../src/estimator/Catalogue.js'
import { problem, showError } from '../../../src/estimator/Gradient.js'
import * as Forward from '../../../src/estimator/neighbour/Forward.js'
import * as L from '../../../src/lens/Lens.js'
import * as Draw from '../../../src/random/Draw.js'
import * as Key from '../../../src/random/Key.js'
import * as Build from '../../../src/tensor/Build.js'
import * as X from '../../../src/tensor/Expr.js'
import { under, type Values } from '../../../src/tensor/Program.js'
import { reference } from '../../../src/tensor/Target.js'
import * as T from '../../../src/tensor/Tensor.js'

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

// Data of the standard normal, whose states are so at every level, and the best prediction of the noise: sqrt(1 - alphaBar) x.
const length = 3
const schedule = { T: length, alphaBar: [1, 0.8, 0.5, 0.1], time: [0, 0, 0, 0] }
const { alphaBar } = schedule
const rows = [0, 1, 2, 3].map((t) => (t === 0 ? { state: 0, epsilon: 0, sigma: 0 } : coefficients(schedule, 1, t)))
/** What is not known of the noise is noise of the reversal too. */
const reversal = rows.map(({ epsilon, sigma }, t) => Math.hypot(sigma, epsilon * Math.sqrt(alphaBar[t] ?? 0)))

type At = { readonly x: Numbers; readonly c: Readonly<Record<never, never>> }

/** A state times a factor, and the prediction of its noise, with `theta_1 x + theta_2` more, times another. */
const affine = (
  t: X.Scalar,
  state: ReadonlyArray<number>,
  epsilon: ReadonlyArray<number>
): L.Lens<Theta, At, Numbers> =>
  L.make<Theta, At, Numbers>({ theta: L.parameter(['batch', 2]) }, ({ theta }, { x, c }) => {
    const level = lookup(
      alphaBar.map((a) => Math.sqrt(1 - a)),
      t
    )
    const [a, b] = [lookup(state, t), lookup(epsilon, t)]
    const rate = X.add(X.slice(theta, 1, 0, 1), level)
    return [
      X.add(X.mul(x, a), X.mul(X.add(X.mul(rate, x), X.slice(theta, 1, 1, 1)), b)),
      (bar) => {
        const pulled = X.mul(bar, b)
        return [
          { theta: X.retype(X.concat<readonly ['batch', 1], 1>([X.mul(pulled, x), pulled], 1), ['batch', 2]) },
          { x: X.add(X.mul(bar, a), X.mul(pulled, rate)), c }
        ]
      }
    ]
  })

const chainOf = (sigma: ReadonlyArray<number>): ScalarChain => ({
  name: 'reversal',
  T: length,
  state: ['batch', 1],
  condition: {},
  parameters: { theta: L.parameter(['batch', 2]) },
  sigma,
  noise: normal,
  networkCalls: 1,
  mean: (t) =>
    affine(
      t,
      rows.map(({ state }) => state),
      rows.map(({ epsilon }) => epsilon)
    ),
  clean: (t) =>
    affine(
      t,
      alphaBar.map((a) => 1 / Math.sqrt(a)),
      alphaBar.map((a) => -Math.sqrt((1 - a) / a))
    )
})

/** By how much a step's mean moves with its clean prediction. */
const gain = (t: number): number => -(rows[t]?.epsilon ?? 0) * Math.sqrt((alphaBar[t] ?? 0) / (1 - (alphaBar[t] ?? 0)))
const weight =
  (sigma: ReadonlyArray<number>) =>
  (t: number): number =>
    Forward.matching(gain(t), sigma[t] ?? 1)

const cubic = [0.5, 1, -0.75, 0.5]
const value = (x: number): number => cubic.reduceRight((sum, c) => sum * x + c, 0)

const trained = (): boolean => true

const gradientOf = async (
  program: ReturnType<typeof Forward.weighted>,
  batch: number,
  values: Values
): Promise<ReadonlyArray<number>> => {
  const executable = right(Build.build(reference, { batch })('forward', program))
  const out = right(await Build.run('forward', executable)(values)())
  return Array.from(out['gradient.theta']?.data ?? [])
}

const summed = (flat: ReadonlyArray<number>): ReadonlyArray<number> =>
  [0, 1].map((i) => flat.reduce((sum, g, k) => sum + (k % 2 === i ? g : 0), 0))

/** The expected gradient of matching over samples of the data and noises of each level. */
const matched = async (sigma: ReadonlyArray<number>): Promise<ReadonlyArray<number>> => {
  const { points, weights } = product([4, 4])
  const batch = points.length
  const total = [0, 0]
  for (let t = 1; t <= length; t++) {
    const part = await gradientOf(Forward.weighted({ chain: chainOf(sigma), schedule, trained }), batch, {
      'params.theta': T.fill([batch, 2], 0),
      x0: T.tabulate([batch, 1], (n) => points[n]?.[0] ?? 0),
      eps: T.tabulate([batch, 1], (n) => points[n]?.[1] ?? 0),
      high: T.scalar(t),
      weights: T.vector(points.map(([x0 = 0], n) => (weights[n] ?? 0) * value(x0) * weight(sigma)(t)))
    })
    summed(part).forEach((g, i) => (total[i] = (total[i] ?? 0) + g))
  }
  return total
}

const scored = async (sigma: ReadonlyArray<number>): Promise<ReadonlyArray<number>> => {
  const order = { xT: 4, eps: () => 4, xi: () => 1 }
  const estimator = right(Catalogue.reinforce(length))
  const setting = {
    chain: chainOf(sigma),
    reward: polynomialReward(cubic),
    params: { theta: T.vector([0, 0]) },
    condition: {},
    trained,
    order
  }
  return right(await expectation(setting, { estimator }, estimator.covers[0].cover)()).value
}

describe('advantage-weighted matching', () => {
  it('is on average what scores on every step are, where the chain is the reversal of the forward process', async () => {
    const [a, b] = [await matched(reversal), await scored(reversal)]
    a.forEach((g, i) => expect(g).toBeCloseTo(b[i] ?? Number.NaN, 9))
    expect(Math.hypot(...a)).toBeGreaterThan(0.1)
  })

  it('is not, where the chain has less noise than the reversal', async () => {
    const less = reversal.map((s) => 0.8 * s)
    const [a, b] = [await matched(less), await scored(less)]
    expect(Math.hypot(...a.map((g, i) => g - (b[i] ?? 0)))).toBeGreaterThan(0.1)
  })

  it('raises a reward as an interpreter, on a sampler without noise', async () => {
    const still = chainOf([0, 0, 0, 0])
    const batch = 256
    const posed = problem(still, polynomialReward([0, 1]), batch)(right(Catalogue.fullBackprop(length)))
    const gradients = right(Forward.interpreter({ schedule, weight: () => 1 }, reference)(posed))
    let theta = [0, 0]
    const means: Array<number> = []
    for (let step = 0; step < 15; step++) {
      const key = Key.foldIn(Key.make(1), step)
      const estimate = right(
        await gradients.run({
          cover: posed.estimator.covers[0].cover,
          params: { theta: T.tabulate([batch, 2], (i) => theta[i % 2] ?? 0) },
          condition: {},
          xT: Draw.normal(Key.foldInString(key, 'xT'), [batch, 1]),
          eps: Draw.normal(Key.foldInString(key, 'eps'), [length, batch, 1]),
          xi: {},
          weights: new Array<number>(batch).fill(1 / batch),
          advantageState: 0
        })()
      )
      means.push(estimate.rewards.reduce((a, b) => a + b, 0) / batch)
      theta = theta.map((x, i) => x + 0.1 * (summed(Array.from(estimate.gradient['theta']?.data ?? []))[i] ?? 0))
    }
    // ten standard errors of the first mean
    expect((means.at(-1) ?? 0) - (means[0] ?? 0)).toBeGreaterThan(10 / Math.sqrt(batch))
    const { clean: _, ...blind } = still
    expect(
      pipe(
        Forward.interpreter({ schedule, weight: () => 1 }, reference)({ ...posed, chain: blind }),
        E.mapLeft(showError)
      )
    ).toEqual(E.left('reversal has no clean prediction for FO(1..3); give the chain one, or the cell a learned value'))
  })
})

describe('diffusion NFT', () => {
  const batch = 16
  const draw = (name: string, shape: ReadonlyArray<number>): T.Tensor =>
    Draw.normal(Key.foldInString(Key.make(7), name), shape)
  const worth = T.map((x) => 1 / (1 + Math.exp(-x)))(draw('worth', [batch]))
  const [theta, mix] = [draw('theta', [batch, 2]), 0.6]
  const shared = { x0: draw('x0', [batch, 1]), eps: draw('eps', [batch, 1]), high: T.scalar(2) }
  const forward = { chain: chainOf(reversal), schedule, trained }
  const aware = (old: T.Tensor): Promise<ReadonlyArray<number>> =>
    gradientOf(Forward.negativeAware(forward), batch, {
      ...under('params', { theta }),
      ...under('old', { theta: old }),
      ...shared,
      worth,
      mix: T.scalar(mix),
      weights: T.fill([batch], 1)
    })

  it('is advantage-weighted matching at the parameters that sampled, sample by sample, and not elsewhere', async () => {
    const matching = await gradientOf(Forward.weighted(forward), batch, {
      ...under('params', { theta }),
      ...shared,
      weights: T.map((r) => mix * (2 * r - 1))(worth)
    })
    const off = (found: ReadonlyArray<number>): number =>
      Math.max(...found.map((g, i) => Math.abs(g - (matching[i] ?? Number.NaN))))
    expect(off(await aware(theta))).toBeLessThan(1e-12)
    expect(off(await aware(T.map((x) => x + 0.1)(theta)))).toBeGreaterThan(1e-3)
  })
})
