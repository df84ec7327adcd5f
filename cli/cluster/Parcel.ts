/**
 * Messages between machines: a head of JSON, arrays of numbers as they are, and a digest of both at the end.
 *
 * What is not whole, or larger than anything that is sent, is refused before it is looked at. Nothing in it is ever run.
 *
 * @since 0.1.0
 */
import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Numbers as they are sent: of one of two formats, to the bit.
 *
 * @category model
 * @since 0.1.0
 */
export type Numbers = Float32Array | Float64Array

/**
 * A message: what its kind makes of `head`, and arrays that it refers to by number.
 *
 * @category model
 * @since 0.1.0
 */
export interface Parcel {
  readonly head: unknown
  readonly arrays: ReadonlyArray<Numbers>
}

/**
 * How large the parts of a message may be, in bytes, and how many arrays it may have.
 *
 * @category constants
 * @since 0.1.0
 */
export const limits = { head: 2 ** 20, bytes: 2 ** 30, arrays: 2 ** 16 } as const

const magic = 'hfo1'

/** Length of the magic, of the head's length, and of the digest at the end. */
const sizes = { magic: 4, length: 4, digest: 32 } as const

// -------------------------------------------------------------------------------------
// digests
// -------------------------------------------------------------------------------------

/**
 * The SHA-256 of bytes, in hexadecimal digits.
 *
 * @category utils
 * @since 0.1.0
 */
export const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/**
 * The bytes of numbers.
 *
 * @category utils
 * @since 0.1.0
 */
export const bytesOf = ({ buffer, byteOffset, byteLength }: Numbers): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength)

// -------------------------------------------------------------------------------------
// to bytes and back
// -------------------------------------------------------------------------------------

/** Numbers begin where they may be looked at as they lie: at multiples of so many bytes. */
const step = 8

const padded = (length: number): number => Math.ceil(length / step) * step

/**
 * A message as bytes. Equal ones have equal bytes.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encode = ({ head, arrays }: Parcel): Uint8Array => {
  const table = arrays.map((array) => [array instanceof Float64Array ? 8 : 4, array.length] as const)
  const text = JSON.stringify([head, table])
  const length = padded(Buffer.byteLength(text))
  const start = sizes.magic + sizes.length + length
  const end = arrays.reduce((at, array) => at + padded(array.byteLength), start)
  // gradients are large: they are copied here, and nowhere else
  const bytes = Buffer.allocUnsafe(end + sizes.digest)
  bytes.write(magic, 'latin1')
  bytes.writeUInt32LE(length, sizes.magic)
  const written = bytes.write(text, sizes.magic + sizes.length, 'utf8')
  bytes.fill(' ', sizes.magic + sizes.length + written, start)
  let at = start
  for (const array of arrays) {
    bytes.set(bytesOf(array), at)
    const next = at + padded(array.byteLength)
    bytes.fill(0, at + array.byteLength, next)
    at = next
  }
  bytes.set(createHash('sha256').update(bytes.subarray(0, end)).digest(), end)
  return bytes
}

const isPair = (u: unknown): u is readonly [unknown, unknown] => Array.isArray(u) && u.length === 2

const Table = (u: unknown): u is ReadonlyArray<readonly [4 | 8, number]> =>
  Array.isArray(u) &&
  u.length <= limits.arrays &&
  u.every(
    (row: unknown) =>
      Array.isArray(row) &&
      row.length === 2 &&
      (row[0] === 4 || row[0] === 8) &&
      Number.isInteger(row[1]) &&
      row[1] >= 0 &&
      row[1] <= limits.bytes / 4
  )

/**
 * The message of some bytes. Left: why they are none.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decode = (bytes: Uint8Array): E.Either<string, Parcel> => {
  const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const start = sizes.magic + sizes.length
  const end = found.length - sizes.digest
  if (found.length > limits.bytes) return E.left(`it has ${found.length} bytes, more than ${limits.bytes}`)
  if (end < start || found.toString('latin1', 0, sizes.magic) !== magic) return E.left('it is no message')
  const digest = createHash('sha256').update(found.subarray(0, end)).digest()
  if (!digest.equals(found.subarray(end))) return E.left('its digest is not that of what it says')
  const length = found.readUInt32LE(sizes.magic)
  if (length > limits.head || start + length > end) return E.left('its head is longer than it')
  const parsed = E.tryCatch(
    (): unknown => JSON.parse(found.toString('utf8', start, start + length)),
    () => 'its head is no JSON'
  )
  if (E.isLeft(parsed)) return parsed
  const both: unknown = parsed.right
  if (!isPair(both)) return E.left('its head is not a message and a table')
  const [head, table] = both
  if (!Table(table)) return E.left('its table is not of arrays')
  const total = table.reduce((n, [width, count]) => n + padded(width * count), 0)
  if (start + length + total !== end)
    return E.left(`its arrays have ${end - start - length} bytes in place of ${total}`)
  return E.right({ head, arrays: numbersIn(found.subarray(start + length, end), table) })
}

/** Arrays one after another: where they lie, or where that is not at whole numbers of bytes in a copy. */
const numbersIn = (found: Uint8Array, table: ReadonlyArray<readonly [4 | 8, number]>): ReadonlyArray<Numbers> => {
  const { buffer, byteOffset } = found.byteOffset % step === 0 ? found : new Uint8Array(found)
  let at = byteOffset
  return table.map(([width, count]): Numbers => {
    const array = width === 8 ? new Float64Array(buffer, at, count) : new Float32Array(buffer, at, count)
    at += padded(width * count)
    return array
  })
}
