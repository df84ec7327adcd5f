import * as fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { type GpuJsOptions, gpuJs } from '../../src/kernel/index.js'
import * as X from '../../src/tensor/Expr.js'
import { type Case, disagreement, emptyCases, runOn, unlikeInfinity } from './arbitrary.js'
import { close } from './examples.js'

/** Values of each output, by name. */
const numbers = async (options: GpuJsOptions, example: Case): Promise<Readonly<Record<string, unknown>>> => {
  const target = gpuJs(options)
  const got = await runOn(target, example)
  await target.dispose()
  return Object.fromEntries(Object.entries(got).map(([name, { shape, data }]) => [name, { shape, data: [...data] }]))
}

const hosts: ReadonlyArray<readonly [string, GpuJsOptions]> = [
  ['webasm', {}],
  ['webasm without fusion', { fuse: false }],
  ['webasm in blocks', { threads: 1 }],
  ['webasm on two threads', { threads: 2 }],
  ['cpu', { mode: 'cpu' }],
  ['cpu without fusion', { mode: 'cpu', fuse: false }]
]

describe.each(hosts)('axes of size 0 on %s', (_, options) => {
  const target = gpuJs(options)
  afterAll(() => target.dispose())

  test('are summed to 0, and have no largest and no smallest element', async () => {
    const empty = close({ x: [3, 0], y: [0] }, ({ x, y }) => ({
      sums: X.sum(x, [1]),
      largest: X.maximum(x, [1]),
      smallest: X.minimum(x, [1]),
      all: X.sum(y, [0]),
      none: X.sum(x, [0]),
      after: X.add(X.exp(X.maximum(x, [1])), X.scalar(2))
    }))
    expect(await numbers(options, empty)).toEqual({
      sums: { shape: [3], data: [0, 0, 0] },
      largest: { shape: [3], data: [-Infinity, -Infinity, -Infinity] },
      smallest: { shape: [3], data: [Infinity, Infinity, Infinity] },
      all: { shape: [], data: [0] },
      none: { shape: [0], data: [] },
      after: { shape: [3], data: [2, 2, 2] }
    })
  })

  test('are products without terms, and without results', async () => {
    const empty = close({ x: [2, 0], w: [0, 3], v: [3, 0] }, ({ x, w, v }) => ({
      terms: X.matmul(x, w),
      results: X.matmul(w, v),
      root: X.sqrt(X.add(X.matmul(x, w), X.scalar(4)))
    }))
    expect(await numbers(options, empty)).toEqual({
      terms: { shape: [2, 3], data: [0, 0, 0, 0, 0, 0] },
      results: { shape: [0, 0], data: [] },
      root: { shape: [2, 3], data: [2, 2, 2, 2, 2, 2] }
    })
  })

  test('are inputs, outputs, and what is joined, padded and moved', async () => {
    const empty = close({ x: [2, 0], y: [2, 3] }, ({ x, y }) => {
      const parts: ReadonlyArray<X.Expr> = [x, y, x]
      return {
        x,
        negative: X.neg(x),
        joined: X.concat(parts, 1),
        nothing: X.concat([x, x], 1),
        padded: X.pad(X.pad(x, 1, 1, 2), 0, 0, 3),
        turned: X.permute(x, [1, 0]),
        flat: X.reshape(x, [0]),
        rows: X.broadcastTo(X.reshape(x, [2, 1, 0]), [2, 4, 0]),
        taken: X.take(x, 1, X.scalar(0)),
        literal: X.zeros([0, 7])
      }
    })
    const y = [...(empty.values['y']?.data ?? [])]
    expect(await numbers(options, empty)).toEqual({
      x: { shape: [2, 0], data: [] },
      negative: { shape: [2, 0], data: [] },
      joined: { shape: [2, 3], data: y },
      nothing: { shape: [2, 0], data: [] },
      padded: { shape: [3, 2], data: [0, 0, 0, 0, 0, 0] },
      turned: { shape: [0, 2], data: [] },
      flat: { shape: [0], data: [] },
      rows: { shape: [2, 4, 0], data: [] },
      taken: { shape: [2], data: [0, 0] },
      literal: { shape: [0, 7], data: [] }
    })
  })

  test('in a batch', async () => {
    const empty = close(
      { x: ['batch', 0], z: ['batch', 2], w: [0, 2] },
      ({ x, z, w }) => ({ y: X.add(X.matmul(x, w), z), total: X.sum(X.matmul(x, w), [0, 1]), x: X.tanh(x) }),
      { batch: 40 }
    )
    expect(disagreement(empty, await runOn(target, empty))).toBeUndefined()
  })

  test('in random programs', () =>
    fc.assert(
      fc.asyncProperty(emptyCases, async (example) => {
        const got = await runOn(target, example)
        expect(disagreement(example, got)).toBeUndefined()
        expect(unlikeInfinity(example, got)).toBeUndefined()
      }),
      { numRuns: 100 }
    ))
})
