import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as I from '../../src/tensor/Indexing.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Shape } from '../../src/tensor/Shape.js'
import { tabulate, type Tensor, vector } from '../../src/tensor/Tensor.js'

const run = (program: ReturnType<typeof Program.make>, values: Program.Values): Program.Values => {
  if (E.isLeft(program)) throw new Error(JSON.stringify(program.left))
  const out = Reference.run(program.right, {}, values)
  if (E.isLeft(out)) throw new Error(JSON.stringify(out.left))
  return out.right
}

const whole = (salt: number, shape: ReadonlyArray<number>): Tensor =>
  tabulate(shape, (i) => Math.round(50 * Math.sin(7 * i + salt)))

/** `<f(x), y> = <x, g(y)>` on whole numbers, whose sums are exact. */
const adjoint = (shape: ReadonlyArray<number>, f: (x: Expr) => Expr, g: (y: Expr) => Expr, salt: number): void => {
  const shapeOf = (expr: Expr): ReadonlyArray<number> => expr.shape.map(Number)
  const to = shapeOf(f(X.input('x', shape)))
  const dot = (a: Expr, b: Expr): Expr => X.sumTo(X.mul<Shape, Shape>(a, b), [])
  const program = Program.make({ x: shape, y: to, i: [4] }, ({ x, y }) => ({
    left: dot(f(x), y),
    right: dot(x, X.retype(g(y), shape))
  }))
  const { left, right } = run(program, { x: whole(salt, shape), y: whole(salt + 1, to), i: indices })
  expect(left?.data[0]).toBe(right?.data[0])
}

const indices = vector([2, 0, 2.75, -3])

describe('adjoints', () => {
  test('windows and overlap-add', () =>
    fc.assert(
      fc.property(
        fc.record({
          d: fc.integer({ min: 1, max: 12 }),
          size: fc.integer({ min: 1, max: 4 }),
          stride: fc.integer({ min: 1, max: 4 }),
          dilation: fc.integer({ min: 1, max: 3 }),
          axis: fc.integer({ min: 0, max: 2 }),
          salt: fc.nat(99)
        }),
        ({ d, size: places, stride, dilation, axis, salt }) => {
          const reach = (places - 1) * dilation + 1
          fc.pre(reach <= d)
          const positions = 1 + Math.floor((d - reach) / stride)
          adjoint(
            [2, 3, 2].map((n, i) => (i === axis ? d : n)),
            (x) => X.window<Shape, number, number, number>(x, axis, positions, places, { stride, dilation }),
            (y) => I.overlapAdd<Shape, number>(y, axis, d, stride, dilation),
            salt
          )
        }
      ),
      { numRuns: 60 }
    ))

  test('upsampling and sums of blocks', () => {
    adjoint(
      [2, 3, 4],
      (x) => I.upsample<Shape, 1>(x, 1, 3),
      (y) => I.blockSum<Shape, 1>(y, 1, 3),
      5
    )
  })

  test('shifts there and back, beyond the ends too', () => {
    for (const before of [-7, -2, 0, 1, 9]) {
      const there = (x: Expr): Expr => I.shift<Shape, 1, number>(x, 1, before, 6)
      adjoint([2, 5], there, (y) => I.shift<Shape, 1, number>(y, 1, -before, 5), before)
    }
  })

  test('a flip is its own adjoint', () => {
    adjoint(
      [3, 4],
      (x) => I.flip(x, 1),
      (y) => I.flip(y, 1),
      3
    )
  })

  test('entries at indices, and adding up at indices', () => {
    const at = X.input('i', [4])
    for (const axis of [0, 1, 2]) {
      const shape = [2, 3, 2].map((n, i) => (i === axis ? 3 : n))
      const gathered = (x: Expr): Expr => I.gather<Shape, number, 4>(x, axis, at)
      adjoint(shape, gathered, (y) => I.scatterAdd<Shape, number, 4, number>(y, axis, at, 3), axis)
    }
  })
})

describe('values', () => {
  test('windows are the entries of their definition', () => {
    const program = Program.make({ x: [9] }, ({ x }) => ({ y: X.window(x, 0, 3, 2, { stride: 3, dilation: 2 }) }))
    const { y } = run(program, { x: tabulate([9], (i) => i) })
    expect(y).toEqual({ shape: [3, 2], data: Float64Array.of(0, 2, 3, 5, 6, 8) })
  })

  test('indices are rounded down and held within the axis', () => {
    const program = Program.make({ x: [3, 2], i: [4] }, ({ x, i }) => ({ y: I.gather(x, 0, i), hot: I.oneHot(i, 3) }))
    const { y, hot } = run(program, { x: tabulate([3, 2], (i) => i), i: indices })
    expect(y?.data).toEqual(Float64Array.of(4, 5, 0, 1, 4, 5, 0, 1))
    expect(hot?.data).toEqual(Float64Array.of(0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0))
  })

  test('upsampling repeats each entry', () => {
    const program = Program.make({ x: [2, 2] }, ({ x }) => ({ y: I.upsample(x, 1, 2) }))
    expect(run(program, { x: tabulate([2, 2], (i) => i) })['y']?.data).toEqual(Float64Array.of(0, 0, 1, 1, 2, 2, 3, 3))
  })
})

describe('errors', () => {
  test.each([
    ['reaches out of the axis', 4, 3, 1, 1],
    ['of no entries', 1, 0, 1, 1],
    ['at no position', 0, 2, 1, 1],
    ['without a stride', 2, 2, 0, 1],
    ['without a dilation', 2, 2, 1, 0],
    ['at half positions', 1.5, 2, 1, 1]
  ])('a window that %s', (_, positions, places, stride, dilation) => {
    const program = Program.make({ x: [5] }, ({ x }) => ({
      y: X.window(x, 0, positions, places, { stride, dilation })
    }))
    expect(E.isLeft(program) && program.left[0]?.operation).toBe('window')
  })

  test('a window along an axis of unknown size', () => {
    const program = Program.make({ x: ['batch'] }, ({ x }) => ({ y: X.window(x, 0, 1, 1) }))
    expect(E.isLeft(program) && program.left[0]).toMatchObject({
      operation: 'window',
      expected: 'windows within axis 0 of [batch], of literal size'
    })
  })

  test('shapes of an axis that is not there', () => {
    const program = Program.make({ x: [5] }, ({ x }) => ({
      a: I.gather<Shape, number, 2>(x, 4, X.input('x', [2])),
      b: I.upsample<Shape, number>(x, 3, 2),
      c: I.overlapAdd<Shape, number>(x, 0, 9)
    }))
    expect(E.isLeft(program)).toBe(true)
  })
})
