/**
 * Writers of npy and zip files, independent of the readers, in which every field can be another.
 */
import { crc32, deflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'

// -------------------------------------------------------------------------------------
// npy
// -------------------------------------------------------------------------------------

type Put = (view: DataView, at: number, value: number, little: boolean) => void

/** Width, a generator of numbers that the format holds, and how one is written. */
export const formats: Readonly<Record<string, readonly [number, fc.Arbitrary<number>, Put]>> = {
  f4: [4, fc.float(), (v, at, x, le) => v.setFloat32(at, x, le)],
  f8: [8, fc.double(), (v, at, x, le) => v.setFloat64(at, x, le)],
  // sign and exponent of numbers k 2^-2 with |k| < 2^11 written out below
  f2: [2, fc.integer({ min: -2047, max: 2047 }).map((k) => k / 4), (v, at, x, le) => v.setUint16(at, halfBits(x), le)],
  i1: [1, fc.integer({ min: -128, max: 127 }), (v, at, x) => v.setInt8(at, x)],
  u1: [1, fc.integer({ min: 0, max: 255 }), (v, at, x) => v.setUint8(at, x)],
  i2: [2, fc.integer({ min: -32768, max: 32767 }), (v, at, x, le) => v.setInt16(at, x, le)],
  u2: [2, fc.integer({ min: 0, max: 65535 }), (v, at, x, le) => v.setUint16(at, x, le)],
  i4: [4, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (v, at, x, le) => v.setInt32(at, x, le)],
  u4: [4, fc.integer({ min: 0, max: 2 ** 32 - 1 }), (v, at, x, le) => v.setUint32(at, x, le)],
  i8: [8, fc.maxSafeInteger(), (v, at, x, le) => v.setBigInt64(at, BigInt(x), le)],
  u8: [8, fc.maxSafeNat(), (v, at, x, le) => v.setBigUint64(at, BigInt(x), le)],
  b1: [1, fc.constantFrom(0, 1), (v, at, x) => v.setUint8(at, x)]
}

/** By search: the reader's own conversion is not used. */
const halfBits = (x: number): number => {
  const magnitude = Math.abs(x)
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0
  if (magnitude === 0) return sign
  const exponent = Math.floor(Math.log2(magnitude))
  return sign | ((exponent + 15) << 10) | ((magnitude / 2 ** exponent - 1) * 1024)
}

export interface Written {
  readonly kind: string
  readonly little: boolean
  readonly fortran: boolean
  readonly version: number
  readonly shape: ReadonlyArray<number>
  /** row-major */
  readonly values: ReadonlyArray<number>
}

export const header = (version: number, text: string): Uint8Array => {
  const body = new TextEncoder().encode(text)
  const bytes = new Uint8Array((version === 1 ? 10 : 12) + body.length)
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), version, 0])
  const view = new DataView(bytes.buffer)
  if (version === 1) view.setUint16(8, body.length, true)
  else view.setUint32(8, body.length, true)
  bytes.set(body, bytes.length - body.length)
  return bytes
}

export const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => {
  const bytes = new Uint8Array(parts.reduce((n, part) => n + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** All indices of a shape, the last axis fastest. */
const indices = (shape: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
  shape.reduce<ReadonlyArray<ReadonlyArray<number>>>(
    (found, d) => found.flatMap((index) => Array.from({ length: d }, (_, i) => [...index, i])),
    [[]]
  )

export const npy = ({ kind, little, fortran, version, shape, values }: Written): Uint8Array => {
  const [width, , put] = formats[kind] ?? [1, fc.constant(0), () => undefined]
  const order = width === 1 ? '|' : little ? '<' : '>'
  const tuple = `(${shape.map((d) => `${d},`).join(' ')})`
  const text = `{'descr': '${order}${kind}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': ${tuple}, }  \n`
  const data = new Uint8Array(values.length * width)
  const view = new DataView(data.buffer)
  // where each index lies when the first axis is fastest: by sorting the indices read backwards
  const all = indices(shape)
  const backwards = all
    .map((index, i) => ({ key: [...index].reverse(), i }))
    .sort((a, b) => a.key.reduce((sign, k, axis) => sign || k - (b.key[axis] ?? 0), 0))
  const stored = fortran ? backwards.map(({ i }) => i) : all.map((_, i) => i)
  stored.forEach((i, at) => put(view, at * width, values[i] ?? 0, little))
  return join(header(version, text), data)
}

// -------------------------------------------------------------------------------------
// zip
// -------------------------------------------------------------------------------------

/**
 * A file of an archive. `deflate`: deflated. `extra`: bytes of an extra field of its header. `said`: what the directory says
 * where that is not so, with its header or (`headerSays`) the header alone.
 */
export interface Member {
  readonly name: string
  readonly content: Uint8Array
  readonly deflate?: boolean
  readonly extra?: number
  readonly said?: Partial<Said>
  readonly headerSays?: Partial<Said>
}

interface Said {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly compressed: number
  readonly size: number
  readonly at: number
}

const record = (...fields: ReadonlyArray<readonly [width: 2 | 4 | 8, value: number]>): Uint8Array => {
  const bytes = new Uint8Array(fields.reduce((n, [width]) => n + width, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true)
    else if (width === 4) view.setUint32(at, value, true)
    else view.setBigUint64(at, BigInt(value), true)
    at += width
  }
  return bytes
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** The 64-bit numbers of an entry, where `long`. */
const extraOf = (long: boolean, ...numbers: ReadonlyArray<number>): Uint8Array =>
  long
    ? record([2, 1], [2, 8 * numbers.length], ...numbers.map((n): readonly [8, number] => [8, n]))
    : new Uint8Array(0)

/**
 * An archive. `long`: with the record for 64-bit sizes, as of an archive beyond 4 GiB, and all ones in the short one (`'both'`: with
 * the sizes in both). `overlap`: every entry of the directory is of the first file's bytes.
 */
export const zip = (
  members: ReadonlyArray<Member>,
  { comment = '', long = false, overlap = false }: { comment?: string; long?: boolean | 'both'; overlap?: boolean } = {}
): Uint8Array => {
  const parts: Array<Uint8Array> = []
  const directory: Array<Uint8Array> = []
  const ones = (value: number): number => (long === true ? 0xffffffff : value)
  let at = 0
  for (const { name, content, deflate = false, extra = 0, said = {}, headerSays = {} } of members) {
    const bytes = deflate ? Uint8Array.from(deflateRawSync(content)) : content
    const all: Said = {
      name,
      flags: 0,
      method: deflate ? 8 : 0,
      crc: crc32(content),
      compressed: bytes.length,
      size: content.length,
      at: overlap ? 0 : at,
      ...said
    }
    const own: Said = { ...all, ...headerSays }
    const label = text(own.name)
    const header = record(
      [4, 0x04034b50],
      [2, 20],
      [2, own.flags],
      [2, own.method],
      [4, 0],
      [4, own.crc],
      [4, own.compressed],
      [4, own.size],
      [2, label.length],
      [2, extra]
    )
    const piece = join(header, label, new Uint8Array(extra), bytes)
    if (!overlap || parts.length === 0) parts.push(piece)
    if (!overlap || at === 0) at += piece.length
    const listed = text(all.name)
    const numbers = extraOf(long === true, all.size, all.compressed, all.at)
    directory.push(
      join(
        record(
          [4, 0x02014b50],
          [2, 20],
          [2, 20],
          [2, all.flags],
          [2, all.method],
          [4, 0],
          [4, all.crc],
          [4, ones(all.compressed)],
          [4, ones(all.size)],
          [2, listed.length],
          [2, numbers.length],
          [2, 0],
          [2, 0],
          [2, 0],
          [4, 0],
          [4, ones(all.at)]
        ),
        listed,
        numbers
      )
    )
  }
  const listed = join(...directory)
  const count = members.length
  const record64 = record(
    [4, 0x06064b50],
    [8, 44],
    [2, 45],
    [2, 45],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, listed.length],
    [8, at]
  )
  const locator = record([4, 0x07064b50], [4, 0], [8, at + listed.length], [4, 1])
  const short = long === true ? 0xffff : count
  const note = text(comment)
  const end = record(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, short],
    [2, short],
    [4, ones(listed.length)],
    [4, ones(at)],
    [2, note.length]
  )
  return join(...parts, listed, ...(long === false ? [] : [record64, locator]), end, note)
}
