import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Attribute,
  decode,
  encode,
  type Graph,
  type GraphNode,
  type OnnxTensor,
  showError
} from '../../src/format/Onnx.js'
import { bytesOf, folder } from '../data.js'

const right = <A>(result: E.Either<Parameters<typeof showError>[0], A>): A => {
  if (E.isLeft(result)) throw new Error(showError(result.left))
  return result.right
}

const nowhere = (one: OnnxTensor): OnnxTensor => ({ ...one, place: undefined })

const attributeNowhere = (value: Attribute): Attribute =>
  typeof value === 'object' && 'dtype' in value ? nowhere(value) : value

/** A graph but for where in a file its tensors are. */
const withoutPlaces = (graph: Graph): Graph => ({
  ...graph,
  nodes: graph.nodes.map((node) => ({
    ...node,
    attributes: Object.fromEntries(
      Object.entries(node.attributes).map(([name, value]) => [name, attributeNowhere(value)])
    )
  })),
  initializers: Object.fromEntries(Object.entries(graph.initializers).map(([name, one]) => [name, nowhere(one)]))
})

const again = (graph: Graph): Graph => withoutPlaces(right(decode(right(encode(graph)))))

// -------------------------------------------------------------------------------------
// graphs by chance
// -------------------------------------------------------------------------------------

const shape = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 3 })

const numbersOf = { F32: fc.float(), F64: fc.double(), I64: fc.maxSafeInteger(), BOOL: fc.constantFrom(0, 1) } as const

const tensor: fc.Arbitrary<OnnxTensor> = fc
  .tuple(fc.constantFrom('F32', 'F64', 'I64', 'BOOL'), shape)
  .chain(([dtype, own]) => {
    const count = own.reduce((n, d) => n * d, 1)
    return fc.array(numbersOf[dtype], { minLength: count, maxLength: count }).map((values) => ({
      dtype,
      tensor: {
        shape: own,
        data: dtype === 'F32' || dtype === 'BOOL' ? Float32Array.from(values) : Float64Array.from(values)
      },
      place: undefined
    }))
  })

const whole = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(-1, 0, 127, 128, 2 ** 31, -(2 ** 31) - 1, 2 ** 35))
// one that is whole would be read as well, but as a whole number
const real = fc.float({ noNaN: true }).filter((x) => !Number.isSafeInteger(x))
const some = { minLength: 1, maxLength: 4 }

const attribute: fc.Arbitrary<readonly [string, Attribute]> = fc.oneof(
  fc.tuple(
    fc.string({ unit: 'grapheme' }).map((name) => `own ${name}`),
    fc.oneof(
      whole,
      real,
      fc.string({ unit: 'grapheme' }),
      fc.array(whole, some),
      fc.array(real, some),
      fc.array(fc.string(), some),
      tensor
    )
  ),
  fc.tuple(fc.constantFrom('alpha', 'epsilon', 'value_float'), fc.constantFrom(0, 1, -2, 0.5)),
  fc.tuple(fc.constantFrom('scales', 'value_floats'), fc.constantFrom([1, 2], [0.5]))
)

const name = fc.string({ unit: 'grapheme', maxLength: 200 })

const node: fc.Arbitrary<GraphNode> = fc.record({
  op: fc.string({ minLength: 1 }),
  domain: fc.constant(''),
  name,
  inputs: fc.array(name, { maxLength: 3 }),
  outputs: fc.array(name, { maxLength: 3 }),
  attributes: fc.array(attribute, { maxLength: 4 }).map((pairs) => Object.fromEntries(pairs))
})

const dims = fc.option(
  fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 2 ** 33 }),
      fc.constant('?'),
      name.filter((d) => d !== '?')
    ),
    { maxLength: 4 }
  ),
  {
    nil: undefined
  }
)

const port = fc.record({ name, dtype: fc.constantFrom('F32', 'I64', 'BOOL', 'BF16'), shape: dims })

const graph: fc.Arbitrary<Graph> = fc.record({
  opset: fc.integer({ min: 9, max: 22 }),
  nodes: fc.array(node, { maxLength: 5 }),
  initializers: fc.dictionary(name, tensor, { maxKeys: 4 }),
  inputs: fc.array(port, { maxLength: 3 }),
  outputs: fc.array(port, { maxLength: 3 })
})

describe('a graph as bytes', () => {
  test('is read as the graph that it was', () => {
    fc.assert(
      fc.property(graph, (one) => {
        expect(again(one)).toEqual(one)
      })
    )
  })

  const fixtures = fileURLToPath(new URL('../network/fixtures', import.meta.url))

  test.each(readdirSync(fixtures).filter((file) => file.endsWith('.onnx')))('%s: as it was read', (file) => {
    const given = right(decode(new Uint8Array(readFileSync(`${fixtures}/${file}`))))
    expect(again(given)).toEqual(withoutPlaces(given))
  })

  test.skipIf(folder === undefined)('whole networks of PyTorch, as they were read', () => {
    const files = readdirSync(`${folder}/onnx`).filter(
      (file) => file.endsWith('.onnx') && !/external|unet2d/.test(file)
    )
    expect(files.length).toBeGreaterThan(8)
    for (const file of files) {
      const given = right(decode(bytesOf(`onnx/${file}`)))
      expect(again(given)).toEqual(withoutPlaces(given))
    }
  })

  test('has the nearest whole number of 64 bits, where one is beyond them', () => {
    const data = Float64Array.of(2 ** 63, -(2 ** 63), Infinity, -1e30, NaN)
    const marks = { dtype: 'I64', tensor: { shape: [5], data }, place: undefined } as const
    const { initializers } = again({ opset: 21, nodes: [], initializers: { marks }, inputs: [], outputs: [] })
    expect([...(initializers['marks']?.tensor.data ?? [])]).toEqual([2 ** 63, -(2 ** 63), 2 ** 63, -(2 ** 63), 0])
  })

  const empty: Graph = { opset: 21, nodes: [], initializers: {}, inputs: [], outputs: [] }
  const said = (one: Partial<Graph>): string => {
    const result = encode({ ...empty, ...one })
    return E.isLeft(result) ? showError(result.left) : 'written'
  }

  test('is none where it has what a file cannot say', () => {
    const other = { op: 'Fused', domain: 'mine', name: 'n', inputs: [], outputs: [], attributes: {} }
    expect(said({ nodes: [other] })).toBe(
      '"n": expected operators of ai.onnx, got Fused of mine; write it by operators of ONNX'
    )
    const short = { dtype: 'F32', tensor: { shape: [2], data: new Float32Array(1) }, place: undefined } as const
    expect(said({ initializers: { w: short } })).toContain('"w": expected 2 numbers, got 1')
  })
})
