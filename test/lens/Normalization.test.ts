import { afterAll, describe, expect, it } from 'vitest'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { erase } from '../../src/lens/Erase.js'
import * as L from '../../src/lens/Lens.js'
import { groupNorm, layerNorm } from '../../src/lens/layer/Normalization.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Shape } from '../../src/tensor/Shape.js'
import { reference, type Target } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { get } from '../network/adjoint.js'

const targets = [reference, gpuJs(), gpuJs({ mode: 'cpu' })]
afterAll(() => Promise.all(targets.map((target) => target.dispose())))

type Name = 'layer norm' | 'group norm'

interface Norm {
  readonly lens: L.Lens<L.Params, X.Expr, X.Expr>
  readonly shape: Shape
  readonly rows: (x: T.Tensor) => T.Tensor
}

/** Both norms of rows of `n` numbers, the second as images of three places with two groups. */
const normOf: Readonly<Record<Name, (n: number) => Norm>> = {
  'layer norm': (n) => ({
    // a lens of rows is one of any expressions that are rows
    lens: erase(layerNorm(n)) as unknown as Norm['lens'],
    shape: ['batch', n],
    rows: (x) => x
  }),
  'group norm': (n) => ({
    lens: erase(groupNorm<number, Shape>(2 * n, 2)),
    shape: ['batch', 3, 2 * n],
    // each group of a place has the row
    rows: ({ data }) => T.tabulate([1, 3, 2 * n], (i) => data[i % n] ?? 0)
  })
}

const run = async (
  target: Target,
  name: Name,
  x: ReadonlyArray<number>
): Promise<{ readonly value: ReadonlyArray<number>; readonly back: ReadonlyArray<number> }> => {
  const { lens, shape, rows } = normOf[name](x.length)
  const p = L.shapes(lens.parameters)
  const program = get(
    Program.make<Shapes, Exprs>({ p, x: shape }, () => {
      const input = X.input('x', shape)
      const [value, back] = lens.run(L.parameterInputs('p', lens.parameters), input)
      return { value, back: back(X.tanh(X.scale(input, 1e-30)))[1] }
    })
  )
  const executable = get(target.compile(program, { batch: 1 }))
  const channels = shape.at(-1)
  const out = get(
    await executable.run({
      x: rows({ shape: [1, x.length], data: Float64Array.from(x) }),
      'p.gain': T.fill([Number(channels)], 2),
      'p.bias': T.fill([Number(channels)], 3)
    })()
  )
  await executable.dispose()
  return { value: Array.from(out['value']?.data ?? []), back: Array.from(out['back']?.data ?? []) }
}

const constants = [0.1, 100, 10000.1, 1000000.1, 1e20, 1e30, -3e38, 0]

describe.each<Name>(['layer norm', 'group norm'])('%s', (name) => {
  it.each([3, 7, 64, 100])('of a constant row of %d numbers gives the bias, and a finite pullback', async (n) => {
    for (const target of targets) {
      for (const x of constants) {
        const { value, back } = await run(
          target,
          name,
          Array.from({ length: n }, () => x)
        )
        expect(new Set(value)).toEqual(new Set([3]))
        // the cotangent is constant too: nothing of it is left, but for the rounding of a mean of numbers of at most 1
        expect(back.every((g) => Math.abs(g) <= (2 / Math.sqrt(1e-5)) * 8 * n * 2 ** -24)).toBe(true)
      }
    }
  })

  it('of large numbers that are nearly the same keeps what they differ by', async () => {
    const x = Array.from({ length: 7 }, (_, i) => 1e6 + ([0, 1, -2, 3, 0, 5, 4][i] ?? 0) * 0.0625)
    const mean = x.reduce((sum, one) => sum + one, 0) / 7
    const variance = x.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 7
    for (const target of targets) {
      const { value } = await run(target, name, x)
      value.forEach((z, i) => {
        const expected = 3 + (2 * ((x[i % 7] ?? 0) - mean)) / Math.sqrt(variance + 1e-5)
        // the inputs are numbers of f32: a dozen roundings are left
        expect(Math.abs(z - expected)).toBeLessThan(16 * 2 ** -24 * (1 + Math.abs(expected)))
      })
    }
  })

  it('of numbers that are not near one another is what it is', async () => {
    const x = [1, -2, 0.5, 3, 0.25]
    const mean = 2.75 / 5
    const { value } = await run(reference, name, x)
    const centred = x.map((one) => one - mean)
    const variance = centred.reduce((sum, one) => sum + one * one, 0) / 5
    value.forEach((z, i) => expect(z).toBeCloseTo(3 + (2 * (centred[i % 5] ?? 0)) / Math.sqrt(variance + 1e-5), 13))
  })
})
