import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { ddim } from '../../src/chain/sampler/Ddim.js'
import { perRow } from '../../src/chain/Chain.js'
import { cosine } from '../../src/chain/Schedule.js'
import { evolutionStrategies, fullBackprop } from '../../src/estimator/Catalogue.js'
import type { Estimator } from '../../src/estimator/Estimator.js'
import { problem, programs, showError } from '../../src/estimator/Gradient.js'
import * as Attention from '../../src/lens/layer/Attention.js'
import { conv1d, conv2d, conv3d } from '../../src/lens/layer/Convolution.js'
import { dense } from '../../src/lens/layer/Dense.js'
import { groupNorm, layerNorm } from '../../src/lens/layer/Normalization.js'
import { pointwise } from '../../src/lens/layer/ResidualBlock.js'
import * as L from '../../src/lens/Lens.js'
import { unet } from '../../src/network/Unet.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Shape } from '../../src/tensor/Shape.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { brightness } from '../../src/reward/Pixels.js'

const right = <F, A>(result: E.Either<F, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** What a layer is to this test: parameters by name, of which some are vectors. */
interface Layer {
  readonly parameters: L.Parameters
  readonly run: (p: Exprs, x: Expr) => readonly [Expr, (bar: Expr) => readonly [Exprs, Exprs]]
}

/** The types of a layer's parameters and argument are forgotten: they are given as the layer declares them. */
const layer = <P extends L.Params, A extends Exprs, B extends Exprs>(lens: L.Lens<P, A, B>): Layer =>
  lens as unknown as Layer

const layers: ReadonlyArray<readonly [name: string, layer: Layer, argument: Shape]> = [
  ['dense', layer(dense(2, 3)), ['batch', 2]],
  ['layer norm', layer(layerNorm(3)), ['batch', 3]],
  ['a projection of tokens', layer(Attention.projection<2, 2, 3>(2, 3)), ['batch', 2, 2]],
  ['conv1d', layer(conv1d(2, 3)), ['batch', 2, 2]],
  ['conv2d', layer(conv2d(2, 3)), ['batch', 2, 2, 2]],
  ['conv3d', layer(conv3d(2, 3)), ['batch', 2, 2, 2, 2]],
  ['a dense map of channels', layer(pointwise(2, 3)), ['batch', 2, 2, 2]],
  ['group norm', layer(groupNorm<4, readonly ['batch', 2, 2, 4]>(4, 2)), ['batch', 2, 2, 4]]
]

const rows = 2

const isVector = (shape: Shape): boolean => shape.length === 1

describe.each(layers)('the vectors of %s, with a copy for each row', (_, one, argument) => {
  const shapes = L.shapes(one.parameters) as Readonly<Record<string, Shape>>
  const spread = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, isVector(shape) ? ['batch', ...shape] : shape])
  )
  const run = (p: Shapes, batch: number, values: Program.Values): Program.Values => {
    const program = Program.make({ p, x: argument }, (): Exprs => {
      const [value, back] = one.run(Tree.inputs('p', p), X.input('x', argument))
      // a cotangent that tells places apart
      const [pBar] = back(X.mul(value, value))
      return { value, bar: pBar }
    })
    return right(Reference.run(right(program), { batch }, values))
  }
  const draw = (name: string, shape: Shape): ReturnType<typeof Draw.normal> =>
    Draw.normal(
      Key.foldInString(Key.make(1), name),
      shape.map((d) => (typeof d === 'number' ? d : rows))
    )
  const x = draw('x', argument)
  const copies: Program.Values = Object.fromEntries(
    Object.entries(spread).map(([name, shape]) => [`p.${name}`, draw(name, shape)])
  )
  const rowOf = (data: ArrayLike<number>, row: number): ReadonlyArray<number> =>
    Array.from(data).slice((row * data.length) / rows, ((row + 1) * data.length) / rows)

  it('reach the places of their row, and get its cotangent', () => {
    const together = run(spread, rows, { ...copies, x })
    for (let row = 0; row < rows; row++) {
      // one row by itself, with its copy as the only one
      const own = Object.fromEntries(
        Object.entries(copies).map(([path, { shape, data }]) =>
          isVector(shapes[path.slice(2)] ?? [])
            ? [path, { shape: shape.slice(1), data: Float64Array.from(rowOf(data, row)) }]
            : [path, { shape, data }]
        )
      )
      const alone = run(shapes, 1, {
        ...own,
        x: { shape: [1, ...x.shape.slice(1)], data: Float64Array.from(rowOf(x.data, row)) }
      })
      expect(Array.from(alone['value']?.data ?? [])).toEqual(rowOf(together['value']?.data ?? [], row))
      for (const [name, shape] of Object.entries(shapes)) {
        if (!isVector(shape)) continue
        expect(Array.from(alone[`bar.${name}`]?.data ?? [])).toEqual(rowOf(together[`bar.${name}`]?.data ?? [], row))
      }
    }
  })
})

describe('a U-Net with a copy of its vectors for each row', () => {
  it('closes into the programs of a zeroth-order cell, and of a first-order one', () => {
    const net = unet({
      kind: 'unet',
      size: [4, 4, 1],
      labels: 2,
      patch: 1,
      channels: [2, 4],
      groups: 1,
      embedding: 4,
      share: 'cosine'
    })
    const base = ddim({ denoiser: net, schedule: cosine(2), eta: 1 })
    const vectors = (path: string): boolean => /bias$|gain$/.test(path)
    const chain = perRow(base, vectors)
    const posed = (estimator: Estimator): ReturnType<typeof programs> =>
      programs(problem(chain, brightness<number>(16), 2, { trained: vectors })(estimator))
    const closed = [right(evolutionStrategies({ T: 2 })), right(fullBackprop(2))].map(posed)
    expect(closed.map((one) => (E.isLeft(one) ? showError(one.left) : 'closed'))).toEqual(['closed', 'closed'])
  })
})
