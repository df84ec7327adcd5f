/**
 * ONNX models: bytes in, a graph out, and back.
 *
 * A file is a protocol buffer of the message `ModelProto`; the numbers of fields below are those of `onnx/onnx.proto`. Opsets 9 to 22
 * of the domain `ai.onnx` are read, tensors in every encoding (raw, by type, in another file), but no text, no sparse tensor and no
 * graph inside a node.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { PbfReader } from 'pbf'
import { quote } from '../document/Shown.js'
import { equals, show } from '../tensor/Shape.js'
import type { Tensor } from '../tensor/Tensor.js'
import { formats, write } from './Dtype.js'
import { limits } from './Limits.js'
import type { Attribute, Graph, GraphNode, GraphPort, OnnxError, OnnxTensor } from './onnx/Model.js'
import {
  type Beside,
  dtypeOf,
  finished,
  message,
  numbers,
  type RawTensor,
  rawTensor,
  signed,
  tensorField,
  text,
  unsupported,
  Wrong
} from './onnx/Tensors.js'

export {
  type Attribute,
  type Graph,
  type GraphNode,
  type GraphPort,
  type OnnxError,
  type OnnxTensor,
  type Place,
  showError
} from './onnx/Model.js'
export { encode } from './onnx/Writer.js'

/** The opsets of which the operators' versions are known. */
const opsets = { least: 9, most: 22 } as const

// -------------------------------------------------------------------------------------
// graphs
// -------------------------------------------------------------------------------------

interface RawAttribute {
  name: string
  value: Attribute | undefined
  tensor: RawTensor | undefined
  readonly numbers: Array<number>
  readonly texts: Array<string>
  type: number
}

const graphInside = (): never =>
  unsupported('node', 'operators alone', 'a graph inside one', 'export the model without control flow')

const attributeField = (tag: number, attribute: RawAttribute, pbf: PbfReader): void => {
  if (tag === 1) attribute.name = text(pbf)
  else if (tag === 2) attribute.value = pbf.readFloat()
  else if (tag === 3) attribute.value = signed(pbf)
  else if (tag === 4) attribute.value = text(pbf)
  else if (tag === 5) attribute.tensor = message(pbf, tensorField, rawTensor())
  else if (tag === 6 || tag === 11) graphInside()
  else if (tag === 7) numbers(pbf, attribute.numbers, 4, () => pbf.readFloat())
  else if (tag === 8) numbers(pbf, attribute.numbers, 0, () => signed(pbf))
  else if (tag === 9) attribute.texts.push(text(pbf))
  else if (tag === 20) attribute.type = pbf.readVarint()
}

// their numbers in `AttributeProto.AttributeType`
const floats = 6
const ints = 7
const strings = 8

interface RawNode {
  readonly inputs: Array<string>
  readonly outputs: Array<string>
  name: string
  op: string
  domain: string
  readonly attributes: Array<RawAttribute>
}

const nodeField = (tag: number, node: RawNode, pbf: PbfReader): void => {
  if (tag === 1) node.inputs.push(text(pbf))
  else if (tag === 2) node.outputs.push(text(pbf))
  else if (tag === 3) node.name = text(pbf)
  else if (tag === 4) node.op = text(pbf)
  else if (tag === 5) {
    const empty: RawAttribute = { name: '', value: undefined, tensor: undefined, numbers: [], texts: [], type: 0 }
    node.attributes.push(message(pbf, attributeField, empty))
  } else if (tag === 7) node.domain = text(pbf)
}

interface RawPort {
  name: string
  type: number
  shape: Array<number | string> | undefined
}

interface RawDim {
  value: number | string
}

const unsaid = (): RawDim => ({ value: '?' })

const dimField = (tag: number, dim: RawDim, pbf: PbfReader): void => {
  if (tag === 1) dim.value = signed(pbf)
  else if (tag === 2) dim.value = text(pbf)
}

const shapeField = (tag: number, shape: Array<number | string>, pbf: PbfReader): void => {
  if (tag === 1) shape.push(message(pbf, dimField, unsaid()).value)
}

const tensorTypeField = (tag: number, port: RawPort, pbf: PbfReader): void => {
  if (tag === 1) port.type = pbf.readVarint()
  else if (tag === 2) port.shape = message(pbf, shapeField, [])
}

const typeField = (tag: number, port: RawPort, pbf: PbfReader): void => {
  if (tag === 1) message(pbf, tensorTypeField, port)
}

const portField = (tag: number, port: RawPort, pbf: PbfReader): void => {
  if (tag === 1) port.name = text(pbf)
  else if (tag === 2) message(pbf, typeField, port)
}

interface RawGraph {
  readonly nodes: Array<RawNode>
  readonly initializers: Array<RawTensor>
  readonly inputs: Array<RawPort>
  readonly outputs: Array<RawPort>
}

const graphField = (tag: number, graph: RawGraph, pbf: PbfReader): void => {
  const port = (): RawPort => message(pbf, portField, { name: '', type: 0, shape: undefined })
  if (tag === 1) {
    graph.nodes.push(message(pbf, nodeField, { inputs: [], outputs: [], name: '', op: '', domain: '', attributes: [] }))
  } else if (tag === 5) graph.initializers.push(message(pbf, tensorField, rawTensor()))
  else if (tag === 11) graph.inputs.push(port())
  else if (tag === 12) graph.outputs.push(port())
  else if (tag === 15)
    unsupported('initializer', 'dense tensors', 'a sparse one', 'export the model with dense weights')
}

interface RawModel {
  graph: RawGraph | undefined
  readonly opsets: Map<string, number>
  functions: number
}

const modelField = (tag: number, model: RawModel, pbf: PbfReader): void => {
  if (tag === 7) model.graph = message(pbf, graphField, { nodes: [], initializers: [], inputs: [], outputs: [] })
  else if (tag === 8) {
    const { domain, version } = message(pbf, opsetField, { domain: '', version: 0 })
    model.opsets.set(domain === 'ai.onnx' ? '' : domain, version)
  } else if (tag === 25) model.functions += message(pbf, () => undefined, 1)
}

const opsetField = (tag: number, opset: { domain: string; version: number }, pbf: PbfReader): void => {
  if (tag === 1) opset.domain = text(pbf)
  else if (tag === 2) opset.version = signed(pbf)
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const graphOf = (bytes: Uint8Array, beside: Beside): Graph => {
  const model: RawModel = { graph: undefined, opsets: new Map(), functions: 0 }
  new PbfReader(bytes).readFields(modelField, model)
  const { graph } = model
  if (graph === undefined || model.opsets.size === 0) {
    throw new Wrong({ _tag: 'NotOnnx', where: 'file', expected: 'a model with a graph and its opset', got: 'none' })
  }
  if (model.functions > 0) unsupported('model', 'operators alone', 'functions of its own', 'inline them')
  const opset = model.opsets.get('') ?? 0
  if (opset < opsets.least || opset > opsets.most) {
    const remedy = 'export it with another opset_version, such as 17'
    unsupported('model', `an opset from ${opsets.least} to ${opsets.most}`, `${opset}`, remedy)
  }
  if (graph.initializers.length + graph.nodes.length > limits.tensors) {
    const got = `${graph.initializers.length + graph.nodes.length}`
    throw new Wrong({ _tag: 'TooLarge', where: 'graph', expected: `at most ${limits.tensors} nodes and tensors`, got })
  }
  const finish = finished(bytes, beside)
  const port = ({ name, type, shape }: RawPort): GraphPort => ({ name, dtype: dtypeOf(quote(name), type), shape })
  // own records: a tensor may be called `__proto__`
  return {
    opset,
    nodes: graph.nodes.map((node) => finishedNode(node, finish)),
    initializers: Object.fromEntries(graph.initializers.map((raw) => [raw.name, finish(raw)])),
    inputs: graph.inputs.map(port),
    outputs: graph.outputs.map(port)
  }
}

const finishedNode = (node: RawNode, finish: (raw: RawTensor) => OnnxTensor): GraphNode => ({
  op: node.op,
  domain: node.domain === 'ai.onnx' ? '' : node.domain,
  name: node.name,
  inputs: node.inputs,
  outputs: node.outputs,
  attributes: Object.fromEntries(
    node.attributes.map((attribute) => [attribute.name, attributeOf(attribute, finish)] as const)
  )
})

const attributeOf = (raw: RawAttribute, finish: (raw: RawTensor) => OnnxTensor): Attribute => {
  if (raw.tensor !== undefined) return finish(raw.tensor)
  if (raw.type === floats || raw.type === ints) return raw.numbers
  return raw.type === strings ? raw.texts : (raw.value ?? raw.numbers)
}

const reading = <A>(read: () => A): E.Either<OnnxError, A> =>
  E.tryCatch(
    read,
    (thrown): OnnxError =>
      thrown instanceof Wrong
        ? thrown.error
        : {
            _tag: 'NotOnnx',
            where: 'file',
            expected: 'a protocol buffer',
            got: thrown instanceof Error ? thrown.message : 'something else'
          }
  )

/**
 * The graph in a model's bytes. `beside` are the files with the numbers that the model keeps outside, by name.
 *
 * Total: whatever the bytes are, the result is a graph or an error that `showError` puts in words. What has a size is compared with
 * the bytes that are there before anything is made of it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = (bytes: Uint8Array, beside: Beside = {}): E.Either<OnnxError, Graph> =>
  reading(() => graphOf(bytes, beside))

/**
 * A single tensor as ONNX writes it beside its tests, a message `TensorProto`.
 * Left: bytes that are no such message, or a type of numbers that is not read.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decodeTensor = (bytes: Uint8Array): E.Either<OnnxError, OnnxTensor & { readonly name: string }> =>
  reading(() => {
    const raw = new PbfReader(bytes).readFields(tensorField, rawTensor())
    return { name: raw.name, ...finished(bytes, {})(raw) }
  })

/**
 * The names of the files beside a model that it asks for, each once. Left: bytes that are no model.
 *
 * @category utils
 * @since 0.1.0
 */
export const filesBeside = (bytes: Uint8Array): E.Either<OnnxError, ReadonlyArray<string>> =>
  pipe(
    reading(() => {
      const model: RawModel = { graph: undefined, opsets: new Map(), functions: 0 }
      new PbfReader(bytes).readFields(modelField, model)
      return model.graph?.initializers ?? []
    }),
    E.map((tensors) => [
      ...new Set(tensors.flatMap((one) => (one.elsewhere ? [one.outside.get('location') ?? ''] : [])))
    ])
  )

// -------------------------------------------------------------------------------------
// the same model with other numbers
// -------------------------------------------------------------------------------------

/**
 * A model's bytes, and those of the files beside it.
 *
 * @category model
 * @since 0.1.0
 */
export interface Written {
  readonly model: Uint8Array
  readonly beside: Beside
}

/**
 * The same model with other numbers in some initializers, by name, each in the number format that it has there: every other byte is
 * as it was, in the file and in those beside it.
 *
 * Left: as for `decode`; an initializer that is not there, has another shape, or has its numbers one by one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const rewrite = (
  bytes: Uint8Array,
  values: Readonly<Record<string, Tensor>>,
  beside: Beside = {}
): E.Either<OnnxError, Written> =>
  pipe(
    decode(bytes, beside),
    E.flatMap(({ initializers }): E.Either<OnnxError, Written> => {
      const model = bytes.slice()
      const others = new Map(Object.entries(beside).map(([name, content]) => [name, content.slice()]))
      for (const [name, tensor] of Object.entries(values)) {
        // own keys: an initializer may be called `constructor`
        const known = Object.hasOwn(initializers, name) ? initializers[name] : undefined
        const place = known?.place
        const into = place === undefined ? undefined : place.file === undefined ? model : others.get(place.file)
        if (known === undefined || place === undefined || into === undefined) {
          const expected = known === undefined ? 'an initializer of the graph' : 'numbers in one piece'
          const remedy = known === undefined ? 'name one of them' : 'store the tensor raw, as torch.onnx.export does'
          return E.left({ _tag: 'Unsupported', where: quote(name), expected, got: 'none', remedy })
        }
        if (!equals(known.tensor.shape, tensor.shape)) {
          const expected = show(known.tensor.shape)
          return E.left({
            _tag: 'Unsupported',
            where: quote(name),
            expected,
            got: show(tensor.shape),
            remedy: 'give it its own shape'
          })
        }
        const view = new DataView(into.buffer, into.byteOffset, into.byteLength)
        const { width } = formats[known.dtype]
        tensor.data.forEach((value: number, i: number) => write(known.dtype, view, place.at + i * width, value))
      }
      return E.right({ model, beside: Object.fromEntries(others) })
    })
  )
