/**
 * Error bounds hold over the whole range of f32: where a device may overflow they are infinite, where it underflows they count
 * what is lost, and infinities that a device gets right cost nothing.
 */
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, it } from 'vitest'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Shape } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import { get } from '../network/adjoint.js'

type Four = Expr<readonly [4]>

const closed = (f: (a: Four, b: Four) => Expr): Program.Program =>
  get(Program.make({ a: [4], b: [4] }, ({ a, b }) => ({ y: f(a, b) })))

const boundsOf = (f: (a: Four, b: Four) => Expr, a: number, b = 0): readonly [value: number, bound: number] => {
  const values = { a: T.fill([4], a), b: T.fill([4], b) }
  const { values: exact, bounds } = get(Reference.runWithBounds(closed(f), {}, values))
  return [exact['y']?.data[0] ?? Number.NaN, bounds['y']?.data[0] ?? Number.NaN]
}

const square = (x: Four): Four => X.mul(x, x)

describe('where f32 overflows, and the exact value does not', () => {
  it.each<readonly [string, (a: Four, b: Four) => Expr, number, number]>([
    ['the logarithm of an exponential', (a) => X.log(X.exp(a)), 100, 0],
    ['the root of a square', (a) => X.sqrt(square(a)), 3e19, 0],
    ['a sum', (a, b) => X.sub(X.add(a, b), b), 3e38, 3e38],
    ['a sum over an axis', (a) => X.sum(a, [0]), 1e38, 0],
    ['a contraction', (a, b) => X.einsum('i,i->', a, b), 1e20, 1e18],
    ['a quotient', (a, b) => X.div(a, b), 1e30, 1e-20],
    ['a number that f32 has not', (a) => X.scale(a, 1e-10), 1e39, 0],
    ['what saturates after it', (a) => X.tanh(X.exp(a)), 100, 0],
    ['a product that 0 would hide', (a, b) => X.mul(X.exp(a), b), 100, 0],
    ['an entry at an index beyond', (a) => X.take(X.input('b', [4]), 0, X.take(X.exp(a), 0, X.scalar(0))), 100, 0]
  ])('%s', (name, f, a, b) => {
    const [value, bound] = boundsOf(f, a, b)
    expect(Number.isFinite(value)).toBe(true)
    // an index is held within its axis, whatever it is: the entries are the same here
    expect(bound).toBe(name.startsWith('an entry') ? 0 : Infinity)
  })
})

describe('infinities that a device gets right cost nothing', () => {
  it.each<readonly [string, (a: Four, b: Four) => Expr, number, number]>([
    ['an exponential of -Infinity', (a) => X.exp(a), -Infinity, 0],
    ['a difference from -Infinity', (a, b) => X.sub(a, X.tanh(b)), -Infinity, 1],
    ['a masked logit', (a, b) => X.exp(X.sub(a, X.tanh(b))), -Infinity, 1],
    ['the logarithm of 0', (a) => X.log(a), 0, 0],
    ['a quotient by Infinity', (a, b) => X.div(X.tanh(b), a), Infinity, 1],
    ['the largest', (a, b) => X.max(X.neg(a), b), Infinity, 1],
    ['a sum with an infinite term', (a) => X.sum(a, [0]), Infinity, 0],
    ['a choice beside an overflow', (a, b) => X.select(b, X.exp(a), b), 100, 0]
  ])('%s', (_, f, a, b) => {
    expect(boundsOf(f, a, b)[1]).toBe(0)
  })
})

describe('what is no number has no bound', () => {
  it.each<readonly [string, (a: Four, b: Four) => Expr, number, number]>([
    ['a difference of infinities', (a) => X.sub(a, a), Infinity, 0],
    ['0 times Infinity', (a, b) => X.mul(a, b), Infinity, 0],
    ['a root of a negative number', (a) => X.sqrt(a), -1, 0],
    ['an infinity that a rounding decides', (a, b) => X.div(b, X.sub(a, X.scale(a, 1 / 3))), 0, 1]
  ])('%s', (_, f, a, b) => {
    expect(boundsOf(f, a, b)[1]).toBe(Infinity)
  })
})

describe('on a device', () => {
  const target = gpuJs()
  afterAll(() => target.dispose())

  const ways: ReadonlyArray<(a: Four, b: Four) => Expr> = [
    (a, b) => X.add(a, b),
    (a, b) => X.sub(X.mul(a, b), b),
    (a, b) => X.div(a, b),
    (a) => X.log(X.exp(a)),
    (a) => X.sqrt(square(a)),
    (a, b) => X.exp(X.sub(a, b)),
    (a, b) => X.tanh(X.mul(a, b)),
    (a) => X.sigmoid(a),
    (a, b) => X.max(X.mul(a, a), b),
    (a, b) => X.select(X.less(a, b), X.exp(a), b),
    (a) => X.sum(X.mul(a, a), [0]),
    (a, b) => X.einsum('i,i->', a, b),
    (a, b) => X.sub(X.add(a, b), b),
    (a, b) => X.weigh(X.exp(a), X.less(a, b))
  ]
  const wide = fc
    .tuple(fc.boolean(), fc.integer({ min: -150, max: 128 }), fc.integer({ min: 512, max: 1023 }))
    .map(([negative, exponent, digits]) => (negative ? -1 : 1) * (digits / 1024) * 2 ** exponent)
  const number = fc.oneof(wide, fc.constantFrom(0, 1, 88.5, 89, -88, -104, Infinity, -Infinity))
  const four = fc.array(number, { minLength: 4, maxLength: 4 })

  it('no value is further from the exact one than its bound, in all of the range', async () => {
    const executables = ways.map((f) => [closed(f), get(target.compile(closed(f), {}))] as const)
    let bounded = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(ways.length - 1), four, four, async (way, a, b) => {
        const chosen = executables[way]
        if (chosen === undefined) throw new Error('no such way')
        const [program, executable] = chosen
        const values = { a: T.vector(a), b: T.vector(b) }
        const exact = Reference.runWithBounds(program, {}, values)
        if (E.isLeft(exact)) throw new Error('the reference did not run')
        const got = get(await executable.run(values)())
        Array.from(exact.right.values['y']?.data ?? []).forEach((value, i) => {
          const bound = exact.right.bounds['y']?.data[i] ?? Number.NaN
          const one = got['y']?.data[i] ?? Number.NaN
          expect(bound).toBeGreaterThanOrEqual(0)
          if (bound === Infinity) return
          bounded += 1
          expect(value === one ? 0 : Math.abs(value - one)).toBeLessThanOrEqual(bound)
        })
      }),
      { numRuns: 2000 }
    )
    // a bound that is always infinite would hold too
    expect(bounded).toBeGreaterThan(2000)
    for (const [, executable] of executables) await executable.dispose()
  })

  it('and shapes of none are bounded', () => {
    const program = get(Program.make({ a: [0] }, ({ a }) => ({ y: X.sum<Shape, [0]>(a, [0]) })))
    const { bounds } = get(Reference.runWithBounds(program, {}, { a: T.fill([0], 1) }))
    expect(Array.from(bounds['y']?.data ?? [])).toEqual([0])
  })
})
