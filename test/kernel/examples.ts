/**
 * Programs that between them use every primitive, every view and every form of kernel, for each mode to agree with the
 * reference on.
 */
import * as E from 'fp-ts/lib/Either.js'
import { conv1d, conv2d, conv3d, type Options } from '../../src/lens/layer/Convolution.js'
import { groupNorm } from '../../src/lens/layer/Normalization.js'
import { averagePool2d, upsample2d } from '../../src/lens/layer/Pooling.js'
import * as X from '../../src/tensor/Expr.js'
import * as I from '../../src/tensor/Indexing.js'
import * as Program from '../../src/tensor/Program.js'
import * as Sh from '../../src/tensor/Shape.js'
import type { Sizes } from '../../src/tensor/Shape.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { size, type Tensor } from '../../src/tensor/Tensor.js'
import type { Case } from './arbitrary.js'

/** Values within 1.5 of 0 that repeat nowhere. */
export const draw = (shape: ReadonlyArray<number>, salt: number): Tensor => ({
  shape,
  data: Float32Array.from({ length: size(shape) }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * salt) * 1.5)
})

/** A program with drawn values for its inputs. */
export const close = <const I extends Shapes>(
  inputs: I,
  body: Parameters<typeof Program.make<I, Exprs>>[1],
  sizes: Sizes = {}
): Case => {
  const program = Program.make(inputs, body)
  if (E.isLeft(program)) throw new Error(JSON.stringify(program.left))
  const values = Object.fromEntries(
    program.right.inputs.map(({ name, shape }, i) => [name, draw(Sh.bind(shape, sizes).bound, i)])
  )
  return { program: program.right, values, sizes }
}

/** A convolution of images with both of its adjoints. */
const images = (batch: number, h: number, w: number, c: number, o: number, options: Options): Case => {
  const lens = conv2d(c, o, options)
  const k = Number(options.size ?? 3)
  return close(
    { x: ['batch', h, w, c], weight: [k, k, c, o], bias: [o] },
    ({ x, weight, bias }) => {
      const [y, back] = lens.run({ weight, bias }, x)
      const [parameters, argument] = back(X.tanh(y))
      return { y, parameters, argument }
    },
    { batch }
  )
}

/** Programs with values for their inputs, by what they are about. */
export const examples: Readonly<Record<string, Case>> = {
  'an output that is an input': close({ x: [3, 4] }, ({ x }) => ({ x, again: x })),
  'outputs that are literals': close({}, () => ({ a: X.scalar(3), b: X.fill([2, 3], -0.25), c: X.zeros([5]) })),
  'an output that is a literal tensor': close({ x: [2] }, ({ x }) => {
    const table = X.constant({ shape: [3, 2], data: Float64Array.of(1, 2, 3, 4, 5, 0.1) }, [3, 2])
    return { table, sum: X.add(table, x), entry: X.take(table, 0, X.scalar(2.7)) }
  }),
  scalars: close({ a: [], b: [] }, ({ a, b }) => ({ s: X.add(X.mul(a, b), X.scalar(1)), t: X.sqrt(X.abs(a)) })),
  'axes of size 1': close({ x: [1, 5, 1], y: [1, 1, 1] }, ({ x, y }) => ({
    a: X.add(x, y),
    b: X.sum(x, [0, 2]),
    c: X.permute(x, [2, 0, 1]),
    d: X.einsum('abc,dbe->ae', x, x),
    e: X.sum(y, [0, 1, 2])
  })),
  'rank 6': close({ x: [2, 3, 1, 2, 3, 2] }, ({ x }) => ({
    a: X.permute(X.add(x, X.scalar(1)), [5, 3, 1, 0, 2, 4]),
    b: X.sum(X.mul(x, x), [1, 3, 5]),
    c: X.maximum(X.permute(x, [5, 4, 3, 2, 1, 0]), [0, 2])
  })),
  'rows and columns against a matrix': close({ x: [7, 13], row: [13], column: [7, 1] }, ({ x, row, column }) => ({
    a: X.mul(X.add(x, row), column),
    b: X.add(X.permute(x, [1, 0]), X.reshape(row, [13, 1]))
  })),
  'a join of 51 parts': close({ x: [3, 5] }, ({ x }) => {
    const parts = Array.from({ length: 51 }, (_, i) => X.add(x, X.scalar(i)))
    return { rows: X.stack(parts), columns: X.concat(parts, 1) }
  }),
  'zeros around': close({ x: [3, 5] }, ({ x }) => ({ a: X.pad(X.pad(x, 0, 1, 6), 1, 2, 7), b: X.pad(x, 1, 0, 9) })),
  'a run-time index': close({ x: [4, 3, 5], i: [] }, ({ x, i }) => ({
    a: X.take(x, 0, i),
    b: X.take(x, 1, X.add(i, X.scalar(1))),
    below: X.take(x, 2, X.scalar(-3)),
    above: X.take(x, 2, X.add(i, X.scalar(100))),
    twice: X.take(X.take(X.mul(x, x), 1, X.abs(i)), 0, X.scale(i, 2)),
    product: X.einsum('ij,kj->ik', X.take(x, 0, X.abs(i)), X.take(x, 1, X.abs(i)))
  })),
  'a chain of many steps': close({ x: [4, 6] }, ({ x }) => {
    let y: X.Expr = x
    for (let t = 0; t < 60; t++) y = X.tanh(X.add(X.scale(y, 1 - t / 100), X.mul(x, X.sigmoid(y))))
    return { y }
  }),
  'a chain of values that are used twice each': close({ x: [9] }, ({ x }) => {
    let [y, z]: [X.Expr, X.Expr] = [x, X.tanh(x)]
    for (let t = 0; t < 60; t++) {
      y = X.scale(X.add(y, y), 0.45)
      z = X.mul(z, X.sigmoid(z))
    }
    return { y, z }
  }),
  'a contraction with what follows it': close({ x: [9, 7], w: [7, 10], b: [10] }, ({ x, w, b }) => {
    const z = X.add(X.matmul(x, w), b)
    return {
      silu: X.mul(z, X.sigmoid(z)),
      two: X.add(X.matmul(x, w), X.matmul(X.neg(x), w)),
      mean: X.scale(X.sum(z, [0]), 1 / 9)
    }
  }),
  'a contraction read twice where a long chain is cut': close({ x: [6, 6], w: [6, 6] }, ({ x, w }) => {
    const z = X.matmul(x, w)
    let y: X.Expr = z
    for (let t = 0; t < 120; t++) y = X.add(X.scale(y, 0.5), X.scalar(t % 3))
    return { y: X.mul(y, z) }
  }),
  softmax: close({ x: [5, 11] }, ({ x }) => {
    const top = X.reshape(X.maximum(x, [1]), [5, 1])
    const e = X.exp(X.sub(x, top))
    return { p: X.div(e, X.reshape(X.sum(e, [1]), [5, 1])) }
  }),
  attention: close({ q: [2, 5, 3, 4], k: [2, 7, 3, 4], v: [2, 7, 3, 4] }, ({ q, k, v }) => ({
    y: X.einsum('bhqk,bkhd->bqhd', X.tanh(X.einsum('bqhd,bkhd->bhqk', q, k)), v)
  })),
  'convolution of images, few channels': images(2, 6, 5, 3, 2, {}),
  'convolution of images, many channels': images(3, 8, 8, 8, 24, {}),
  'convolution of images with a stride': images(2, 8, 7, 5, 13, { size: 3, stride: 2 }),
  'convolution of images, windows apart': images(2, 8, 8, 4, 4, { size: 2, stride: 3, padding: 0 }),
  'convolution of images, one pixel': images(2, 4, 4, 6, 7, { size: 1 }),
  'convolution of signals and clips': close(
    { x: ['batch', 9, 4], w: [3, 4, 5], b: [5], clip: ['batch', 3, 4, 4, 2], v: [3, 3, 3, 2, 4], c: [4] },
    (all) => ({
      signals: conv1d(4, 5).forward({ weight: all.w, bias: all.b }, all.x),
      clips: conv3d(2, 4, { stride: [1, 2, 2] }).forward({ weight: all.v, bias: all.c }, all.clip)
    }),
    { batch: 2 }
  ),
  'windows that overlap': close({ x: [3, 11, 2] }, ({ x }) => {
    const windows = X.window(x, 1, 4, 3, { stride: 2, dilation: 2 })
    return { windows, largest: X.maximum(windows, [2]), back: I.overlapAdd(X.tanh(windows), 1, 11, 2, 2) }
  }),
  'windows side by side': close({ x: [3, 12, 2] }, ({ x }) => ({
    y: I.overlapAdd(X.tanh(X.window(x, 1, 4, 3, { stride: 3 })), 1, 12, 3)
  })),
  'entries at run-time indices': close({ x: [7, 3, 2], i: [5] }, ({ x, i }) => {
    const at = X.scale(i, 4)
    const y = I.gather(x, 0, at)
    return { y, back: I.scatterAdd(y, 0, at, 7), middle: I.gather(x, 1, at) }
  }),
  'flips and shifts': close({ x: [4, 5] }, ({ x }) => ({
    flipped: I.flip(x, 1),
    left: I.shift(x, 1, -2, 5),
    right: I.shift(x, 0, 3, 5),
    gone: I.shift(x, 0, 9, 5)
  })),
  'pooling and upsampling': close(
    { x: ['batch', 4, 6, 5] },
    ({ x }) => {
      const [small, back] = averagePool2d<5>(2).run({}, x)
      return { small, back: back(small)[1], large: upsample2d<5>([2, 3]).forward({}, X.tanh(x)) }
    },
    { batch: 2 }
  ),
  'group norm and its pullback': close(
    { x: ['batch', 4, 4, 12], gain: [12], bias: [12] },
    ({ x, gain, bias }) => {
      const [y, back] = groupNorm<12, readonly ['batch', 4, 4, 12]>(12, 4).run({ gain, bias }, x)
      const [parameters, argument] = back(X.tanh(y))
      return { y, parameters, argument }
    },
    { batch: 3 }
  )
}
