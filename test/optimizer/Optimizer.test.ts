import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, it } from 'vitest'
import { number } from '../../laws/arbitrary/Toys.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import * as O from '../../src/optimizer/Optimizer.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError, type Shape, type ShapeError } from '../../src/tensor/Shape.js'
import { reference, type Target } from '../../src/tensor/Target.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { get } from '../network/adjoint.js'

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

/** A program of one step: parameters `p`, gradients `g` and the state `s` to the next parameters and state. */
const stepOf = (optimizer: O.Optimizer): E.Either<ReadonlyArray<ShapeError>, Program.Program> => {
  const state: Shapes = optimizer.state(shapes)
  return Program.make({ p: shapes, g: shapes, s: state }, (): Exprs => {
    const p: Exprs = Tree.inputs('p', shapes)
    const before: Exprs = Tree.inputs('s', state)
    const result = optimizer.update(Tree.inputs('g', shapes), Tree.isExpr(before) ? {} : before, p)
    return { p: O.apply(p, result.step), s: result.state }
  })
}

/** The parameters after each gradient, on a target. */
const descendOn =
  (target: Target) =>
  async (optimizer: O.Optimizer, start: Vector, gradients: ReadonlyArray<Vector>): Promise<ReadonlyArray<Vector>> => {
    const program = get(stepOf(optimizer))
    const executable = get(target.compile(program, {}))
    let memory: Values = Object.fromEntries(
      program.inputs.flatMap(({ name, shape }) => (name.startsWith('s.') ? [[name, T.fill(shape.map(Number), 0)]] : []))
    )
    let at = start
    const all: Array<Vector> = []
    for (const gradient of gradients) {
      const out: Values = get(await executable.run({ ...values('p', at), ...values('g', gradient), ...memory })())
      memory = Object.fromEntries(Object.entries(out).filter(([name]) => name.startsWith('s.')))
      at = read('p', out)
      all.push(at)
    }
    await executable.dispose()
    return all
  }

/** Runs an optimizer over some gradients: the parameters after each. */
const descend = (optimizer: O.Optimizer, start: Vector, gradients: ReadonlyArray<Vector>): ReadonlyArray<Vector> => {
  const program = stepOf(optimizer)
  if (E.isLeft(program)) throw new Error(program.left.map(showError).join('\n'))
  let memory: Values = Object.fromEntries(
    Tree.leaves<Shape>(Tree.isShape, optimizer.state(shapes), 's').map(([name, shape]) => [
      name,
      T.fill(shape.map(Number), 0)
    ])
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
    'optimizer',
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

const targets = [reference, gpuJs(), gpuJs({ mode: 'cpu' })]
afterAll(() => Promise.all(targets.map((target) => target.dispose())))

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

describe('chains of optimizers', () => {
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

  it('decay weights toward zero', () => {
    const [after = []] = descend(O.chain(O.weightDecay(0.25), O.sgd(1)), [4, -4, 8, 0, 2], [[0, 0, 0, 0, 0]])
    expect(after).toEqual([3, -3, 6, 0, 1.5])
  })
})

describe.each(targets)('in the range of numbers that $name has', (target) => {
  const run = descendOn(target)
  const zero = [0, 0, 0, 0, 0]

  it.each([0.9, 0.999, 0.9999999, 0.99999998, 1 - 2 ** -40])(
    'Adam with beta2 = %d moves by the learning rate while the gradient stays as it is',
    async (beta2) => {
      const gradient = [1, -2, 0.5, 64, -1e-3]
      const steps = await run(
        O.chain(O.adam(0.9, beta2, 0), O.sgd(1)),
        zero,
        Array.from({ length: 5 }, () => gradient)
      )
      // a dozen roundings a step, and those of 1 - beta^n
      steps.forEach((row, n) =>
        row.forEach((x, i) =>
          expect(Math.abs(x + Math.sign(gradient[i] ?? 0) * (n + 1))).toBeLessThan(64 * 2 ** -24 * (n + 1))
        )
      )
    }
  )

  it.each<readonly [string, number, Vector, Vector]>([
    ['whose squares overflow', 1, [3e19, 4e19, 0, 0, 0], [0.6, 0.8, 0, 0, 0]],
    ['as large as there are', 1, [3e38, 3e38, 0, 0, 0], [Math.SQRT1_2, Math.SQRT1_2, 0, 0, 0]],
    ['whose squares underflow', 1e-31, [3e-30, 4e-30, 0, 0, 0], [0.6e-31, 0.8e-31, 0, 0, 0]],
    ['to a norm that overflows', 1e39, [3, 4, 0, 0, 0], [3, 4, 0, 0, 0]],
    ['to any norm', Infinity, [3e19, -4e19, 0, 0, 0], [3e19, -4e19, 0, 0, 0]],
    ['of nothing to any norm', Infinity, zero, zero],
    ['to nothing', 0, [3, 4, 0, 0, 0], zero],
    ['of nothing to nothing', 0, zero, zero]
  ])('a gradient %s is clipped', async (_, norm, gradient, expected) => {
    const [got = []] = await run(O.clipByGlobalNorm(norm), zero, [gradient])
    expected.forEach((x, i) =>
      expect(Math.abs((got[i] ?? Number.NaN) - x)).toBeLessThanOrEqual(8 * 2 ** -24 * Math.abs(x))
    )
  })

  it('the step of descent after clipping has the other sign', async () => {
    const [got = []] = await run(O.chain(O.clipByGlobalNorm(1), O.sgd(1)), zero, [[3e19, 4e19, 0, 0, 0]])
    ;[-0.6, -0.8].forEach((x, i) => expect(got[i]).toBeCloseTo(x, 6))
  })

  it('norms are measured', async () => {
    const program = get(Program.make({ g: [2] }, ({ g }) => ({ norm: O.globalNorm({ g }) })))
    const executable = get(target.compile(program, {}))
    for (const [gradient, norm] of [
      [[3e19, 4e19], 5e19],
      [[3e-30, 4e-30], 5e-30],
      [[3, 4], 5],
      [[0, 0], 0]
    ] as const) {
      const out = get(await executable.run({ g: T.vector(gradient) })())
      expect(Math.abs((out['norm']?.data[0] ?? Number.NaN) - norm)).toBeLessThanOrEqual(8 * 2 ** -24 * norm)
    }
    await executable.dispose()
  })
})

describe('momentum', () => {
  it.each([false, true])('is the loop of torch.optim.SGD, nesterov = %s', (nesterov) =>
    Run.forAll(
      fc.record({ run: runs, rate: fc.constantFrom(0.01, 0.5), share: fc.constantFrom(0.5, 0.9) }),
      ({ run: { start, gradients }, rate, share }) => {
        const p = [...start]
        const b = start.map(() => 0)
        const expected = gradients.map((gradient) => {
          gradient.forEach((g, i) => {
            b[i] = share * (b[i] ?? 0) + g
            p[i] = (p[i] ?? 0) - rate * (nesterov ? g + share * (b[i] ?? 0) : (b[i] ?? 0))
          })
          return [...p]
        })
        return agree(expected, descend(O.sgd(rate, { momentum: share, nesterov }), start, gradients), 32)
      }
    )
  )

  it('of 0 keeps no state', () => {
    expect(O.sgd(1, { momentum: 0 }).state(shapes)).toEqual({})
  })
})

describe('options that no optimizer has', () => {
  const such = 'take such a number'
  it.each<readonly [string, O.Optimizer, string]>([
    ['beta1 of 1', O.adamW(0.1, { beta1: 1 }), 'adam: expected beta1: a number of at least 0 and below 1, got 1'],
    ['a negative beta2', O.adam(0.9, -0.5), 'adam: expected beta2: a number of at least 0 and below 1, got -0.5'],
    ['a negative epsilon', O.adam(0.9, 0.99, -1), 'adam: expected epsilon: a number of at least 0, got -1'],
    ['a learning rate of 1e39', O.sgd(1e39), 'optimizer: expected learning rate: a finite number in f32, got 1e+39'],
    ['no learning rate', O.adamW(Number.NaN), 'optimizer: expected learning rate: a finite number in f32, got NaN'],
    ['a decay of 1e39', O.adamW(0.1, { decay: 1e39 }), 'weightDecay: expected rate: a finite number in f32, got 1e+39'],
    ['a factor of infinity', O.scale(Infinity), 'scale: expected factor: a finite number in f32, got Infinity'],
    ['a negative norm', O.clipByGlobalNorm(-1), 'clipByGlobalNorm: expected norm: a number of at least 0, got -1'],
    ['no norm', O.clipByGlobalNorm(Number.NaN), 'clipByGlobalNorm: expected norm: a number of at least 0, got NaN'],
    [
      'momentum of 1',
      O.sgd(0.1, { momentum: 1 }),
      'momentum: expected momentum: a number of at least 0 and below 1, got 1'
    ]
  ])('%s', (_, optimizer, expected) => {
    const program = stepOf(optimizer)
    expect(E.isLeft(program) && program.left.map(showError).join('\n')).toBe(`${expected}; ${such}`)
  })
})
