/**
 * Zip archives: the files in some bytes, stored or deflated.
 *
 * All that an archive says of its files is checked before the first is unpacked: that their names are different and stand the
 * same in both places, that they do not overlap, and how large they are, together and beside the archive. Sizes and checksums are
 * then compared with what was unpacked. See the application note APPNOTE.TXT 6.3.10 of PKWARE and RFC 1951.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { Inflate } from 'fflate'
import { pipe } from 'fp-ts/lib/function.js'
import { quote } from '../document/Shown.js'
import { limits } from './Limits.js'
import { bad, directory, type Directory, type Member, type ZipError } from './ZipDirectory.js'

export { type ZipError } from './ZipDirectory.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A file of an archive: its name, and its bytes, which are unpacked on demand.
 *
 * @category model
 * @since 0.1.0
 */
export interface File {
  readonly name: string
  readonly unpack: () => E.Either<ZipError, Uint8Array>
}

/** A file and the bytes `begin..end-1` where its contents are stored. */
interface Stored {
  readonly member: Member
  readonly begin: number
  readonly end: number
}

// -------------------------------------------------------------------------------------
// checks
// -------------------------------------------------------------------------------------

const localSignature = 0x04034b50
const localLength = 30
const encrypted = 1
// the sizes follow the contents, and the header has none
const streamed = 8
const beyond32 = 0xffffffff

/** Where the contents of a file are, behind a header that must say the same as the directory. */
const stored =
  (bytes: Uint8Array) =>
  (member: Member): E.Either<ZipError, Stored> => {
    const { name, flags, method, crc, compressed, size, at } = member
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const unsupported = (expected: string, got: string): E.Either<ZipError, never> =>
      E.left({ _tag: 'Unsupported', where: name, expected, got })
    if (flags & encrypted) return unsupported('no encryption', 'an encrypted file')
    if (method !== 0 && method !== 8) return unsupported('stored or deflated', `method ${method}`)
    if (at + localLength > bytes.length || view.getUint32(at, true) !== localSignature) {
      return E.left(bad(name, `the signature of a file at byte ${at}`, 'something else'))
    }
    const nameEnd = at + localLength + view.getUint16(at + 26, true)
    const again = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(at + localLength, nameEnd))
    if (again !== name) return E.left(bad(name, 'the same name in its header', quote(again)))
    const begin = nameEnd + view.getUint16(at + 28, true)
    const end = begin + compressed
    if (end > bytes.length) return E.left(bad(name, `an end before byte ${bytes.length}`, end))
    const said = [view.getUint16(at + 8, true), ...[14, 18, 22].map((field) => view.getUint32(at + field, true))]
    const known = [method, crc, compressed, size]
    const same = known.every((value, i) => said[i] === value || (i > 0 && (flags & streamed || said[i] === beyond32)))
    return same
      ? E.right({ member, begin, end })
      : E.left(bad(name, `the method, checksum and sizes ${known.join(', ')} in its header`, said.join(', ')))
  }

/** No file begins before another ends, and the directory follows the last. */
const apart = (files: ReadonlyArray<Stored>, directoryAt: number): ZipError | undefined => {
  let free = 0
  for (const { member, end } of [...files].sort((a, b) => a.member.at - b.member.at)) {
    if (member.at < free)
      return bad(member.name, `a beginning at byte ${free} or later, where another file ends`, member.at)
    free = end
  }
  return free > directoryAt
    ? bad('directory', `a beginning at byte ${free} or later, where the last file ends`, directoryAt)
    : undefined
}

// RFC 1951: a back reference of 258 bytes takes two bits at least
const steepest = 1032

/** What is wrong with the size that a file is said to have. */
const sized = ({ member: { name, method, compressed, size } }: Stored): ZipError | undefined => {
  const most = method === 0 ? compressed : steepest * compressed
  return size > most || (method === 0 && size < most) ? bad(name, `a size of ${most} bytes at most`, size) : undefined
}

/** What all files together unpack to, beside the archive. */
const bounded = (files: ReadonlyArray<Stored>, archive: number): ZipError | undefined => {
  const total = files.reduce((sum, { member }) => sum + member.size, 0)
  const most = Math.min(limits.unpacked, Math.max(limits.unpackedFreely, limits.ratio * archive))
  return total <= most
    ? undefined
    : {
        _tag: 'TooLarge',
        where: 'archive',
        expected: `files of at most ${most} bytes in an archive of ${archive}`,
        got: `${total}`
      }
}

const distinct = ({ members }: Directory): ZipError | undefined => {
  const names = new Set<string>()
  for (const { name } of members) {
    if (names.has(name)) return bad('directory', 'a name of its own for each file', `${quote(name)} twice`)
    names.add(name)
  }
  return undefined
}

// -------------------------------------------------------------------------------------
// contents
// -------------------------------------------------------------------------------------

const crcTable: Uint32Array = /*#__PURE__*/ Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
  return crc
})

const crc32 = (bytes: Uint8Array): number => {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crcTable[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8)
  return ~crc >>> 0
}

// as much input as unpacks to 16 MB at most, after which the size is looked at
const piece = 16 * 2 ** 10

/** Unpacks until more comes out than was said. */
const inflate = (name: string, raw: Uint8Array, size: number): E.Either<ZipError, Uint8Array> => {
  const content = new Uint8Array(size)
  let length = 0
  return E.tryCatch(
    () => {
      const inflating = new Inflate((part) => {
        content.set(part.subarray(0, Math.max(size - length, 0)), Math.min(length, size))
        length += part.length
      })
      for (let at = 0; at < raw.length && length <= size; at += piece) {
        inflating.push(raw.subarray(at, at + piece), at + piece >= raw.length)
      }
      if (length !== size) throw new Error(length > size ? `more than ${size} bytes` : `${length} bytes`)
      return content
    },
    (reason) => bad(name, `${size} bytes, deflated`, reason instanceof Error ? reason.message : 'other bytes')
  )
}

/** A file's bytes, as they were before the archive. */
const unpack =
  (bytes: Uint8Array) =>
  ({ member: { name, method, crc, size }, begin, end }: Stored): E.Either<ZipError, Uint8Array> => {
    const raw = bytes.subarray(begin, end)
    return pipe(
      method === 0 ? E.right(raw) : inflate(name, raw, size),
      E.flatMap((content) => {
        const found = crc32(content)
        return found === crc ? E.right(content) : E.left(bad(name, `bytes with the checksum ${crc}`, found))
      })
    )
  }

/**
 * The files of an archive's bytes, in the order of its directory.
 *
 * Left when the archive is damaged, is encrypted, has two files of one name, files that overlap or whose header says something
 * else than the directory, or unpacks to more than `Limits` has: 65,536 files; 2 GiB; and 100 times its own size, where that is
 * more than 16 MiB.
 *
 * @category constructors
 * @since 0.1.0
 */
export const files = (bytes: Uint8Array): E.Either<ZipError, ReadonlyArray<File>> =>
  pipe(
    directory(bytes),
    E.flatMap((found) =>
      pipe(
        found.members,
        E.traverseArray(stored(bytes)),
        E.flatMap((all) => {
          const error =
            distinct(found) ??
            apart(all, found.at) ??
            all.map(sized).find((wrong) => wrong !== undefined) ??
            bounded(all, bytes.length)
          return error === undefined
            ? E.right(all.map((one): File => ({ name: one.member.name, unpack: () => unpack(bytes)(one) })))
            : E.left(error)
        })
      )
    )
  )

// -------------------------------------------------------------------------------------
// the same archive with other contents
// -------------------------------------------------------------------------------------

const descriptorSignature = 0x08074b50

/**
 * The same archive with other contents of some files, which must be stored as they are and have as many bytes as before. All that
 * changes is these bytes and their checksums, in the directory and beside the files.
 *
 * Left: as for `files`; a file that is not there, is deflated, or would have another size.
 *
 * @category combinators
 * @since 0.1.0
 */
export const replace = (bytes: Uint8Array, contents: ReadonlyMap<string, Uint8Array>): E.Either<ZipError, Uint8Array> =>
  pipe(
    files(bytes),
    E.flatMap(() => directory(bytes)),
    E.flatMap(({ members }) => E.traverseArray(stored(bytes))(members)),
    E.flatMap((all) => {
      const result = bytes.slice()
      const view = new DataView(result.buffer)
      for (const [name, content] of contents) {
        const found = all.find(({ member }) => member.name === name)
        if (found === undefined) return E.left(bad(name, 'a file of the archive', 'none'))
        const { member, begin, end } = found
        if (member.method !== 0 || content.length !== member.size) {
          return E.left(bad(name, `${member.size} bytes that are stored as they are`, `${content.length} bytes`))
        }
        result.set(content, begin)
        const crc = crc32(content)
        view.setUint32(member.entry + 16, crc, true)
        const later = (member.flags & streamed) !== 0
        if (!later) view.setUint32(member.at + 14, crc, true)
        // the checksum follows the contents, with a signature or without
        else view.setUint32(view.getUint32(end, true) === descriptorSignature ? end + 4 : end, crc, true)
      }
      return E.right(result)
    })
  )
