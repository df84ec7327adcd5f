/**
 * ONNX models: bytes in, a graph out.
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
import { size } from '../tensor/Tensor.js'
import { type Dtype, formats } from './Dtype.js'
import { countOf, limits } from './Limits.js'
import type { Attribute, Graph, GraphNode, GraphPort, OnnxError, OnnxTensor, Place } from './OnnxModel.js'

export {
  type Attribute,
  type Graph,
  type GraphNode,
  type GraphPort,
  type OnnxError,
  type OnnxTensor,
  type Place,
  showError
} from './OnnxModel.js'

// -------------------------------------------------------------------------------------
// what is read
// -------------------------------------------------------------------------------------

/** The opsets of which the operators' versions are known. */
const opsets = { least: 9, most: 22 } as const

/** The number formats by their number in the protocol. */
const dtypes: ReadonlyArray<Dtype | undefined> = [
  undefined,
  'F32',
  'U8',
  'I8',
  'U16',
  'I16',
  'I32',
  'I64',
  undefined,
  'BOOL',
  'F16',
  'F64',
  'U32',
  'U64',
  undefined,
  undefined,
  'BF16'
]

// thrown by the readers of fields, which have no result, and caught where reading begins
class Wrong extends Error {
  readonly error: OnnxError
  constructor(error: OnnxError) {
    super(error._tag)
    this.error = error
  }
}

const unsupported = (where: string, expected: string, got: string, remedy: string): never => {
  throw new Wrong({ _tag: 'Unsupported', where, expected, got, remedy })
}

const damaged = (where: string, expected: string, got: string | number): never => {
  throw new Wrong({ _tag: 'Damaged', where, expected, got: `${got}` })
}

const dtypeOf = (where: string, type: number): Dtype =>
  dtypes[type] ??
  unsupported(where, 'numbers or truth values', `elements of type ${type}`, 'export the model without them')

/** The fields of a message that ends within the one around it. */
const message = <T>(pbf: PbfReader, field: (tag: number, result: T, pbf: PbfReader) => void, result: T): T => {
  const length = pbf.readVarint()
  const end = pbf.pos + length
  if (!(end <= pbf.length)) return damaged(`byte ${pbf.pos}`, `${length} more bytes`, pbf.length - pbf.pos)
  pbf.readFields(field, result, end)
  return pbf.pos === end ? result : damaged(`byte ${pbf.pos}`, `an end at byte ${end}`, `one at ${pbf.pos}`)
}

const text = (pbf: PbfReader): string => {
  const start = pbf.pos
  const value = pbf.readString()
  return pbf.pos <= pbf.length ? value : damaged(`byte ${start}`, 'a text', 'an end of the file')
}

// -------------------------------------------------------------------------------------
// tensors
// -------------------------------------------------------------------------------------

interface RawTensor {
  name: string
  type: number
  readonly dims: Array<number>
  readonly typed: Array<number>
  raw: Place | undefined
  readonly outside: Map<string, string>
  elsewhere: boolean
}

const rawTensor = (): RawTensor => ({
  name: '',
  type: 0,
  dims: [],
  typed: [],
  raw: undefined,
  outside: new Map(),
  elsewhere: false
})

/** Packed and unpacked numbers alike. */
const numbers = (pbf: PbfReader, into: Array<number>, width: 4 | 8 | 0, one: () => number): void => {
  if (pbf.type !== 2) {
    into.push(one())
    return
  }
  const length = pbf.readVarint()
  const end = pbf.pos + length
  if (!(end <= pbf.length) || (width > 0 && length % width !== 0)) {
    damaged(`byte ${pbf.pos}`, 'numbers up to the end', `${length} bytes`)
  }
  while (pbf.pos < end) into.push(one())
}

const signed = (pbf: PbfReader): number => pbf.readVarint(true)

const tensorField = (tag: number, tensor: RawTensor, pbf: PbfReader): void => {
  if (tag === 1) numbers(pbf, tensor.dims, 0, () => signed(pbf))
  else if (tag === 2) tensor.type = pbf.readVarint()
  else if (tag === 3) unsupported('tensor', 'whole tensors', 'a segment of one', 'export the model again')
  else if (tag === 4) numbers(pbf, tensor.typed, 4, () => pbf.readFloat())
  else if (tag === 5 || tag === 7 || tag === 11) numbers(pbf, tensor.typed, 0, () => signed(pbf))
  else if (tag === 6) unsupported('tensor', 'numbers', 'texts', 'export the model without them')
  else if (tag === 8) tensor.name = text(pbf)
  else if (tag === 9) {
    const length = pbf.readVarint()
    tensor.raw = { file: undefined, at: pbf.pos, end: pbf.pos + length }
    pbf.pos += length
    if (!(pbf.pos <= pbf.length)) damaged(quote(tensor.name), `${length} bytes`, 'an end of the file')
  } else if (tag === 10) numbers(pbf, tensor.typed, 8, () => pbf.readDouble())
  else if (tag === 13) {
    const pair = message(pbf, pairField, { key: '', value: '' })
    tensor.outside.set(pair.key, pair.value)
  } else if (tag === 14) tensor.elsewhere = pbf.readVarint() === 1
}

const pairField = (tag: number, pair: { key: string; value: string }, pbf: PbfReader): void => {
  if (tag === 1) pair.key = text(pbf)
  else if (tag === 2) pair.value = text(pbf)
}

/** Files that lie beside a model, by name. */
type Beside = Readonly<Record<string, Uint8Array>>

const placeOf = (raw: RawTensor, expected: number): Place | undefined => {
  if (!raw.elsewhere) return raw.raw
  const number = (key: string, otherwise: number): number => Number(raw.outside.get(key) ?? otherwise)
  const file = raw.outside.get('location') ?? ''
  const at = number('offset', 0)
  return { file, at, end: at + number('length', expected) }
}

const finished =
  (bytes: Uint8Array, beside: Beside) =>
  (raw: RawTensor): OnnxTensor => {
    const where = quote(raw.name)
    const dtype = dtypeOf(where, raw.type)
    const shape = raw.dims
    const count = countOf(shape)
    if (count === undefined || count * 8 > limits.unpacked) {
      throw new Wrong({
        _tag: 'TooLarge',
        where,
        expected: `a tensor of at most ${limits.unpacked} bytes`,
        got: `[${shape.join(', ')}]`
      })
    }
    const { width, make, read } = formats[dtype]
    const expected = count * width
    const place = placeOf(raw, expected)
    const data = make(size(shape))
    if (place === undefined) {
      if (raw.typed.length !== count) damaged(where, `${count} numbers`, raw.typed.length)
      raw.typed.forEach((value, i) => (data[i] = asStored(dtype, value)))
      return { dtype, tensor: { shape, data }, place }
    }
    // own keys: a file may be called `constructor`
    const file = place.file
    const source = file === undefined ? bytes : Object.hasOwn(beside, file) ? beside[file] : undefined
    if (source === undefined) throw new Wrong({ _tag: 'MissingFile', tensor: raw.name, file: file ?? '' })
    if (place.end - place.at !== expected) damaged(where, `${expected} bytes`, place.end - place.at)
    if (!(place.at >= 0 && place.end <= source.length)) damaged(where, `${place.end} bytes in its file`, source.length)
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength)
    for (let i = 0; i < data.length; i++) {
      const value = read(view, place.at + i * width)
      // what marks an end, such as the largest integer, is as good as the nearest number
      const wide = Number.isNaN(value) && dtype === 'I64'
      data[i] = wide ? Number(view.getBigInt64(place.at + i * width, true)) : value
    }
    return { dtype, tensor: { shape, data }, place }
  }

/** A number of a list by type: floats of 16 bits are there as their bits. */
const asStored = (dtype: Dtype, value: number): number => {
  if (dtype !== 'F16' && dtype !== 'BF16') return value
  const view = new DataView(new ArrayBuffer(2))
  view.setUint16(0, value, true)
  return formats[dtype].read(view, 0)
}

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

const dimField = (tag: number, dim: { value: number | string }, pbf: PbfReader): void => {
  if (tag === 1) dim.value = signed(pbf)
  else if (tag === 2) dim.value = text(pbf)
}

const shapeField = (tag: number, shape: Array<number | string>, pbf: PbfReader): void => {
  if (tag === 1) shape.push(message(pbf, dimField, { value: '?' as number | string }).value)
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
 * The names of the files beside a model that it asks for, each once.
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
