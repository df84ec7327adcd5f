/**
 * Credit on a chain of T = 50 steps of the MLP denoiser: the half-order credit program for segments of h steps beside the
 * gradient of full backpropagation, by TensorFlow.js and by this library.
 */
import * as tf from '@tensorflow/tfjs'
import { coefficients, ddim } from '../src/chain/Ddim.js'
import { cosine } from '../src/chain/Schedule.js'
import * as Programs from '../src/estimator/Programs.js'
import { dense } from '../src/lens/Dense.js'
import { silu } from '../src/lens/Activation.js'
import * as L from '../src/lens/Lens.js'
import * as X from '../src/tensor/Expr.js'
import { scalar } from '../src/tensor/Tensor.js'
import { draw } from './Data.js'
import { ours, type Contender, type Work } from './Work.js'

const T = 50
const batch = 64
const D = 196
const H = 256

type Row = readonly ['batch', number]

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
const bar = draw('bar', [batch, D], 1 / batch)
const c = draw('c', [batch, 1])
const state = (h: number): Record<string, ReturnType<typeof draw>> => ({
  ...params,
  x,
  c,
  eps: { shape: [h, batch, D], data: eps.data.subarray(0, h * batch * D) }
})
const kind = (h: number, memory: 'store' | 'recompute' = 'store'): Programs.SegmentKind => ({
  h,
  memory,
  weighted: false
})

/** TensorFlow.js differentiates the whole rollout; its answer is the gradient of the first weight. */
const tfjsFull = (): Promise<Contender> => {
  const names = Object.keys(params)
  const variables = names.map((name) =>
    tf.tensor(Float32Array.from(params[name]?.data ?? []), [...(params[name]?.shape ?? [])])
  )
  const tables = Array.from({ length: T + 1 }, (_, t) =>
    t === 0 ? { state: 0, epsilon: 0, sigma: 0 } : coefficients(cosine(T), 1, t)
  )
  const gradient = tf.grads((...given: Array<tf.Tensor>) => {
    const of = (name: string): tf.Tensor => given[names.indexOf(`params.${name}`)] ?? tf.scalar(0)
    const layer = (v: tf.Tensor, name: string): tf.Tensor =>
      tf.add(tf.matMul(v, of(`${name}.weight`)), of(`${name}.bias`))
    const act = (v: tf.Tensor): tf.Tensor => tf.mul(v, tf.sigmoid(v))
    let now: tf.Tensor = tf.tensor(Float32Array.from(x.data), [batch, D])
    for (let t = T; t >= 1; t--) {
      const { state: a = 0, epsilon: b = 0, sigma = 0 } = tables[t] ?? {}
      const noise = tf.tensor(Float32Array.from(eps.data.subarray((t - 1) * batch * D, t * batch * D)), [batch, D])
      const mean = tf.add(tf.mul(now, a), tf.mul(layer(act(layer(act(layer(now, 'first')), 'second')), 'third'), b))
      now = t === 1 ? mean : tf.add(mean, tf.mul(noise, sigma))
    }
    return tf.sum(tf.mul(now, tf.tensor(Float32Array.from(bar.data), [batch, D])))
  })
  return Promise.resolve({
    run: async () => {
      const all = tf.tidy(() => gradient(variables))
      const out = Float32Array.from(await (all[names.indexOf('params.first.weight')]?.data() ?? Promise.resolve([])))
      tf.dispose(all)
      return out
    },
    dispose: () => Promise.resolve(tf.dispose(variables))
  })
}

const full = (memory: 'store' | 'recompute'): ReturnType<typeof ours> =>
  ours(
    Programs.firstOrder(chain, kind(T, memory), () => true),
    { batch },
    { ...state(T), x0Bar: bar },
    'gradient.first.weight'
  )

/** The works: full backpropagation both ways, and segments beside it. */
export const credits: ReadonlyArray<Work> = [
  {
    name: 'credit-full',
    about: `full backpropagation of ${T} steps, batch ${batch}`,
    threads: [1],
    tolerance: 1e-2,
    contenders: { ours: full('store'), tfjs: tfjsFull }
  },
  {
    name: 'credit-full-recompute',
    about: 'the same, keeping one step of activations',
    threads: [1],
    tolerance: 1e-2,
    contenders: { ours: full('recompute'), tfjs: tfjsFull }
  },
  ...[1, 2, 4, 8].map(
    (h): Work => ({
      name: `credit-h${h}`,
      about: `half-order credit of ${h} step${h === 1 ? '' : 's'} beside full backpropagation of ${T}`,
      threads: [1],
      // they are different estimates of one gradient, compared in time and memory only
      tolerance: Infinity,
      contenders: {
        ours: ours(
          Programs.halfOrder(chain, kind(h), () => true),
          { batch },
          { ...state(h), high: scalar(h + 1), advantage: draw('advantage', [batch], 1 / batch) },
          'gradient.first.weight'
        ),
        tfjs: tfjsFull
      }
    })
  )
]
