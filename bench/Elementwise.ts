/** A chain of elementwise operations on a million numbers, copies in and out included. */
import * as X from '../src/tensor/Expr.js'
import * as Program from '../src/tensor/Program.js'
import * as tf from '@tensorflow/tfjs'
import { jit, nn, numpy as np, type Array as JaxArray } from '@jax-js/jax'
import { draw } from './Data.js'
import { ours, type Work } from './Work.js'

const n = 1 << 20
export const x = draw('x', [n])
export const y = draw('y', [n])

const program = Program.make({ x: ['n'], y: ['n'] }, (inputs) => ({
  z: X.add(X.mul(X.mul(inputs.x, X.sigmoid(inputs.x)), inputs.y), X.scale(inputs.y, 0.5))
}))

/** `x sigmoid(x) y + y / 2`. */
export const elementwise: Work = {
  name: 'elementwise-1m',
  about: 'x sigmoid(x) y + y / 2 on 2^20 numbers, in and out',
  threads: [1],
  contenders: {
    ours: ours(program, { n }, { x, y }, 'z'),
    tfjs: () =>
      Promise.resolve({
        run: async () => {
          const z = tf.tidy(() => {
            const a = tf.tensor1d(Float32Array.from(x.data))
            const b = tf.tensor1d(Float32Array.from(y.data))
            return tf.add(tf.mul(tf.mul(a, tf.sigmoid(a)), b), tf.mul(b, 0.5))
          })
          const out = await z.data()
          z.dispose()
          return out
        },
        dispose: () => Promise.resolve()
      }),
    jaxjs: () => {
      const f = jit((a: JaxArray, b: JaxArray) => nn.silu(a).mul(b.ref).add(b.mul(0.5)))
      return Promise.resolve({
        run: async () =>
          (await f(np.array(Float32Array.from(x.data)), np.array(Float32Array.from(y.data))).data()) as Float32Array,
        dispose: () => Promise.resolve()
      })
    },
    js: () =>
      Promise.resolve({
        run: () => {
          const out = new Float32Array(n)
          const { data: a } = x
          const { data: b } = y
          for (let i = 0; i < n; i++) {
            const u = a[i] ?? 0
            const v = b[i] ?? 0
            out[i] = (u / (1 + Math.exp(-u))) * v + v * 0.5
          }
          return Promise.resolve(out)
        },
        dispose: () => Promise.resolve()
      })
  }
}
