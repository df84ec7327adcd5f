/**
 * The forward pass of a small U-Net on 16 x 16 RGB images, channels 32-64-64, at batch 16: 3 x 3 convolutions with SiLU, two
 * average poolings, two nearest upsamplings, skip connections joined along the channels.
 */
import { jit, lax, nn, numpy as np, type Array as JaxArray } from '@jax-js/jax'
import * as tf from '@tensorflow/tfjs'
import { silu } from '../src/lens/layer/Activation.js'
import { conv2d, type Images } from '../src/lens/layer/Convolution.js'
import { averagePool2d, upsample2d } from '../src/lens/layer/Pooling.js'
import * as X from '../src/tensor/Expr.js'
import type { Expr } from '../src/tensor/Expr.js'
import * as Program from '../src/tensor/Program.js'
import type { Tensor } from '../src/tensor/Tensor.js'
import { draw } from './Data.js'
import { ours, type Contender, type Work } from './Work.js'

export const batch = 16

/** Channels in and out of each convolution, in the order of the network. */
export const layers = [
  [3, 32],
  [32, 32],
  [32, 64],
  [64, 64],
  [64, 64],
  [64, 64],
  [128, 64],
  [64, 64],
  [96, 32],
  [32, 3]
] as const

export const weights: ReadonlyArray<{ readonly w: Tensor; readonly b: Tensor }> = layers.map(([i, o], k) => ({
  w: draw(`w${k}`, [3, 3, i, o], 1 / Math.sqrt(9 * i)),
  b: draw(`b${k}`, [o], 0.1)
}))
export const x = draw('x', [batch, 16, 16, 3])

/** The network over some library's operations. */
const network = <T>(
  ops: {
    readonly conv: (v: T, layer: number) => T
    readonly silu: (v: T) => T
    readonly pool: (v: T) => T
    readonly grow: (v: T) => T
    readonly join: (a: T, b: T) => T
  },
  input: T
): T => {
  const block = (v: T, layer: number): T => ops.silu(ops.conv(v, layer))
  const high = block(block(input, 0), 1)
  const middle = block(block(ops.pool(high), 2), 3)
  const low = block(block(ops.pool(middle), 4), 5)
  const back = block(block(ops.join(ops.grow(low), middle), 6), 7)
  return ops.conv(block(ops.join(ops.grow(back), high), 8), 9)
}

type Any = Images<number>

const shapes = Object.fromEntries(
  layers.flatMap(
    ([i, o], k): ReadonlyArray<readonly [string, ReadonlyArray<number>]> => [
      [`w${k}`, [3, 3, i, o]],
      [`b${k}`, [o]]
    ]
  )
)

/** The forward pass by this library. */
export const program = Program.make({ x: ['batch', 16, 16, 3], ...shapes }, () => {
  const conv = (v: Any, k: number): Any => {
    const [i = 3, o = 3] = layers[k] ?? []
    const lens = conv2d<number, number>(i, o, { size: 3, padding: 1 })
    return lens.forward({ weight: X.input(`w${k}`, [3, 3, i, o]), bias: X.input(`b${k}`, [o]) }, v)
  }
  const input: Any = X.input('x', ['batch', 16, 16, 3])
  const y: Expr = network<Any>(
    {
      conv,
      silu: (v) => silu<Any['shape']>().forward({}, v),
      pool: (v) => averagePool2d<number>(2).forward({}, v),
      grow: (v) => upsample2d<number>(2).forward({}, v),
      join: (a, b) =>
        X.retype(X.concat<Any['shape'], 3>([a, b], 3), ['batch', a.shape[1], a.shape[2], a.shape[3] + b.shape[3]])
    },
    input
  )
  return { y }
})

const tfjs = (): Promise<Contender> => {
  const loaded = weights.map(({ w, b }) => ({
    w: tf.tensor4d(Float32Array.from(w.data), [3, 3, w.shape[2] ?? 0, w.shape[3] ?? 0]),
    b: tf.tensor(Float32Array.from(b.data), [...b.shape])
  }))
  const ops = {
    conv: (v: tf.Tensor4D, k: number): tf.Tensor4D => {
      const layer = loaded[k]
      return layer === undefined ? v : tf.add(tf.conv2d(v, layer.w, 1, 'same'), layer.b)
    },
    silu: (v: tf.Tensor4D): tf.Tensor4D => tf.mul(v, tf.sigmoid(v)),
    pool: (v: tf.Tensor4D): tf.Tensor4D => tf.avgPool(v, 2, 2, 'valid'),
    grow: (v: tf.Tensor4D): tf.Tensor4D => tf.image.resizeNearestNeighbor(v, [v.shape[1] * 2, v.shape[2] * 2]),
    join: (a: tf.Tensor4D, b: tf.Tensor4D): tf.Tensor4D => tf.concat([a, b], 3)
  }
  return Promise.resolve({
    run: async () => {
      const y = tf.tidy(() => network(ops, tf.tensor4d(Float32Array.from(x.data), [batch, 16, 16, 3])))
      const out = await y.data()
      y.dispose()
      return out
    },
    dispose: () => Promise.resolve(loaded.forEach(({ w, b }) => tf.dispose([w, b])))
  })
}

/** jax-js on its wasm backend, jitted as one; its convolutions take channels first, so both ends are turned. */
const jaxjs = (): Promise<Contender> => {
  const array = ({ data, shape }: Tensor): JaxArray => np.array(Float32Array.from(data)).reshape([...shape])
  const loaded = weights.flatMap(({ w, b }) => [
    np.transpose(array(w), [3, 2, 0, 1]),
    array({ data: b.data, shape: [1, b.data.length, 1, 1] })
  ])
  // a value that is used again takes a reference first: what is pooled is also joined later
  const forward = jit((v: JaxArray, ...given: ReadonlyArray<JaxArray>) =>
    np.transpose(
      network<JaxArray>(
        {
          conv: (u, k) => {
            const [w, b] = [given[2 * k], given[2 * k + 1]]
            return w === undefined || b === undefined ? u : lax.conv(u, w, [1, 1], 'SAME').add(b)
          },
          silu: (u) => nn.silu(u),
          pool: (u) => {
            const [n = 1, channels = 1, height = 1, width = 1] = u.shape
            return np.mean(u.ref.reshape([n, channels, height / 2, 2, width / 2, 2]), [3, 5])
          },
          grow: (u) => np.repeat(np.repeat(u, 2, 2), 2, 3),
          join: (a, b) => np.concatenate([a, b], 1)
        },
        np.transpose(v, [0, 3, 1, 2])
      ),
      [0, 2, 3, 1]
    )
  )
  return Promise.resolve({
    run: async () => (await forward(array(x), ...loaded.map((one) => one.ref)).data()) as Float32Array,
    dispose: () => Promise.resolve(loaded.forEach((one) => one.dispose()))
  })
}

const inputs = Object.fromEntries(weights.flatMap(({ w, b }, k) => [[`w${k}`, w] as const, [`b${k}`, b] as const]))

const told = { make: 'unet', settings: {}, values: { x, ...inputs } }

/** The work. */
export const unet: Work = {
  name: 'unet-forward',
  about: `batch ${batch}, 16 x 16 x 3, channels 32-64-64`,
  threads: [1, 2],
  slow: ['jaxjs'],
  native: { torch: told, onnxruntime: told },
  contenders: {
    ours: ours(program, { batch }, { x, ...inputs }, 'y'),
    tfjs,
    jaxjs
  }
}
