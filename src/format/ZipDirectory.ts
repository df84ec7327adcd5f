/**
 * The directory of a zip archive: which files it has, and where.
 *
 * It lies before the record at the archive's end, or before the longer record for archives of 64-bit sizes, which small archives
 * may have too. See the application note APPNOTE.TXT 6.3.10 of PKWARE, sections 4.3.12 to 4.3.16 and 4.5.3.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { limits } from './Limits.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A file in an archive, as its directory describes it: `size` bytes that are stored in `compressed` bytes, behind a header at
 * byte `at` that says its name once more. The entry itself is at byte `entry`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Member {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly compressed: number
  readonly size: number
  readonly at: number
  readonly entry: number
}

/**
 * The files, and the byte where the directory begins, before which they all must end.
 *
 * @category model
 * @since 0.1.0
 */
export interface Directory {
  readonly members: ReadonlyArray<Member>
  readonly at: number
}

/**
 * What can be wrong with an archive. `BadArchive`: it is no zip archive, or a damaged one, at `where`. `Unsupported`: it
 * uses what is not read, such as encryption. `TooLarge`: it asks for more than `Limits` has.
 *
 * @category model
 * @since 0.1.0
 */
export interface ZipError {
  readonly _tag: 'BadArchive' | 'Unsupported' | 'TooLarge'
  readonly where: string
  readonly expected: string
  readonly got: string
}

/**
 * An archive that is damaged at `where`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bad = (where: string, expected: string, got: string | number): ZipError => ({
  _tag: 'BadArchive',
  where,
  expected,
  got: String(got)
})

// -------------------------------------------------------------------------------------
// the end
// -------------------------------------------------------------------------------------

const endSignature = 0x06054b50
const endLength = 22
const longestComment = 0xffff
const locatorSignature = 0x07064b50
const locatorLength = 20
const longSignature = 0x06064b50
const longLength = 56

// a size or count that does not fit is all ones where it should stand, and stands elsewhere in 64 bits
const beyond32 = 0xffffffff
const beyond16 = 0xffff

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const read64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true))

/** Where the directory is: `count` entries in the bytes `at..end-1`. */
interface Bounds {
  readonly count: number
  readonly at: number
  readonly end: number
}

/** The record at the end: after it there is a comment at most, whose length it states. */
const bounds = (bytes: Uint8Array): E.Either<ZipError, Bounds> => {
  const view = viewOf(bytes)
  const first = Math.max(0, bytes.length - endLength - longestComment)
  for (let at = bytes.length - endLength; at >= first; at--) {
    const found = view.getUint32(at, true) === endSignature
    if (found && at + endLength + view.getUint16(at + 20, true) === bytes.length) return boundsAt(view, at)
  }
  return E.left(bad('archive', 'the directory of a zip archive at the end', `${bytes.length} bytes without one`))
}

const boundsAt = (view: DataView, at: number): E.Either<ZipError, Bounds> => {
  const [disk, count, length, start] = [
    view.getUint16(at + 4, true),
    view.getUint16(at + 10, true),
    view.getUint32(at + 12, true),
    view.getUint32(at + 16, true)
  ]
  if (disk !== 0 && disk !== beyond16) {
    return E.left({ _tag: 'Unsupported', where: 'archive', expected: 'a whole archive', got: `part ${disk} of one` })
  }
  const locator = at - locatorLength
  if (locator >= 0 && view.getUint32(locator, true) === locatorSignature) {
    return pipe(
      longBounds(view, locator),
      E.filterOrElse(
        (long) =>
          [beyond16, long.count].includes(count) &&
          [beyond32, long.end - long.at].includes(length) &&
          [beyond32, long.at].includes(start),
        (long) =>
          bad(
            'directory',
            `${long.count} entries of ${long.end - long.at} bytes from byte ${long.at}, as the 64-bit record has`,
            `${count} of ${length} from ${start}`
          )
      )
    )
  }
  if (length === beyond32 || start === beyond32) {
    return E.left(bad('archive', 'the 64-bit record that its sizes call for', 'none'))
  }
  return start + length === at
    ? E.right({ count, at: start, end: at })
    : E.left(bad('directory', `an end at byte ${at}`, start + length))
}

/** The same from the record for 64-bit sizes, which lies before the locator that says where it is. */
const longBounds = (view: DataView, locator: number): E.Either<ZipError, Bounds> => {
  const at = read64(view, locator + 8)
  if (at + longLength > locator || view.getUint32(at, true) !== longSignature) {
    return E.left(bad('archive', `a 64-bit record before byte ${locator}`, `something else at byte ${at}`))
  }
  const end = at + 12 + read64(view, at + 4)
  if (end !== locator) return E.left(bad('archive', `an end of the 64-bit record at byte ${locator}`, end))
  const [count, length, start] = [read64(view, at + 32), read64(view, at + 40), read64(view, at + 48)]
  return start + length === at
    ? E.right({ count, at: start, end: at })
    : E.left(bad('directory', `an end at byte ${at}`, start + length))
}

// -------------------------------------------------------------------------------------
// entries
// -------------------------------------------------------------------------------------

const memberSignature = 0x02014b50
const memberLength = 46
const longSizes = 0x0001

/** The 64-bit numbers of an entry's extra fields: of those that did not fit, in the order in which the entry has them. */
const longNumbers = (view: DataView, start: number, end: number): ReadonlyArray<number> => {
  for (let at = start; at + 4 <= end; ) {
    const next = at + 4 + view.getUint16(at + 2, true)
    if (next > end) return []
    if (view.getUint16(at, true) === longSizes) {
      const from = at + 4
      return Array.from({ length: Math.floor((next - from) / 8) }, (_, i) => read64(view, from + 8 * i))
    }
    at = next
  }
  return []
}

const nameOf = (where: string, bytes: Uint8Array): E.Either<ZipError, string> =>
  E.tryCatch(
    () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    () => bad(where, 'a name in UTF-8', 'other bytes')
  )

const memberAt = (bytes: Uint8Array, at: number, nameEnd: number, extraEnd: number, where: string) => {
  const view = viewOf(bytes)
  const long = [...longNumbers(view, nameEnd, extraEnd)]
  // in this order
  const [size, compressed, header] = [24, 20, 42].map((field) => {
    const short = view.getUint32(at + field, true)
    return short === beyond32 ? (long.shift() ?? short) : short
  })
  return pipe(
    nameOf(where, bytes.subarray(at + memberLength, nameEnd)),
    E.map(
      (name): Member => ({
        name,
        flags: view.getUint16(at + 8, true),
        method: view.getUint16(at + 10, true),
        crc: view.getUint32(at + 16, true),
        compressed: compressed ?? 0,
        size: size ?? 0,
        at: header ?? 0,
        entry: at
      })
    )
  )
}

const entries =
  (bytes: Uint8Array) =>
  ({ count, at: start, end }: Bounds): E.Either<ZipError, Directory> => {
    if (count > limits.tensors) {
      return E.left({
        _tag: 'TooLarge',
        where: 'directory',
        expected: `at most ${limits.tensors} files`,
        got: `${count}`
      })
    }
    const view = viewOf(bytes)
    const members: Array<Member> = []
    let at = start
    for (let i = 0; i < count; i++) {
      const where = `entry ${i} of the directory`
      if (at + memberLength > end || view.getUint32(at, true) !== memberSignature) {
        return E.left(bad(where, `the signature of an entry at byte ${at}`, 'something else'))
      }
      const nameEnd = at + memberLength + view.getUint16(at + 28, true)
      const extraEnd = nameEnd + view.getUint16(at + 30, true)
      const next = extraEnd + view.getUint16(at + 32, true)
      if (next > end) return E.left(bad(where, `an end before byte ${end}`, next))
      const member = memberAt(bytes, at, nameEnd, extraEnd, where)
      if (E.isLeft(member)) return member
      members.push(member.right)
      at = next
    }
    return at === end
      ? E.right({ members, at: start })
      : E.left(bad('directory', `${count} entries up to byte ${end}`, at))
  }

/**
 * The directory of an archive's bytes. Left: no archive, one of several parts, or a directory that is damaged or has more than
 * 65,536 files.
 *
 * @category constructors
 * @since 0.1.0
 */
export const directory = (bytes: Uint8Array): E.Either<ZipError, Directory> =>
  pipe(bounds(bytes), E.flatMap(entries(bytes)))
