import * as E from 'fp-ts/lib/Either.js'
import gpujs from 'gpu.js'
import { describe, expect, test } from 'vitest'
import { executedBy } from '../../src/kernel/gpujs/Executor.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { plan, type Plan } from '../../src/kernel/plan/Plan.js'
import { merged, places, type Range } from '../../src/kernel/plan/Places.js'
import { ground, type Ground, type Occupant } from '../../src/kernel/wasm/Ground.js'
import { pageBytes, scratchBytes } from '../../src/kernel/wasm/Pages.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { type Executable, showTargetError, type Target } from '../../src/tensor/Target.js'
import { tabulate, type Tensor, toFloat32 } from '../../src/tensor/Tensor.js'

const width = 64

/** `depth` layers of one network, of which the first `depth - 1` differ in nothing but the order in which they come. */
const network = (depth: number): Program.Program => {
  const program = Program.make(
    { w: [width, width], v: [width, width], x: ['batch', width] },
    ({ w, v, x }): { readonly y: X.Expr } => ({
      y: Array.from({ length: depth }).reduce<X.Expr<readonly ['batch', number]>>(
        (h, _, i) => X.tanh(X.matmul(h, i % 2 === 0 ? w : v)),
        x
      )
    })
  )
  if (E.isLeft(program)) throw new Error('the program has errors')
  return program.right
}

const planOf = (program: Program.Program, batch: number): Plan => {
  const bound = Program.bind(program, { batch })
  if (E.isLeft(bound)) throw new Error('the program is not bound')
  return plan(bound.right)
}

const entered = (on: Ground, one: Plan): Occupant => {
  const occupant = on.enter(one)
  if (E.isLeft(occupant)) throw new Error(`no room for ${occupant.left}`)
  return occupant.right
}

const matrix = (rows: number, seed: number): Tensor =>
  toFloat32(tabulate([rows, width], (i) => Math.sin(seed + i * 0.7) / 8))

const compiled = (target: Target, depth: number, batch: number): Executable => {
  const made = target.compile(network(depth), { batch })
  if (E.isLeft(made)) throw new Error(showTargetError(made.left))
  return made.right
}

const ran = async (executable: Executable, values: Program.Values): Promise<ReadonlyArray<number>> => {
  const result = await executable.run(values)()
  return E.isLeft(result) ? [] : Array.from(result.right['y']?.data ?? [])
}

const error = (depth: number, values: Program.Values, got: ReadonlyArray<number>): number => {
  const result = Reference.run(network(depth), { batch: values['x']?.shape[0] ?? 0 }, values)
  const expected = E.isLeft(result) ? [] : Array.from(result.right['y']?.data ?? [])
  return expected.length === got.length ? Math.max(...expected.map((y, i) => Math.abs(y - (got[i] ?? NaN)))) : Infinity
}

describe('places', () => {
  test('of arrays that live at once are apart, and none lies where something else is', () => {
    const one = planOf(network(5), 3)
    const taken: ReadonlyArray<Range> = [
      { from: 64, to: 4096 },
      { from: 0, to: 32 }
    ]
    const { at, end } = places(one, taken)
    const last = new Map<number, number>()
    one.calls.forEach(({ buffers }, i) => buffers.forEach((buffer) => last.set(buffer, i)))
    one.outputs.forEach(({ source }) => source._tag === 'Buffer' && last.set(source.buffer, one.calls.length))
    const lives = one.calls.map(({ output }, since) => {
      const from = at.get(output) ?? 0
      return { since, until: last.get(output) ?? since, from, to: from + 4 * (one.buffers[output]?.size ?? 0) }
    })
    const overlap = (a: Range, b: Range): boolean => a.from < b.to && b.from < a.to
    expect(lives.length).toBeGreaterThanOrEqual(5)
    lives.forEach((a, i) => {
      expect(taken.filter((range) => overlap(a, range))).toEqual([])
      const others = lives.filter((b, j) => j !== i && a.since <= b.until && b.since <= a.until)
      expect(others.filter((b) => overlap(a, b))).toEqual([])
      expect(a.to).toBeLessThanOrEqual(end)
    })
  })

  test('ranges that overlap or touch are one', () => {
    const range = (from: number, to: number): Range => ({ from, to })
    expect(merged([range(8, 9), range(0, 2), range(5, 5), range(2, 4), range(1, 3)])).toEqual([
      range(0, 4),
      range(8, 9)
    ])
  })
})

describe('one memory', () => {
  const batch = 8
  const [weights, rows] = [4 * width * width, 4 * batch * width]

  test('has the inputs of all programs once, and room for the neediest of them', () => {
    const shared = ground({ fma: false })
    const plans = [1, 2, 3, 9, 2].map((depth) => planOf(network(depth), batch))
    const occupants = plans.map((one) => entered(shared, one))
    // two matrices and the rows, and two arrays that are written in turn
    const needed = scratchBytes + 2 * weights + rows + 2 * rows
    expect(shared.memory().bytes).toBeLessThanOrEqual(needed + 2 * pageBytes)
    expect(shared.memory().bytes).toBeGreaterThanOrEqual(needed)
    // alone, each has its own
    const apart = plans.reduce((sum, one) => {
      const own = ground({ fma: false })
      entered(own, one)
      return sum + own.memory().bytes
    }, 0)
    expect(apart).toBeGreaterThan(4 * shared.memory().bytes)
    for (const occupant of occupants) occupant.leave()
    expect(shared.memory().bytes).toBe(0)
  })

  test('gives the numbers of each program, in any order, with inputs that change and that do not', async () => {
    const target = gpuJs()
    const depths = [1, 4, 2]
    const executables = depths.map((depth) => compiled(target, depth, batch))
    const [w, v, other] = [matrix(width, 1), matrix(width, 2), matrix(width, 3)]
    const [x, y] = [matrix(batch, 4), matrix(batch, 5)]
    const runs: ReadonlyArray<readonly [number, Program.Values]> = [
      [0, { w, v, x }],
      [1, { w, v, x }],
      [2, { w: other, v, x }],
      [0, { w, v, x: y }],
      [1, { w: other, v: w, x }],
      [1, { w, v, x }],
      [0, { w, v, x }]
    ]
    for (const [i, values] of runs) {
      const one = executables[i]
      expect(error(depths[i] ?? 0, values, one === undefined ? [] : await ran(one, values))).toBeLessThan(1e-6)
    }
    // a program that comes later needs more than there was, and the others go on
    const later = compiled(target, 3, 40 * batch)
    const wide = { w, v, x: matrix(40 * batch, 6) }
    expect(error(3, wide, await ran(later, wide))).toBeLessThan(1e-6)
    const [first] = executables
    expect(error(1, { w, v, x }, first === undefined ? [] : await ran(first, { w, v, x }))).toBeLessThan(1e-6)
    // one that goes leaves the inputs of the others
    await later.dispose()
    await executables[1]?.dispose()
    const again = compiled(target, 5, batch)
    expect(error(5, { w, v, x }, await ran(again, { w, v, x }))).toBeLessThan(1e-6)
    expect(error(1, { w, v, x }, first === undefined ? [] : await ran(first, { w, v, x }))).toBeLessThan(1e-6)
    await target.dispose()
  })

  test.each([
    ['before', true],
    ['after', false]
  ])('does not take an input for unchanged that a program has written over which came %s it', async (_, first) => {
    const target = gpuJs()
    const early = compiled(target, 2, first ? 3 * batch : batch)
    const late = compiled(target, 2, first ? batch : 3 * batch)
    const [shallow, deep] = first ? [late, early] : [early, late]
    const [w, v] = [matrix(width, 1), matrix(width, 2)]
    const small = { w, v, x: matrix(batch, 4) }
    const large = { w, v, x: matrix(3 * batch, 5) }
    const before = await ran(shallow, small)
    expect(error(2, small, before)).toBeLessThan(1e-6)
    for (let i = 0; i < 2; i++) {
      expect(error(2, large, await ran(deep, large))).toBeLessThan(1e-6)
      expect(await ran(shallow, small)).toEqual(before)
    }
    await target.dispose()
  })
})

describe("the way to gpu.js's pipelines", () => {
  test('is the method of the pinned version, which is asked before the first run', async () => {
    const gpu = new gpujs.GPU({ mode: 'webasm' })
    const step = gpu.createKernel('function (a) { return a[this.thread.x]; }', { output: [3] })
    const pipeline = gpu.createPipeline((x: Parameters<typeof step>[0]) => [step(x)], { threads: false })
    const seen: Array<ReadonlyArray<Float32Array>> = []
    const execute = (given: ReadonlyArray<Float32Array>): ReadonlyArray<Float32Array> => {
      seen.push(given)
      return given.map((one) => one.map((value) => 3 * value))
    }
    expect(executedBy(pipeline, execute)).toBe(true)
    const input = Float32Array.of(1, 2, 3)
    expect(await pipeline(input)).toEqual([Float32Array.of(3, 6, 9)])
    expect(await pipeline(input)).toEqual([Float32Array.of(3, 6, 9)])
    expect(seen).toEqual([[input], [input]])
    expect(pipeline.fallbackReason).toBeNull()
    await pipeline.destroy()
    await gpu.destroy()
  })
})
