import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, test } from 'vitest'
import { sequence } from '../../src/kernel/plan/Fusion.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { conv2d, type Images } from '../../src/lens/layer/Convolution.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import { size, type Tensor } from '../../src/tensor/Tensor.js'
import { type Case, disagreement, runOn } from './arbitrary.js'

const target = gpuJs()
afterAll(() => target.dispose())

const draw = (shape: ReadonlyArray<number>, salt: number): Tensor => ({
  shape,
  data: Float32Array.from({ length: size(shape) }, (_, i) => Math.cos(1.7 * i + 3 * salt))
})

/** An einsum of two inputs, the sizes of whose labels are given. */
const product = (spec: string, sizes: Readonly<Record<string, number>>): Case => {
  const [left = '', right = ''] = spec.split('->')[0]?.split(',') ?? []
  const shape = (labels: string): ReadonlyArray<number> => [...labels].map((label) => sizes[label] ?? 1)
  const program = Program.make({ a: shape(left), b: shape(right) }, ({ a, b }) => ({ y: X.einsum(spec, a, b) }))
  if (E.isLeft(program)) throw new Error(JSON.stringify(program.left))
  return { program: program.right, values: { a: draw(shape(left), 1), b: draw(shape(right), 2) } }
}

const kernelsOf = ({ program }: Case): ReadonlyArray<string> => {
  const bound = Program.bind(program, {})
  if (E.isLeft(bound)) throw new Error(JSON.stringify(bound.left))
  return sequence(bound.right).steps.map(({ spec: { core } }) => (core._tag === 'Contraction' ? core.form : core._tag))
}

describe.each(['auto', 'off'] as const)('contractions with fma: %s', (fma) => {
  const target = gpuJs({ fma })
  afterAll(() => target.dispose())
  const edges = [1, 2, 3, 4, 5, 8, 11, 12, 13, 15, 17, 25]

  test.each(['ij,jk->ik', 'ij,kj->ik', 'ji,jk->ik', 'ji,kj->ik', 'ij,jk->ki'])(
    '%s of every remainder of tiles and vectors',
    async (spec) => {
      for (const i of [1, 3, 4, 6]) {
        for (const k of edges) {
          const example = product(spec, { i, j: [1, 2, 4, 7, 9][(i + k) % 5] ?? 1, k })
          expect(disagreement(example, await runOn(target, example)), `i = ${i}, k = ${k}`).toBeUndefined()
        }
      }
    }
  )

  test.each([
    ['i,i->', { i: 37 }],
    ['i,j->ij', { i: 5, j: 9 }],
    [',ij->ij', { i: 3, j: 7 }],
    ['ij,j->i', { i: 9, j: 13 }],
    ['ij,i->j', { i: 9, j: 13 }],
    ['bi,bi->b', { b: 7, i: 11 }],
    ['bi,bj->bij', { b: 3, i: 5, j: 6 }],
    ['ib,jb->ijb', { b: 3, i: 5, j: 6 }],
    ['ib,jb->bij', { b: 3, i: 5, j: 6 }],
    ['bij,bjk->bik', { b: 3, i: 5, j: 6, k: 7 }],
    ['bij,jk->bik', { b: 3, i: 5, j: 6, k: 7 }],
    ['ij,bjk->bik', { b: 3, i: 5, j: 6, k: 7 }],
    ['bhqd,bhkd->bhqk', { b: 2, h: 3, q: 5, k: 6, d: 4 }],
    ['bqhd,bkhd->bhqk', { b: 2, h: 3, q: 5, k: 6, d: 4 }],
    ['bhqk,bkhd->bqhd', { b: 2, h: 3, q: 5, k: 6, d: 4 }],
    ['ijk,lkj->il', { i: 4, j: 3, k: 5, l: 6 }],
    ['ikj,ljk->il', { i: 4, j: 3, k: 5, l: 6 }],
    ['ij,kl->il', { i: 3, j: 4, k: 5, l: 6 }],
    ['ij,jk->', { i: 3, j: 4, k: 5 }],
    ['ijk,kl->jli', { i: 3, j: 4, k: 5, l: 6 }]
  ])('%s', async (spec, sizes) => {
    const example = product(spec, sizes)
    expect(disagreement(example, await runOn(target, example))).toBeUndefined()
  })

  test.each([
    ['ij,jk->ik', { i: 130, j: 800, k: 13 }],
    ['ij,jk->ik', { i: 25, j: 1009, k: 28 }],
    ['ji,jk->ik', { i: 40, j: 900, k: 16 }],
    ['bij,jk->bik', { b: 3, i: 96, j: 256, k: 5 }],
    ['bpqi,bpqk->ik', { b: 6, p: 16, q: 12, i: 26, k: 3 }],
    ['pbqi,bpqk->ik', { b: 6, p: 16, q: 12, i: 26, k: 30 }]
  ])('%s of %j, which is packed, or added up or walked in parts', async (spec, sizes) => {
    const example = product(spec, sizes)
    expect(disagreement(example, await runOn(target, example))).toBeUndefined()
  })

  test('a convolution of many channels and its adjoints', async () => {
    const lens = conv2d(40, 6)
    const program = Program.make({ x: [5, 16, 16, 40], weight: [3, 3, 40, 6], bias: [6] }, ({ x, weight, bias }) => {
      // the batch is literal here, and the lens only passes it on
      const [y, back] = lens.run({ weight, bias }, X.retype(x, x.shape) as X.Expr as Images<40>)
      const [parameters, argument] = back(y)
      return { y, parameters, argument }
    })
    if (E.isLeft(program)) throw new Error(JSON.stringify(program.left))
    const values = { x: draw([5, 16, 16, 40], 1), weight: draw([3, 3, 40, 6], 2), bias: draw([6], 3) }
    const example = { program: program.right, values }
    expect(kernelsOf(example).filter((kind) => kind === 'rows')).toHaveLength(3)
    expect(disagreement(example, await runOn(target, example))).toBeUndefined()
  })

  test('a sum over axes that do not lie as one in memory is walked as it lies', async () => {
    const example = product('ikj,ljk->il', { i: 6, j: 12, k: 5, l: 9 })
    expect(disagreement(example, await runOn(target, example))).toBeUndefined()
    expect(kernelsOf(product('ijk,jlk->il', { i: 6, j: 12, k: 8, l: 9 }))).toEqual(['dots'])
  })

  test('a product and its two adjoints are one kernel each, without copies', () => {
    const sizes = { i: 64, j: 256, k: 128 }
    expect(kernelsOf(product('ij,jk->ik', sizes))).toEqual(['rows'])
    expect(kernelsOf(product('ik,jk->ij', sizes))).toEqual(['dots'])
    expect(kernelsOf(product('ij,ik->jk', sizes))).toEqual(['rows'])
  })

  test('a product whose sum lies the wrong way in both operands copies one of them', () => {
    expect(kernelsOf(product('ji,kj->ik', { i: 8, j: 8, k: 8 }))).toEqual(['Elementwise', 'rows'])
  })
})
