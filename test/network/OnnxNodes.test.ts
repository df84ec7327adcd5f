import { readdirSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Onnx from '../../src/format/Onnx.js'
import * as L from '../../src/lens/Lens.js'
import { fromGraph, known, needed } from '../../src/network/graph/Import.js'
import { showImportError } from '../../src/network/graph/ImportError.js'
import { fromHalf, toHalf } from '../../src/format/Half.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError as showShape, type ShapeError } from '../../src/tensor/Shape.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { bytesOf, folder, jsonOf } from '../data.js'
import { right } from './graphs.js'

const manifest = folder === undefined ? {} : jsonOf('onnx-node/manifest.json')
const names = Object.keys(typeof manifest === 'object' && manifest !== null ? manifest : {})

const shown = (errors: ReadonlyArray<ShapeError>): string => errors.map(showShape).join('\n')

const tensorsOf = (name: string, kind: 'input' | 'output'): ReadonlyArray<Onnx.OnnxTensor> =>
  readdirSync(`${folder ?? ''}/onnx-node/${name}/test_data_set_0`)
    .filter((file) => file.startsWith(kind))
    .sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)))
    .map((file) => right(Onnx.decodeTensor(bytesOf(`onnx-node/${name}/test_data_set_0/${file}`)), Onnx.showError))

/** The largest error of an output beside 1 and the number itself. What is F16 there is more accurate here, and rounded first. */
const errorOf = (got: Tensor | undefined, { dtype, tensor }: Onnx.OnnxTensor): number => {
  if (got === undefined || got.shape.join() !== tensor.shape.join()) return Infinity
  const rounded = (value: number): number => (dtype === 'F16' ? fromHalf(toHalf(value)) : value)
  return Array.from(tensor.data).reduce((most, value, i) => {
    const other = rounded(got.data[i] ?? 0)
    const same = value === other || (Number.isNaN(value) && Number.isNaN(other))
    return same ? most : Math.max(most, Math.abs(value - other) / Math.max(1, Math.abs(value)))
  }, 0)
}

/** The largest error of a node's outputs, in f64; or why it is refused. Inputs that say what to do are known at import. */
const outcome = (name: string): string | number => {
  const graph = right(Onnx.decode(bytesOf(`onnx-node/${name}/model.onnx`)), Onnx.showError)
  const inputs = Object.fromEntries(
    tensorsOf(name, 'input').map(({ tensor }, i) => [graph.inputs[i]?.name ?? '', tensor])
  )
  const fixed = Object.fromEntries(Object.entries(inputs).filter(([key]) => needed(graph).includes(key)))
  const model = fromGraph(graph, { fixed })
  if (E.isLeft(model)) return showImportError(model.left, known)
  const run = model.right._tag === 'Lens' ? model.right.lens : model.right.forward
  const shapes = Object.fromEntries(model.right.inputs.map(({ name: key, shape }) => [key, shape]))
  const program = right(
    Program.make({ p: L.shapesOf(run), in: shapes }, ({ p, in: given }) => ({ out: run.forward(p, given) })),
    shown
  )
  const result = right(Reference.run(program, {}, Program.under('in', inputs)), shown)
  const expected = tensorsOf(name, 'output')
  return model.right.outputs.reduce((most, { name: key }, i) => {
    const wanted = expected[i]
    return wanted === undefined ? Infinity : Math.max(most, errorOf(result[`out.${key}`], wanted))
  }, 0)
}

/** What is not computed, and why; each is a decision. */
const refused: Readonly<Record<string, string>> = {
  'v1.17.0/test_floor': 'got Floor in node "y"',
  'v1.17.0/test_floor_example': 'got Floor in node "y"'
}

/** Where ONNX's own reference and other tools differ, we do as PyTorch and onnxruntime do: the size of the result is whole. */
const otherwise = ['v1.17.0/test_resize_downsample_scales_linear_align_corners']

describe.skipIf(folder === undefined)("ONNX's own tests of single nodes", () => {
  test.each(names.filter((name) => !(name in refused) && !otherwise.includes(name)))('%s', (name) => {
    const result = outcome(name)
    // expected numbers are f32, of inputs that are
    expect(typeof result === 'string' ? result : result < 1e-6 || result).toBe(true)
  })

  test.each(Object.entries(refused))('%s is refused in words', (name, message) => {
    expect(outcome(name)).toContain(message)
  })

  test.each(otherwise)('%s is as PyTorch has it', (name) => {
    expect(outcome(name)).toBeGreaterThan(0.1)
  })

  test('at most one in thirty is refused', () => {
    expect((Object.keys(refused).length + otherwise.length) / names.length).toBeLessThan(1 / 30)
  })
})
