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
import { type Data, size, type Tensor } from '../tensor/Tensor.js'
import { type Dtype, formats, isDtype } from './Dtype.js'
import { toHalf } from './Half.js'
import { metadataName, quote, type SafetensorsError } from './SafetensorsError.js'

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
 * Left when a tensor is called `__metadata__`, or does not fill its shape.
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
    return unfilled === undefined ? E.right(write(parts, metadata)) : E.left(mismatch(unfilled))
  }

const mismatch = ({ name, tensor, dtype }: Part): SafetensorsError => ({
  _tag: 'SizeMismatch',
  tensor: name,
  dtype,
  shape: tensor.shape,
  expected: size(tensor.shape) * formats[dtype].width,
  got: tensor.data.length * formats[dtype].width
})

const write = (parts: ReadonlyArray<Part>, metadata: Checkpoint['metadata']): Uint8Array => {
  let end = 0
  const entries = parts.map(({ name, tensor, dtype }): readonly [string, Entry] => {
    const begin = end
    end += tensor.data.length * formats[dtype].width
    return [name, { dtype, shape: [...tensor.shape], data_offsets: [begin, end] }]
  })
  const sortedMetadata = Object.entries(metadata).sort(([a], [b]) => byName(a, b))
  // `fromEntries` and not assignment: a tensor may be called `__proto__`
  const header = new TextEncoder().encode(
    JSON.stringify(
      Object.fromEntries([
        ...(sortedMetadata.length === 0 ? [] : [[metadataName, Object.fromEntries(sortedMetadata)] as const]),
        ...entries
      ])
    )
  )
  const headerLength = Math.ceil(header.length / prefixLength) * prefixLength
  const bytes = new Uint8Array(prefixLength + headerLength + end)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(0, BigInt(headerLength), true)
  // the format pads with spaces, which JSON ignores
  bytes.fill(0x20, prefixLength, prefixLength + headerLength)
  bytes.set(header, prefixLength)
  let at = prefixLength + headerLength
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

const isCount = (u: unknown): u is number => typeof u === 'number' && Number.isSafeInteger(u) && u >= 0

const Count = new t.Type<number, number, unknown>(
  'an integer from 0 to 2^53',
  isCount,
  (u, context) => (isCount(u) ? t.success(u) : t.failure(u, context)),
  t.identity
)

const Entry = t.type(
  { dtype: t.string, shape: t.array(Count, 'a list of sizes'), data_offsets: t.tuple([Count, Count], 'two offsets') },
  'an entry'
)
type Entry = t.TypeOf<typeof Entry>

const Text = t.record(t.string, t.string, 'a record of texts')
const Header = t.record(t.string, t.unknown, 'an object')

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
 * Total: whatever the bytes are, the result is a checkpoint or an error that `showError` puts in words.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decode = (bytes: Uint8Array): E.Either<SafetensorsError, Checkpoint> =>
  pipe(
    E.Do,
    E.bind('headerLength', () => readHeaderLength(bytes)),
    E.bind('header', ({ headerLength }) => readHeader(bytes.subarray(prefixLength, prefixLength + headerLength))),
    E.bind('metadata', ({ header }) => decodeWith(Text, quote(metadataName), header.get(metadataName) ?? {})),
    E.bind('slots', ({ header }) =>
      pipe(
        [...header].filter(([name]) => name !== metadataName),
        E.traverseArray(([name, entry]) => readSlot(name, entry))
      )
    ),
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

const readHeaderLength = (bytes: Uint8Array): E.Either<SafetensorsError, number> => {
  if (bytes.length < prefixLength) {
    return E.left({ _tag: 'Truncated', what: 'header length', expected: prefixLength, got: bytes.length })
  }
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const got = bytes.length - prefixLength
  return length <= got ? E.right(length) : E.left({ _tag: 'Truncated', what: 'header', expected: length, got })
}

const readHeader = (bytes: Uint8Array): E.Either<SafetensorsError, ReadonlyMap<string, unknown>> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)),
      (reason): SafetensorsError => ({
        _tag: 'BadHeader',
        what: 'header',
        expected: 'JSON in UTF-8',
        got: String(reason)
      })
    ),
    E.chain((json) => decodeWith(Header, 'header', json)),
    E.map((header) => new Map(Object.entries(header)))
  )

// A list or an object may be nested too deeply to be written out.
const brief = (u: unknown): string => {
  if (u === undefined) return 'nothing'
  if (typeof u === 'object' && u !== null) return Array.isArray(u) ? `a list of ${u.length}` : 'an object'
  return JSON.stringify(u)
}

// The first thing that is wrong: after it the rest of the header means little.
const decodeWith = <A>(codec: t.Type<A, unknown, unknown>, what: string, u: unknown): E.Either<SafetensorsError, A> =>
  pipe(
    codec.decode(u),
    E.mapLeft((errors): SafetensorsError => {
      const [first] = errors
      const path = (first?.context ?? []).slice(1).map(({ key }) => `.${key}`)
      return {
        _tag: 'BadHeader',
        what: `${what}${path.join('')}`,
        expected: first?.context.at(-1)?.type.name ?? codec.name,
        got: brief(first?.value)
      }
    })
  )

const readSlot = (name: string, entry: unknown): E.Either<SafetensorsError, Slot> =>
  pipe(
    decodeWith(Entry, quote(name), entry),
    E.chain(({ dtype, shape, data_offsets: [begin, end] }): E.Either<SafetensorsError, Slot> => {
      if (!isDtype(dtype)) return E.left({ _tag: 'UnknownDtype', tensor: name, got: dtype })
      const expected = size(shape) * formats[dtype].width
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
