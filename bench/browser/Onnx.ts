/**
 * The works as models of ONNX, for onnxruntime-web: bytes are written here, by the numbers of its published messages.
 */
import * as ort from 'onnxruntime-web/webgpu'
import type { Tensor } from '../../src/tensor/Tensor.js'
import type { Contender } from '../Work.js'

// -------------------------------------------------------------------------------------
// bytes
// -------------------------------------------------------------------------------------

type Bytes = ReadonlyArray<number> | Uint8Array

const varint = (n: number): ReadonlyArray<number> => (n < 128 ? [n] : [(n % 128) | 128, ...varint(Math.floor(n / 128))])

const joined = (parts: ReadonlyArray<Bytes>): Uint8Array => {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

const number = (field: number, n: number): Bytes => [...varint(field * 8), ...varint(n)]
const block = (field: number, content: Bytes): Bytes =>
  joined([[...varint(field * 8 + 2), ...varint(content.length)], content])
const string = (field: number, text: string): Bytes => block(field, new TextEncoder().encode(text))

// -------------------------------------------------------------------------------------
// messages
// -------------------------------------------------------------------------------------

/** A node: what it does, from which values to which. */
export interface Node {
  readonly does: string
  readonly from: ReadonlyArray<string>
  readonly to: ReadonlyArray<string>
  readonly numbers?: Readonly<Record<string, number | ReadonlyArray<number>>>
  readonly words?: Readonly<Record<string, string>>
}

/** A model: nodes, what is fed, what is known, and the one output. */
export interface Model {
  readonly nodes: ReadonlyArray<Node>
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly known: Readonly<Record<string, Tensor>>
  readonly output: readonly [name: string, shape: ReadonlyArray<number>]
}

const attribute = (name: string, value: number | string | ReadonlyArray<number>): Bytes => {
  if (typeof value === 'string') return joined([string(1, name), string(4, value), number(20, 3)])
  if (typeof value === 'number') return joined([string(1, name), number(3, value), number(20, 2)])
  return joined([string(1, name), ...value.map((one) => number(8, one)), number(20, 7)])
}

const node = ({ does, from, to, numbers = {}, words = {} }: Node): Bytes =>
  joined([
    ...from.map((name) => string(1, name)),
    ...to.map((name) => string(2, name)),
    string(4, does),
    ...Object.entries({ ...numbers, ...words }).map(([name, value]) => block(5, attribute(name, value)))
  ])

const floats = 1

const tensor = (name: string, { shape, data }: Tensor): Bytes =>
  joined([
    ...shape.map((size) => number(1, size)),
    number(2, floats),
    string(8, name),
    block(9, new Uint8Array(Float32Array.from(data).buffer))
  ])

const port = (name: string, shape: ReadonlyArray<number>): Bytes => {
  const sizes = joined(shape.map((size) => block(1, number(1, size))))
  return joined([string(1, name), block(2, block(1, joined([number(1, floats), block(2, sizes)])))])
}

const bytesOf = ({ nodes, inputs, known, output: [name, shape] }: Model): Uint8Array => {
  const graph = joined([
    ...nodes.map((one) => block(1, node(one))),
    string(2, 'work'),
    ...Object.entries(known).map(([key, value]) => block(5, tensor(key, value))),
    ...Object.entries(inputs).map(([key, value]) => block(11, port(key, value.shape))),
    block(12, port(name, shape))
  ])
  return joined([number(1, 8), block(7, graph), block(8, number(2, 17))])
}

// -------------------------------------------------------------------------------------
// running
// -------------------------------------------------------------------------------------

ort.env.wasm.wasmPaths = '/'
ort.env.wasm.numThreads = 1
ort.env.logLevel = 'error'

/** A model on onnxruntime-web's WebGPU. */
export const onnx = async (model: Model): Promise<Contender> => {
  const session = await ort.InferenceSession.create(bytesOf(model), { executionProviders: ['webgpu'] })
  const feeds = (): Record<string, ort.Tensor> =>
    Object.fromEntries(
      Object.entries(model.inputs).map(([name, { shape, data }]) => [
        name,
        new ort.Tensor('float32', Float32Array.from(data), shape)
      ])
    )
  return {
    run: async () => {
      const found = (await session.run(feeds()))[model.output[0]]
      return found === undefined ? [] : ((await found.getData()) as Float32Array)
    },
    dispose: () => session.release()
  }
}
