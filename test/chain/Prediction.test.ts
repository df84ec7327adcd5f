import { describe, expect, it } from 'vitest'
import * as Run from '../../laws/run/Run.js'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { ddpm } from '../../src/chain/sampler/Ddpm.js'
import type { Denoiser } from '../../src/chain/Denoiser.js'
import * as Prediction from '../../src/chain/Prediction.js'
import { cosine } from '../../src/chain/Schedule.js'
import * as TimeMap from '../../src/chain/TimeMap.js'
import * as L from '../../src/lens/Lens.js'
import { shares } from '../../src/chain/Share.js'
import * as X from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { network, networkParams } from './network.js'
import { numbers } from './numbers.js'

const runs = { numRuns: 2 }
const c = { c: T.vector([1]) }

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
