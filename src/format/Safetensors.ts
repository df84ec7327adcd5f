/**
 * Checkpoints: named tensors as safetensors files, and back.
 *
 * A file is the length of the header (u64, little-endian), the header (JSON: for each tensor its dtype, its shape and
 * where its bytes lie; and `__metadata__`, a record of strings), then the bytes of the tensors, little-endian,
 * row-major, without gaps. See https://huggingface.co/docs/safetensors.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { decodeWith as decodeDocument, type DocumentError, listUpTo, numberThat } from '../document/Document.js'
import * as Json from '../document/Json.js'
import { quote, shown } from '../document/Shown.js'
import { type Data, size, type Tensor } from '../tensor/Tensor.js'
import { type Dtype, formats, isDtype, write as writeNumber } from './Dtype.js'
import { toHalf } from './Half.js'
import { countOf, limits } from './Limits.js'
import { metadataName, type SafetensorsError } from './SafetensorsError.js'

export { type SafetensorsError, showError } from './SafetensorsError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a checkpoint holds: tensors by name, and free text by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Checkpoint {
  readonly tensors: Readonly<Record<string, Tensor>>
  readonly metadata: Readonly<Record<string, string>>
}

/**
 * How tensors are stored: `'own'` keeps f32 as F32 and f64 as F64, without loss; `'F16'` rounds each number to the
 * nearest binary16 (11 significant bits, at most 65504, beyond it infinity).
 *
 * @category model
 * @since 0.1.0
 */
export type Precision = 'own' | 'F16'

const prefixLength = 8

// -------------------------------------------------------------------------------------
// writing
// -------------------------------------------------------------------------------------

interface Part {
  readonly name: string
  readonly tensor: Tensor
  readonly dtype: 'F64' | 'F32' | 'F16'
}

const partOf = (name: string, tensor: Tensor, precision: Precision): Part => ({
  name,
  tensor,
  dtype: precision === 'F16' ? 'F16' : tensor.data instanceof Float64Array ? 'F64' : 'F32'
})

// By code units and not by a locale, so that the file does not depend on the machine.
const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/**
 * The bytes of a checkpoint. Equal checkpoints give equal bytes: wide number formats come first, so that each tensor is
 * aligned to its width, and names are in order. The header is padded to a multiple of 8 bytes.
 *
 * Left when a tensor is called `__metadata__`, does not fill its shape, or when there is more than `decode` reads.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encode =
  (precision: Precision) =>
  ({ tensors, metadata }: Checkpoint): E.Either<SafetensorsError, Uint8Array> => {
    const parts = Object.entries(tensors)
      .map(([name, tensor]) => partOf(name, tensor, precision))
      .sort((a, b) => formats[b.dtype].width - formats[a.dtype].width || byName(a.name, b.name))
    if (parts.some(({ name }) => name === metadataName)) return E.left({ _tag: 'ReservedName' })
    const unfilled = parts.find(({ tensor }) => tensor.data.length !== size(tensor.shape))
    if (unfilled !== undefined) return E.left(mismatch(unfilled))
    return pipe(
      headerOf(parts, metadata),
      E.map((header) => write(header, parts))
    )
  }

const mismatch = ({ name, tensor, dtype }: Part): SafetensorsError => ({
  _tag: 'SizeMismatch',
  tensor: name,
  dtype,
  shape: tensor.shape,
  expected: size(tensor.shape) * formats[dtype].width,
  got: tensor.data.length * formats[dtype].width
})

/** The header, padded. Left: one that `decode` would refuse to read. */
const headerOf = (
  parts: ReadonlyArray<Part>,
  metadata: Checkpoint['metadata']
): E.Either<SafetensorsError, Uint8Array> => {
  let end = 0
  const entries = parts.map(({ name, tensor, dtype }): readonly [string, Entry] => {
    const begin = end
    end += tensor.data.length * formats[dtype].width
    return [name, { dtype, shape: [...tensor.shape], data_offsets: [begin, end] }]
  })
  const sortedMetadata = Object.entries(metadata).sort(([a], [b]) => byName(a, b))
  // `fromEntries` and not assignment: a tensor may be called `__proto__`
  const text = new TextEncoder().encode(
    JSON.stringify(
      Object.fromEntries([
        ...(sortedMetadata.length === 0 ? [] : [[metadataName, Object.fromEntries(sortedMetadata)] as const]),
        ...entries
      ])
    )
  )
  // the format pads with spaces, which JSON ignores
  const header = new Uint8Array(Math.ceil(text.length / prefixLength) * prefixLength).fill(0x20)
  header.set(text)
  const counted = entries.length + (sortedMetadata.length === 0 ? 0 : 1)
  const deepest = entries.reduce((most, [, { shape }]) => Math.max(most, shape.length), 0)
  if (counted > limits.tensors) return tooLarge('tensors', `at most ${limits.tensors}`, counted)
  if (deepest > limits.rank) return tooLarge('tensors', `at most ${limits.rank} axes`, deepest)
  return header.length > limits.safetensorsHeader
    ? tooLarge('header', `at most ${limits.safetensorsHeader} bytes`, header.length)
    : E.right(header)
}

const tooLarge = (what: string, expected: string, got: string | number): E.Either<SafetensorsError, never> =>
  E.left({ _tag: 'TooLarge', what, expected, got: String(got) })

const write = (header: Uint8Array, parts: ReadonlyArray<Part>): Uint8Array => {
  const start = prefixLength + header.length
  const end = parts.reduce((at, { tensor, dtype }) => at + tensor.data.length * formats[dtype].width, start)
  const bytes = new Uint8Array(end)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(header.length), true)
  bytes.set(header, prefixLength)
  let at = start
  for (const { tensor, dtype } of parts) at = writeData(view, at, tensor.data, dtype)
  return bytes
}

const writeData = (view: DataView, start: number, data: Data, dtype: Part['dtype']): number => {
  const { width } = formats[dtype]
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0
    const at = start + i * width
    if (dtype === 'F64') view.setFloat64(at, value, true)
    else if (dtype === 'F32') view.setFloat32(at, value, true)
    else view.setUint16(at, toHalf(value), true)
  }
  return start + data.length * width
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const Count = /*#__PURE__*/ numberThat('an integer from 0 to 2^53', (n) => Number.isSafeInteger(n) && n >= 0)

const Entry = /*#__PURE__*/ t.type(
  {
    dtype: t.string,
    shape: /*#__PURE__*/ listUpTo(Count, limits.rank, `a list of at most ${limits.rank} sizes`),
    data_offsets: /*#__PURE__*/ t.tuple([Count, Count], 'two offsets')
  },
  'an entry'
)
type Entry = t.TypeOf<typeof Entry>

const Text = /*#__PURE__*/ t.record(t.string, t.string, 'a record of texts')
const Header = /*#__PURE__*/ t.record(t.string, t.unknown, 'an object')

interface Slot {
  readonly name: string
  readonly dtype: Dtype
  readonly shape: ReadonlyArray<number>
  readonly begin: number
  readonly end: number
}

/**
 * The checkpoint in a file's bytes. F32, F16, BF16, BOOL and integers of 8 and 16 bits become f32; F64 and wider
 * integers become f64: without loss in every case.
 *
 * Total: whatever the bytes are, the result is a checkpoint or an error that `showError` puts in words. A key twice is one, and
 * so is more than `Limits` has: a header of 8 MiB, 65,536 tensors, 64 axes.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decode = (bytes: Uint8Array): E.Either<SafetensorsError, Checkpoint> =>
  pipe(
    slotsOf(bytes),
    E.bind('metadata', ({ header }) => decodeWith(Text, quote(metadataName), header.get(metadataName) ?? {})),
    E.chainFirst(({ headerLength, slots }) => checkCover(slots, bytes.length - prefixLength - headerLength)),
    E.bind('tensors', ({ headerLength, slots }) => {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      return pipe(
        slots,
        E.traverseArray((slot) => readTensor(view, prefixLength + headerLength, slot))
      )
    }),
    E.map(({ tensors, metadata }) => ({ tensors: Object.fromEntries(tensors), metadata }))
  )

/**
 * The same file with other numbers in some tensors, each in the number format that it has there: every other byte is as it was.
 *
 * Left: as for `decode`; a tensor that is not there, or has another shape.
 *
 * @category combinators
 * @since 0.1.0
 */
export const rewrite = (
  bytes: Uint8Array,
  values: Readonly<Record<string, Tensor>>
): E.Either<SafetensorsError, Uint8Array> =>
  pipe(
    decode(bytes),
    E.flatMap(() => slotsOf(bytes)),
    E.flatMap(({ headerLength, slots }) => {
      const result = bytes.slice()
      const view = new DataView(result.buffer)
      for (const [name, { shape, data }] of Object.entries(values)) {
        const slot = slots.find((one) => one.name === name)
        const fits =
          slot !== undefined && slot.shape.length === shape.length && slot.shape.every((d, i) => d === shape[i])
        if (!fits) {
          const [dtype, expected] = [slot?.dtype ?? 'none', slot === undefined ? 0 : slot.end - slot.begin]
          return E.left<SafetensorsError>({ _tag: 'SizeMismatch', tensor: name, dtype, shape, expected, got: 0 })
        }
        const { width } = formats[slot.dtype]
        const start = prefixLength + headerLength + slot.begin
        for (let i = 0; i < data.length; i++) writeNumber(slot.dtype, view, start + i * width, data[i] ?? 0)
      }
      return E.right(result)
    })
  )

/** Where the tensors of a file are. */
const slotsOf = (bytes: Uint8Array) =>
  pipe(
    E.Do,
    E.bind('headerLength', () => readHeaderLength(bytes)),
    E.bind('header', ({ headerLength }) => readHeader(bytes.subarray(prefixLength, prefixLength + headerLength))),
    E.bind('slots', ({ header }) =>
      pipe(
        [...header].filter(([name]) => name !== metadataName),
        E.traverseArray(([name, entry]) => readSlot(name, entry))
      )
    )
  )

const readHeaderLength = (bytes: Uint8Array): E.Either<SafetensorsError, number> => {
  if (bytes.length < prefixLength) {
    return E.left({ _tag: 'Truncated', what: 'header length', expected: prefixLength, got: bytes.length })
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const got = bytes.length - prefixLength
  if (length > limits.safetensorsHeader) return tooLarge('header', `at most ${limits.safetensorsHeader} bytes`, length)
  return length <= got ? E.right(length) : E.left({ _tag: 'Truncated', what: 'header', expected: length, got })
}

const readHeader = (bytes: Uint8Array): E.Either<SafetensorsError, ReadonlyMap<string, unknown>> =>
  pipe(
    E.tryCatch(
      () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
      (): SafetensorsError => ({ _tag: 'BadHeader', what: 'header', expected: 'JSON in UTF-8', got: 'other bytes' })
    ),
    E.flatMap((text) => pipe(Json.parse(text), E.mapLeft(badHeader))),
    E.flatMap((json) => decodeWith(Header, 'header', json)),
    E.map((header) => new Map(Object.entries(header))),
    E.flatMap((header) =>
      header.size <= limits.tensors
        ? E.right(header)
        : tooLarge('header', `at most ${limits.tensors} tensors`, header.size)
    )
  )

// The first thing that is wrong: after it the rest of the header means little.
const decodeWith = <A>(codec: t.Type<A, unknown, unknown>, what: string, u: unknown): E.Either<SafetensorsError, A> =>
  pipe(decodeDocument(codec, u, what), E.mapLeft(badHeader))

const badHeader = ({ path, expected, got }: DocumentError): SafetensorsError => ({
  _tag: 'BadHeader',
  what: path === 'the document' ? 'header' : path,
  expected,
  got
})

const readSlot = (name: string, entry: unknown): E.Either<SafetensorsError, Slot> =>
  pipe(
    decodeWith(Entry, quote(name), entry),
    E.chain(({ dtype, shape, data_offsets: [begin, end] }): E.Either<SafetensorsError, Slot> => {
      if (!isDtype(dtype)) return E.left({ _tag: 'UnknownDtype', tensor: name, got: dtype })
      const count = countOf(shape)
      if (count === undefined) return tooLarge(`shape of ${quote(name)}`, 'at most 2^53 numbers', shown(shape))
      const expected = count * formats[dtype].width
      return end - begin === expected
        ? E.right({ name, dtype, shape, begin, end })
        : E.left({ _tag: 'SizeMismatch', tensor: name, dtype, shape, expected, got: end - begin })
    })
  )

// The slots in the order of their bytes have to lie end to end from the first byte to the last.
const checkCover = (slots: ReadonlyArray<Slot>, total: number): E.Either<SafetensorsError, void> => {
  let covered = 0
  for (const { name, begin, end } of [...slots].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== covered) {
      return E.left({
        _tag: 'BadOffsets',
        what: `start of ${quote(name)}`,
        expected: covered,
        got: begin
      })
    }
    covered = end
  }
  if (covered > total) return E.left({ _tag: 'Truncated', what: 'data', expected: covered, got: total })
  return covered === total
    ? E.right(undefined)
    : E.left({ _tag: 'BadOffsets', what: 'end of the data', expected: covered, got: total })
}

const readTensor = (
  view: DataView,
  start: number,
  { name, dtype, shape, begin }: Slot
): E.Either<SafetensorsError, readonly [string, Tensor]> => {
  const { width, make, read } = formats[dtype]
  const data = make(size(shape))
  const integers = dtype === 'I64' || dtype === 'U64'
  for (let i = 0; i < data.length; i++) {
    const at = start + begin + i * width
    const value = read(view, at)
    if (integers && Number.isNaN(value)) {
      const got = dtype === 'I64' ? view.getBigInt64(at, true) : view.getBigUint64(at, true)
      return E.left({ _tag: 'NotExact', tensor: name, index: i, got: String(got) })
    }
    data[i] = value
  }
  return E.right([name, { shape, data }])
}
