import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import * as Toys from '../../laws/arbitrary/Toys.js'
import * as Law from '../../laws/law/Lens.js'
import * as Run from '../../laws/run/Run.js'
import * as V from '../../laws/Verdict.js'
import { silu } from '../../src/lens/layer/Activation.js'
import { freeze, hold, lora, merge, type Adapted, type LoraOptions } from '../../src/lens/Adapter.js'
import { selfAttention } from '../../src/lens/layer/Attention.js'
import { conv2d } from '../../src/lens/layer/Convolution.js'
import { dense, type Dense } from '../../src/lens/layer/Dense.js'
import * as L from '../../src/lens/Lens.js'
import type { Lens, Params } from '../../src/lens/Lens.js'
import * as Key from '../../src/random/Key.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import type { Shape } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { get, values } from '../network/adjoint.js'

const all = (): boolean => true
const sizes = { batch: 2 }
const options: LoraOptions = { rank: 2, alpha: 3 }
const key = Key.make(5)

/** One case of each kind of layer: the lens, its argument. */
const layers = {
  dense: [
    L.compose(L.compose(L.at('in', dense(3, 4)), silu<readonly ['batch', 4]>()), L.at('out', dense(4, 2))),
    ['batch', 3]
  ],
  convolution: [conv2d(2, 3, { size: 2, padding: 1 }), ['batch', 2, 2, 2]],
  attention: [selfAttention<2, 4>(4, { heads: 2 }), ['batch', 2, 4]]
} as const

const closed = <P extends Params, A extends Exprs, B extends Expr>(
  lens: Lens<P, A, B>,
  argument: Shapes,
  at: Values
): Reference.Bounded => {
  const p = L.shapes(lens.parameters)
  const program = get(
    Program.make({ p, a: argument }, (): Exprs => {
      // the trees of inputs with the shapes that the lens and the argument declare
      const [y, back] = lens.run(Tree.inputs<Shapes>('p', p) as P, Tree.inputs<Shapes>('a', argument) as A)
      return { y, bars: back(Tree.mapExprs(y, X.tanh))[0] }
    })
  )
  return get(Reference.runWithBounds(program, sizes, at))
}

/** Values of an adapted lens at its start: `up` is zero. */
const started = (shapes: Shapes): Values =>
  Object.fromEntries(
    Object.entries(values(shapes, 'p', key, 0.5)).map(([path, value]) => [
      path,
      path.endsWith('.up') ? T.map(() => 0)(value) : value
    ])
  )

/** Everything that holds of an adapter on one lens. */
const adapts = <P extends Params, A extends Exprs, B extends Expr>(lens: Lens<P, A, B>, argument: Shapes): void => {
  const adapted = lora(options)(all)(lens)
  const shapes = L.shapes(adapted.parameters)
  const a = Object.fromEntries(
    Object.entries(values(argument, 'a', key)).map(([name, { shape, data }]) => [
      name,
      { shape: [2, ...shape.slice(1)], data: data.slice(0, (data.length / 3) * 2) }
    ])
  )

  it('obeys the laws of lenses, with no derivative in what is held', () =>
    Run.forAll(
      fc.record({ key: Toys.key, x: Toys.number(2), y: Toys.number(2) }),
      ({ key, x, y }) => {
        const held = (path: string): boolean => path.startsWith('p.frozen')
        const one = { name: 'adapted', lens: adapted, argument, sizes, held }
        return V.all('adapted', [Law.linear(one)(key, x, y), Law.adjoint(one)(key)])
      },
      { numRuns: 3 }
    ))

  it('starts as the lens itself, bit for bit', () => {
    const start = started(shapes)
    const base = closed(lens, argument, { ...Program.under('p', Program.below('p.frozen', start)), ...a })
    const { values: got } = closed(adapted, argument, { ...start, ...a })
    expect(got['y']?.data).toEqual(base.values['y']?.data)
  })

  it('gives what is held nothing, and the adapter a gradient at its start: of `up`, as `down` has none there', () => {
    const { values: got } = closed(adapted, argument, { ...started(shapes), ...a })
    for (const [path, { data }] of Object.entries(got)) {
      if (!path.startsWith('bars.')) continue
      expect([path, data.some((x: number) => x !== 0)]).toEqual([path, path.endsWith('.up')])
    }
  })

  it('merged is the adapted lens, within the bounds of f32', () => {
    const at = Object.fromEntries(
      Object.entries(values(shapes, 'p', key, 0.5)).map(([path, value]) => [path, T.toFloat32(value)])
    )
    const merged = get(merge(options)(all)(lens.parameters, Program.below('p', at)))
    const { values: got, bounds } = closed(adapted, argument, { ...at, ...a })
    const base = closed(lens, argument, { ...Program.under('p', merged), ...a })
    const y = got['y']?.data ?? []
    expect(y.length).toBeGreaterThan(0)
    y.forEach((value: number, i: number) => {
      const slack = (bounds['y']?.data[i] ?? 0) + (base.bounds['y']?.data[i] ?? 0)
      expect(Math.abs(value - (base.values['y']?.data[i] ?? NaN))).toBeLessThanOrEqual(slack)
    })
    for (const [path, value] of Object.entries(merged)) {
      const before = at[`p.frozen.${path}`]
      const adaptedPath = `p.adapter.${path}.up` in at
      expect([path, value === before]).toEqual([path, !adaptedPath])
    }
  })
}

describe('a dense network, adapted', () => {
  adapts(...layers.dense)
})
describe('a convolution, adapted', () => {
  adapts(...layers.convolution)
})
describe('attention, adapted', () => {
  adapts(...layers.attention)
})

describe('an adapter', () => {
  const parametersOf = (select: (path: string) => boolean, rank: number) =>
    Object.fromEntries(
      Tree.leaves<L.Parameter>(L.isParameter, lora({ rank })(select)(layers.convolution[0]).parameters).map(
        ([path, { shape }]) => [path, shape]
      )
    )

  it('has factors for a weight as the matrix [window x inputs, outputs], and none for vectors', () =>
    expect(parametersOf(all, 2)).toEqual({
      'frozen.weight': [2, 2, 2, 3],
      'frozen.bias': [3],
      'adapter.weight.down': [8, 2],
      'adapter.weight.up': [2, 3]
    }))
  it('has no more rank than the matrix', () => expect(parametersOf(all, 9)['adapter.weight.down']).toEqual([8, 3]))
  it('has nothing where nothing is chosen', () =>
    expect(Object.keys(parametersOf(() => false, 2))).toEqual(['frozen.weight', 'frozen.bias']))

  it('of another alpha moves the output by another scale', () => {
    const lens = dense(2, 2)
    const moved = (alpha: number): number => {
      const adapted = lora({ rank: 1, alpha })(all)(lens)
      const at = { ...values(L.shapes(adapted.parameters), 'p', key), a: T.fill([2, 2], 1) }
      const start = { ...at, 'p.adapter.weight.up': T.fill([1, 2], 0) }
      const read = (inputs: Values): number => closed(adapted, ['batch', 2], inputs).values['y']?.data[0] ?? NaN
      return read(at) - read(start)
    }
    expect(moved(2) / moved(1)).toBeCloseTo(2, 10)
  })

  it('merged with values that are not its own is a left', () => {
    const { parameters } = layers.convolution[0]
    expect(merge(options)(all)(parameters, {})).toMatchObject({ _tag: 'Left' })
  })
})

describe('reparametrising', () => {
  const lens = dense(2, 2)
  type Weights = Dense<2, 2>
  const double: Lens<L.None, Weights, Weights> = L.pure((q) => [twice(q), twice])
  const twice = (q: Weights): Weights => Tree.mapExprs(q, (x) => X.scale(x, 2))
  const subject = { name: 'dense', lens, argument: ['batch', 2] as const, sizes }

  it('along the identity is the lens, and along a composition is along one after the other', () => {
    Run.assert(Law.same('identity', subject, true)(L.reparametrize(lens.parameters, L.identity<Weights>())(lens), key))
    const by = L.reparametrize(lens.parameters, double)
    const once = L.reparametrize(lens.parameters, L.compose(double, double))(lens)
    Run.assert(Law.same('composition', { ...subject, lens: by(by(lens)) }, true)(once, key))
  })
})

describe('freezing', () => {
  it('keeps the lens and gives its parameters nothing', () => {
    const lens = freeze(layers.dense[0])
    const at = { ...values(L.shapes(lens.parameters), 'p', key), a: T.fill([2, 3], 0.5) }
    const { values: got } = closed(lens, ['batch', 3], at)
    const base = closed(layers.dense[0], ['batch', 3], {
      ...Program.under('p', Program.below('p.frozen', at)),
      a: T.fill([2, 3], 0.5)
    })
    expect(got['y']).toEqual(base.values['y'])
    const bars = Object.entries(got).filter(([name]) => name.startsWith('bars'))
    expect(bars.length).toBe(4)
    expect(bars.every(([, { data }]) => data.every((x: number) => x === 0))).toBe(true)
  })
})

describe('the laws refute', () => {
  type P = Parameters<(typeof layers.dense)[0]['run']>[0]
  const lens = layers.dense[0]
  const right = lora(options)(all)(lens)
  const changed = (f: (bar: Adapted<P>) => Adapted<P>): typeof right =>
    L.make(right.parameters, (p, a) => {
      const [value, back] = right.run(p, a)
      return [
        value,
        (bar) => {
          const [pBar, aBar] = back(bar)
          return [f(pBar), aBar]
        }
      ]
    })
  const adjoint = (mutant: typeof right): boolean => {
    const held = (path: string): boolean => path.startsWith('p.frozen')
    const argument: Shape = ['batch', 3]
    return E.isRight(Law.adjoint({ name: 'mutant', lens: mutant, argument, sizes, held })(key))
  }

  it('nothing of the adapter itself', () => expect(adjoint(right)).toBe(true))
  it('a pullback without the scale', () =>
    expect(adjoint(changed((bar) => ({ ...bar, adapter: Tree.mapExprs(bar.adapter, (x) => X.scale(x, 2 / 3)) })))).toBe(
      false
    ))
  it('a pullback to one factor only', () =>
    expect(
      adjoint(
        changed((bar) => ({
          ...bar,
          adapter: Tree.mapExprs(bar.adapter, (x, path) => (path.endsWith('down') ? X.zeros(x.shape) : x))
        }))
      )
    ).toBe(false))
  it('an adapter that does not start at zero', () => {
    const start = values(L.shapes(right.parameters), 'p', key, 0.5)
    const a = T.fill([2, 3], 0.5)
    const base = closed(lens, ['batch', 3], { ...Program.under('p', Program.below('p.frozen', start)), a })
    expect(closed(right, ['batch', 3], { ...start, a }).values['y']?.data).not.toEqual(base.values['y']?.data)
  })
  it('weights trained that are held: their cotangents are not zero', () => {
    const p = L.shapes(lens.parameters)
    const at = { ...values(p, 'p', key), a: T.fill([2, 3], 0.5) }
    const bars = Object.entries(closed(lens, ['batch', 3], at).values).filter(([name]) => name.startsWith('bars'))
    expect(bars.some(([, { data }]) => data.some((x: number) => x !== 0))).toBe(true)
  })
  it('hold is the identity on values', () => {
    const p = { weight: X.input('w', [2, 2]) }
    expect(hold(p)).toBe(p)
  })
})
