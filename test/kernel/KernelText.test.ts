import * as E from 'fp-ts/lib/Either.js'
import gpujs from 'gpu.js'
import { afterAll, describe, expect, test } from 'vitest'
import { plan } from '../../src/kernel/plan/Plan.js'
import { blockOf, constants, kernelText, neighbours } from '../../src/kernel/gpujs/KernelText.js'
import { argumentNames, type Kernel } from '../../src/kernel/plan/Template.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'

/** The kernels of a program that are contractions. */
const contractions = <const I extends Shapes>(
  inputs: I,
  body: Parameters<typeof Program.make<I, Exprs>>[1]
): ReadonlyArray<Kernel> => {
  const program = Program.make(inputs, body)
  const bound = E.isRight(program) ? Program.bind(program.right, {}) : program
  if (E.isLeft(bound)) throw new Error(JSON.stringify(bound.left))
  return plan(bound.right).kernels.filter(({ spec }) => spec.core._tag === 'Contraction')
}

const programs: Readonly<Record<string, ReadonlyArray<Kernel>>> = {
  'a product, a bias and a SiLU': contractions({ x: [5, 7], w: [7, 12], b: [12] }, ({ x, w, b }) => {
    const z = X.add(X.matmul(x, w), X.broadcastTo(b, [5, 12]))
    return { y: X.mul(z, X.sigmoid(z)) }
  }),
  'a product with a transposed matrix': contractions({ x: [5, 7], w: [8, 7] }, ({ x, w }) => ({
    y: X.matmul(x, X.transpose(w))
  })),
  'products of a batch': contractions({ x: [3, 5, 7], w: [3, 7, 4] }, ({ x, w }) => ({
    y: X.einsum('bik,bkj->bij', x, w)
  })),
  'a product in another order': contractions({ x: [8, 7], w: [7, 12] }, ({ x, w }) => ({
    y: X.einsum('ik,kj->ji', x, w)
  })),
  'a product of columns that no block divides': contractions({ x: [4, 7], w: [7, 6] }, ({ x, w }) => ({
    y: X.matmul(x, w)
  }))
}

describe('the source of a contraction', () => {
  const gpu = new gpujs.GPU({ mode: 'cpu' })
  afterAll(() => gpu.destroy())

  const run = (kernel: Kernel, text: string, output: number): ReadonlyArray<number> => {
    const shortcut = gpu.createKernel(text, { output: [output], precision: 'single', constants: constants(kernel) })
    const given = argumentNames(kernel).map((_, i) =>
      Float32Array.from({ length: 200 }, (__, at) => Math.sin(at * (i + 1)))
    )
    const result: unknown = shortcut(...given)
    if (!(result instanceof Float32Array) && !Array.isArray(result)) throw new Error('gpu.js returned no array')
    return Array.from<unknown>(result).flatMap((value) =>
      value instanceof Float32Array ? Array.from(value) : [Number(value)]
    )
  }

  test.each(Object.entries(programs))('gives the same bits element by element and in blocks: %s', (_, kernels) => {
    expect(kernels).toHaveLength(1)
    for (const kernel of kernels) {
      const { cells } = kernel.spec
      const single = run(kernel, kernelText(kernel), cells)
      const text = kernelText(kernel, true)
      expect(run(kernel, text, cells / neighbours(kernel))).toEqual(single)
      if (neighbours(kernel) === 1) continue
      // blocks that begin elsewhere, and columns in another order
      for (const wrong of [text.replace('x * 4;', 'x * 3;'), text.replace(/return \[(\w+), (\w+)/, 'return [$2, $1')]) {
        expect(wrong).not.toBe(text)
        expect(run(kernel, wrong, cells / blockOf)).not.toEqual(single)
      }
    }
  })

  test('is in blocks where columns lie together and a block divides them', () => {
    expect(Object.values(programs).map(([kernel]) => kernel && neighbours(kernel))).toEqual([4, 4, 4, 4, 1])
  })

  test('reads an element of the left operand once for a block', () => {
    const [kernel] = programs['a product, a bias and a SiLU'] ?? []
    const reads = (kernel && kernelText(kernel, true).match(/= b0\[/g)) ?? []
    expect(reads).toHaveLength(1)
  })
})
