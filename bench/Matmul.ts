/** Square matrix products. */
import { numpy as np } from '@jax-js/jax'
import * as tf from '@tensorflow/tfjs'
import gpujs from 'gpu.js'
import * as X from '../src/tensor/Expr.js'
import * as Program from '../src/tensor/Program.js'
import { draw } from './Data.js'
import { limit } from './Limit.js'
import { ours, type Contender, type Work } from './Work.js'

/** The product of two matrices of side `n`. The rows of the first are a batch, so that threads may share them. */
export const matmul = (n: number): Work => {
  const a = draw('a', [n, n])
  const b = draw('b', [n, n])
  const told = { make: 'matmul', settings: {}, values: { a, b } }
  const program = Program.make({ a: ['batch', n], b: [n, n] }, (inputs) => ({ c: X.matmul(inputs.a, inputs.b) }))
  return {
    name: `matmul-${n}`,
    about: `[${n}, ${n}] x [${n}, ${n}]`,
    threads: n >= 256 ? [1, 2] : [1],
    native: { torch: told, onnxruntime: told },
    contenders: {
      ours: ours(program, { batch: n }, { a, b }, 'c'),
      tfjs: () => {
        const x = tf.tensor2d(Float32Array.from(a.data), [n, n])
        const y = tf.tensor2d(Float32Array.from(b.data), [n, n])
        return Promise.resolve({
          run: async () => {
            const z = tf.matMul(x, y)
            const out = await z.data()
            z.dispose()
            return out
          },
          dispose: () => Promise.resolve(tf.dispose([x, y]))
        })
      },
      jaxjs: () => {
        const x = np.array(Float32Array.from(a.data)).reshape([n, n])
        const y = np.array(Float32Array.from(b.data)).reshape([n, n])
        return Promise.resolve({
          run: async () => (await np.matmul(x.ref, y.ref).data()) as Float32Array,
          dispose: () => {
            x.dispose()
            y.dispose()
            return Promise.resolve()
          }
        })
      },
      limit: () => Promise.resolve(limit(n, a.data, b.data)),
      ...(n <= 512 ? { stock: () => Promise.resolve(stock(n, a.data, b.data)) } : {})
    }
  }
}

/** gpu.js as it comes: one cell a thread. */
const stock = (n: number, a: ArrayLike<number>, b: ArrayLike<number>): Contender => {
  const gpu = new gpujs.GPU({ mode: 'webasm' })
  const kernel = gpu.createKernel(
    function (this: { thread: { x: number }; constants: { n: number } }, x: ArrayLike<number>, y: ArrayLike<number>) {
      const row = Math.floor(this.thread.x / this.constants.n)
      const column = this.thread.x - row * this.constants.n
      let sum = 0
      for (let i = 0; i < this.constants.n; i++)
        sum += (x[row * this.constants.n + i] as number) * (y[i * this.constants.n + column] as number)
      return sum
    }
      .toString()
      .replaceAll(' as number', ''),
    { constants: { n }, output: [n * n] }
  )
  const x = Float32Array.from(a)
  const y = Float32Array.from(b)
  return { run: () => Promise.resolve(kernel(x, y) as Float32Array), dispose: () => gpu.destroy() }
}
