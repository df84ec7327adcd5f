/**
 * Sizes, offsets and axes that are not whole, positive or distinct: each is a left that says what must be what. They were once
 * accepted, every mode gave other numbers, and one read memory that was not its own.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as X from '../../src/tensor/Expr.js'
import * as I from '../../src/tensor/Indexing.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import type { Shape } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'

const x = X.input('x', [5])
const m = X.input('m', [2, 3])

const textOf = (y: Exprs): string => {
  const program = Program.make({ x: [5], m: [2, 3] }, () => ({ y }))
  return E.isLeft(program) ? program.left.map(Sh.showError).join('\n') : 'accepted'
}

const slice = (start: number, length: number): X.Expr => X.slice<Shape, 0, number>(x, 0, start, length)
const pad = (before: number, length: number): X.Expr => X.pad<Shape, 0, number>(x, 0, before, length)
const sizes = 'expected sizes that are whole numbers from 0 on, or names'
const round = 'round each size; where one is divided, take a divisor of it'

describe('sizes that are none', () => {
  it.each<readonly [string, X.Expr, string]>([
    ['halves', X.reshape(x, [2.5, 2]), `reshape: ${sizes}, got [2.5, 2]; ${round}`],
    ['negative ones', X.reshape(slice(0, 4), [-2, -2]), `reshape: ${sizes}, got [-2, -2]; ${round}`],
    ['no numbers', X.reshape(x, [Number.NaN]), `reshape: ${sizes}, got [NaN]; ${round}`],
    ['infinite ones', X.broadcastTo(x, [Infinity, 5]), `broadcastTo: ${sizes}, got [Infinity, 5]; ${round}`],
    ['past counting', X.broadcastTo(x, [2 ** 53, 5]), `broadcastTo: ${sizes}, got [9007199254740992, 5]; ${round}`],
    ['empty names', X.broadcastTo(x, ['', 5]), `broadcastTo: ${sizes}, got [, 5]; ${round}`],
    ['of a constant', X.zeros([0.5]), `broadcastTo: ${sizes}, got [0.5]; ${round}`]
  ])('%s', (_, expr, expected) => expect(textOf(expr)).toBe(expected))

  it('of an input, read or not', () => {
    const read = Program.make({ a: [1.5] }, ({ a }) => ({ y: X.exp(a) }))
    const unread = Program.make({ a: [1.5] }, () => ({ y: X.scalar(1) }))
    for (const program of [read, unread]) {
      expect(E.isLeft(program) && program.left.map(Sh.showError)).toEqual([`input 'a': ${sizes}, got [1.5]; ${round}`])
    }
  })

  it('are said once, where they come in', () => {
    const half = X.reshape(x, [2.5, 2])
    expect(textOf({ a: X.exp(X.neg(half)), b: X.sum<Shape, [0]>(half, [0]) })).toBe(
      `reshape: ${sizes}, got [2.5, 2]; ${round}`
    )
  })

  it('are told from names that look like them', () => {
    // `[1 x 2 x a]` has as many entries as `[2 x a]`, but `'2'` is a name
    const named = X.input('n', ['2'])
    const program = Program.make({ n: ['2'] }, () => ({ y: X.reshape(named, [2]) }))
    expect(E.isLeft(program) && program.left.map(Sh.showError)).toEqual([
      'reshape: expected 1 x 2 elements, as [2] has, got 2 in [2]; keep the number of elements'
    ])
    const both = Program.make({}, () => ({ a: X.zeros(['3']), b: X.zeros([3]) }))
    expect(E.isRight(both) && both.right.outputs.map(({ shape }) => shape)).toEqual([['3'], [3]])
    expect(E.isRight(both) && new Set(both.right.outputs.map(({ node }) => node)).size).toBe(2)
  })

  it('0 is one: sums are 0, the largest of none is -Infinity', () => {
    const program = Program.make({ a: [0, 2] }, ({ a }) => ({ sum: X.sum(a, [0]), max: X.maximum(a, [0]) }))
    const out = E.flatMap((p: Program.Program) => Reference.run(p, {}, { a: T.tabulate([0, 2], () => 1) }))(program)
    expect(E.isRight(out) && Array.from(out.right['sum']?.data ?? [])).toEqual([0, 0])
    expect(E.isRight(out) && Array.from(out.right['max']?.data ?? [])).toEqual([-Infinity, -Infinity])
  })
})

describe('offsets, axes and factors', () => {
  const whole = (operation: string, name: string, least: number, got: number): string =>
    `${operation}: expected ${name}: a whole number of at least ${least}, got ${got}; take such a number`

  it.each<readonly [string, X.Expr, string]>([
    [
      'slice from a half',
      slice(0.5, 2),
      'slice: expected a start and a length that are whole, got 0.5 and 2; round them'
    ],
    [
      'slice of a half',
      slice(1, 0.5),
      'slice: expected a start and a length that are whole, got 1 and 0.5; round them'
    ],
    [
      'slice along half an axis',
      X.slice<Shape, number, number>(m, 0.5, 0, 1),
      'slice: expected a range within axis 0.5 of [2, 3], of literal size, got 0 to 1; shorten the range'
    ],
    ['pad before by a half', pad(0.5, 6), 'pad: expected whole numbers before and in all, got 0.5 and 6; round them'],
    ['pad to a half', pad(0, 6.5), 'pad: expected whole numbers before and in all, got 0 and 6.5; round them'],
    [
      'sum twice over one axis',
      X.sum<Shape, [0, 0]>(x, [0, 0]),
      'sum: expected each axis once, got [0, 0]; leave out the second 0'
    ],
    [
      'max twice over one axis',
      X.maximum(m, [1, 0, 1]),
      'max: expected each axis once, got [1, 0, 1]; leave out the second 1'
    ],
    [
      'sum over half an axis',
      X.sum<Shape, [number]>(x, [0.5]),
      'sum: expected axes of [5], got [0.5]; count axes from 0'
    ],
    ['sum over axis -1', X.sum<Shape, [number]>(x, [-1]), 'sum: expected axes of [5], got [-1]; count axes from 0'],
    [
      'take along half an axis',
      X.take<Shape, number>(m, 0.5, X.scalar(0)),
      'take: expected an axis of [2, 3] and a scalar index, got axis 0.5, index []; count axes from 0'
    ],
    [
      'concat along half an axis',
      X.concat<Shape, number>([m, m], 0.5),
      'concat: expected shapes that agree but for a literal axis 0.5, got [2, 3], [2, 3]; reshape the parts'
    ],
    [
      'permute by halves',
      X.permute<Shape, ReadonlyArray<number>>(m, [0.5, 1]),
      'permute: expected a permutation of the 2 axes of [2, 3], got [0.5, 1]; name each axis once'
    ],
    [
      'windows of a half',
      X.window<Shape, number, number, number>(x, 0, 2, 1.5),
      'window: expected windows within axis 0 of [5], of literal size, got 2 of 1.5, which reach 2.5; ' +
        'take fewer or smaller windows, or pad the axis'
    ],
    ['upsample by a half', I.upsample<Shape, 0>(x, 0, 2.5), whole('upsample', 'factor', 1, 2.5)],
    ['upsample by none', I.upsample<Shape, 0>(x, 0, 0), whole('upsample', 'factor', 1, 0)],
    [
      'blocks that do not divide',
      I.blockSum<Shape, 1>(m, 1, 2),
      'blockSum: expected factor: a divisor of the 3 entries of axis 1, got 2; take one of 1, 3'
    ],
    [
      'shift by a half',
      I.shift<Shape, 0, number>(x, 0, 9.5, 5),
      'shift: expected places: a whole number, got 9.5; round it'
    ],
    ['overlap at half strides', I.overlapAdd<Shape, 0>(m, 0, 5, 0.5), whole('overlapAdd', 'stride', 1, 0.5)],
    ['overlap backwards', I.overlapAdd<Shape, 0>(m, 0, 5, 1, -1), whole('overlapAdd', 'dilation', 1, -1)],
    ['a code of half an entry', I.oneHot(x, 2.5), whole('oneHot', 'count', 1, 2.5)],
    ['a code of fewer than none', I.oneHot(x, -3), whole('oneHot', 'count', 1, -3)],
    [
      'a constant that its numbers do not fill',
      X.constant({ shape: [3], data: Float64Array.of(1, 2) }, [3]),
      'constant: expected 3 numbers, as [3] has, got 2; make tensors by `Tensor.make`, which checks'
    ]
  ])('%s', (_, expr, expected) => expect(textOf(expr)).toBe(expected))

  it('no number whatever gives an instruction with a size that is none', () => {
    const odd = fc.oneof(
      fc.constantFrom(0, 1, 2, 3, 5, -1, 0.5, 1.5, -0.5, Number.NaN, Infinity, -Infinity, 2 ** 53),
      fc.integer({ min: -3, max: 7 })
    )
    const ways: ReadonlyArray<(a: number, b: number, c: number) => X.Expr> = [
      (a, b) => X.reshape(x, [a, b]),
      (a, b, c) => X.broadcastTo(m, [a, b, c]),
      (a, b, c) => X.slice<Shape, number, number>(m, a, b, c),
      (a, b, c) => X.pad<Shape, number, number>(m, a, b, c),
      (a, b, c) => X.window<Shape, number, number, number>(m, a, b, c),
      (a, b) => X.take<Shape, number>(m, a, X.scalar(b)),
      (a, b) => X.sum<Shape, ReadonlyArray<number>>(m, [a, b]),
      (a, b) => X.permute<Shape, ReadonlyArray<number>>(m, [a, b]),
      (a) => X.concat<Shape, number>([m, m], a),
      (a, b) => I.upsample<Shape, number>(m, a, b),
      (a, b) => I.blockSum<Shape, number>(m, a, b),
      (a, b, c) => I.shift<Shape, number, number>(m, a, b, c),
      (a, b, c) => I.overlapAdd<Shape, number>(m, 0, a, b, c),
      (a) => I.flip(m, a),
      (a, b) => I.pick<Shape, number>(m, a, [b])
    ]
    fc.assert(
      fc.property(fc.nat(ways.length - 1), odd, odd, odd, (way, a, b, c) => {
        const program = Program.make({ x: [5], m: [2, 3] }, () => ({ y: ways[way]?.(a, b, c) ?? x }))
        if (E.isLeft(program)) return
        for (const { shape } of program.right.instructions) {
          expect(shape.every((d) => Number.isSafeInteger(d) && Number(d) >= 0)).toBe(true)
        }
        // what closes runs: every place that it reads is there
        const values = { x: T.tabulate([5], (i) => i + 1), m: T.tabulate([2, 3], (i) => i + 1) }
        const small = program.right.instructions.every(({ shape }) => T.size(shape.map(Number)) < 1e6)
        const out = small ? Reference.run(program.right, {}, values) : E.right({})
        expect(E.isRight(out)).toBe(true)
      }),
      { numRuns: 3000 }
    )
  })
})

describe('sizes that are bound', () => {
  it('by their own name, whatever the name', () => {
    const program = Program.make({ a: ['constructor'] }, ({ a }) => ({ y: a }))
    const out = E.flatMap((p: Program.Program) => Reference.run(p, {}, { a: T.vector([1]) }))(program)
    expect(E.isLeft(out) && out.left.map(Sh.showError)).toEqual([
      "dimension 'constructor': expected a size, got sizes for no name; pass { constructor: a whole number }"
    ])
  })

  it('an input called as what every object has is missing like any other', () => {
    const program = Program.make({ toString: [1] }, ({ toString }) => ({ y: toString }))
    const out = E.flatMap((p: Program.Program) => Reference.run(p, {}, {}))(program)
    expect(E.isLeft(out) && out.left.map(Sh.showError)).toEqual([
      "input 'toString': expected [1], got no value; pass a tensor of that shape"
    ])
  })

  it('past what the reference addresses', () => {
    const program = Program.make({ a: ['n'] }, ({ a }) => ({ y: X.add(X.broadcastTo(a, [70_000, 'n']), X.scalar(1)) }))
    const out = E.flatMap((p: Program.Program) => Reference.run(p, { n: 70_000 }, { a: T.fill([70_000], 1) }))(program)
    expect(E.isLeft(out) && out.left.map(Sh.showError)).toEqual([
      'reference: expected tensors of at most 2147483647 elements, got [70000, 70000]; make the program smaller, or its sizes'
    ])
  })
})

describe('tensors fit their shapes', () => {
  const three = T.matrix([
    [1, 2],
    [3, 4],
    [5, 6]
  ])
  const fits = ({ shape, data }: T.Tensor): boolean => data.length === T.size(shape)
  const list = ({ data }: T.Tensor): ReadonlyArray<number> => Array.from(data)

  it.each<readonly [string, T.Tensor, ReadonlyArray<number>, ReadonlyArray<number>]>([
    ['rows past the end', T.rows(2, 9)(three), [1, 2], [5, 6]],
    ['rows from the end on', T.rows(7, 9)(three), [0, 2], []],
    ['rows at halves', T.rows(0.5, 2.5)(three), [2, 2], [1, 2, 3, 4]],
    ['rows from no number', T.rows(Number.NaN, 1)(three), [1, 2], [1, 2]],
    ['the entry past the end', T.at(9)(three), [2], [5, 6]],
    ['the entry before the first', T.at(-1)(three), [2], [1, 2]],
    ['the entry of none', T.at(0)(T.fill([0, 2], 1)), [2], [0, 0]],
    ['padded rows past the end', T.paddedRows(2, 4)(three), [2, 2], [5, 6, 0, 0]],
    ['padded rows before the first', T.paddedRows(-1, 1)(three), [2, 2], [0, 0, 1, 2]],
    ['padded rows backwards', T.paddedRows(2, 1)(three), [0, 2], []],
    [
      'rows that are not equal',
      T.joinRows([T.matrix([[1, 2]]), T.matrix([[3, 4, 5]]), T.matrix([[6]])]),
      [3, 2],
      [1, 2, 3, 4, 6, 0]
    ],
    ['a table of halves', T.tabulate([2.5], (i) => i), [2], [0, 1]],
    ['a table of fewer than none', T.tabulate([-1, 3], (i) => i), [0, 3], []],
    ['a filled half', T.fill([1.5], 7), [1], [7]]
  ])('%s', (_, tensor, shape, data) => {
    expect(tensor.shape).toEqual(shape)
    expect(list(tensor)).toEqual(data)
    expect(fits(tensor)).toBe(true)
  })
})
