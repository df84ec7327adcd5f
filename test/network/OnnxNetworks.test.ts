import { readdirSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { describe, expect, test } from 'vitest'
import { gpuJs } from '../../src/kernel/GpuJs.js'
import { check, type Compared, showCheckError } from '../../src/network/Check.js'
import { fromOnnx, showOnnxError } from '../../src/network/FromOnnx.js'
import type { Imported } from '../../src/network/graph/Import.js'
import type { Values } from '../../src/tensor/Program.js'
import { reference, type Target } from '../../src/tensor/Target.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { arraysOf, bytesOf, folder, jsonOf } from '../data.js'
import { right } from './graphs.js'

const models = folder === undefined ? [] : readdirSync(`${folder}/onnx`).filter((name) => name.endsWith('.onnx'))

const Renamed = t.record(t.string, t.type({ initializer: t.string, as: t.string }))
const Files = t.type({ files: t.record(t.string, t.partial({ param_map: Renamed })) })

const modelOf = (file: string): Imported => {
  const outside = 'mlp-external-opset13.bin'
  const beside = file.includes('external') ? { [outside]: bytesOf(`onnx/${outside}`) } : {}
  return right(fromOnnx(bytesOf(`onnx/${file}`), { beside }), showOnnxError)
}

const baseOf = (file: string): string => file.replace(/(?:-external|-floatdata)?-opset\d+\.onnx$/, '')

const transposed = ({ shape: [rows = 1, columns = 1], data }: Tensor): Tensor => {
  const moved = data.slice()
  for (let i = 0; i < data.length; i++) moved[(i % columns) * rows + Math.floor(i / columns)] = data[i] ?? 0
  return { shape: [columns, rows], data: moved }
}

/** A reference with gradients as the file has its parameters: under its names, and transposed where it has them so. */
const arraysFor = (file: string, model: Imported): Values => {
  const base = baseOf(file)
  const files = Files.decode(jsonOf(`onnx/${base}.json`))
  const maps = E.isRight(files) ? Object.values(files.right.files).map((one) => one.param_map ?? {}) : []
  const own = E.isRight(files) ? files.right.files[file]?.param_map : undefined
  const map = own ?? maps[0] ?? {}
  return Object.fromEntries(
    Object.entries(arraysOf(`onnx/${base}.npz`)).map(([array, tensor]) => {
      const name = array.replace(/^grad\./, '')
      const { initializer, as } = map[name] ?? { initializer: name, as: 'same' }
      if (!array.startsWith('grad.') || map[name] === undefined) return [array, tensor]
      const shape = model.values[initializer]?.shape ?? tensor.shape
      return [`grad.${initializer}`, as === 'transposed' ? transposed(tensor) : { ...tensor, shape }]
    })
  )
}

const compare = async (
  target: Target,
  file: string,
  single: number,
  double: number
): Promise<ReadonlyArray<Compared>> => {
  const model = modelOf(file)
  expect(model._tag).toBe('Lens')
  return right(await check(target, { single, double })(model, arraysFor(file, model))(), showCheckError)
}

const off = (rows: ReadonlyArray<Compared>): ReadonlyArray<Compared> =>
  rows.filter(({ verdict }) => verdict !== 'equal')

describe.skipIf(folder === undefined)('whole networks of PyTorch', () => {
  // the U-Net takes seconds there, and its operators are those of the others
  test.each(models.filter((file) => !file.startsWith('unet2d')))('%s: outputs and gradients, in f64', async (file) => {
    // what is f64 there was computed with constants, such as 1e-5, that the file has in f32, which is 2^-24 away
    const rows = await compare(reference, file, 6e-6, 1e-7)
    expect(off(rows)).toEqual([])
    expect(rows.length).toBeGreaterThanOrEqual(7)
  })

  test.each(models)('%s: outputs and gradients, in f32', async (file) => {
    const target = gpuJs()
    const rows = await compare(target, file, 2e-5, 2e-5)
    await target.dispose()
    expect(off(rows)).toEqual([])
  })

  test('a file with the same numbers in f64 is computed to f64', async () => {
    // its norms have their epsilon, and nothing else that is rounded
    expect(off(await compare(reference, 'reward-conv-bn-opset14.onnx', 1e-6, 1e-12))).toEqual([])
  })

  test('numbers in another file that is not given are asked for by its name', () => {
    const model = fromOnnx(bytesOf('onnx/mlp-external-opset13.onnx'))
    expect(E.isLeft(model) && showOnnxError(model.left)).toContain(
      'expected the file "mlp-external-opset13.bin" with its numbers, got none; put it beside the model'
    )
  })
})
