/**
 * Tensors of ONNX files: messages `TensorProto`, in every encoding.
 *
 * @since 0.1.0
 */
import type { PbfReader } from 'pbf'
import { quote } from '../../document/Shown.js'
import { size } from '../../tensor/Tensor.js'
import { type Dtype, formats } from '../Dtype.js'
import { countOf, limits } from '../Limits.js'
import type { OnnxError, OnnxTensor, Place } from './Model.js'

// -------------------------------------------------------------------------------------
// what is read
// -------------------------------------------------------------------------------------

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

/**
 * An error on its way out: the readers of fields, which the decoder of protocol buffers calls, have no result. It is caught where
 * reading begins.
 *
 * @category reading
 * @since 0.1.0
 */
export class Wrong extends Error {
  readonly error: OnnxError
  constructor(error: OnnxError) {
    super(error._tag)
    this.error = error
  }
}

/**
 * Ends a reading: the file uses what is not read.
 *
 * @category reading
 * @since 0.1.0
 */
export const unsupported = (where: string, expected: string, got: string, remedy: string): never => {
  throw new Wrong({ _tag: 'Unsupported', where, expected, got, remedy })
}

/**
 * Ends a reading: the file is cut off, or its tensors are.
 *
 * @category reading
 * @since 0.1.0
 */
export const damaged = (where: string, expected: string, got: string | number): never => {
  throw new Wrong({ _tag: 'Damaged', where, expected, got: `${got}` })
}

/**
 * The number format of a type, by its number in the protocol.
 *
 * @category reading
 * @since 0.1.0
 */
export const dtypeOf = (where: string, type: number): Dtype =>
  dtypes[type] ??
  unsupported(where, 'numbers or truth values', `elements of type ${type}`, 'export the model without them')

/**
 * The number of a format in the protocol.
 *
 * @category writing
 * @since 0.1.0
 */
export const numberOf = (dtype: Dtype): number => dtypes.indexOf(dtype)

/**
 * The fields of a message, which ends within the one around it.
 *
 * @category reading
 * @since 0.1.0
 */
export const message = <T>(pbf: PbfReader, field: (tag: number, result: T, pbf: PbfReader) => void, result: T): T => {
  const length = pbf.readVarint()
  const end = pbf.pos + length
  if (!(end <= pbf.length)) return damaged(`byte ${pbf.pos}`, `${length} more bytes`, pbf.length - pbf.pos)
  pbf.readFields(field, result, end)
  return pbf.pos === end ? result : damaged(`byte ${pbf.pos}`, `an end at byte ${end}`, `one at ${pbf.pos}`)
}

/**
 * A text.
 *
 * @category reading
 * @since 0.1.0
 */
export const text = (pbf: PbfReader): string => {
  const start = pbf.pos
  const value = pbf.readString()
  return pbf.pos <= pbf.length ? value : damaged(`byte ${start}`, 'a text', 'an end of the file')
}

// -------------------------------------------------------------------------------------
// tensors
// -------------------------------------------------------------------------------------

/**
 * The fields of a tensor as they are read.
 *
 * @category model
 * @since 0.1.0
 */
export interface RawTensor {
  name: string
  type: number
  readonly dims: Array<number>
  readonly typed: Array<number>
  raw: Place | undefined
  readonly outside: Map<string, string>
  elsewhere: boolean
}

/**
 * A tensor of which nothing is read.
 *
 * @category reading
 * @since 0.1.0
 */
export const rawTensor = (): RawTensor => ({
  name: '',
  type: 0,
  dims: [],
  typed: [],
  raw: undefined,
  outside: new Map(),
  elsewhere: false
})

/**
 * Packed and unpacked numbers alike, of a width in bytes, or of any width (0).
 *
 * @category reading
 * @since 0.1.0
 */
export const numbers = (pbf: PbfReader, into: Array<number>, width: 4 | 8 | 0, one: () => number): void => {
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

/**
 * A whole number.
 *
 * @category reading
 * @since 0.1.0
 */
export const signed = (pbf: PbfReader): number => pbf.readVarint(true)

/**
 * A field of a tensor.
 *
 * @category reading
 * @since 0.1.0
 */
export const tensorField = (tag: number, tensor: RawTensor, pbf: PbfReader): void => {
  if (tag === 1) numbers(pbf, tensor.dims, 0, () => signed(pbf))
  else if (tag === 2) tensor.type = pbf.readVarint()
  else if (tag === 3) unsupported('tensor', 'whole tensors', 'a segment of one', 'export the model again')
  else if (tag === 4) typed(pbf, tensor, 4, () => pbf.readFloat())
  else if (tag === 5 || tag === 7 || tag === 11) numbers(pbf, tensor.typed, 0, () => signed(pbf))
  else if (tag === 6) unsupported('tensor', 'numbers', 'texts', 'export the model without them')
  else if (tag === 8) tensor.name = text(pbf)
  else if (tag === 9) {
    const length = pbf.readVarint()
    tensor.raw = { file: undefined, at: pbf.pos, end: pbf.pos + length }
    pbf.pos += length
    if (!(pbf.pos <= pbf.length)) damaged(quote(tensor.name), `${length} bytes`, 'an end of the file')
  } else if (tag === 10) typed(pbf, tensor, 8, () => pbf.readDouble())
  else if (tag === 13) {
    const pair = message(pbf, pairField, { key: '', value: '' })
    tensor.outside.set(pair.key, pair.value)
  } else if (tag === 14) tensor.elsewhere = pbf.readVarint() === 1
}

/** Floats by type. Where they are all in one piece they lie as those of a raw tensor do, and have a place. */
const typed = (pbf: PbfReader, tensor: RawTensor, width: 4 | 8, one: () => number): void => {
  const packed = pbf.type === 2 && tensor.typed.length === 0
  numbers(pbf, tensor.typed, width, one)
  const length = tensor.typed.length * width
  tensor.raw = packed ? { file: undefined, at: pbf.pos - length, end: pbf.pos } : undefined
}

const pairField = (tag: number, pair: { key: string; value: string }, pbf: PbfReader): void => {
  if (tag === 1) pair.key = text(pbf)
  else if (tag === 2) pair.value = text(pbf)
}

/**
 * Files that lie beside a model, by name.
 *
 * @category model
 * @since 0.1.0
 */
export type Beside = Readonly<Record<string, Uint8Array>>

const placeOf = (raw: RawTensor, expected: number): Place | undefined => {
  if (!raw.elsewhere) return raw.raw
  const number = (key: string, otherwise: number): number => Number(raw.outside.get(key) ?? otherwise)
  const file = raw.outside.get('location') ?? ''
  const at = number('offset', 0)
  return { file, at, end: at + number('length', expected) }
}

/**
 * The numbers of a tensor whose fields are read, from the file or those beside it.
 *
 * @category reading
 * @since 0.1.0
 */
export const finished =
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
