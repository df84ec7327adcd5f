import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Law from '../../laws/law/Lens.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import { conv1d, conv2d, conv3d, type Options } from '../../src/lens/layer/Convolution.js'
import type * as L from '../../src/lens/Lens.js'
import { groupNorm, softmax } from '../../src/lens/layer/Normalization.js'
import {
  averagePool1d,
  averagePool2d,
  averagePool3d,
  upsample1d,
  upsample2d,
  upsample3d
} from '../../src/lens/layer/Pooling.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Shape } from '../../src/tensor/Shape.js'
import { size, tabulate } from '../../src/tensor/Tensor.js'
import { get } from '../network/adjoint.js'

const laws = <P extends L.Params, A extends Expr, B extends Expr>(
  lens: L.Lens<P, A, B>,
  argument: Shape
): Promise<void> =>
  Run.forAll(
    fc.record({ key: Toys.key, x: Toys.number(2), y: Toys.number(2) }),
    ({ key, x, y }) => {
      const one = { name: 'lens', lens, argument, sizes: { batch: 2 } }
      return V.all(one.name, [Law.linear(one)(key, x, y), Law.adjoint(one)(key)])
    },
    { numRuns: 2 }
  )

const options: ReadonlyArray<Options> = [
  {},
  { size: 1 },
  { size: 3, stride: 2 },
  { size: 4, stride: 2, padding: 1 },
  { size: 2, stride: 2, padding: 0 },
  { size: 2, stride: 3, padding: 2 },
  { size: 3, stride: 4, padding: 0 },
  { size: 5, stride: 3 }
]

describe('the pullback of a convolution is the transposed derivative', () => {
  it.each(options)('of signals, %j', (option) => laws(conv1d(2, 3, option), ['batch', 7, 2]))
  it.each(options)('of images, %j', (option) => laws(conv2d(2, 2, option), ['batch', 5, 4, 2]))
  it.each([
    { size: 2, padding: 1 },
    { size: [1, 3, 2], stride: [1, 2, 2], padding: [0, 1, 0] }
  ])('of clips, %j', (option) => laws(conv3d(1, 2, option), ['batch', 3, 4, 4, 1]))
})

describe('the pullback of', () => {
  it('average pooling', async () => {
    await laws(averagePool1d<2>(3), ['batch', 6, 2])
    await laws(averagePool2d<2>([2, 1]), ['batch', 4, 3, 2])
    await laws(averagePool3d<1>(2), ['batch', 2, 4, 2, 1])
  })
  it('nearest upsampling', async () => {
    await laws(upsample1d<2>(3), ['batch', 2, 2])
    await laws(upsample2d<2>(2), ['batch', 2, 3, 2])
    await laws(upsample3d<1>([1, 2, 3]), ['batch', 2, 1, 2, 1])
  })
  it('group norm', async () => {
    await laws(groupNorm<6, readonly ['batch', 2, 2, 6]>(6, 3), ['batch', 2, 2, 6])
    await laws(groupNorm<4, readonly ['batch', 4]>(4, 2), ['batch', 4])
  })
  it('softmax', () => laws(softmax<readonly ['batch', 2, 5]>(), ['batch', 2, 5]))
})

/** A convolution of images by its definition. */
const direct = (
  x: Float64Array,
  w: Float64Array,
  dims: Readonly<Record<'h' | 'w' | 'c' | 'o' | 'k' | 's' | 'p', number>>
) => {
  const at = (b: number, i: number, j: number, c: number): number =>
    i < 0 || j < 0 || i >= dims.h || j >= dims.w ? 0 : (x[((b * dims.h + i) * dims.w + j) * dims.c + c] ?? 0)
  const [oh, ow] = [dims.h, dims.w].map((d) => Math.floor((d + 2 * dims.p - dims.k) / dims.s) + 1)
  return tabulate([2, oh ?? 0, ow ?? 0, dims.o], (flat) => {
    const o = flat % dims.o
    const j = Math.floor(flat / dims.o) % (ow ?? 1)
    const i = Math.floor(flat / dims.o / (ow ?? 1)) % (oh ?? 1)
    const b = Math.floor(flat / dims.o / (ow ?? 1) / (oh ?? 1))
    let sum = 0
    for (let k = 0; k < dims.k; k++)
      for (let l = 0; l < dims.k; l++)
        for (let c = 0; c < dims.c; c++)
          sum +=
            at(b, i * dims.s + k - dims.p, j * dims.s + l - dims.p, c) *
            (w[((k * dims.k + l) * dims.c + c) * dims.o + o] ?? 0)
    return sum
  })
}

describe('a convolution of images is the sum of its definition', () => {
  it.each(options)('%j', (option) => {
    const [k, s] = [Number(option.size ?? 3), Number(option.stride ?? 1)]
    const dims = { h: 5, w: 6, c: 3, o: 2, k, s, p: Number(option.padding ?? Math.floor(k / 2)) }
    const program = get(
      Program.make({ x: ['batch', 5, 6, 3], weight: [k, k, 3, 2], bias: [2] }, ({ x, weight, bias }) => ({
        y: conv2d(3, 2, option).forward({ weight, bias }, x)
      }))
    )
    const draw = (shape: ReadonlyArray<number>) => tabulate(shape, (i) => Math.round(8 * Math.sin(i + size(shape))))
    const [x, weight] = [draw([2, 5, 6, 3]), draw([k, k, 3, 2])]
    const out = get(Reference.run(program, { batch: 2 }, { x, weight, bias: tabulate([2], () => 0) }))
    expect(out['y']).toEqual(direct(Float64Array.from(x.data), Float64Array.from(weight.data), dims))
  })
})

describe('a window that does not fit', () => {
  it('is an error of the program', () => {
    const program = Program.make({ x: ['batch', 2, 2, 1], weight: [5, 5, 1, 1], bias: [1] }, ({ x, weight, bias }) => ({
      y: conv2d(1, 1, { size: 5, padding: 0 }).forward({ weight, bias }, x),
      z: X.window(x, 1, 2, 2)
    }))
    expect(program).toMatchObject({ _tag: 'Left' })
  })
})
