import { readdirSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Onnx from '../../src/format/Onnx.js'
import { shapesOf } from '../../src/lens/Parameter.js'
import { fromGraph, type Imported, known } from '../../src/network/graph/Import.js'
import { showImportError } from '../../src/network/graph/ImportError.js'
import * as Program from '../../src/tensor/Program.js'
import type { Values } from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError as showShape } from '../../src/tensor/Shape.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { arraysOf, bytesOf, folder, jsonOf } from '../data.js'

const models = folder === undefined ? [] : readdirSync(`${folder}/onnx`).filter((name) => name.endsWith('.onnx'))

const right = <L, A>(result: E.Either<L, A>, show: (error: L) => string): A => {
  if (E.isLeft(result)) throw new Error(show(result.left))
  return result.right
}

describe.skipIf(folder === undefined)('whole networks of PyTorch', () => {
  test.each(models)('%s', (file) => {
    const base = file.replace(/-(?:opset\d+|floatdata.*|external.*)\.onnx$/, '').replace(/-(?:floatdata|external)$/, '')
    const beside = file.includes('external') ? { 'mlp-external-opset13.bin': bytesOf('onnx/mlp-external-opset13.bin') } : {}
    const graph = right(Onnx.decode(bytesOf(`onnx/${file}`), beside), Onnx.showError)
    const t0 = performance.now()
    const model = right(fromGraph(graph), (error) => showImportError(error, known))
    const t1 = performance.now()
    if (model._tag !== 'Lens') throw new Error(JSON.stringify(model.without))
    const arrays = arraysOf(`onnx/${base}.npz`)
    const { lens } = model
    const [output = { name: '', shape: [] }] = model.outputs
    const shapes = Object.fromEntries(model.inputs.map(({ name, shape }) => [name, shape]))
    const program = right(
      Program.make({ p: shapesOf(lens), in: shapes, w: output.shape }, ({ p, in: given, w }) => {
        const [value, back] = lens.run(p, given)
        const [pBar, aBar] = back({ [output.name]: w })
        return { value: value[output.name] ?? w, p: pBar, a: aBar }
      }),
      (errors) => errors.map(showShape).join()
    )
    const t2 = performance.now()
    const batch = arrays['out']?.shape[0] ?? 1
    const values: Values = {
      ...Program.under('p', model.values),
      ...Program.under('in', Program.below('in', arrays)),
      w: arrays['w'] ?? { shape: [], data: new Float64Array(0) }
    }
    const result = right(Reference.run(program, { batch }, values), (errors) => errors.map(showShape).slice(0, 3).join())
    const t3 = performance.now()
    const off = (got: Tensor | undefined, want: Tensor | undefined): number => {
      if (got === undefined || want === undefined || got.data.length !== want.data.length) return Infinity
      const most = want.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0)
      return want.data.reduce((m, v, i) => Math.max(m, Math.abs(v - (got.data[i] ?? NaN))), 0) / most
    }
    const map = (jsonOf(`onnx/${base}.json`) as any).files[file].param_map
    const grads = Object.keys(arrays).filter((k) => k.startsWith('grad.')).map((k) => {
      const name = k.slice(5)
      const m = map[name] ?? { initializer: name, as: 'same' }
      let g = result[`a.${name}`] ?? result[`p.${m.initializer}`]
      if (m.as === 'transposed' && g !== undefined) { const [r = 1, c = 1] = g.shape; g = { shape: [c, r], data: g.data.slice().map((_, i) => g!.data[(i % r) * c + Math.floor(i / r)] ?? 0) } }
      return `${name}: ${off(g, arrays[k]).toExponential(1)}`
    })
    console.log(file, 'out', off(result['value'], arrays['out']).toExponential(2), 'out64', off(result['value'], arrays['out64']).toExponential(2),
      Object.keys(arrays).filter((k) => k.startsWith('grad64.')).map((k) => `${k} ${off(result[`a.${k.slice(7)}`], arrays[k]).toExponential(2)}`).join(), grads.join(', '),
      'instructions', program.instructions.length, (t1 - t0).toFixed(), (t2 - t1).toFixed(), (t3 - t2).toFixed())
  })
})
