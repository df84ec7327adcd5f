/**
 * Credit on a chain of T = 50 steps of the MLP denoiser: the half-order credit program for segments of h steps beside the
 * gradient of full backpropagation, by TensorFlow.js, jax-js and this library.
 */
import { grad, jit, numpy as np, type Array as JaxArray } from '@jax-js/jax'
import * as tf from '@tensorflow/tfjs'
import * as Programs from '../src/estimator/program/Programs.js'
import type { Tensor } from '../src/tensor/Tensor.js'
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

/** jax-js differentiates it, too, each step jitted; a value that is used again takes a reference first. */
const jaxjsFull = (): Promise<Contender> => {
  const array = ({ data, shape }: Tensor): JaxArray => np.array(Float32Array.from(data)).reshape([...shape])
  const names = ['first', 'second', 'third'].flatMap((name) => [`params.${name}.weight`, `params.${name}.bias`])
  const loaded = names.flatMap((name) => (params[name] === undefined ? [] : [array(params[name])]))
  const scalars = table(T).map((row) => row.map((value) => np.array(value)))
  const step = jit((now: JaxArray, noise: JaxArray, ...given: ReadonlyArray<JaxArray>): JaxArray => {
    const [w1, b1, w2, b2, w3, b3, a, b, sigma] = given
    if (!w1 || !b1 || !w2 || !b2 || !w3 || !b3 || !a || !b || !sigma) return now
    // its own `silu` and `sigmoid` have derivatives that are NaN far below 0
    const act = (v: JaxArray): JaxArray => v.ref.mul(np.tanh(v.mul(0.5)).add(1).mul(0.5))
    const h1 = act(np.matmul(now.ref, w1).add(b1))
    const h2 = act(np.matmul(h1, w2).add(b2))
    return now.mul(a).add(np.matmul(h2, w3).add(b3).mul(b)).add(noise.mul(sigma))
  })
  const loss = (given: Array<JaxArray>): JaxArray => {
    let now = array(x)
    for (let t = T; t >= 1; t--) {
      const data = eps.data.subarray((t - 1) * batch * D, t * batch * D)
      const noise = array({ data: t === 1 ? data.map(() => 0) : data, shape: [batch, D] })
      now = step(now, noise, ...given.map((one) => one.ref), ...(scalars[t] ?? []).map((one) => one.ref))
    }
    given.forEach((one) => one.dispose())
    return now.mul(array(bar)).sum()
  }
  const gradient = grad(loss)
  return Promise.resolve({
    run: async () => {
      const [first, ...others] = gradient(loaded.map((one) => one.ref))
      others.forEach((one) => one.dispose())
      return (await first?.data()) as Float32Array
    },
    dispose: () => Promise.resolve([...loaded, ...scalars.flat()].forEach((one) => one.dispose()))
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
    slow: ['tfjs', 'jaxjs'],
    native: { torch: told },
    contenders: { ours: full('store'), tfjs: tfjsFull, jaxjs: jaxjsFull }
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
