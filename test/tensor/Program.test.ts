import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Run from '../../laws/run/Run.js'
import * as Law from '../../laws/law/Tensor.js'
import * as V from '../../laws/Verdict.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import { erf, maps, processor } from '../../src/tensor/Op.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import { strides, walk } from '../../src/tensor/Strides.js'
import { nodeWork, operationFlops, reference, showTargetError } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'

const make = <O extends Tree.Exprs>(
  inputs: Readonly<Record<string, Sh.Shape>>,
  body: () => O
): E.Either<ReadonlyArray<Sh.ShapeError>, Program.Program> => Program.make(inputs, body)

const text = (result: E.Either<ReadonlyArray<Sh.ShapeError>, unknown>): string =>
  E.isLeft(result) ? result.left.map(Sh.showError).join('\n') : 'accepted'

const evaluate = (
  expr: X.Expr,
  inputs: Readonly<Record<string, Sh.Shape>>,
  values: Values,
  sizes: Sh.Sizes = {}
): T.Tensor => {
  const out = E.flatMap((program: Program.Program) => Reference.run(program, sizes, values))(
    make(inputs, () => ({ y: expr }))
  )
  if (E.isLeft(out)) throw new Error(text(out))
  return out.right['y'] ?? T.scalar(Number.NaN)
}

const list = (tensor: T.Tensor): ReadonlyArray<number> => Array.from(tensor.data)

// -------------------------------------------------------------------------------------
// random expressions
// -------------------------------------------------------------------------------------

type Grow = (x: X.Expr, y: X.Expr) => X.Expr

/** Ways to make an expression of shape `[batch, 3]` from two. */
const grow: Readonly<Record<string, Grow>> = {
  add: (x, y) => X.add(x, y),
  sub: (x, y) => X.sub(x, y),
  mul: (x, y) => X.mul(x, y),
  max: (x, y) => X.max(x, y),
  select: (x, y) => X.select(X.less(x, y), x, y),
  tanh: (x) => X.tanh(x),
  sin: (x) => X.sin(x),
  roll: (x) => X.concat<Sh.Shape, 1>([X.slice<Sh.Shape, 1, 2>(x, 1, 1, 2), X.slice<Sh.Shape, 1, 1>(x, 1, 0, 1)], 1),
  pad: (x) => X.pad<Sh.Shape, 1, 3>(X.slice<Sh.Shape, 1, 2>(x, 1, 0, 2), 1, 1, 3),
  mean: (x) => X.broadcastTo(X.reshape(X.sum<Sh.Shape, [1]>(x, [1]), ['batch', 1]), ['batch', 3]),
  outer: (x, y) =>
    X.einsum<string, Sh.Shape, Sh.Shape>('bi,ij->bj', x, X.einsum<string, Sh.Shape, Sh.Shape>('bi,bj->ij', y, y)),
  size: (x) => X.div(x, X.size('batch'))
}

const names = Object.keys(grow)

/** Grows an expression from two inputs by a list of (way, argument, argument). */
const build = (steps: ReadonlyArray<readonly [string, number, number]>): X.Expr => {
  const pool: Array<X.Expr> = [X.input('a', ['batch', 3]), X.input('b', ['batch', 3])]
  for (const [name, i, j] of steps) {
    const x = pool[i % pool.length] ?? X.zeros(['batch', 3])
    const y = pool[j % pool.length] ?? X.zeros(['batch', 3])
    pool.push((grow[name] ?? ((one) => one))(x, y))
  }
  return pool.at(-1) ?? X.zeros(['batch', 3])
}

const growth = fc.array(fc.tuple(fc.constantFrom(...names), fc.nat(20), fc.nat(20)), { minLength: 1, maxLength: 10 })
const inputs = { a: ['batch', 3], b: ['batch', 3] } as const
const valuesFrom = (seed: number, batch: number): Values => ({
  a: Draw.normal(Key.foldIn(Key.make(seed), 0), [batch, 3]),
  b: Draw.normal(Key.foldIn(Key.make(seed), 1), [batch, 3])
})

describe('random programs', () => {
  const cases = fc.record({ steps: growth, seed: fc.integer(), batch: fc.integer({ min: 1, max: 4 }) })

  it('have the shapes they declare, name every wrong input, and agree with the reference as a target', () =>
    Run.forAll(cases, async ({ steps, seed, batch }) => {
      const program = make(inputs, () => ({ y: build(steps) }))
      if (E.isLeft(program)) return V.stuck('program', text(program))
      const one: Law.Case = { program: program.right, sizes: { batch }, values: valuesFrom(seed, batch) }
      return V.all('program', [Law.shapes(one), Law.namesWrongInputs(one), await Law.compiledAgrees(reference)(one)()])
    }))

  it('are not changed by sharing, to the last bit', () =>
    Run.forAll(cases, ({ steps, seed, batch }) =>
      Law.sharing(inputs, () => build(steps), { batch }, valuesFrom(seed, batch))
    ))

  it('keep their f32 values within the bounds, when every operation is rounded', () =>
    Run.forAll(cases, ({ steps, seed, batch }) => {
      // inputs rounded to f32 are what the bounds allow for at the least
      const program = make(inputs, () => ({ y: build(steps) }))
      if (E.isLeft(program)) return V.stuck('bounds', text(program))
      const values = valuesFrom(seed, batch)
      const single = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, T.toFloat32(value)]))
      const exact = Reference.runWithBounds(program.right, { batch }, values)
      const rounded = Reference.run(program.right, { batch }, single)
      if (E.isLeft(exact) || E.isLeft(rounded)) return V.stuck('bounds', 'did not run')
      return V.verdict(
        'bounds',
        list(exact.right.values['y'] ?? T.scalar(0)).map((expected, i) => ({
          at: `y[${i}]`,
          expected,
          got: rounded.right['y']?.data[i] ?? Number.NaN,
          tolerance: exact.right.bounds['y']?.data[i] ?? 0,
          because: 'forward error analysis'
        }))
      )
    }))
})

describe('what does not fit is a left that names it', () => {
  const a = X.input('a', [2, 3])
  const anything = (expr: X.Expr): string => text(make({ a: [2, 3], b: [4] }, () => ({ y: expr })))

  it.each<readonly [string, X.Expr, string]>([
    ['add', X.add<Sh.Shape>(a, X.input('b', [4])), 'add: expected a shape that broadcasts with [2, 3], got [4]'],
    ['broadcastTo', X.broadcastTo(a, [3, 2]), 'broadcastTo: expected a shape that broadcasts to [3, 2], got [2, 3]'],
    ['sum', X.sum<Sh.Shape, [5]>(a, [5]), 'sum: expected axes of [2, 3], got [5]'],
    ['reshape', X.reshape(a, [7]), 'reshape: expected 6 elements, as [2, 3] has, got 7 in [7]'],
    [
      'permute',
      X.permute<Sh.Shape, [0, 0]>(a, [0, 0]),
      'permute: expected a permutation of the 2 axes of [2, 3], got [0, 0]'
    ],
    [
      'slice',
      X.slice<Sh.Shape, 1, 3>(a, 1, 2, 3),
      'slice: expected a range within axis 1 of [2, 3], of literal size, got 2 to 5'
    ],
    [
      'pad',
      X.pad<Sh.Shape, 1, 3>(a, 1, 1, 3),
      'pad: expected room in 3 for axis 1 of [2, 3] after 1, got -1 zeros after it'
    ],
    [
      'take',
      X.take<Sh.Shape, 4>(a, 4, X.scalar(0)),
      'take: expected an axis of [2, 3] and a scalar index, got axis 4, index []'
    ],
    [
      'concat',
      X.concat<Sh.Shape, 0>([], 0),
      'concat: expected shapes that agree but for a literal axis 0, got nothing'
    ],
    ['constant', X.constant(T.vector([1, 2]), [3]), 'constant: expected [3], got [2]'],
    ['retype', X.retype(a, [3, 2]), 'retype: expected [3, 2], got [2, 3]'],
    ['sumTo', X.sumTo(a, [2]), 'sumTo: expected a shape that [2] broadcasts to, got [2, 3]'],
    [
      'einsum spec',
      X.einsum<string, Sh.Shape, Sh.Shape>('ij', a, a),
      "einsum 'ij': expected a form such as 'ij,jk->ik'"
    ],
    [
      'einsum sizes',
      X.einsum<string, Sh.Shape, Sh.Shape>('ij,jk->ik', a, a),
      'expected one size a label, got [2, 3] and [2, 3] (j = 3 and 2)'
    ],
    ['einsum axes', X.einsum<string, Sh.Shape, Sh.Shape>('ijk,jk->ik', a, a), 'expected 3 and 2 axes'],
    ['undeclared', X.input('c', []), "input 'c': expected a declared input, got []"],
    ['misdeclared', X.input('b', [5]), "input 'b': expected [4], got [5]"]
  ])('%s', (_, expr, expected) => expect(anything(expr)).toContain(expected))

  it('every one of them at once', () => {
    const both = make({ a: [2, 3] }, () => ({ x: X.reshape(a, [7]), y: X.sumTo(a, [2]) }))
    expect(text(both).split('\n').length).toBe(2)
  })

  it('sizes that are missing or no sizes', () => {
    const program = make({ a: ['n', 'm'] }, () => ({ y: X.input('a', ['n', 'm']) }))
    if (E.isLeft(program)) throw new Error(text(program))
    const run = (sizes: Sh.Sizes): string => text(Reference.run(program.right, sizes, { a: T.fill([1, 1], 1) }))
    expect(run({ n: 1 })).toBe("dimension 'm': expected a size, got sizes for n; pass { m: a whole number }")
    expect(run({ n: 1, m: 0.5 })).toBe("dimension 'm': expected a whole number above 0, got 0.5; pass another size")
    expect(run({ n: 1, m: 2 })).toBe(
      "input 'a': expected [1, 2], got [1, 1] with 1 elements; pass a tensor of that shape"
    )
  })

  it('on a target too', () => {
    const program = make({ a: ['n'] }, () => ({ y: X.input('a', ['n']) }))
    if (E.isLeft(program)) throw new Error(text(program))
    const unbound = reference.compile(program.right, {})
    expect(E.isLeft(unbound) ? showTargetError(unbound.left) : '').toContain("dimension 'n'")
  })
})

describe('the meaning of operations', () => {
  const vector = T.vector([-2, -0.5, 0, 0.5, 2])
  const on = (f: (x: X.Expr<readonly [5]>) => X.Expr): ReadonlyArray<number> =>
    list(evaluate(f(X.input('x', [5])), { x: [5] }, { x: vector }))

  it('elementwise', () => {
    const x = list(vector)
    expect(on(X.neg)).toEqual(x.map((v) => -v))
    expect(on(X.abs)).toEqual(x.map(Math.abs))
    expect(on(X.exp)).toEqual(x.map(Math.exp))
    expect(on(X.tanh)).toEqual(x.map(Math.tanh))
    expect(on(X.sin)).toEqual(x.map(Math.sin))
    expect(on(X.cos)).toEqual(x.map(Math.cos))
    expect(on((e) => X.sqrt(X.abs(e)))).toEqual(x.map((v) => Math.sqrt(Math.abs(v))))
    expect(on((e) => X.log(X.exp(e)))).toEqual(x.map((v) => Math.log(Math.exp(v))))
    expect(on((e) => X.less(e, X.scalar(0)))).toEqual([1, 1, 0, 0, 0])
    expect(on((e) => X.equal(e, X.scalar(0)))).toEqual([0, 0, 1, 0, 0])
    expect(on((e) => X.select(e, X.scalar(1), X.scalar(7)))).toEqual([1, 1, 7, 1, 1])
    expect(on((e) => X.min(e, X.scalar(0)))).toEqual([-2, -0.5, 0, 0, 0])
    expect(on((e) => X.div(e, X.scalar(4)))).toEqual(x.map((v) => v / 4))
  })

  it('reductions, contractions and views', () => {
    const a = X.input('a', [2, 3])
    const run = (expr: X.Expr): T.Tensor =>
      evaluate(
        expr,
        { a: [2, 3] },
        {
          a: T.matrix([
            [1, 2, 3],
            [4, 5, 6]
          ])
        }
      )
    expect(list(run(X.sum(a, [0])))).toEqual([5, 7, 9])
    expect(list(run(X.maximum(a, [1])))).toEqual([3, 6])
    expect(list(run(X.minimum(a, [0, 1])))).toEqual([1])
    expect(run(X.transpose(a))).toEqual(
      T.matrix([
        [1, 4],
        [2, 5],
        [3, 6]
      ])
    )
    expect(run(X.matmul(a, X.transpose(a)))).toEqual(
      T.matrix([
        [14, 32],
        [32, 77]
      ])
    )
    expect(list(run(X.take(a, 1, X.scalar(2))))).toEqual([3, 6])
    expect(list(run(X.take(a, 0, X.scalar(9.5))))).toEqual([4, 5, 6])
    expect(list(run(X.take(a, 0, X.scalar(-1))))).toEqual([1, 2, 3])
    expect(run(X.stack([a, a])).shape).toEqual([2, 2, 3])
    expect(list(run(X.pad(X.slice(a, 0, 1, 1), 0, 1, 2)))).toEqual([0, 0, 0, 4, 5, 6])
    expect(list(run(X.sumTo(a, [3])))).toEqual([5, 7, 9])
    expect(list(run(X.sumTo(a, [2, 1])))).toEqual([6, 15])
  })

  it('broadcasts by the rule of the types', () =>
    Run.forAll(
      fc.tuple(
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 3 })
      ),
      ([a, b]) => {
        const joint = Sh.broadcast(a, b)
        const program = make({ a, b }, () => ({ y: X.add<Sh.Shape>(X.input('a', a), X.input('b', b)) }))
        const rank = Math.max(a.length, b.length)
        const fits = Array.from(
          { length: rank },
          (_, i) => [a[a.length - 1 - i] ?? 1, b[b.length - 1 - i] ?? 1] as const
        ).every(([x, y]) => x === y || x === 1 || y === 1)
        return V.holds('broadcast', [
          [`${Sh.show(a)} with ${Sh.show(b)} as a shape`, (joint !== undefined) === fits],
          ['as a program', E.isRight(program) === fits],
          ['commutes', Sh.show(joint ?? []) === Sh.show(Sh.broadcast(b, a) ?? [])]
        ])
      }
    ))

  it('erf to f64 precision', () => {
    // Abramowitz and Stegun, table 7.1
    for (const [x, value] of [
      [0.1, 0.1124629160182849],
      [0.5, 0.5204998778130465],
      [1, 0.8427007929497149],
      [2, 0.9953222650189527],
      [2.5, 0.999593047982555],
      [3, 0.9999779095030014]
    ] as const) {
      expect(erf(x)).toBeCloseTo(value, 14)
      expect(erf(-x)).toBe(-erf(x))
    }
    expect(erf(7)).toBe(1)
  })

  it('bounds cover what a nearby argument does, for every elementwise operation', () =>
    Run.forAll(
      fc.record({
        name: fc.constantFrom(...Object.keys(maps)).map((name) => name as keyof typeof maps),
        at: fc.tuple(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 64 })),
        off: fc.tuple(fc.integer({ min: -8, max: 8 }), fc.integer({ min: -8, max: 8 }), fc.integer({ min: -8, max: 8 }))
      }),
      ({ name, at, off }) => {
        const row = maps[name]
        const [a, b, c] = [at[0] / 16, at[1] / 16, at[2] / 16] as const
        const [ea, eb, ec] = [off[0] / 4096, off[1] / 4096, off[2] / 4096] as const
        const value = row.meaning(a, b, c)
        const bound = row.bound([a, b, c], [Math.abs(ea), Math.abs(eb), Math.abs(ec)], value, processor)
        return V.verdict('bound', [
          {
            at: name,
            expected: value,
            got: row.meaning(a + ea, b + eb, c + ec),
            tolerance: bound + 2 ** -48 * Math.abs(value),
            because: 'the op table'
          }
        ])
      },
      { numRuns: 1000 }
    ))
})

describe('strides and work', () => {
  it('walks every element of a strided view in row-major order', () => {
    const seen: Array<readonly [number, number]> = []
    walk([2, 3], [1, 2], 10, (flat, source) => seen.push([flat, source]))
    expect(strides([2, 3, 4])).toEqual([12, 4, 1])
    expect(seen).toEqual([
      [0, 10],
      [1, 12],
      [2, 14],
      [3, 11],
      [4, 13],
      [5, 15]
    ])
  })

  it('counts two operations a product, one an element, none for views', () => {
    const a = X.input('a', [2, 3])
    const program = make({ a: [2, 3] }, () => ({ y: X.matmul(X.tanh(a), X.transpose(a)) }))
    if (E.isLeft(program)) throw new Error(text(program))
    const bound = Program.bind(program.right, {})
    if (E.isLeft(bound)) throw new Error(text(bound))
    expect(bound.right.instructions.map((_, i) => operationFlops(bound.right, i)).reduce((n, m) => n + m, 0)).toBe(
      6 + 2 * 2 * 2 * 3
    )
    expect(nodeWork(bound.right, 4).flops).toBe(30)
    expect(nodeWork(bound.right, 8).peakBytes).toBe(2 * nodeWork(bound.right, 4).peakBytes)
  })
})

describe('trees and tensors', () => {
  it('name leaves by their paths, and add with a missing branch as zero', () => {
    const one = { a: X.scalar(1), b: { c: X.scalar(2) } }
    const two = { b: { c: X.scalar(3), d: X.scalar(4) } }
    const sum = Tree.add(one, two)
    expect(Tree.leaves(Tree.isExpr, sum).map(([path]) => path)).toEqual(['a', 'b.c', 'b.d'])
    const program = Program.make({}, () => sum)
    if (E.isLeft(program)) throw new Error(text(program))
    const out = Reference.run(program.right, {}, {})
    expect(E.isRight(out) ? Object.values(out.right).map(({ data }) => data[0]) : []).toEqual([1, 5, 4])
  })

  it('are refused where values do not fill a shape', () => {
    expect(T.make([2, 2], new Float64Array(3))).toEqual(
      E.left({ _tag: 'SizeMismatch', shape: [2, 2], expected: 4, got: 3 })
    )
    expect(E.isRight(T.make([2, 2], new Float64Array(4)))).toBe(true)
  })

  it('share buffers for rows and entries, and round to f32 once', () => {
    const tensor = T.matrix([
      [1, 2],
      [3, 4],
      [5, 6]
    ])
    expect(list(T.rows(1, 3)(tensor))).toEqual([3, 4, 5, 6])
    expect(T.at(1)(tensor)).toEqual({ shape: [2], data: Float64Array.of(3, 4) })
    expect(T.rows(1, 3)(tensor).data.buffer).toBe(tensor.data.buffer)
    const single = T.toFloat32(T.vector([0.1]))
    expect(single.data[0]).toBe(Math.fround(0.1))
    expect(T.toFloat32(single).data).toBe(single.data)
    expect(T.matrix([])).toEqual({ shape: [0, 0], data: new Float64Array(0) })
  })
})
