import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Law from '../../laws/law/Lens.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { silu } from '../../src/lens/layer/Activation.js'
import { selfAttention } from '../../src/lens/layer/Attention.js'
import { dense } from '../../src/lens/layer/Dense.js'
import * as L from '../../src/lens/Lens.js'
import { recompute } from '../../src/lens/Recompute.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { get } from '../network/adjoint.js'

const row = (n: number): readonly ['batch', number] => ['batch', n]

/** Wide in the middle, so that what it keeps is more than its argument. */
const block = (features: number, wide: number) => {
  const first = L.compose(L.at('in', dense<number, number>(features, wide)), silu<readonly ['batch', number]>())
  const second = L.compose(L.at('mid', dense<number, number>(wide, wide)), silu<readonly ['batch', number]>())
  return L.residual(L.compose(L.compose(first, second), L.at('out', dense<number, number>(wide, features))))
}

type Block = ReturnType<typeof block>

type Wrap = (lens: Block) => Block

const tower = (n: number, features: number, wide: number, wrap: Wrap) =>
  L.repeat(n, (i) => L.at(String(i), wrap(block(features, wide))))

describe('a recomputed lens', () => {
  it('is the lens, bit for bit in value and pullback', () =>
    Run.forAll(
      fc.record({ key: Toys.key, n: fc.integer({ min: 1, max: 3 }) }),
      ({ key, n }) => {
        const plain = tower(n, 2, 3, (lens) => lens)
        const subject = { name: 'tower', lens: plain, argument: row(2), sizes: { batch: 2 } }
        const each = tower(n, 2, 3, (lens) => recompute(lens))
        return V.all('recompute', [
          Law.same('each block', subject, true)(each, key),
          Law.same('the whole', subject, true)(recompute(plain), key),
          Law.same('twice', subject, true)(recompute(recompute(plain)), key)
        ])
      },
      { numRuns: 4 }
    ))

  it('is the lens where the argument is a tree', () => {
    const lens = L.parallel(L.at('a', selfAttention<2, 2>(2)), L.at('b', dense(3, 2)))
    const argument = { first: ['batch', 2, 2], second: ['batch', 3] } as const
    return Run.forAll(
      Toys.key,
      (key) => Law.same('tree', { name: 'pair', lens, argument, sizes: { batch: 2 } }, true)(recompute(lens), key),
      { numRuns: 2 }
    )
  })
})

describe('the bytes alive at once, by the plan of the kernels', () => {
  const target = gpuJs()
  const [batch, features, wide] = [64, 4, 32]

  /** The peak of the pullback of a tower, of all of its parameters' cotangents or the biases' only. */
  const peak = (n: number, wrap: Wrap, wanted: (path: string) => boolean = () => true): number => {
    const lens = tower(n, features, wide, wrap)
    const program = get(
      Program.make({ p: L.shapes(lens.parameters), x: row(features), bar: row(features) }, (): Exprs => {
        // the shapes that the lens declares
        const p = Tree.inputs<Shapes>('p', L.shapes(lens.parameters)) as Parameters<typeof lens.run>[0]
        const [pBar, xBar] = lens.run(p, X.input('x', row(features)))[1](X.input('bar', row(features)))
        const kept = Tree.leaves(Tree.isExpr, pBar).filter(([path]) => wanted(path))
        return { p: Object.fromEntries(kept), xBar }
      })
    )
    return get(target.compile(program, { batch })).work.peakBytes
  }
  const slope = (wrap: Wrap, wanted?: (path: string) => boolean): number =>
    (peak(8, wrap, wanted) - peak(4, wrap, wanted)) / 4

  const stored = batch * 4 * 2 * wide
  const boundary = batch * 4 * features

  it('grow with the depth by what a block keeps, unless it is recomputed', () => {
    expect(slope((lens) => lens)).toBeGreaterThanOrEqual(stored)
    const parameters = 4 * (2 * features * wide + wide * wide + 2 * wide + features)
    // an argument a block, and the cotangents of its parameters, which are outputs
    expect(slope((lens) => recompute(lens))).toBeLessThanOrEqual(boundary + parameters)
  })

  it('grow by the arguments alone where biases alone are asked for', () => {
    const biases = (path: string): boolean => path.endsWith('bias')
    const biasBytes = 4 * (2 * wide + features)
    expect(slope((lens) => recompute(lens, biases), biases)).toBeLessThanOrEqual(boundary + biasBytes)
    expect(slope((lens) => lens, biases)).toBeGreaterThan(2 * (boundary + biasBytes))
  })

  it("grow by more where the argument's cotangent does not wait for the parameters'", () => {
    const careless: Wrap = (lens) =>
      L.make(lens.parameters, (p, a) => [lens.forward(p, a), (bar) => lens.run(p, X.after(a, [bar]))[1](bar)])
    expect(slope(careless)).toBeGreaterThan(4 * slope((lens) => recompute(lens)))
  })

  it('are those of the lens where the second run does not wait: it is shared with the first', () => {
    const hasty: Wrap = (lens) =>
      L.make(lens.parameters, (p, a) => [lens.forward(p, a), (bar) => lens.run(p, a)[1](bar)])
    expect(peak(6, hasty)).toBe(peak(6, (lens) => lens))
    expect(peak(6, (lens) => recompute(lens))).toBeLessThan(peak(6, hasty))
  })
})
