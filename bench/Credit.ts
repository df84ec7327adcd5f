/**
 * Credit on a chain of T = 50 steps of the MLP denoiser: the half-order credit program for segments of h steps beside the
 * gradient of full backpropagation, by TensorFlow.js and by this library.
 */
import * as tf from '@tensorflow/tfjs'
import * as Programs from '../src/estimator/program/Programs.js'
import { halfOrder, kind, mlp, own, table } from './Mlp.js'
import { ours, type Contender, type Work } from './Work.js'

const T = 50
const batch = 64
const D = 196
const H = 256

const setting = mlp({ T, batch, features: D, width: H })
const { chain, params, x, eps, bar, advantage, state } = setting

/** TensorFlow.js differentiates the whole rollout; its answer is the gradient of the first weight. */
const tfjsFull = (): Promise<Contender> => {
  const names = Object.keys(params)
  const variables = names.map((name) =>
    tf.tensor(Float32Array.from(params[name]?.data ?? []), [...(params[name]?.shape ?? [])])
  )
  const tables = table(T)
  const gradient = tf.grads((...given: Array<tf.Tensor>) => {
    const of = (name: string): tf.Tensor => given[names.indexOf(`params.${name}`)] ?? tf.scalar(0)
    const layer = (v: tf.Tensor, name: string): tf.Tensor =>
      tf.add(tf.matMul(v, of(`${name}.weight`)), of(`${name}.bias`))
    const act = (v: tf.Tensor): tf.Tensor => tf.mul(v, tf.sigmoid(v))
    let now: tf.Tensor = tf.tensor(Float32Array.from(x.data), [batch, D])
    for (let t = T; t >= 1; t--) {
      const [a = 0, b = 0, sigma = 0] = tables[t] ?? []
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

const told = { make: 'full', settings: { T, table: table(T) }, values: { x, eps, bar, ...own(params) } }

/** The works: full backpropagation both ways, and segments beside it. */
export const credits: ReadonlyArray<Work> = [
  {
    name: 'credit-full',
    about: `full backpropagation of ${T} steps, batch ${batch}`,
    threads: [1, 2],
    tolerance: 1e-2,
    slow: ['tfjs'],
    native: { torch: told },
    contenders: { ours: full('store'), tfjs: tfjsFull }
  },
  {
    name: 'credit-full-recompute',
    about: 'the same, keeping one step of activations',
    threads: [1, 2],
    tolerance: 1e-2,
    slow: ['tfjs'],
    native: { torch: told },
    contenders: { ours: full('recompute'), tfjs: tfjsFull }
  },
  ...[1, 2, 4, 8].map(
    (h): Work => ({
      name: `credit-h${h}`,
      about: `half-order credit of ${h} step${h === 1 ? '' : 's'}, beside full backpropagation of ${T} by TensorFlow.js`,
      threads: h === 2 ? [1, 2] : [1],
      // they are different estimates of one gradient, compared in time and memory only
      tolerance: Infinity,
      slow: ['tfjs'],
      native: {
        torch: { make: 'half', settings: { h, table: table(T) }, values: { x, eps, advantage, ...own(params) } }
      },
      contenders: {
        ours: halfOrder(setting, h),
        tfjs: tfjsFull
      }
    })
  )
]
