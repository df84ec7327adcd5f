import { describe, expect, test } from 'vitest'
import { enabled } from '../../src/kernel/wasm/Fma.js'
import { moduleBytes } from '../../src/kernel/wasm/Module.js'
import { apply, read } from '../../src/kernel/plan/Spec.js'
import { functionError, type MapName, maps, unitRoundoff } from '../../src/tensor/Op.js'

const count = 40_000

/** Runs one operation over a grid, as the kernels do; the last elements go through the loop for single elements. */
const run = (name: MapName, xs: Float32Array, fma: boolean): Float32Array => {
  const bytes = moduleBytes(
    {
      cells: xs.length,
      epilogue: undefined,
      core: {
        _tag: 'Elementwise',
        rowLength: xs.length,
        parts: [
          {
            start: 0,
            length: xs.length,
            dims: [xs.length],
            strides: [1],
            body: apply(name, [read({ buffer: 0, offset: 0, strides: [1], moves: [] })])
          }
        ]
      }
    },
    {
      buffer: () => ({ offset: 0, told: undefined }),
      parameter: () => 0,
      output: { offset: 4 * xs.length, told: undefined },
      scratch: 0,
      scratchBytes: 0,
      fma
    },
    { initial: 16, maximum: 16, shared: false }
  )
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16 })
  const cells = new Float32Array(memory.buffer)
  cells.set(xs)
  const { run: go } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports
  if (typeof go !== 'function') throw new Error('the module exports no run')
  Reflect.apply(go, undefined, [0, xs.length, 0])
  return cells.slice(xs.length, 2 * xs.length)
}

const linear = (from: number, to: number): Float32Array =>
  Float32Array.from({ length: count + 3 }, (_, i) => from + ((to - from) * i) / (count + 2))

/** Both signs, magnitudes evenly spread over the exponents of f32. */
const logarithmic = (from: number, to: number, signs: ReadonlyArray<number> = [1, -1]): Float32Array =>
  Float32Array.from(
    { length: count + 3 },
    (_, i) => (signs[i % signs.length] ?? 1) * from * (to / from) ** (i / (count + 2))
  )

/** The largest error in units of `unitRoundoff` times what the error is relative to, and where. */
const worst = (
  name: MapName,
  xs: Float32Array,
  fma: boolean,
  scale: (x: number, value: number) => number
): { readonly units: number; readonly at: number } => {
  const ys = run(name, xs, fma)
  let units = 0
  let at = 0
  xs.forEach((x, i) => {
    const value = maps[name].meaning(x, 0, 0)
    // one unit in the last place of the smallest normal numbers is all that is asked of smaller ones
    const error = Math.max(Math.abs((ys[i] ?? NaN) - value) - 2 ** -126, 0) / (unitRoundoff * scale(x, value))
    if (!(error <= units)) [units, at] = [error, x]
  })
  return { units, at }
}

const relative = (_x: number, value: number): number => Math.max(Math.abs(value), 2 ** -126)

describe.each([
  ['without', false],
  ['with', true]
])('the functions of the webasm target %s a multiply-add, in units of half an ulp', (_, fma) => {
  // where there is no such instruction, both are one
  const own = fma && enabled('auto')

  test.each([
    ['exp', linear(-87.3, 88.7), relative, functionError],
    ['exp', logarithmic(1e-30, 80), relative, functionError],
    ['log', logarithmic(1e-44, 3e38, [1]), (_: number, v: number) => Math.max(Math.abs(v), 1), functionError],
    ['log', linear(0.5, 2), (_: number, v: number) => Math.max(Math.abs(v), 1), functionError],
    ['tanh', linear(-12, 12), relative, functionError],
    ['tanh', logarithmic(1e-30, 1e30), relative, functionError],
    [
      'sigmoid',
      linear(-87, 87),
      (x: number, v: number) => relative(x, v) * (1 + Math.abs(x) / functionError),
      functionError
    ],
    ['sqrt', logarithmic(1e-37, 3e38, [1]), relative, 1],
    ['sin', linear(-30, 30), (x: number) => Math.max(1, Math.abs(x)), functionError],
    ['cos', linear(-30, 30), (x: number) => Math.max(1, Math.abs(x)), functionError],
    ['sin', logarithmic(1e-30, 1e30), (x: number) => Math.max(1, Math.abs(x)), functionError],
    ['cos', logarithmic(1e-30, 1e30), (x: number) => Math.max(1, Math.abs(x)), functionError]
  ] as const)('%s', (name, xs, scale, most) => {
    expect(worst(name, xs, own, scale)).toSatisfy(({ units }: { readonly units: number }) => units <= most)
  })

  test('erf, absolutely, and relative to its value', () => {
    const xs = linear(-6, 6)
    const ys = run('erf', xs, own)
    const errors = xs.map((x, i) => Math.abs((ys[i] ?? NaN) - maps.erf.meaning(x, 0, 0)))
    expect(Math.max(...errors)).toBeLessThanOrEqual(1.5e-7)
    expect(worst('erf', logarithmic(1e-30, 6), own, relative).units).toBeLessThanOrEqual(functionError)
  })

  test('sine and cosine never leave [-1, 1]', () => {
    for (const name of ['sin', 'cos'] as const) {
      expect(run(name, logarithmic(1e-3, 3e38), own).every((y) => Math.abs(y) <= 1)).toBe(true)
    }
  })

  test('infinities, zeros and NaN go where they go in f64', () => {
    const special = Float32Array.of(Infinity, -Infinity, NaN, 0, -0, -1, 200, -200, 3e38)
    for (const name of ['exp', 'log', 'tanh', 'sigmoid', 'erf', 'sqrt', 'abs', 'neg'] as const) {
      const expected = special.map((x) => maps[name].meaning(x, 0, 0))
      // erf(NaN) of the reference is a sign: NaN again
      run(name, special, own).forEach((y, i) => {
        const want = expected[i] ?? NaN
        expect(
          Number.isFinite(want) ? Math.abs(y - want) <= 16 * unitRoundoff * Math.abs(want) : Object.is(y, want),
          `${name}(${special[i]}) = ${y}, not ${want}`
        ).toBe(true)
      })
    }
  })
})
