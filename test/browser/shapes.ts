/**
 * Small programs of every class of shape that a kernel on WebGPU has a way for: each way is forced once on them.
 */
import { conv2d } from '../../src/lens/layer/Convolution.js'
import * as X from '../../src/tensor/Expr.js'
import type { Case } from '../kernel/arbitrary.js'
import { close } from '../kernel/examples.js'

/** A product with what may follow it, and its two adjoints. */
const product = (m: number, k: number, n: number): Case =>
  close({ x: [m, k], w: [k, n], b: [n], r: [m, n] }, ({ x, w, b, r }) => {
    const z = X.add(X.matmul(x, w), b)
    const y = X.add(X.mul(z, X.sigmoid(z)), r)
    return { y, toLeft: X.matmul(r, X.transpose(w)), toRight: X.matmul(X.transpose(x), r) }
  })

/** The programs, by their classes. */
export const shapes: Readonly<Record<string, Case>> = {
  'a product that four divides': product(24, 12, 16),
  'a product with tails everywhere': product(13, 19, 11),
  'a product with tails of blocks': product(20, 8, 12),
  'a long sum': close({ x: [6, 1030], w: [1030, 4], v: [1028, 5], t: [264, 8], u: [264, 4] }, ({ x, w, v, t, u }) => ({
    y: X.matmul(x, w),
    z: X.matmul(X.slice(x, 1, 1, 1028), v),
    gradient: X.matmul(X.transpose(t), u)
  })),
  'a matrix and a vector': close({ x: [20, 264], v: [264, 1], u: [1, 20] }, ({ x, v, u }) => ({
    right: X.matmul(x, v),
    left: X.matmul(u, x)
  })),
  'products of a batch': close({ x: [3, 8, 12], w: [3, 12, 4], v: [8, 5] }, ({ x, w, v }) => ({
    y: X.einsum('bik,bkj->bij', x, w),
    z: X.einsum('bik,ij->bkj', x, v),
    other: X.einsum('bik,bkj->ijb', x, w)
  })),
  'a convolution and its adjoints': close(
    { x: ['batch', 5, 4, 8], weight: [3, 3, 8, 12], bias: [12] },
    ({ x, weight, bias }) => {
      const [y, back] = conv2d(8, 12, {}).run({ weight, bias }, x)
      const [parameters, argument] = back(X.tanh(y))
      return { y, parameters, argument }
    },
    { batch: 3 }
  ),
  'sums along rows, columns and all': close({ x: [12, 520] }, ({ x }) => ({
    rows: X.sum(X.mul(x, x), [1]),
    columns: X.tanh(X.sum(x, [0])),
    all: X.sum(x, [0, 1]),
    least: X.minimum(x, [1]),
    most: X.maximum(x, [0]),
    apart: X.sum(X.permute(X.reshape(x, [12, 52, 10]), [1, 0, 2]), [1, 2])
  })),
  'sums that four does not divide': close({ x: [7, 301] }, ({ x }) => ({
    rows: X.sum(x, [1]),
    columns: X.maximum(x, [0]),
    all: X.minimum(X.tanh(x), [0, 1])
  })),
  'rows, joins and frames that four divides': close({ x: [6, 8], row: [8], column: [6, 1] }, ({ x, row, column }) => ({
    a: X.mul(X.add(X.tanh(x), row), column),
    b: X.concat([X.neg(x), X.mul(x, x)], 1),
    c: X.pad(X.neg(x), 1, 4, 16),
    d: X.add(X.transpose(x), X.scalar(1))
  })),
  // each pair has one text, and numbers of its own
  'sums and frames of two sizes': close({ x: [6, 8], y: [10, 12] }, ({ x, y }) => ({
    a: X.sum(X.mul(x, x), [1]),
    b: X.sum(X.mul(y, y), [1]),
    c: X.pad(X.neg(x), 1, 4, 16),
    d: X.pad(X.neg(y), 1, 4, 20)
  })),
  'rows, joins and frames that it does not': close({ x: [5, 7], row: [7], column: [5, 1] }, ({ x, row, column }) => ({
    a: X.mul(X.add(X.tanh(x), row), column),
    b: X.concat([X.neg(x), X.mul(x, x)], 1),
    c: X.pad(X.neg(x), 1, 1, 9)
  }))
}
