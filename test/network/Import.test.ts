import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Npz from '../../src/format/Npz.js'
import { check, defaultBounds, errorOf, showCheckError } from '../../src/network/Check.js'
import { fromOnnx, showOnnxError } from '../../src/network/FromOnnx.js'
import * as L from '../../src/lens/Lens.js'
import type { Imported } from '../../src/network/graph/Import.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError } from '../../src/tensor/Shape.js'
import { reference } from '../../src/tensor/Target.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { graph, imported, ints, node, right, said } from './graphs.js'

const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)))

const floats = (shape: ReadonlyArray<number>, values: ReadonlyArray<number>): Tensor => ({
  shape,
  data: Float32Array.from(values)
})

/** What a model makes of some inputs, in f64. */
const run = (model: Imported, inputs: Values, batch = 2): Values => {
  const lens = model._tag === 'Lens' ? model.lens : model.forward
  const shapes = Object.fromEntries(model.inputs.map(({ name, shape }) => [name, shape]))
  const program = right(
    Program.make({ p: L.shapesOf(lens), in: shapes }, ({ p, in: given }) => ({ out: lens.forward(p, given) })),
    (errors) => errors.map(showError).join('\n')
  )
  const values = { ...Program.under('p', model.values), ...Program.under('in', inputs) }
  return Program.below(
    'out',
    right(Reference.run(program, { batch }, values), (errors) => errors.map(showError).join('\n'))
  )
}

describe('a network that PyTorch exported', () => {
  const model = right(fromOnnx(fixture('denoiser.onnx')), showOnnxError)
  const arrays = right(Npz.decode(fixture('denoiser.npz')), Npz.showError)

  test('has its parameters by name, and its batch open', () => {
    expect(model._tag).toBe('Lens')
    expect(model.inputs).toEqual([
      { name: 'x', shape: ['batch', 2, 4, 4], kind: 'float' },
      { name: 't', shape: ['batch'], kind: 'int' }
    ])
    expect(model.values['conv_in.weight']?.shape).toEqual([8, 2, 3, 3])
  })

  test('gives the output of PyTorch, and its gradients in inputs and all parameters', async () => {
    const rows = right(await check(reference)(model, arrays)(), showCheckError)
    expect(rows.filter(({ verdict }) => verdict === 'off')).toEqual([])
    expect(rows.filter(({ verdict }) => verdict === 'equal').length).toBeGreaterThanOrEqual(11)
    expect(rows.find(({ array }) => array === 'out64')?.error).toBeLessThan(1e-7)
  })

  test('a weight that is off by a thousandth is seen', async () => {
    const [path = ''] = Object.keys(model.values)
    const data = model.values[path]?.data.map((x) => 1.001 * x) ?? new Float32Array(0)
    const changed = { ...model, values: { ...model.values, [path]: { shape: model.values[path]?.shape ?? [], data } } }
    const rows = right(await check(reference)(changed, arrays)(), showCheckError)
    expect(rows.find(({ array }) => array === 'out')?.verdict).toBe('off')
  })

  test('some parameters are trained, the others are constants', () => {
    const some = right(fromOnnx(fixture('denoiser.onnx'), { trained: ['conv_out.*'] }), showOnnxError)
    expect(Object.keys(some.values).sort()).toEqual(['conv_out.bias', 'conv_out.weight'])
    const inputs = Program.below('in', arrays)
    expect(
      errorOf(run(some, inputs, 3)['out'] ?? floats([], []), run(model, inputs, 3)['out'] ?? floats([], []))
    ).toBeLessThan(1e-14)
  })

  test('whatever the bytes are, there is an answer', () => {
    const bytes = fixture('denoiser.onnx')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
          maxLength: 6
        }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (changes, end) => {
          const changed = bytes.slice(0, Math.ceil(bytes.length * (end < 0.2 ? 1 : end)))
          for (const [at, value] of changes) changed[Math.floor(at * changed.length)] = value
          const result = fromOnnx(changed)
          expect(E.isRight(result) || showOnnxError(result.left).length > 0).toBe(true)
        }
      ),
      { numRuns: 60 }
    )
  })
})

describe('graphs by hand', () => {
  test('a value that two nodes read takes the sum of what comes back', async () => {
    const square = imported(graph([node('Mul', ['x', 'x'])], { x: ['batch', 3] }))
    const x = floats([2, 3], [1, 2, 3, 4, 5, 6])
    const w = floats([2, 3], [1, 1, 1, 1, 1, 1])
    const expected = floats([2, 3], [2, 4, 6, 8, 10, 12])
    const rows = right(
      await check(reference)(square, {
        'in.x': x,
        w,
        out: floats([2, 3], [1, 4, 9, 16, 25, 36]),
        'grad.x': expected
      })(),
      showCheckError
    )
    expect(rows.map(({ array, verdict }) => [array, verdict])).toEqual([
      ['out', 'equal'],
      ['grad.x', 'equal']
    ])
  })

  test('shapes with the batch in them are computed at import', () => {
    const nodes = [
      node('Shape', ['x'], ['shape']),
      node('Gather', ['shape', 'zero'], ['n']),
      node('Mul', ['n', 'two'], ['doubled']),
      node('Concat', ['doubled', 'minus'], ['target'], { axis: 0 }),
      node('Reshape', ['x', 'target'], ['y'])
    ]
    const constants = { zero: ints([0]), two: ints([2]), minus: ints([-1]) }
    const model = imported(graph(nodes, { x: ['batch', 2, 3] }, { constants }))
    expect(model.outputs).toEqual([{ name: 'y', shape: ['2*batch', 3] }])
    const x = floats(
      [5, 2, 3],
      Array.from({ length: 30 }, (_, i) => i)
    )
    expect(run(model, { x }, 5)['y']).toEqual({ shape: [10, 3], data: Float64Array.from(x.data) })
  })

  test('what is computed of constants is a constant', () => {
    const nodes = [node('Sqrt', ['c'], ['root']), node('Div', ['x', 'root'])]
    const model = imported(graph(nodes, { x: ['batch', 2] }, { constants: { c: ints([4, 16]) } }))
    expect(run(model, { x: floats([1, 2], [1, 2]) }, 1)['y']?.data).toEqual(Float64Array.of(0.5, 0.5))
  })

  test('a node without a pullback makes a model that runs forward only, and is named', () => {
    const nodes = [node('LayerNormalization', ['x', 'g'], ['y', 'mean'])]
    const model = imported(graph(nodes, { x: ['batch', 2] }, { weights: { g: floats([2], [1, 1]) } }))
    expect(model._tag === 'Forward' && model.without).toEqual([
      { op: 'LayerNormalization', node: 'LayerNormalization here' }
    ])
    expect(run(model, { x: floats([1, 2], [1, 3]) }, 1)['y']?.data[0]).toBeCloseTo(-1, 4)
  })

  test('names that are no paths are keys of their own', () => {
    const weights = { a: floats([1], [1]), 'a.b': floats([1], [2]), 'c..d': floats([1], [3]), 'e.f': floats([1], [4]) }
    const nodes = [node('Sum', ['x', 'a', 'a.b', 'c..d', 'e.f'])]
    const model = imported(graph(nodes, { x: ['batch'] }, { weights }))
    expect(model.names).toEqual({ a: 'a', 'a/b': 'a.b', 'c//d': 'c..d', 'e.f': 'e.f' })
    expect(run(model, { x: floats([2], [0, 1]) })['y']?.data).toEqual(Float64Array.of(10, 11))
  })

  test.each([
    [
      'operators that there are none of, all at once',
      graph([node('Loess', ['x'], ['a']), node('TanH', ['a'])], { x: [2] }),
      'graph: expected operators of the table, got Loess in node "Loess here" (near it is Less), TanH in node "TanH here" (near it is Tanh); add a row for each in src/network/operator, or export the model without them'
    ],
    [
      'shapes that do not fit',
      graph([node('Add', ['x', 'z'])], { x: [2], z: [3] }),
      'Add in node "Add here": expected shapes that fit, got add: expected a shape that broadcasts with [2], got [3]; shapes align from the right'
    ],
    [
      'a shape that is computed from data',
      graph([node('Reshape', ['x', 's'])], { x: [4], s: [2] }, { whole: ['s'] }),
      'Reshape in node "Reshape here": expected a shape that is known, got one that is computed from data'
    ],
    [
      'a convolution of other channels',
      graph([node('Conv', ['x', 'w'])], { x: ['batch', 3, 4, 4], w: [2, 4, 3, 3] }),
      'got [batch, 3, 4, 4] and [2, 4, 3, 3] in 1 groups'
    ],
    [
      'a part of the batch',
      graph([node('Slice', ['x', 'a', 'b', 'a'])], { x: ['batch', 3] }, { constants: { a: ints([0]), b: ints([1]) } }),
      'expected all of an axis whose size has a name, got a part of [batch, 3], axis 0'
    ],
    [
      'a range that is larger than its file by far',
      graph(
        [node('Range', ['a', 'b', 'c'])],
        { x: [2] },
        { constants: { a: ints([0]), b: ints([2 ** 40]), c: ints([1]) } }
      ),
      'Range in node "Range here": expected at most 1048576 numbers, got 1099511627776'
    ],
    [
      'a padding that is',
      graph([node('Pad', ['x', 'p'], ['y'], { mode: 'edge' })], { x: [2] }, { constants: { p: ints([2 ** 40, 0]) } }),
      'expected at most 2^20 entries of an axis, got paddings of 1099511627776 and 0'
    ],
    [
      'an axis that is',
      graph(
        [node('Slice', ['x', 'a', 'b', 'a', 'c'])],
        { x: [2 ** 40] },
        { constants: { a: ints([0]), b: ints([2 ** 40]), c: ints([3]) } }
      ),
      'expected sizes that there is memory for'
    ],
    [
      'a value from nowhere',
      graph([node('Neg', ['z'])], { x: [2] }),
      'node "Neg here": expected a value "z" from a node before it, got none'
    ],
    ['an output from nowhere', graph([], { x: [2] }), 'expected a value "y" from a node before it'],
    [
      'a size that is not said',
      graph([node('Neg', ['x'])], { x: [2, '?'] }),
      '"x": expected sizes, or names for them, got [2, ?]'
    ]
  ])('%s', (_, given, message) => {
    expect(said(given)).toContain(message)
  })

  test('a reference without an input is told how to write one', async () => {
    const model = imported(graph([node('Neg', ['x'])], { x: ['batch'] }))
    const result = await check(reference, defaultBounds)(model, { out: floats([1], [1]) })()
    expect(E.isLeft(result) && showCheckError(result.left)).toBe(
      'reference: expected the arrays in.x, got out; write them as in.NAME, out, w and grad.NAME'
    )
  })
})
