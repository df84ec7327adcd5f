import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, test } from 'vitest'
import * as L from '../../src/lens/Lens.js'
import * as Onnx from '../../src/format/Onnx.js'
import { errorOf } from '../../src/network/Check.js'
import { diffusersGraph, fromDiffusers, showDiffusersError } from '../../src/network/FromDiffusers.js'
import { fromOnnx, showOnnxError } from '../../src/network/FromOnnx.js'
import { plan, graphOf } from '../../src/network/graph/Builder.js'
import type { Imported } from '../../src/network/graph/Import.js'
import { toOnnx } from '../../src/network/graph/ToOnnx.js'
import * as Build from '../../src/tensor/Build.js'
import * as Program from '../../src/tensor/Program.js'
import { reference } from '../../src/tensor/Target.js'
import { tabulate, type Tensor } from '../../src/tensor/Tensor.js'
import { right } from './graphs.js'
import { smallUnet, smallWeights } from './small.js'

/** What a model gives for images and times, in f64. */
const given = async (model: Imported, inputs: Program.Values): Promise<Tensor> => {
  if (model._tag === 'Forward') throw new Error('no lens')
  const shapes = Object.fromEntries(model.inputs.map(({ name, shape }) => [name, shape]))
  const program = Program.make({ p: L.shapesOf(model.lens), in: shapes }, ({ p, in: read }) => ({
    y: model.lens.forward(p, read)
  }))
  const values = { ...Program.under('p', model.values), ...Program.under('in', inputs) }
  const run = Build.using(reference, { batch: 2 })('model', program)((go) => go(values))
  return right(await run(), Build.showError)['y.out'] ?? { shape: [], data: new Float64Array(0) }
}

describe('a network in code as a file', () => {
  const inputs = {
    sample: tabulate([2, 3, 8, 8], (i) => Math.sin(1.3 * i)),
    timestep: { shape: [2], data: Float64Array.of(3, 700) }
  }

  test('computes what it did, but for constants that are f32 there', async () => {
    const weights = smallWeights(smallUnet)
    const own = right(fromDiffusers(smallUnet, weights), showDiffusersError)
    const bytes = pipe(
      diffusersGraph(smallUnet, weights),
      E.mapLeft(showDiffusersError),
      E.flatMap((graph) => pipe(toOnnx(graph), E.mapLeft(showOnnxError)))
    )
    const read = right(fromOnnx(right(bytes, String)), showOnnxError)
    expect(read.inputs).toEqual(own.inputs)
    expect(read.outputs).toEqual(own.outputs)
    expect(Object.keys(read.values).sort()).toEqual(Object.keys(own.values).sort())
    const [before, after] = [await given(own, inputs), await given(read, inputs)]
    expect(errorOf(before, after)).toBeLessThan(1e-6)
    // of weights that are another's it gives something else
    const other = { ...read, values: { ...read.values, 'conv_in.bias': tabulate([8], (i) => i) } }
    expect(errorOf(before, await given(other, inputs))).toBeGreaterThan(1e-2)
  })

  test('has one kind of numbers, and shapes of outputs with the batch left open', () => {
    const halves = plan([{ name: 'x', dtype: 'F32', shape: ['rows', 2] }], (b) => [
      b.add('Mul', ['x', b.floats([], [0.1])], {}, 'y')
    ])
    const bytes = right(toOnnx(graphOf(halves, {})), showOnnxError)
    const graph = right(Onnx.decode(bytes), Onnx.showError)
    expect(graph.nodes[0]?.attributes['value']).toMatchObject({
      dtype: 'F32',
      tensor: { data: Float32Array.of(0.1) }
    })
    expect(graph.outputs).toEqual([{ name: 'y', dtype: 'F32', shape: ['batch', 2] }])
  })

  test('is refused where it is no network', () => {
    const none = plan([{ name: 'x', dtype: 'F32', shape: ['batch', 2] }], (b) => [b.add('Fold', ['x'])])
    const made = toOnnx(graphOf(none, {}))
    expect(E.isLeft(made) && showOnnxError(made.left)).toContain('Fold')
  })
})
