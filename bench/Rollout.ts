/**
 * The rollout of an MLP denoiser, 196-256-256-196 with SiLU, for T = 50 steps at batch 64, as four libraries run it.
 * Every contender gets the same numbers and gives back the final state as a flat array.
 */
import { jit, nn, numpy as np, type Array as JaxArray } from '@jax-js/jax'
import * as tf from '@tensorflow/tfjs'
import gpujs from 'gpu.js'
import * as X from '../src/tensor/Expr.js'
import type { Expr } from '../src/tensor/Expr.js'
import * as Program from '../src/tensor/Program.js'
import type { Tensor } from '../src/tensor/Tensor.js'
import { draw } from './Data.js'
import { ours, type Contender, type Work } from './Work.js'

export const T = 50
export const batch = 64
export const D = 196
const H = 256
export const keep = 0.99
export const pull = -0.05
export const noise = 0.1

export const values = {
  x: draw('x', [batch, D]),
  w1: draw('w1', [D, H], 0.07),
  b1: draw('b1', [H], 0.1),
  w2: draw('w2', [H, H], 0.06),
  b2: draw('b2', [H], 0.1),
  w3: draw('w3', [H, D], 0.06),
  b3: draw('b3', [D], 0.1),
  eps: draw('eps', [T, batch, D])
}

type Name = keyof typeof values

export const program = Program.make(
  {
    x: ['batch', D],
    w1: [D, H],
    b1: [H],
    w2: [H, H],
    b2: [H],
    w3: [H, D],
    b3: [D],
    eps: [T, 'batch', D]
  },
  ({ x, w1, b1, w2, b2, w3, b3, eps }) => {
    const silu = <S extends readonly ['batch', number]>(v: Expr<S>): Expr<S> => X.mul(v, X.sigmoid(v))
    let state = x
    for (let t = 0; t < T; t++) {
      const h1 = silu(X.add(X.matmul(state, w1), X.broadcastTo(b1, ['batch', H])))
      const h2 = silu(X.add(X.matmul(h1, w2), X.broadcastTo(b2, ['batch', H])))
      const prediction = X.add(X.matmul(h2, w3), X.broadcastTo(b3, ['batch', D]))
      const eps_t = X.reshape(X.slice(eps, 0, t, 1), ['batch', D])
      state = X.add(X.add(X.scale(state, keep), X.scale(prediction, pull)), X.scale(eps_t, noise))
    }
    return { x: state }
  }
)

/** TensorFlow.js on its wasm backend. */
const tfjs = (): Promise<Contender> => {
  const tensor = (name: Name): tf.Tensor => tf.tensor(values[name].data, [...values[name].shape], 'float32')
  const [w1, b1, w2, b2, w3, b3] = (['w1', 'b1', 'w2', 'b2', 'w3', 'b3'] as const).map(tensor)
  const silu = (v: tf.Tensor): tf.Tensor => tf.mul(v, tf.sigmoid(v))
  const layer = (v: tf.Tensor, w: tf.Tensor | undefined, b: tf.Tensor | undefined): tf.Tensor =>
    tf.add(tf.matMul(v, w ?? v), b ?? v)
  return Promise.resolve({
    run: async () => {
      const final = tf.tidy(() => {
        const eps = tensor('eps')
        let state = tensor('x')
        for (let t = 0; t < T; t++) {
          const prediction = layer(silu(layer(silu(layer(state, w1, b1)), w2, b2)), w3, b3)
          const eps_t = tf.reshape(tf.slice(eps, [t, 0, 0], [1, batch, D]), [batch, D])
          state = tf.add(tf.add(tf.mul(state, keep), tf.mul(prediction, pull)), tf.mul(eps_t, noise))
        }
        return state
      })
      const out = Float32Array.from(await final.data())
      final.dispose()
      return out
    },
    dispose: () => Promise.resolve([w1, b1, w2, b2, w3, b3].forEach((w) => w?.dispose()))
  })
}

/** jax-js, with the step jitted; a value used twice takes a reference first. */
const jaxjs = (): Promise<Contender> => {
  const array = (data: Tensor['data'], shape: ReadonlyArray<number>): JaxArray =>
    np.array(Float32Array.from(data)).reshape([...shape])
  const weights = (['w1', 'b1', 'w2', 'b2', 'w3', 'b3'] as const).map((name) =>
    array(values[name].data, values[name].shape)
  )
  const step = jit(
    (
      x: JaxArray,
      w1: JaxArray,
      b1: JaxArray,
      w2: JaxArray,
      b2: JaxArray,
      w3: JaxArray,
      b3: JaxArray,
      eps: JaxArray
    ) => {
      const h1 = nn.silu(np.matmul(x.ref, w1).add(b1))
      const h2 = nn.silu(np.matmul(h1, w2).add(b2))
      const prediction = np.matmul(h2, w3).add(b3)
      return x.mul(keep).add(prediction.mul(pull)).add(eps.mul(noise))
    }
  )
  return Promise.resolve({
    run: async () => {
      let state = array(values.x.data, values.x.shape)
      for (let t = 0; t < T; t++) {
        const eps = array(values.eps.data.subarray(t * batch * D, (t + 1) * batch * D), [batch, D])
        const [w1, b1, w2, b2, w3, b3] = weights.map((w) => w.ref)
        if (!w1 || !b1 || !w2 || !b2 || !w3 || !b3) break
        state = step(state, w1, b1, w2, b2, w3, b3, eps)
      }
      return (await state.data()) as Float32Array
    },
    dispose: () => Promise.resolve(weights.forEach((w) => w.dispose()))
  })
}

/** gpu.js as it comes: a layer is a kernel, a cell a thread, and all steps one pipeline. */
const stock = (): Promise<Contender> => {
  const gpu = new gpujs.GPU({ mode: 'webasm' })
  const sum = `let v = b[this.thread.x];
    for (let i = 0; i < this.constants.k; i++) v += x[this.thread.y][i] * w[i][this.thread.x];`
  const hidden = (k: number) =>
    gpu.createKernel(`function (x, w, b) { ${sum} return v / (1 + Math.exp(-v)); }`, {
      constants: { k },
      output: [H, batch]
    })
  const [first, second] = [hidden(D), hidden(H)]
  const last = gpu.createKernel(
    `function (x, w, b, state, eps, t) { ${sum}
      return ${keep} * state[this.thread.y][this.thread.x] + ${pull} * v + ${noise} * eps[t][this.thread.y][this.thread.x]; }`,
    { constants: { k: H }, output: [D, batch] }
  )
  type Value = Parameters<typeof first>[0]
  const pipeline = gpu.createPipeline(
    (x: Value, w1: Value, b1: Value, w2: Value, b2: Value, w3: Value, b3: Value, eps: Value) => {
      let state = x
      for (let t = 0; t < T; t++) state = last(second(first(state, w1, b1), w2, b2), w3, b3, state, eps, t) as Value
      return state
    },
    { threads: false }
  )
  const input = (name: Name): Value => {
    const { data, shape } = values[name]
    const [x = 1, y, z] = [...shape].reverse()
    // gpu.js declares lists only, and takes flat arrays
    const flat = Float32Array.from(data) as unknown as Array<number>
    return new gpujs.Input(flat, y === undefined ? [x] : z === undefined ? [x, y] : [x, y, z])
  }
  const given = (['x', 'w1', 'b1', 'w2', 'b2', 'w3', 'b3', 'eps'] as const).map(input)
  return Promise.resolve({
    run: async () => {
      const state: unknown = await pipeline(...given)
      return Array.isArray(state) ? state.flatMap((row) => (row instanceof Float32Array ? Array.from(row) : [])) : []
    },
    dispose: () => gpu.destroy()
  })
}

const named = {
  x: values.x,
  eps: values.eps,
  'first.weight': values.w1,
  'first.bias': values.b1,
  'second.weight': values.w2,
  'second.bias': values.b2,
  'third.weight': values.w3,
  'third.bias': values.b3
}
const told = { make: 'rollout', settings: { T, keep, pull, noise }, values: named }

/** The work. */
export const rollout: Work = {
  name: 'mlp-rollout',
  about: `T = ${T}, batch ${batch}, MLP ${D}-${H}-${H}-${D}`,
  threads: [1, 2],
  slow: ['stock'],
  native: { torch: told, onnxruntime: told },
  contenders: {
    ours: ours(program, { batch }, values, 'x'),
    tfjs,
    jaxjs,
    stock
  }
}
