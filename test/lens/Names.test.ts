/**
 * A name is one parameter, one input, one output. Two layers under one name once shared a weight without a word and had a wrong
 * gradient; one of two outputs was lost.
 */
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { program } from '../../src/lens/Forward.js'
import * as L from '../../src/lens/Lens.js'
import type { Lens, Params } from '../../src/lens/Lens.js'
import { dense } from '../../src/lens/layer/Dense.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import * as Sh from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'

const text = (result: E.Either<ReadonlyArray<Sh.ShapeError>, unknown>): string =>
  E.isLeft(result) ? result.left.map(Sh.showError).join('\n') : 'accepted'

const rows = ['batch', 2] as const

const closed = <P extends Params>(lens: Lens<P, Expr<typeof rows>, Expr<typeof rows>>): string =>
  text(program(lens, rows))

const one = dense(2, 2)

describe('layers', () => {
  it('under a key with a dot, which would be the path of another', () => {
    const both = L.compose(L.at('a.b', one), L.at('a', L.at('b', one)))
    const dotted =
      "at 'a.b': expected a key without dots, got one with dots; " +
      "use `at` once for each level: at('a', at('b', ...)) makes the path a.b"
    expect(closed(L.at('a.b', one))).toBe(dotted)
    const tied = (name: string, shape: string): string =>
      `inputs: expected one name each, got 2 called 'params.a.b.${name}' (${shape} and ${shape}); ` +
      "rename all but one: a name is a path, so that 'a.b' is what 'b' below 'a' is called"
    expect(closed(both)).toBe([tied('weight', '[2, 2]'), tied('bias', '[2]'), dotted].join('\n'))
  })

  it('under a key that is empty', () => {
    expect(closed(L.at('', one))).toBe(
      "at '': expected a key without dots, got none; use `at` once for each level: at('a', at('b', ...)) makes the path a.b"
    )
  })

  it('of one path and two shapes, composed, side by side, or on one argument', () => {
    const wide = L.compose(L.at('a', dense(2, 3)), L.at('a', dense(3, 2)))
    const conflict = (path: string, first: string, second: string): string =>
      `parameter '${path}': expected one declaration, since one name is one parameter, got ${first}, and ${second}; ` +
      'put one of the lenses under another key by `at`, or declare what they share the same way'
    const text_ = closed(wide)
    const third = 1 / Math.sqrt(3)
    expect(text_).toContain(
      conflict(
        'a.weight',
        `[2, 3] of mean 0 and deviation ${1 / Math.sqrt(2)}`,
        `[3, 2] of mean 0 and deviation ${third}`
      )
    )
    expect(text_).toContain(conflict('a.bias', '[3] of mean 0 and deviation 0', '[2] of mean 0 and deviation 0'))
    // shapes that broadcast: nothing but the declaration could tell
    const vector = (n: number): Lens<{ readonly b: Expr }, Expr<typeof rows>, Expr<typeof rows>> =>
      L.make<{ readonly b: Expr }, Expr<typeof rows>, Expr<typeof rows>>({ b: L.parameter([n]) }, ({ b }, x) => [
        X.add(x, X.broadcastTo(b, rows)),
        (bar) => [{ b: X.sumTo(bar, b.shape) }, bar]
      ])
    const message = conflict('b', '[2] of mean 0 and deviation 0', '[1] of mean 0 and deviation 0')
    expect(closed(L.compose(vector(2), vector(1)))).toBe(message)
    expect(text(program(L.fanout(vector(2), vector(1)), rows))).toBe(message)
    expect(text(program(L.parallel(vector(2), vector(1)), { first: rows, second: rows }))).toBe(message)
  })

  it('of one path and shape that start otherwise', () => {
    expect(closed(L.compose(dense(2, 2), dense(2, 2, 0)))).toBe(
      `parameter 'weight': expected one declaration, since one name is one parameter, got [2, 2] of mean 0 and deviation ` +
        `${1 / Math.sqrt(2)}, and [2, 2] of mean 0 and deviation 0; ` +
        'put one of the lenses under another key by `at`, or declare what they share the same way'
    )
  })

  it('where one has a record and the other a parameter', () => {
    const leaf = L.make<{ readonly a: Expr }, Expr<typeof rows>, Expr<typeof rows>>(
      { a: L.parameter([2]) },
      ({ a }, x) => [X.add(x, X.broadcastTo(a, rows)), (bar) => [{ a: X.sumTo(bar, a.shape) }, bar]]
    )
    expect(closed(L.compose(L.at('a', one), leaf))).toContain(
      "parameter 'a': expected one declaration, since one name is one parameter, got a record of weight, bias, and " +
        '[2] of mean 0 and deviation 0; '
    )
  })

  it('that are declared alike share a weight, and its cotangents add', () => {
    expect(closed(L.compose(one, one))).toBe('accepted')
  })

  it('are refused in the pullback too, whose value is not asked for', () => {
    const lens = L.at('a.b', one)
    const params = L.shapes(lens.parameters)
    const back = Program.make<Shapes, Exprs>({ params, x: rows }, (): Exprs => {
      const [, pullback] = lens.run(L.parameterInputs('params', lens.parameters), X.input('x', rows))
      const [, xBar] = pullback(X.fill(rows, 1))
      return { xBar }
    })
    expect(text(back)).toContain("at 'a.b': expected a key without dots")
  })

  it('may be called what every object has', () => {
    const lens = L.compose(L.at('constructor', L.at('name', one)), L.at('toString', one))
    expect(Tree.leaves(L.isParameter, lens.parameters).map(([path]) => path)).toEqual([
      'constructor.name.weight',
      'constructor.name.bias',
      'toString.weight',
      'toString.bias'
    ])
    const twice = Program.make({ params: L.shapes(lens.parameters), x: rows }, ({ x }): Exprs => {
      const [, back] = lens.run(L.parameterInputs('params', lens.parameters), x)
      return { bar: back(X.fill(rows, 1))[0] }
    })
    expect(E.isRight(twice) && twice.right.outputs.map(({ name }) => name).sort()).toEqual([
      'bar.constructor.name.bias',
      'bar.constructor.name.weight',
      'bar.toString.bias',
      'bar.toString.weight'
    ])
  })
})

describe('programs', () => {
  const taken = (of: string, name: string, shapes: string): string =>
    `${of}: expected one name each, got 2 called '${name}' (${shapes}); ` +
    "rename all but one: a name is a path, so that 'a.b' is what 'b' below 'a' is called"

  it('two inputs of one path', () => {
    expect(text(Program.make({ 'a.b': [2], a: { b: [3] } }, () => ({ y: X.scalar(1) })))).toBe(
      taken('inputs', 'a.b', '[2] and [3]')
    )
    expect(text(Program.make({ '': { b: [2] }, b: [2] }, () => ({ y: X.scalar(1) })))).toBe(
      taken('inputs', 'b', '[2] and [2]')
    )
  })

  it('two outputs of one path', () => {
    expect(text(Program.make({}, () => ({ 'a.b': X.scalar(1), a: { b: X.scalar(2) } })))).toBe(
      taken('outputs', 'a.b', '[] and []')
    )
  })

  it('names with dots that no other has are names', () => {
    const made = Program.make({ 'a.b': [1] }, (inputs) => ({ 'c.d': inputs['a.b'] }))
    const out = E.flatMap((p: Program.Program) => Reference.run(p, {}, { 'a.b': T.vector([3]) }))(made)
    expect(E.isRight(out) && out.right['c.d']?.data[0]).toBe(3)
  })
})
