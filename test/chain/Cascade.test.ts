import { describe, expect, it } from 'vitest'
import * as GM from '../../laws/law/GaussianMarginals.js'
import * as Run from '../../laws/run/Run.js'
import { exactConsistencyOf } from '../../laws/toy/GaussianData.js'
import type * as V from '../../laws/Verdict.js'
import * as Cascade from '../../src/chain/sampler/Cascade.js'
import type { Chain } from '../../src/chain/Chain.js'
import * as Consistency from '../../src/chain/sampler/Consistency.js'
import type { Denoiser } from '../../src/chain/Denoiser.js'
import * as Haar from '../../src/chain/Haar.js'
import { linear } from '../../src/chain/Schedule.js'
import * as TimeMap from '../../src/chain/TimeMap.js'
import type { Rows } from '../../src/lens/Rows.js'
import * as L from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'
import { networkOf, paramsOf } from './network.js'
import { numbers } from './numbers.js'

const runs = { numRuns: 2 }
const c = { c: T.vector([1]) }

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
