import { readdirSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Onnx from '../../src/format/Onnx.js'
import { fromGraph, known, needed } from '../../src/network/graph/Import.js'
import { showImportError } from '../../src/network/graph/ImportError.js'
import { parameterInputs } from '../../src/lens/Parameter.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError as showShape } from '../../src/tensor/Shape.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { bytesOf, folder, jsonOf } from '../data.js'

const names = folder === undefined ? [] : Object.keys(jsonOf('onnx-node/manifest.json') as object)

const right = <L, A>(result: E.Either<L, A>, show: (error: L) => string): A => {
  if (E.isLeft(result)) throw new Error(show(result.left))
  return result.right
}

const tensorsOf = (name: string, kind: 'input' | 'output'): ReadonlyArray<Tensor> => {
  const files = readdirSync(`${folder ?? ''}/onnx-node/${name}/test_data_set_0`).filter((file) => file.startsWith(kind))
  return files
    .sort((a, b) => Number(/\d+/.exec(a)) - Number(/\d+/.exec(b)))
    .map((file) => right(Onnx.decodeTensor(bytesOf(`onnx-node/${name}/test_data_set_0/${file}`)), Onnx.showError).tensor)
}

/** How far a node's outputs are from what is expected, relative to 1 and the largest; or why it is refused. */
const outcome = (name: string): string | number => {
  const graph = right(Onnx.decode(bytesOf(`onnx-node/${name}/model.onnx`)), Onnx.showError)
  const inputs = Object.fromEntries(tensorsOf(name, 'input').map((tensor, i) => [graph.inputs[i]?.name ?? '', tensor]))
  const fixed = Object.fromEntries(needed(graph).flatMap((key) => (inputs[key] === undefined ? [] : [[key, inputs[key]]])))
  const model = fromGraph(graph, { fixed })
  if (E.isLeft(model)) return showImportError(model.left, known)
  const { right: found } = model
  const shapes = Object.fromEntries(found.inputs.map(({ name: key, shape }) => [key, shape]))
  const run = found._tag === 'Lens' ? found.lens : found.forward
  const program = right(
    Program.make({ in: shapes }, ({ in: given }) => ({ out: run.forward(parameterInputs('p', run.parameters), given) })),
    (errors) => errors.map(showShape).join()
  )
  const values = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [`in.${key}`, value]))
  const result = right(Reference.run(program, {}, values), (errors) => errors.map(showShape).join())
  const expected = tensorsOf(name, 'output')
  return Math.max(
    ...found.outputs.map(({ name: key }, i) => {
      const [got, want] = [result[`out.${key}`], expected[i]]
      if (got === undefined || want === undefined || got.shape.join() !== want.shape.join()) return Infinity
      return Math.max(
        0,
        ...Array.from(want.data, (value, at) => {
          const other = got.data[at] ?? NaN
          return Object.is(value, other) || value === other ? 0 : Math.abs(value - other) / Math.max(1, Math.abs(value))
        })
      )
    })
  )
}

describe.skipIf(folder === undefined)("ONNX's own tests of single nodes", () => {
  test('x', () => {
    let n = 0
    for (const name of names) {
      let r: string | number
      try { r = outcome(name) } catch (e) { r = `THROW ${e instanceof Error ? (e.stack ?? '').slice(0, 300) : ''}` }
      if (typeof r === 'string' || !(r < 1e-4)) { n++; console.log(name, r) }
    }
    console.log('bad', n, names.length)
  })
})
