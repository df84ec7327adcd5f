import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as L from '../../src/lens/Lens.js'
import type { Parameters } from '../../src/lens/Lens.js'
import * as Foreign from '../../src/format/Foreign.js'
import * as Layout from '../../src/format/Layout.js'
import { mlp } from '../../src/network/Mlp.js'
import { initial } from '../../src/lens/Initial.js'
import { near } from '../../src/document/Nearest.js'
import * as Key from '../../src/random/Key.js'
import type { Values } from '../../src/tensor/Program.js'
import { size, tabulate, type Tensor } from '../../src/tensor/Tensor.js'

const right = <A>(result: E.Either<Foreign.ForeignError, A>): A => {
  if (E.isLeft(result)) throw new Error(Foreign.showError(result.left))
  return result.right
}

const said = (result: E.Either<Foreign.ForeignError, unknown>): ReadonlyArray<string> =>
  E.isLeft(result) ? Foreign.showError(result.left).split('\n') : ['right']

const counting = (shape: ReadonlyArray<number>): Tensor => tabulate(shape, (i) => i)

const at = ({ shape, data }: Tensor, ...index: ReadonlyArray<number>): number | undefined =>
  data[index.reduce((flat, i, axis) => flat * (shape[axis] ?? 1) + i, 0)]

// -------------------------------------------------------------------------------------
// layouts
// -------------------------------------------------------------------------------------

const layouts: ReadonlyArray<readonly [Layout.Layout, ReadonlyArray<number>]> = [
  [Layout.same, [2, 3, 4]],
  [Layout.reversed, [2, 3]],
  [Layout.channelsFirst, [2, 3]],
  [Layout.channelsFirst, [5, 2, 3]],
  [Layout.channelsFirst, [5, 4, 2, 3]],
  [Layout.channelsFirst, [2, 3, 4, 5, 6]],
  [Layout.pointwise(2), [2, 3]],
  [Layout.flattened('vector', 2, 3), [24]],
  [Layout.flattened('inputs', 2, 3), [24, 5]],
  [Layout.flattened('outputs', 2, 3), [5, 24]]
]

const viewOf = (layout: Layout.Layout, ours: ReadonlyArray<number>): Layout.View => {
  const view = layout.view(ours)
  if (view === undefined) throw new Error(layout.name)
  return view
}

describe('Layout', () => {
  test.each(layouts.map(([layout, shape]) => [layout.name, shape, layout] as const))(
    '%s of %j: there and back is the identity, and nothing is lost on the way',
    (_, ours, layout) => {
      const view = viewOf(layout, ours)
      const moved = Layout.toTheirs(view, counting(ours))
      expect(moved.shape).toEqual(view.theirs)
      expect(size(view.theirs)).toBe(size(ours))
      expect([...moved.data].sort((a, b) => a - b)).toEqual([...counting(ours).data])
      expect(Layout.toOurs(view, moved)).toEqual(counting(ours))
    }
  )

  test('numbers are where the index says', () => {
    const linear = Layout.toTheirs(viewOf(Layout.reversed, [2, 3]), counting([2, 3]))
    const image = Layout.toTheirs(viewOf(Layout.channelsFirst, [5, 4, 2, 3]), counting([5, 4, 2, 3]))
    const clip = Layout.toTheirs(viewOf(Layout.channelsFirst, [2, 3, 4, 5, 6]), counting([2, 3, 4, 5, 6]))
    const vector = Layout.toTheirs(viewOf(Layout.flattened('vector', 2, 3), [24]), counting([24]))
    const inputs = Layout.toTheirs(viewOf(Layout.flattened('inputs', 2, 3), [24, 5]), counting([24, 5]))
    const outputs = Layout.toTheirs(viewOf(Layout.flattened('outputs', 2, 3), [5, 24]), counting([5, 24]))
    expect(at(linear, 2, 1)).toBe(at(counting([2, 3]), 1, 2))
    expect(at(image, 2, 1, 4, 3)).toBe(at(counting([5, 4, 2, 3]), 4, 3, 1, 2))
    expect(at(clip, 5, 4, 1, 2, 3)).toBe(at(counting([2, 3, 4, 5, 6]), 1, 2, 3, 4, 5))
    // channel 3, line 1, column 2 of four channels of 2 x 3
    const [there, here] = [3 * 6 + 1 * 3 + 2, (1 * 3 + 2) * 4 + 3]
    expect(vector.data[there]).toBe(here)
    expect(at(inputs, 4, there)).toBe(at(counting([24, 5]), here, 4))
    expect(at(outputs, there, 4)).toBe(at(counting([5, 24]), 4, here))
  })

  test('a shape that does not fit has no view', () => {
    expect(Layout.reversed.view([2, 3, 4])).toBeUndefined()
    expect(Layout.channelsFirst.view([2])).toBeUndefined()
    expect(Layout.flattened('vector', 2, 3).view([25])).toBeUndefined()
    expect(Layout.flattened('inputs', 2, 3).view([24])).toBeUndefined()
  })
})

// -------------------------------------------------------------------------------------
// mappings
// -------------------------------------------------------------------------------------

const key = fc.constantFrom('a', 'b', '0', '1', 'in', 'blocks', '__proto__')
const leaf = fc.constantFrom<readonly [string, ReadonlyArray<number>]>(
  ['weight', [2, 3]],
  ['weight', [3, 2, 2, 1]],
  ['gain', [4]],
  ['scale', [2, 2]]
)

/** Layers at random paths, each with a weight or a gain, and a bias. */
const declared: fc.Arbitrary<Parameters> = fc
  .uniqueArray(fc.tuple(fc.array(key, { minLength: 1, maxLength: 3 }), leaf), {
    maxLength: 5,
    selector: ([path]) => path.join('.')
  })
  .map((layers) =>
    layers
      // a layer inside another is no layer
      .filter(([path], _, all) => !all.some(([other]) => other !== path && path.join('.').startsWith(other.join('.'))))
      .reduce<Parameters>((tree, [path, [name, shape]]) => {
        const layer = { [name]: L.parameter(shape), bias: L.parameter([2]) }
        return merge(
          tree,
          path.reduceRight<Parameters>((below, k) => Object.fromEntries([[k, below]]), layer)
        )
      }, {})
  )

const merge = (a: Parameters, b: Parameters): Parameters => {
  const entries = new Map(Object.entries(a))
  for (const [k, value] of Object.entries(b)) {
    const other = entries.get(k)
    // both are records of layers, since no layer is inside another
    entries.set(k, other === undefined ? value : merge(other as Parameters, value as Parameters))
  }
  return Object.fromEntries(entries)
}

const drawn = (parameters: Parameters, seed: number): Values =>
  initial(
    L.mapParameters(parameters, (parameter) => ({ ...parameter, deviation: 1 })),
    Key.make(seed)
  )

describe('PyTorch names', () => {
  test('toTorch, then fromTorch gives the values back', () => {
    fc.assert(
      fc.property(declared, fc.nat(), (parameters, seed) => {
        const values = drawn(parameters, seed)
        const theirs = right(Foreign.toTorch(parameters, values))
        expect(Object.keys(theirs).some((name) => name.endsWith('gain'))).toBe(false)
        expect(right(Foreign.fromTorch(parameters, theirs))).toEqual(values)
      })
    )
  })

  test('a weight of another layout is not the same weights', () => {
    const parameters = { a: { weight: L.parameter([2, 2], 1) } }
    const values = drawn(parameters, 1)
    const theirs = right(Foreign.toTorch(parameters, values))
    expect(right(Foreign.fromForeign(Foreign.rename('**', '**'))(parameters, theirs))).not.toEqual(values)
  })

  test("a layer's own parameters, without a path, are renamed too", () => {
    const parameters = { weight: L.parameter([2, 3], 1), bias: L.parameter([3]) }
    const theirs = right(Foreign.toTorch(parameters, drawn(parameters, 1)))
    expect(Object.fromEntries(Object.entries(theirs).map(([name, { shape }]) => [name, shape]))).toEqual({
      weight: [3, 2],
      bias: [3]
    })
    const gains = { gain: L.parameter([3], 1) }
    expect(Object.keys(right(Foreign.toTorch(gains, drawn(gains, 1))))).toEqual(['weight'])
  })
})

const description = {
  kind: 'mlp',
  features: 6,
  labels: 3,
  hidden: 8,
  blocks: 2,
  embedding: 4,
  share: 'cosine'
} as const
const { parameters } = mlp(description).lens

/** As another tool might have named the parts of `mlp`. */
const mapping: Foreign.Mapping = [
  ...Foreign.linear('inp', 'in'),
  ...Foreign.linear('time_embed.0', 'time'),
  ...Foreign.embedding('class_embed', 'labels'),
  ...Foreign.normalization('layers.*.ln', 'blocks.*.norm'),
  ...Foreign.linear('layers.*.film.*', 'blocks.*.film.*'),
  ...Foreign.linear('layers.*.fc', 'blocks.*.dense'),
  ...Foreign.normalization('ln_f', 'norm'),
  ...Foreign.linear('head', 'out'),
  ...Foreign.ignore('**.num_batches_tracked')
]

const values: Values = {
  ...drawn(parameters, 7),
  'labels.bias': { shape: [4], data: new Float32Array(4) }
}
const theirs = right(Foreign.toForeign(mapping)(parameters, values))

describe('a mapping', () => {
  test('is read in both directions', () => {
    expect(right(Foreign.fromForeign(mapping)(parameters, theirs))).toEqual(values)
    expect(theirs['layers.1.film.scale.weight']?.shape).toEqual([8, 4])
    expect(theirs['class_embed.weight']?.shape).toEqual([3, 4])
    expect(Object.keys(theirs)).not.toContain('class_embed.bias')
  })

  test('ignores what it is told to', () => {
    const more = { ...theirs, 'bn.num_batches_tracked': counting([]) }
    expect(right(Foreign.fromForeign(mapping)(parameters, more))).toEqual(values)
  })

  test('lists everything that does not fit at once, with what was near it', () => {
    const { 'inp.weight': weight = counting([]), 'ln_f.bias': _, ...rest } = theirs
    const wrong = {
      ...rest,
      'input.weight': weight,
      'head.weight': counting([8, 6]),
      'ema.decay': counting([])
    }
    expect(said(Foreign.fromForeign(mapping)(parameters, wrong))).toEqual([
      '"inp.weight": expected [8, 6] for "in.weight", got no such tensor; near it is "input.weight"',
      '"ln_f.bias": expected [8] for "norm.bias", got no such tensor',
      '"head.weight": expected [6, 8], got [8, 6]; check the sizes of the lens, and the layout',
      '"input.weight" [8, 6]: expected a parameter that takes it, got none; near it is "inp.weight"',
      '"ema.decay" []: expected a parameter that takes it, got none; add a rename or an ignore'
    ])
  })

  test('names what it lacks itself', () => {
    const own = { a: { weight: L.parameter([2, 2, 2]) }, b: { bias: L.parameter([2]) }, c: { bias: L.parameter([2]) } }
    const rules = [
      ...Foreign.linear('x', 'a'),
      ...Foreign.rename('y', 'b.bias'),
      ...Foreign.rename('y', 'c.bias'),
      ...Foreign.fill('d.bias')
    ]
    const tree = { ...own, e: { gain: L.parameter([1]) } }
    expect(said(Foreign.fromForeign(rules)(tree, { y: counting([2]) }))).toEqual([
      `"a.weight" [2, 2, 2]: expected a shape that the layout 'linear' fits; give its rule another layout`,
      '"e.gain" [1]: expected a rule for it, got none; add a rename or a fill',
      '"y": expected one parameter that takes it, got "b.bias", "c.bias"; give one of them a rule of its own'
    ])
  })

  test('does not lose what it fills in', () => {
    const lost = { ...values, 'labels.bias': { shape: [4], data: Float32Array.of(0, 0, 0.5, 0) } }
    expect(said(Foreign.toForeign(mapping)(parameters, lost))).toEqual([
      '"labels.bias": expected 0 everywhere, since it is not stored, got 0.5; map it by a rename'
    ])
  })

  test('misses values by our own names', () => {
    const { 'out.bias': bias = counting([]), ...rest } = values
    expect(
      said(Foreign.toForeign(mapping)(parameters, { ...rest, 'out.bais': bias, 'in.bias': counting([2]) }))
    ).toEqual([
      '"in.bias": expected [8], got [2]; check the sizes of the lens, and the layout',
      '"out.bias": expected [6], got no such tensor; near it is "out.bais"'
    ])
  })

  test('takes the first rule that fits', () => {
    const tree = { a: { bias: L.parameter([2]) }, b: { bias: L.parameter([2]) } }
    const rules = [...Foreign.rename('special', 'a.bias'), ...Foreign.rename('x.*', '*.bias')]
    const out = right(Foreign.toForeign(rules)(tree, drawn(tree, 1)))
    expect(Object.keys(out)).toEqual(['special', 'x.b'])
  })
})

describe('near', () => {
  test('names the nearest first, and none that is far', () => {
    const known = ['glasses', 'hat', 'hair', 'beard']
    expect(near('hatt', known)).toEqual(['hat'])
    expect(near('hairt', known)).toEqual(['hair', 'hat'])
    expect(near('clothing', known)).toEqual([])
  })
})
