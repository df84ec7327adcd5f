/** A chain of an MLP denoiser, features-width-width-features with SiLU, and numbers to run it on. */
import { type Chain } from '../src/chain/Chain.js'
import { coefficients, ddim } from '../src/chain/sampler/Ddim.js'
import { cosine } from '../src/chain/Schedule.js'
import * as Programs from '../src/estimator/program/Programs.js'
import type { SegmentKind } from '../src/estimator/program/SegmentKind.js'
import { silu } from '../src/lens/layer/Activation.js'
import { dense } from '../src/lens/layer/Dense.js'
import * as L from '../src/lens/Lens.js'
import * as X from '../src/tensor/Expr.js'
import { scalar, type Tensor } from '../src/tensor/Tensor.js'
import { below, type Values } from '../src/tensor/Program.js'
import { draw } from './Data.js'
import { ours, type Work } from './Work.js'

/** Steps of the chain, rows, and columns of the state and of the hidden layers. */
export interface Size {
  readonly T: number
  readonly batch: number
  readonly features: number
  readonly width: number
}

type Row = readonly ['batch', number]

/** The chain, its parameters, and inputs; `state(h)` are those of a segment of `h` steps. */
export interface Setting extends Size {
  readonly chain: Chain<L.Params, Row, X.Expr<Row>>
  readonly params: Values
  readonly x: Tensor
  readonly eps: Tensor
  readonly bar: Tensor
  readonly advantage: Tensor
  readonly c: Tensor
  readonly state: (h: number) => Values
}

/** The setting of a size. */
export const mlp = (size: Size): Setting => {
  const { T, batch, features: D, width: H } = size
  const network = L.compose(
    L.compose(L.at('first', dense<number, number>(D, H)), silu<Row>()),
    L.compose(
      L.compose(L.at('second', dense<number, number>(H, H)), silu<Row>()),
      L.at('third', dense<number, number>(H, D))
    )
  )
  const chain = ddim({
    denoiser: {
      features: D,
      labels: 1,
      networkCalls: 1,
      lens: L.make<L.Params, { x: X.Expr<Row>; time: X.Expr<readonly ['batch', 1]>; c: X.Expr<Row> }, X.Expr<Row>>(
        network.parameters,
        (p, { x, time, c }) => {
          const [value, back] = network.run(p as Parameters<typeof network.run>[0], x)
          return [
            value,
            (bar) => {
              const [pBar, xBar] = back(bar)
              return [pBar, { x: xBar, time: X.zeros(time.shape), c: X.zeros(c.shape) }]
            }
          ]
        }
      )
    },
    schedule: cosine(T),
    eta: 1
  })
  const sizes = { first: [D, H], second: [H, H], third: [H, D] } as const
  const params = Object.fromEntries(
    Object.entries(sizes).flatMap(([name, [i, o]]) => [
      [`params.${name}.weight`, draw(`${name}.weight`, [i, o], 0.3 / Math.sqrt(i))] as const,
      [`params.${name}.bias`, draw(`${name}.bias`, [o], 0.1)] as const
    ])
  )
  const x = draw('x', [batch, D])
  const eps = draw('eps', [T, batch, D])
  const c = draw('c', [batch, 1])
  return {
    ...size,
    chain,
    params,
    x,
    eps,
    bar: draw('bar', [batch, D], 1 / batch),
    advantage: draw('advantage', [batch], 1 / batch),
    c,
    state: (h) => ({
      ...params,
      x,
      c,
      eps: { shape: [h, batch, D], data: eps.data.subarray(0, h * batch * D) }
    })
  }
}

/** A credit program of `h` steps. */
export const kind = (h: number, memory: 'store' | 'recompute' = 'store'): SegmentKind => ({
  h,
  memory,
  weighted: false,
  controlled: false
})

/** What steps 0 to T multiply the state, the prediction and the noise by. */
export const table = (T: number): ReadonlyArray<readonly [state: number, epsilon: number, sigma: number]> =>
  Array.from({ length: T + 1 }, (_, t) => {
    const { state = 0, epsilon = 0, sigma = 0 } = t === 0 ? {} : coefficients(cosine(T), 1, t)
    return [state, epsilon, sigma]
  })

/** Parameters by their own names. */
export const own = (params: Values): Values => below('params', params)

type Ours = NonNullable<Work['contenders']['ours']>

/** Half-order credit of `h` steps, by this library. */
export const halfOrder = ({ chain, batch, state, advantage }: Setting, h: number): Ours =>
  ours(
    Programs.halfOrder(chain, kind(h), () => true),
    { batch },
    { ...state(h), high: scalar(h + 1), advantage },
    'gradient.first.weight'
  )

/** A rollout of the whole chain, by this library. */
export const rollout = ({ chain, batch, params, x, eps, c }: Setting): Ours =>
  ours(
    Programs.rollout(chain, { perturbation: 'none', keep: false, trained: () => true }),
    { batch },
    { ...params, xT: x, eps, c },
    'x0'
  )

/** Full backpropagation of `h` steps, by this library. */
export const firstOrder = ({ chain, batch, state, bar }: Setting, h: number): Ours =>
  ours(
    Programs.firstOrder(chain, kind(h), () => true),
    { batch },
    { ...state(h), x0Bar: bar },
    'gradient.first.weight'
  )
