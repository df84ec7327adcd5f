import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, describe, expect, it } from 'vitest'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Law from '../../laws/law/Lens.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import * as Attention from '../../src/lens/layer/Attention.js'
import { codeEmbedding, embedding, positions } from '../../src/lens/layer/Embedding.js'
import * as L from '../../src/lens/Lens.js'
import type { Lens, None } from '../../src/lens/Lens.js'
import { softmax } from '../../src/lens/layer/Normalization.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Shape } from '../../src/tensor/Shape.js'
import { tabulate } from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { disagreement, runOn } from '../kernel/arbitrary.js'
import { close } from '../kernel/examples.js'
import { get } from '../network/adjoint.js'

const laws = <P extends L.Params, A extends Exprs, B extends Expr>(
  subject: Omit<Law.Subject<P, A, B>, 'sizes'>
): Promise<void> =>
  Run.forAll(
    fc.record({ key: Toys.key, x: Toys.number(2), y: Toys.number(2) }),
    ({ key, x, y }) => {
      const one = { ...subject, sizes: { batch: 2 } }
      return V.all(one.name, [Law.linear(one)(key, x, y), Law.adjoint(one)(key)])
    },
    { numRuns: 3 }
  )

const tokens = <N extends number, D extends number>(n: N, d: D): readonly ['batch', N, D] => ['batch', n, d]

describe('the pullback is the transposed derivative of', () => {
  it('a projection', () =>
    laws({ name: 'projection', lens: Attention.projection<3, 4, 2>(4, 2), argument: tokens(3, 4) }))
  it('heads split and merged', () =>
    laws({
      name: 'heads',
      lens: L.compose(Attention.splitHeads<3, 4>(2), Attention.mergeHeads<3, 4>(4)),
      argument: tokens(3, 4)
    }))
  it('attention of queries to keys and values', () =>
    laws({
      name: 'attend',
      lens: Attention.attend<3, 2>(),
      argument: { query: ['batch', 3, 2, 2], key: ['batch', 2, 2, 2], value: ['batch', 2, 2, 2] }
    }))
  it.each([1, 2])('self-attention, %i heads', (heads) =>
    laws({ name: 'self', lens: Attention.selfAttention<3, 4>(4, { heads }), argument: tokens(3, 4) })
  )
  it('cross-attention to a context of other features', () =>
    laws({
      name: 'cross',
      lens: Attention.crossAttention<3, 2, 4, 3>(4, 3, { heads: 2 }),
      argument: { x: tokens(3, 4), c: tokens(2, 3) }
    }))
  it('self-attention of pixels', () =>
    laws({
      name: 'pixels',
      lens: Attention.onPixels(Attention.selfAttention<number, 2>(2)),
      argument: ['batch', 2, 2, 2]
    }))
  it('an embedding of codes, and positions', () =>
    laws({
      name: 'embedding',
      lens: L.compose(L.at('code', codeEmbedding<3, 4, 2>(4, 2)), L.at('place', positions<3, 2>(3, 2))),
      argument: tokens(3, 4)
    }))
  it('a lookup, whose indices are held', () =>
    laws({
      name: 'lookup',
      lens: embedding<3, 4, 2>(4, 2),
      argument: ['batch', 3],
      held: (path) => path === 'a'
    }))
})

describe('the laws refute', () => {
  const subject = (lens: Lens<None, Attention.Queried<3, 2>, Attention.Heads<3>>) => ({
    name: 'mutant',
    lens,
    argument: { query: ['batch', 3, 1, 2], key: ['batch', 2, 1, 2], value: ['batch', 2, 1, 2] } as const,
    sizes: { batch: 2 }
  })
  const holds = (lens: Lens<None, Attention.Queried<3, 2>, Attention.Heads<3>>): ReadonlyArray<boolean> =>
    [1, 2, 3].map((seed) => E.isRight(Law.adjoint(subject(lens))(Key.make(seed))))
  const changed = (f: (bar: Attention.Queried<3, 2>) => Attention.Queried<3, 2>): typeof right => {
    return L.pure((a) => {
      const [value, back] = right.run({}, a)
      return [value, (bar) => f(back(bar)[1])]
    })
  }
  const right = Attention.attend<3, 2>()

  it('nothing of attention itself', () => expect(holds(right)).toEqual([true, true, true]))

  it('a softmax whose pullback lacks the mean', () => {
    const mutant: Lens<None, Expr, Expr> = L.pure((x) => {
      const [y] = softmax<Shape>().run({}, x)
      return [y, (bar) => X.mul(y, bar)]
    })
    expect(holds(Attention.attendWith(mutant))).toEqual([false, false, false])
  })

  it('scores whose scale is missing on the way back', () => {
    const root = Math.sqrt(2)
    const mutant = changed((bar) => ({ ...bar, query: X.scale(bar.query, root), key: X.scale(bar.key, root) }))
    expect(holds(mutant)).toEqual([false, false, false])
  })

  it('cotangents of keys and values exchanged', () => {
    const mutant = changed((bar) => ({ ...bar, key: bar.value, value: bar.key }))
    expect(holds(mutant)).toEqual([false, false, false])
  })

  it('a diagonal that keeps one of its two cotangents', () => {
    const one: Lens<None, Attention.Tokens<3, 2>, { x: Attention.Tokens<3, 2>; c: Attention.Tokens<3, 2> }> = L.pure(
      (a) => [{ x: a, c: a }, (bar) => bar.x]
    )
    const mutant = L.compose(one, Attention.crossAttention<3, 3, 2, 2>(2, 2))
    const verdict = Law.adjoint({ name: 'one', lens: mutant, argument: tokens(3, 2), sizes: { batch: 1 } })(Key.make(1))
    expect(E.isLeft(verdict)).toBe(true)
  })
})

/** Softmax attention by its definition, of one head of one row: lists of tokens. */
const direct = (
  query: ReadonlyArray<ReadonlyArray<number>>,
  key: ReadonlyArray<ReadonlyArray<number>>,
  value: ReadonlyArray<ReadonlyArray<number>>
): ReadonlyArray<ReadonlyArray<number>> =>
  query.map((q) => {
    const powers = key.map((k) => Math.exp(k.reduce((s, x, i) => s + x * (q[i] ?? 0), 0) / Math.sqrt(q.length)))
    const total = powers.reduce((a, b) => a + b, 0)
    return q.map((_, e) => powers.reduce((s, power, m) => s + (power / total) * (value[m]?.[e] ?? 0), 0))
  })

describe('attention', () => {
  it('is the average of its definition, head by head', () => {
    const [n, m, heads, size] = [3, 2, 2, 2]
    const program = get(
      Program.make(
        { query: ['batch', n, heads, size], key: ['batch', m, heads, size], value: ['batch', m, heads, size] },
        (a) => ({ y: Attention.attend<number, number>().forward({}, a) })
      )
    )
    const draw = (count: number, salt: number) => tabulate([2, count, heads, size], (i) => 2 * Math.sin(i * 3 + salt))
    const values = { query: draw(n, 1), key: draw(m, 2), value: draw(m, 3) }
    const y = get(Reference.run(program, { batch: 2 }, values))['y']
    for (let row = 0; row < 2; row++) {
      for (let head = 0; head < heads; head++) {
        const list = (data: ArrayLike<number> | undefined, count: number) =>
          Array.from({ length: count }, (_, t) =>
            Array.from({ length: size }, (__, e) => data?.[((row * count + t) * heads + head) * size + e] ?? NaN)
          )
        const expected = direct(list(values.query.data, n), list(values.key.data, m), list(values.value.data, m))
        list(y?.data, n).forEach((token, t) =>
          token.forEach((got, e) => expect(Math.abs(got - (expected[t]?.[e] ?? NaN))).toBeLessThan(1e-14))
        )
      }
    }
  })

  it('does not see the order of the context', () => {
    const program = get(
      Program.make({ q: ['batch', 2, 1, 2], k: ['batch', 2, 1, 2], v: ['batch', 2, 1, 2] }, ({ q, k, v }) => {
        const swap = (x: Attention.Heads<2>): Attention.Heads<2> =>
          X.retype(X.concat([X.slice<Shape, 1, 1>(x, 1, 1, 1), X.slice<Shape, 1, 1>(x, 1, 0, 1)], 1), x.shape)
        const lens = Attention.attend<2, 2>()
        const straight = lens.forward({}, { query: q, key: k, value: v })
        return { gap: X.sub(straight, lens.forward({}, { query: q, key: swap(k), value: swap(v) })) }
      })
    )
    const draw = (salt: number) => tabulate([1, 2, 1, 2], (i) => Math.sin(i * 5 + salt))
    const gap = get(Reference.run(program, { batch: 1 }, { q: draw(1), k: draw(2), v: draw(3) }))['gap']
    for (const x of gap?.data ?? [NaN]) expect(Math.abs(x)).toBeLessThan(1e-15)
  })

  it('with a copy of each bias for each row is the same where the copies are equal, with a cotangent for each', () => {
    const lens = Attention.projection<2, 3, 2>(3, 2)
    const program = get(
      Program.make({ weight: [3, 2], bias: [2], x: tokens(2, 3), bar: tokens(2, 2) }, ({ weight, bias, x, bar }) => {
        const [y, back] = lens.run({ weight, bias }, x)
        const copies: Expr = X.broadcastTo(bias, ['batch', 2])
        // as `Chain.perRow` declares it: a lens that adds its bias by broadcasting is not told
        const [z, backCopies] = lens.run({ weight, bias: copies as typeof bias }, x)
        const copiesBar: Expr = backCopies(bar)[0].bias
        return { gap: X.sub(y, z), sums: X.sub(back(bar)[0].bias, X.sumTo(copiesBar, [2])), copiesBar }
      })
    )
    const draw = (shape: ReadonlyArray<number>) => tabulate(shape, (i) => Math.round(8 * Math.sin(i + shape.length)))
    const bar = draw([2, 2, 2])
    const out = get(
      Reference.run(program, { batch: 2 }, { weight: draw([3, 2]), bias: draw([2]), x: draw([2, 2, 3]), bar })
    )
    expect([...(out['gap']?.data ?? [NaN]), ...(out['sums']?.data ?? [NaN])].every((x) => x === 0)).toBe(true)
    const at = (i: number): number => bar.data[i] ?? NaN
    expect([...(out['copiesBar']?.data ?? [])]).toEqual([at(0) + at(2), at(1) + at(3), at(4) + at(6), at(5) + at(7)])
  })

  it('whose heads do not divide the features is an error of the program', () => {
    const lens = Attention.selfAttention<2, 4>(4, { heads: 3 })
    const p = L.shapes(lens.parameters)
    // the shapes that the lens declares
    const run = Program.make({ p, a: tokens(2, 4) }, (i) => ({
      y: lens.forward(i.p as Attention.Attention<4, 4>, i.a)
    }))
    expect(run).toMatchObject({ _tag: 'Left' })
  })
})

describe('a lookup', () => {
  const program = get(
    Program.make({ weight: [3, 2], at: ['batch', 4], bar: ['batch', 4, 2] }, ({ weight, at, bar }) => {
      const [y, back] = embedding<4, 3, 2>(3, 2).run({ weight }, at)
      const [{ weight: weightBar }, indexBar] = back(bar)
      return { y, weightBar, indexBar }
    })
  )
  const weight = tabulate([3, 2], (i) => 0.1 + i)
  const at = { shape: [1, 4], data: Float64Array.of(2, 0, 2, 7) }
  const out = get(Reference.run(program, { batch: 1 }, { weight, at, bar: tabulate([1, 4, 2], (i) => 1 + i) }))

  it('is the row at each index, held within the table', () =>
    expect([...(out['y']?.data ?? [])]).toEqual([4.1, 5.1, 0.1, 1.1, 4.1, 5.1, 4.1, 5.1]))
  it('adds the cotangents of tokens with one index, and gives indices none', () => {
    expect([...(out['weightBar']?.data ?? [])]).toEqual([3, 4, 0, 0, 1 + 5 + 7, 2 + 6 + 8])
    expect([...(out['indexBar']?.data ?? [])]).toEqual([0, 0, 0, 0])
  })
})

describe('compiled attention agrees with the reference, forward and back', () => {
  const target = gpuJs({ mode: 'webasm' })
  afterAll(() => target.dispose())

  const layer = fc.record({
    batch: fc.integer({ min: 1, max: 5 }),
    n: fc.constantFrom(1, 2, 5, 16),
    m: fc.constantFrom(1, 3, 7),
    heads: fc.constantFrom(1, 2, 3),
    size: fc.constantFrom(1, 4, 5),
    context: fc.constantFrom(1, 6)
  })

  it('for random sizes', () =>
    fc.assert(
      fc.asyncProperty(layer, async ({ batch, n, m, heads, size, context }) => {
        const features = heads * size
        const lens = L.compose(
          L.at('self', Attention.selfAttention<number, number>(features, { heads })),
          L.at('embed', codeEmbedding<number, number, number>(features, features))
        )
        const cross = Attention.crossAttention<number, number, number, number>(features, context, { heads })
        const shapes: Shapes = {
          p: L.shapes(lens.parameters),
          q: L.shapes(cross.parameters),
          x: tokens(n, features),
          c: tokens(m, context)
        }
        const example = close(
          shapes,
          (): Exprs => {
            const [x, c] = [X.input('x', tokens(n, features)), X.input('c', tokens(m, context))]
            const inputs = <P extends L.Params>(name: string, of: L.Parameters): P =>
              // the shapes that the lens declares
              Tree.inputs<Shapes>(name, L.shapes(of)) as P
            const [y, backY] = lens.run(inputs('p', lens.parameters), x)
            const [z, backZ] = cross.run(inputs('q', cross.parameters), { x: y, c })
            const [qBar, { x: yBar, c: cBar }] = backZ(X.tanh(z))
            const [pBar, xBar] = backY(yBar)
            return { z, qBar, cBar, pBar, xBar }
          },
          { batch }
        )
        expect(disagreement(example, await runOn(target, example))).toBeUndefined()
      }),
      { numRuns: 15 }
    ))
})
