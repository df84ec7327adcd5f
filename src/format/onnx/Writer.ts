/**
 * Graphs as bytes: what `Onnx.decode` reads, written.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { PbfWriter } from 'pbf'
import { quote } from '../../document/Shown.js'
import { size } from '../../tensor/Tensor.js'
import { type Dtype, formats, write } from '../Dtype.js'
import type { Attribute, Graph, GraphNode, GraphPort, OnnxError, OnnxTensor } from './Model.js'
import { numberOf } from './Tensors.js'

// -------------------------------------------------------------------------------------
// attributes
// -------------------------------------------------------------------------------------

/** Attributes that are no whole numbers, whatever their value is, by their names in all operators of the domain `ai.onnx`. */
const floats: ReadonlySet<string> = /*#__PURE__*/ new Set(
  (
    'activation_alpha activation_beta alpha beta bias clip cubic_coeff_a epsilon extrapolation_value gamma high lambd low ' +
    'max mean min momentum ratio scale scales softcap spatial_scale threshold value_float value_floats'
  ).split(' ')
)

/** Their numbers in `AttributeProto.AttributeType`. */
const types = { float: 1, int: 2, text: 3, tensor: 4, floats: 6, ints: 7, texts: 8 } as const

/** Not by `writeString`, which loses characters beyond the second plane of Unicode. */
const text = (pbf: PbfWriter, tag: number, value: string): void =>
  pbf.writeBytesField(tag, new TextEncoder().encode(value))

const isTensor = (value: Attribute): value is OnnxTensor => typeof value === 'object' && 'dtype' in value

const isTexts = (value: ReadonlyArray<number> | ReadonlyArray<string>): value is ReadonlyArray<string> =>
  value.some((one) => typeof one === 'string')

const whole = (name: string, values: ReadonlyArray<number>): boolean =>
  !floats.has(name) && values.every(Number.isSafeInteger)

const attribute = ([name, value]: readonly [string, Attribute], pbf: PbfWriter): void => {
  const of = (type: number): void => pbf.writeVarintField(20, type)
  text(pbf, 1, name)
  if (typeof value === 'number') {
    const int = whole(name, [value])
    if (int) pbf.writeVarintField(3, value)
    else pbf.writeFloatField(2, value)
    of(int ? types.int : types.float)
  } else if (typeof value === 'string') {
    text(pbf, 4, value)
    of(types.text)
  } else if (isTensor(value)) {
    pbf.writeMessage(5, tensor, ['', value])
    of(types.tensor)
  } else if (isTexts(value)) {
    for (const one of value) text(pbf, 9, one)
    of(types.texts)
  } else {
    const ints = whole(name, value)
    for (const one of value) {
      if (ints) pbf.writeVarintField(8, one)
      else pbf.writeFloatField(7, one)
    }
    of(ints ? types.ints : types.floats)
  }
}

// -------------------------------------------------------------------------------------
// graphs
// -------------------------------------------------------------------------------------

const raw = ({ dtype, tensor: { data } }: OnnxTensor): Uint8Array => {
  const { width } = formats[dtype]
  const bytes = new Uint8Array(data.length * width)
  const view = new DataView(bytes.buffer)
  data.forEach((value: number, i: number) => write(dtype, view, i * width, value))
  return bytes
}

const tensor = ([name, value]: readonly [string, OnnxTensor], pbf: PbfWriter): void => {
  for (const d of value.tensor.shape) pbf.writeVarintField(1, d)
  pbf.writeVarintField(2, numberOf(value.dtype))
  if (name !== '') text(pbf, 8, name)
  pbf.writeBytesField(9, raw(value))
}

const node = ({ op, name, inputs, outputs, attributes }: GraphNode, pbf: PbfWriter): void => {
  for (const one of inputs) text(pbf, 1, one)
  for (const one of outputs) text(pbf, 2, one)
  text(pbf, 3, name)
  text(pbf, 4, op)
  for (const one of Object.entries(attributes)) pbf.writeMessage(5, attribute, one)
}

const dim = (d: number | string, pbf: PbfWriter): void => {
  if (typeof d === 'number') pbf.writeVarintField(1, d)
  else if (d !== '?') text(pbf, 2, d)
}

const shape = (dims: ReadonlyArray<number | string>, pbf: PbfWriter): void => {
  for (const d of dims) pbf.writeMessage(1, dim, d)
}

const tensorType = ({ dtype, shape: dims }: GraphPort, pbf: PbfWriter): void => {
  pbf.writeVarintField(1, numberOf(dtype))
  if (dims !== undefined) pbf.writeMessage(2, shape, dims)
}

const typeOf = (port: GraphPort, pbf: PbfWriter): void => pbf.writeMessage(1, tensorType, port)

const portOf = (port: GraphPort, pbf: PbfWriter): void => {
  text(pbf, 1, port.name)
  pbf.writeMessage(2, typeOf, port)
}

const graphOf = (graph: Graph, pbf: PbfWriter): void => {
  for (const one of graph.nodes) pbf.writeMessage(1, node, one)
  text(pbf, 2, 'graph')
  for (const one of Object.entries(graph.initializers)) pbf.writeMessage(5, tensor, one)
  for (const one of graph.inputs) pbf.writeMessage(11, portOf, one)
  for (const one of graph.outputs) pbf.writeMessage(12, portOf, one)
}

const opsetOf = (version: number, pbf: PbfWriter): void => {
  text(pbf, 1, '')
  pbf.writeVarintField(2, version)
}

/** The version of the format that came with an opset: a reader of the one reads the other. */
const format = (opset: number): number => {
  const since = [9, 10, 11, 12, 15, 19, 21]
  return 3 + since.filter((first) => first <= opset).length
}

// -------------------------------------------------------------------------------------
// bytes
// -------------------------------------------------------------------------------------

/** The bytes that a message can have: their number is one of 31 bits in what reads them. */
const most = 2 ** 31 - 1

const tensorsOf = ({ nodes, initializers }: Graph): ReadonlyArray<OnnxTensor> => [
  ...Object.values(initializers),
  ...nodes.flatMap(({ attributes }) => Object.values(attributes).filter(isTensor))
]

const bytesOf = ({ dtype, tensor: { data } }: { readonly dtype: Dtype } & OnnxTensor): number =>
  data.length * formats[dtype].width

/** A tensor whose numbers are not those of its shape. */
const misshapen = ([name, { tensor: one }]: readonly [string, OnnxTensor]): ReadonlyArray<OnnxError> =>
  size(one.shape) === one.data.length
    ? []
    : [{ _tag: 'Damaged', where: quote(name), expected: `${size(one.shape)} numbers`, got: `${one.data.length}` }]

/**
 * The bytes of a model with a graph. What it says is what `decode` says of the bytes, but for where tensors are. Numbers of attributes
 * that are whole are written as whole numbers, unless the attribute is none of whole numbers, as `alpha`.
 *
 * Left: operators of another domain, of which the version is not known; a tensor with too few numbers; more than 2 GiB in all.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encode = (graph: Graph): E.Either<OnnxError, Uint8Array> => {
  const other = graph.nodes.find(({ domain }) => domain !== '')
  if (other !== undefined) {
    const [where, got] = [quote(other.name), `${other.op} of ${other.domain}`]
    const remedy = 'write it by operators of ONNX'
    return E.left({ _tag: 'Unsupported', where, expected: 'operators of ai.onnx', got, remedy })
  }
  const [wrong] = Object.entries(graph.initializers).flatMap(misshapen)
  if (wrong !== undefined) return E.left(wrong)
  const bytes = tensorsOf(graph).reduce((sum, one) => sum + bytesOf(one), 0)
  // names, shapes and nodes are little beside the numbers
  const room = bytes + 2 ** 10 * (graph.nodes.length + Object.keys(graph.initializers).length)
  if (room > most) {
    return E.left({ _tag: 'TooLarge', where: 'graph', expected: `at most ${most} bytes`, got: `${bytes}` })
  }
  const pbf = new PbfWriter(new Uint8Array(room))
  pbf.writeVarintField(1, format(graph.opset))
  text(pbf, 2, 'halforder')
  pbf.writeMessage(7, graphOf, graph)
  pbf.writeMessage(8, opsetOf, graph.opset)
  return E.right(pbf.finish().slice())
}
