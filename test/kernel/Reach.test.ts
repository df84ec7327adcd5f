import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test, vi } from 'vitest'
import { type GpuJsOptions, gpuJs } from '../../src/kernel/index.js'
import { plan } from '../../src/kernel/plan/Plan.js'
import { planExcess } from '../../src/kernel/plan/Reach.js'
import * as Build from '../../src/tensor/Build.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Sizes } from '../../src/tensor/Shape.js'
import { showTargetError } from '../../src/tensor/Target.js'

/** What compiling says, after the name of the target; nothing is given to run. */
const refusal = async (options: GpuJsOptions, program: Build.Closed, sizes: Sizes = {}): Promise<string> => {
  const target = gpuJs(options)
  const result = Build.build(target, sizes)('program', program)
  await target.dispose()
  return E.isRight(result) ? 'compiled' : Build.showError(result.left).replace(/^program: gpu\.js \w+: /, '')
}

const negated = (shape: ReadonlyArray<number | 'batch'>): Build.Closed =>
  Program.make({ x: shape }, ({ x }) => ({ y: X.neg(x) }))

const hosts: ReadonlyArray<readonly [string, GpuJsOptions]> = [
  ['webasm', {}],
  ['webasm in blocks', { threads: 1 }],
  ['webasm on two threads', { threads: 2 }],
  ['cpu', { mode: 'cpu' }]
]

describe.each(hosts)('%s refuses, before anything is allocated,', (_, options) => {
  test('an input of 10,000,000,000 elements', async () => {
    expect(await refusal(options, negated([1e10]))).toBe(
      "input 'x' asks for 40000000000 bytes, and an array has at most 8589934592 (2147483648 elements); " +
        'use a smaller batch'
    )
  })

  test('a batch of 3,000,000 rows of 784', async () => {
    expect(await refusal(options, negated(['batch', 784]), { batch: 3_000_000 })).toBe(
      "input 'x' asks for 9408000000 bytes, and an array has at most 8589934592 (2147483648 elements); " +
        'use a smaller batch'
    )
  })

  test('an output of one repeated number', async () => {
    const program = Program.make({ x: [] }, ({ x }) => ({ x, y: X.fill([1e10, 1e10], 1) }))
    expect(await refusal(options, program)).toBe(
      "output 'y' asks for 400000000000000000000 bytes, and an array has at most 8589934592 (2147483648 elements); " +
        'use a smaller batch'
    )
  })

  test('a batch of 1e12 rows, though nothing has them', async () => {
    const program = Program.make({ x: [] }, ({ x }) => ({ y: X.sum(X.broadcastTo(x, ['batch']), [0]) }))
    expect(await refusal(options, program, { batch: 1e12 })).toBe(
      "dimension 'batch' has 1000000000000 entries, and an axis has at most 2147483648; use a smaller batch"
    )
  })

  test('a loop of 10,000,000,000 steps', async () => {
    const program = Program.make({ x: [] }, ({ x }) => ({ y: X.sum(X.broadcastTo(x, [100_000, 100_000]), [0, 1]) }))
    expect(await refusal(options, program)).toBe(
      'a loop takes 10000000000 steps, and loops count up to 2147483648; use a smaller batch'
    )
  })

  test('an intermediate array of 2,500,000,000 elements', async () => {
    const program = Program.make({ x: [50_000], y: [50_000] }, ({ x, y }) => {
      const outer = X.einsum('i,j->ij', x, y)
      return { y: X.sum(X.mul(outer, X.permute(outer, [1, 0])), [0, 1]) }
    })
    expect(await refusal(options, program)).toBe(
      'an intermediate array asks for 10000000000 bytes, and an array has at most 8589934592 (2147483648 elements); ' +
        'use a smaller batch'
    )
  })
})

describe('WebAssembly addresses 2^32 bytes', () => {
  // an input and an output side by side, and 16 pages behind them
  const most = 2 ** 29 - (16 * 65536) / 8

  test('which a program may ask for, and not for a page more', async () => {
    expect(await refusal({}, negated([most]))).toBe('compiled')
    expect(await refusal({}, negated([most + 1]))).toBe(
      'the program asks for 4295032832 bytes of memory at once, and WebAssembly addresses 4294967296; ' +
        'use a smaller batch'
    )
  })

  test('for each block of rows on threads, and for the whole program elsewhere', async () => {
    // work enough for threads, and rows that only a block of their own has room for
    const rows = 2 ** 21
    expect(await refusal({}, negated(['batch', 512]), { batch: rows })).toBe(
      'the program asks for 8590983168 bytes of memory at once, and WebAssembly addresses 4294967296; ' +
        'use a smaller batch'
    )
    expect(await refusal({ threads: 2 }, negated(['batch', 512]), { batch: rows })).toBe(
      'the program asks for 4296015872 bytes of memory at once, and WebAssembly addresses 4294967296; ' +
        'use a smaller batch, or more threads'
    )
    expect(await refusal({ threads: 3 }, negated(['batch', 512]), { batch: rows })).toBe('compiled')
  })

  test('which cpu does not', async () => {
    expect(await refusal({ mode: 'cpu' }, negated([2 ** 30]))).toBe('compiled')
  })
})

test('a batch of 2^31 rows is divided without a list of its blocks', async () => {
  const program = Program.make({ x: [] }, ({ x }) => ({
    y: X.sum(X.broadcastTo(x, ['batch']), [0]),
    z: X.sum(X.tanh(X.broadcastTo(x, ['batch', 1000])), [0, 1])
  }))
  expect(await refusal({ threads: 1 }, program, { batch: 2 ** 31 })).toBe('compiled')
})

test('a texture holds as many elements as the driver says', () => {
  const program = Program.make({ x: [5000] }, ({ x }) => ({ y: X.neg(x) }))
  const bound = E.isRight(program) ? Program.bind(program.right, {}) : program
  if (E.isLeft(bound)) throw new Error(JSON.stringify(bound.left))
  expect(planExcess(plan(bound.right), { elements: 5000, who: 'a texture' })).toBeUndefined()
  expect(planExcess(plan(bound.right), { elements: 64 ** 2, who: 'a texture' })).toBe(
    "input 'x' asks for 20000 bytes, and a texture has at most 16384 (4096 elements)"
  )
})

test.each(hosts.slice(0, 3))('memory that the machine does not have is a left of the run: %s', async (_, options) => {
  const target = gpuJs(options)
  const program = Program.make({ x: ['batch', 1000] }, ({ x }) => {
    let y = x
    for (let t = 0; t < 40; t++) y = X.tanh(y)
    return { y, total: X.sum(y, [0, 1]) }
  })
  const compiled = Build.build(target, { batch: 64 })('program', program)
  if (E.isLeft(compiled)) throw new Error(Build.showError(compiled.left))
  const values = { x: { shape: [64, 1000], data: new Float32Array(64_000) } }
  const none = vi.spyOn(WebAssembly, 'Memory').mockImplementation(function refuse(): void {
    throw new RangeError('WebAssembly.Memory(): could not allocate memory')
  })
  const result = await compiled.right.run(values)()
  none.mockRestore()
  expect(E.isLeft(result) && showTargetError(result.left)).toBe(
    'gpu.js webasm: WebAssembly.Memory(): could not allocate memory'
  )
  // and when there is some again
  expect(E.isRight(await compiled.right.run(values)())).toBe(true)
  await target.dispose()
})
