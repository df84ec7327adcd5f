import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { number } from '../../laws/arbitrary/Toys.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import { averages, exponential, tracked, type Average } from '../../src/optimizer/Average.js'
import * as O from '../../src/optimizer/Optimizer.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError, type Shape } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'

const shapes = { 'a.weight': [2], b: [1] } as const

type Vector = ReadonlyArray<number>

const values = (prefix: string, all: Vector): Values => ({
  [`${prefix}.a.weight`]: T.vector(all.slice(0, 2)),
  [`${prefix}.b`]: T.vector(all.slice(2, 3))
})

const read = (out: Values): Vector => [...(out['a.weight']?.data ?? []), ...(out['b']?.data ?? [])]

interface Seen {
  readonly parameters: Vector
  readonly average: Vector
}

/** Descends by some gradients with an average behind: parameters and average after each. */
const run = (average: Average, start: Vector, gradients: ReadonlyArray<Vector>): ReadonlyArray<Seen> => {
  const optimizer = O.chain(O.sgd(1), tracked(average))
  const state: Shapes = optimizer.state(shapes)
  const program = Program.make({ p: shapes, g: shapes, state }, (): Exprs => {
    const p: Exprs = Tree.inputs('p', shapes)
    const before: Exprs = Tree.inputs('state', state)
    const result = optimizer.update(Tree.inputs('g', shapes), Tree.isExpr(before) ? {} : before, p)
    return { p: O.apply(p, result.step), state: result.state }
  })
  if (E.isLeft(program)) throw new Error(program.left.map(showError).join('\n'))
  let memory: Values = Object.fromEntries(
    Tree.leaves<Shape>(Tree.isShape, state, 'state').map(([name, shape]) => [name, T.fill(shape.map(Number), 0)])
  )
  let at = start
  return gradients.map((gradient) => {
    const out = Reference.run(program.right, {}, { ...values('p', at), ...values('g', gradient), ...memory })
    if (E.isLeft(out)) throw new Error(out.left.map(showError).join('\n'))
    memory = Object.fromEntries(Object.entries(out.right).filter(([name]) => name.startsWith('state.')))
    at = read(Program.below('p', out.right))
    return { parameters: at, average: read(averages(memory, 'state.1')) }
  })
}

/** The average of its definition: shares of every parameter that there was, by the decays. */
const direct = (decays: Vector, all: ReadonlyArray<Vector>): Vector =>
  (all[0] ?? []).map((_, i) =>
    all.reduce((total, parameters, k) => {
      const own = k === 0 ? 1 : 1 - (decays[k - 1] ?? 0)
      return total + own * decays.slice(k).reduce((n, d) => n * d, 1) * (parameters[i] ?? 0)
    }, 0)
  )

const agree = (average: Average, decay: (n: number) => number, start: Vector, gradients: ReadonlyArray<Vector>) => {
  const seen = run(average, start, gradients)
  return V.verdict(
    'average',
    seen.flatMap((now, t) => {
      const all = [start, ...seen.slice(0, t + 1).map(({ parameters }) => parameters)]
      const size = Math.max(...all.flat().map(Math.abs))
      const expected = direct(
        Array.from({ length: t + 1 }, (_, n) => decay(n)),
        all
      )
      return now.average.map((got, i) => ({
        at: `average ${i} after step ${t + 1}`,
        expected: expected[i] ?? NaN,
        got,
        tolerance: 8 * 2 ** -53 * (t + 2) * (1 + size),
        because: 'a few roundings a step'
      }))
    })
  )
}

const vector = fc.array(number(2), { minLength: 3, maxLength: 3 })
const runs = fc.record({
  start: vector,
  gradients: fc.array(vector, { minLength: 1, maxLength: 10 }),
  decay: fc.constantFrom(0, 0.5, 0.9, 0.999)
})

describe('the average of parameters', () => {
  it('has their shares, from the start on', () =>
    Run.forAll(runs, ({ start, gradients, decay }) => agree(exponential(decay), () => decay, start, gradients)))

  it('forgets the start sooner with a warm-up', () =>
    Run.forAll(runs, ({ start, gradients, decay }) =>
      agree(exponential(decay, { warmUp: true }), (n) => Math.min(decay, (1 + n) / (10 + n)), start, gradients)
    ))

  it('of parameters that do not move is what they are, to the last bit', () => {
    const still = [
      [0, 0, 0],
      [0, 0, 0]
    ]
    for (const { average } of run(exponential(0.9), [0.1, -0.7, 1e-9], still))
      expect(average).toEqual([0.1, -0.7, 1e-9])
  })

  it('changes no step', () => {
    const [gradient, start] = [
      [1, -2, 3],
      [4, 5, 6]
    ]
    expect(run(exponential(0.9), start, [gradient])[0]?.parameters).toEqual([3, 7, 3])
  })

  it('by itself is an init and an update', () => {
    const { init, update } = exponential(0.75)
    const program = Program.make({ a: [1], b: [1] }, ({ a, b }) => update(update(init({ w: a }), { w: b }), { w: b }))
    if (E.isLeft(program)) throw new Error(program.left.map(showError).join('\n'))
    const out = Reference.run(program.right, {}, { a: T.vector([16]), b: T.vector([0]) })
    expect(E.isRight(out) ? [out.right['count']?.data[0], out.right['average.w']?.data[0]] : []).toEqual([2, 9])
  })
})

describe('wrong averages are refuted', () => {
  const [start, gradients] = [
    [1, 2, 3],
    [
      [1, 1, 1],
      [0.5, -1, 2]
    ]
  ]
  const fails = (average: Average): boolean => E.isLeft(agree(average, () => 0.5, start, gradients))
  const right = exponential(0.5)

  it('but not the right one', () => expect(fails(right)).toBe(false))
  it('one that starts at zero', () =>
    expect(
      fails({
        ...right,
        update: ({ count, average }, parameters) =>
          right.update(
            { count, average: Tree.mapExprs(average, (x) => X.mul(x, X.min(count, X.scalar(1)))) },
            parameters
          )
      })
    ).toBe(true))
  it('one with the shares exchanged', () => expect(fails(exponential(0.25))).toBe(true))
  it('one that is a step behind', () =>
    expect(fails({ ...right, update: (before) => right.update(before, before.average) })).toBe(true))
  it('a warm-up where none is asked for', () => expect(fails(exponential(0.5, { warmUp: true }))).toBe(true))
})
