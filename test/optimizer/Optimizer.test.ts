import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { number } from '../../laws/arbitrary/Toys.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import * as O from '../../src/optimizer/Optimizer.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError, type Shape } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'

/** Two parameters, one of them in a branch. */
const shapes = { bias: [2], layer: { weight: [3] } } as const

type Vector = ReadonlyArray<number>

/** Five numbers as the leaves of a tree, and back. */
const values = (prefix: string, all: Vector): Values => ({
  [`${prefix}.bias`]: T.vector(all.slice(0, 2)),
  [`${prefix}.layer.weight`]: T.vector(all.slice(2, 5))
})

const read = (prefix: string, out: Values): Vector => [
  ...(out[`${prefix}.bias`]?.data ?? []),
  ...(out[`${prefix}.layer.weight`]?.data ?? [])
]

/** Runs an optimiser over some gradients: the parameters after each. */
const descend = (optimizer: O.Optimizer, start: Vector, gradients: ReadonlyArray<Vector>): ReadonlyArray<Vector> => {
  const state: Shapes = optimizer.state(shapes)
  const program = Program.make({ p: shapes, g: shapes, s: state }, (): Exprs => {
    const p: Exprs = Tree.inputs('p', shapes)
    const before: Exprs = Tree.inputs('s', state)
    const result = optimizer.update(Tree.inputs('g', shapes), Tree.isExpr(before) ? {} : before, p)
    return { p: O.apply(p, result.step), s: result.state }
  })
  if (E.isLeft(program)) throw new Error(program.left.map(showError).join('\n'))
  let memory: Values = Object.fromEntries(
    Tree.leaves<Shape>(Tree.isShape, state, 's').map(([name, shape]) => [name, T.fill(shape.map(Number), 0)])
  )
  let at = start
  return gradients.map((gradient) => {
    const out = Reference.run(program.right, {}, { ...values('p', at), ...values('g', gradient), ...memory })
    if (E.isLeft(out)) throw new Error(out.left.map(showError).join('\n'))
    memory = Object.fromEntries(Object.entries(out.right).filter(([name]) => name.startsWith('s.')))
    at = read('p', out.right)
    return at
  })
}

const agree = (expected: ReadonlyArray<Vector>, got: ReadonlyArray<Vector>, units: number): V.Verdict =>
  V.verdict(
    'optimiser',
    expected.flatMap((row, t) =>
      row.map((x, i) => ({
        at: `parameter ${i} after step ${t + 1}`,
        expected: x,
        got: got[t]?.[i] ?? Number.NaN,
        tolerance: units * 2 ** -53 * (t + 1) * (1 + Math.abs(x)),
        because: 'a few roundings a step'
      }))
    )
  )

const vector = fc.array(number(2), { minLength: 5, maxLength: 5 })
const runs = fc.record({ start: vector, gradients: fc.array(vector, { minLength: 1, maxLength: 12 }) })

describe('AdamW', () => {
  it('is the published loop: bias-corrected moments, decay apart from the gradient', () =>
    Run.forAll(
      fc.record({
        run: runs,
        rate: fc.constantFrom(0.001, 0.125, 0.5),
        beta1: fc.constantFrom(0, 0.5, 0.9),
        beta2: fc.constantFrom(0.5, 0.99, 0.999),
        decay: fc.constantFrom(0, 0.01, 0.25)
      }),
      ({ run: { start, gradients }, rate, beta1, beta2, decay }) => {
        const epsilon = 1e-8
        const p = [...start]
        const m = start.map(() => 0)
        const v = start.map(() => 0)
        const expected = gradients.map((gradient, k) => {
          gradient.forEach((g, i) => {
            m[i] = beta1 * (m[i] ?? 0) + (1 - beta1) * g
            v[i] = beta2 * (v[i] ?? 0) + (1 - beta2) * g * g
            const meanHat = (m[i] ?? 0) / (1 - beta1 ** (k + 1))
            const squareHat = (v[i] ?? 0) / (1 - beta2 ** (k + 1))
            const old = p[i] ?? 0
            p[i] = old - rate * (meanHat / (Math.sqrt(squareHat) + epsilon)) - rate * decay * old
          })
          return [...p]
        })
        // 1 - beta^t loses log2(1 / (1 - beta)) bits, ten of them at beta = 0.999
        return agree(expected, descend(O.adamW(rate, { beta1, beta2, epsilon, decay }), start, gradients), 2 ** 12)
      }
    ))

  it('moves by the learning rate at first, whatever the size of the gradient', () => {
    const [after = []] = descend(O.adamW(0.25, { decay: 0 }), [0, 0, 0, 0, 0], [[1e-3, -1, 50, 0, -1e4]])
    const expected = [-0.25, 0.25, -0.25, 0, 0.25]
    // epsilon over the smallest gradient: 1e-8 / 1e-3
    after.forEach((x, i) => expect(Math.abs(x - (expected[i] ?? 0))).toBeLessThanOrEqual(0.25 * 1.01e-5))
  })

  it('takes its learning rate as an expression too', () => {
    const literal = descend(O.adamW(0.125), [1, 2, 3, 4, 5], [[1, 1, 1, 1, 1]])
    const expression = descend(O.adamW(X.scalar(0.125)), [1, 2, 3, 4, 5], [[1, 1, 1, 1, 1]])
    expect(expression).toEqual(literal)
  })
})

describe('gradient descent', () => {
  it('subtracts the learning rate times the gradient', () =>
    Run.forAll(fc.record({ run: runs, rate: number(1) }), ({ run: { start, gradients }, rate }) => {
      let p = start
      const expected = gradients.map((gradient) => (p = p.map((x, i) => x - rate * (gradient[i] ?? 0))))
      return agree(expected, descend(O.sgd(rate), start, gradients), 2)
    }))
})

describe('clipping', () => {
  it('keeps the direction and shortens to the norm over all leaves, and leaves shorter gradients alone', () =>
    Run.forAll(
      fc.record({ gradient: vector, norm: fc.integer({ min: 1, max: 64 }).map((n) => n / 16) }),
      ({ gradient, norm }) => {
        const length = Math.hypot(...gradient)
        const factor = length > norm ? norm / length : 1
        const zero = gradient.map(() => 0)
        const got = descend(O.clipByGlobalNorm(norm), zero, [gradient])
        return agree([gradient.map((g) => factor * g)], got, 16)
      }
    ))
})

describe('chains of optimisers', () => {
  it('apply each transformation after the one before, with a state for each', () => {
    const gradient = [3, 0, 4, 0, 0]
    const zero = [0, 0, 0, 0, 0]
    const clipThenDescend = O.chain(O.clipByGlobalNorm(1), O.sgd(0.5))
    Run.assert(agree([[-0.3, 0, -0.4, 0, 0]], descend(clipThenDescend, zero, [gradient]), 4))
    const descendThenClip = O.chain(O.sgd(0.5), O.clipByGlobalNorm(1))
    Run.assert(agree([[-0.6, 0, -0.8, 0, 0]], descend(descendThenClip, zero, [gradient]), 4))
    const state = O.chain(O.adam(), O.chain(O.adam(), O.scale(2))).state(shapes)
    expect(Tree.leaves<Shape>(Tree.isShape, state).map(([path]) => path)).toEqual([
      '0.count',
      '0.mean.bias',
      '0.mean.layer.weight',
      '0.square.bias',
      '0.square.layer.weight',
      '1.0.count',
      '1.0.mean.bias',
      '1.0.mean.layer.weight',
      '1.0.square.bias',
      '1.0.square.layer.weight'
    ])
  })

  it('decay weights towards zero', () => {
    const [after = []] = descend(O.chain(O.weightDecay(0.25), O.sgd(1)), [4, -4, 8, 0, 2], [[0, 0, 0, 0, 0]])
    expect(after).toEqual([3, -3, 6, 0, 1.5])
  })
})
