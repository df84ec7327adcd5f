/**
 * Named arrays as `.npz` files, to tensors: zip archives of `.npy` files, stored or deflated.
 *
 * The central directory at the end of the archive says where each file is; its sizes and checksums are believed, and
 * checked. See the application note APPNOTE.TXT 6.3.10 of PKWARE and RFC 1951.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { inflateSync } from 'fflate'
import { pipe } from 'fp-ts/lib/function.js'
import type { Values } from '../tensor/Program.js'
import type { Tensor } from '../tensor/Tensor.js'
import * as Npy from './Npy.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What can be wrong with an archive. `BadArchive`: it is no zip archive, or a damaged one, at `where`. `Unsupported`: it
 * uses what is not read, such as encryption. `BadArray`: the file `where` in it is no array.
 *
 * @category model
 * @since 0.1.0
 */
export type NpzError =
  | { readonly _tag: 'BadArchive'; readonly where: string; readonly expected: string; readonly got: string }
  | { readonly _tag: 'Unsupported'; readonly where: string; readonly expected: string; readonly got: string }
  | { readonly _tag: 'BadArray'; readonly where: string; readonly error: Npy.NpyError }

/** A file in the archive, as the central directory describes it. */
interface Member {
  readonly name: string
  readonly flags: number
  readonly method: number
  readonly crc: number
  readonly compressed: number
  readonly size: number
  readonly at: number
}

const bad = (where: string, expected: string, got: string | number): NpzError => ({
  _tag: 'BadArchive',
  where,
  expected,
  got: String(got)
})

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

// -------------------------------------------------------------------------------------
// the directory
// -------------------------------------------------------------------------------------

const endSignature = 0x06054b50
const endLength = 22
const memberSignature = 0x02014b50
const memberLength = 46
const localSignature = 0x04034b50
const localLength = 30
const longestComment = 0xffff
// sizes and counts that do not fit are all ones here and stand elsewhere, in the 64-bit extension
const beyond32 = 0xffffffff
const beyond16 = 0xffff

interface Directory {
  readonly count: number
  readonly length: number
  readonly at: number
}

/** The record at the end: after it there is a comment at most, whose length it states. */
const directory = (bytes: Uint8Array): E.Either<NpzError, Directory> => {
  const view = viewOf(bytes)
  const first = Math.max(0, bytes.length - endLength - longestComment)
  for (let at = bytes.length - endLength; at >= first; at--) {
    if (view.getUint32(at, true) !== endSignature || at + endLength + view.getUint16(at + 20, true) !== bytes.length)
      continue
    const [count, length, start] = [
      view.getUint16(at + 10, true),
      view.getUint32(at + 12, true),
      view.getUint32(at + 16, true)
    ]
    if (count === beyond16 || length === beyond32 || start === beyond32) {
      return E.left({ _tag: 'Unsupported', where: 'archive', expected: 'at most 4 GiB', got: 'the 64-bit extension' })
    }
    return start + length === at
      ? E.right({ count, length, at: start })
      : E.left(bad('directory', `an end at byte ${at}`, start + length))
  }
  return E.left(bad('archive', 'the directory of a zip archive at the end', `${bytes.length} bytes without one`))
}

const members =
  (bytes: Uint8Array) =>
  ({ count, length, at: start }: Directory): E.Either<NpzError, ReadonlyArray<Member>> => {
    const view = viewOf(bytes)
    const found: Array<Member> = []
    const end = start + length
    let at = start
    for (let i = 0; i < count; i++) {
      const where = `entry ${i} of the directory`
      if (at + memberLength > end || view.getUint32(at, true) !== memberSignature) {
        return E.left(bad(where, `the signature of an entry at byte ${at}`, 'something else'))
      }
      const [nameLength, extra, comment] = [28, 30, 32].map((field) => view.getUint16(at + field, true))
      const next = at + memberLength + (nameLength ?? 0) + (extra ?? 0) + (comment ?? 0)
      if (next > end) return E.left(bad(where, `an end before byte ${end}`, next))
      const nameAt = at + memberLength
      found.push({
        name: new TextDecoder().decode(bytes.subarray(nameAt, nameAt + (nameLength ?? 0))),
        flags: view.getUint16(at + 8, true),
        method: view.getUint16(at + 10, true),
        crc: view.getUint32(at + 16, true),
        compressed: view.getUint32(at + 20, true),
        size: view.getUint32(at + 24, true),
        at: view.getUint32(at + 42, true)
      })
      at = next
    }
    return at === end ? E.right(found) : E.left(bad('directory', `${count} entries up to byte ${end}`, at))
  }

// -------------------------------------------------------------------------------------
// files
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

// RFC 1951: a back reference of 258 bytes takes two bits at least
const steepest = 1032

/** A member's bytes, as they were before the archive. */
const contents =
  (bytes: Uint8Array) =>
  ({ name, flags, method, crc, compressed, size, at }: Member): E.Either<NpzError, Uint8Array> => {
    const view = viewOf(bytes)
    if (flags & 1)
      return E.left({ _tag: 'Unsupported', where: name, expected: 'no encryption', got: 'an encrypted file' })
    if (method !== 0 && method !== 8) {
      return E.left({ _tag: 'Unsupported', where: name, expected: 'stored or deflated', got: `method ${method}` })
    }
    if (at + localLength > bytes.length || view.getUint32(at, true) !== localSignature) {
      return E.left(bad(name, `the signature of a file at byte ${at}`, 'something else'))
    }
    const begin = at + localLength + view.getUint16(at + 26, true) + view.getUint16(at + 28, true)
    const end = begin + compressed
    if (end > bytes.length) return E.left(bad(name, `an end before byte ${bytes.length}`, end))
    const most = method === 0 ? compressed : steepest * compressed
    if (size > most || (method === 0 && size < most)) return E.left(bad(name, `a size of ${most} bytes at most`, size))
    const raw = bytes.subarray(begin, end)
    return pipe(
      method === 0 ? E.right(raw) : inflate(name, raw, size),
      E.filterOrElse(
        (content) => content.length === size && crc32(content) === crc,
        (content) => bad(name, `${size} bytes with the checksum ${crc}`, `${content.length}, ${crc32(content)}`)
      )
    )
  }

const inflate = (name: string, raw: Uint8Array, size: number): E.Either<NpzError, Uint8Array> =>
  E.tryCatch(
    () => inflateSync(raw, { out: new Uint8Array(size) }),
    (reason) => bad(name, 'deflated bytes', reason instanceof Error ? reason.message : 'other bytes')
  )

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

const extension = '.npy'

const array =
  (bytes: Uint8Array) =>
  (member: Member): E.Either<NpzError, readonly [string, Tensor]> =>
    member.name.endsWith(extension)
      ? pipe(
          contents(bytes)(member),
          E.chain((content) =>
            pipe(
              Npy.decode(content),
              E.mapLeft((error): NpzError => ({ _tag: 'BadArray', where: member.name, error }))
            )
          ),
          E.map((tensor) => [member.name.slice(0, -extension.length), tensor])
        )
      : E.left({ _tag: 'Unsupported', where: member.name, expected: `a file named *${extension}`, got: 'another' })

/**
 * The tensors in an archive's bytes, by name. Of each, what `Npy.decode` says holds.
 *
 * Left when the archive is damaged (sizes and checksums are compared), is encrypted, is larger than 4 GiB, or has two
 * files of one name or a file that is no array.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = (bytes: Uint8Array): E.Either<NpzError, Values> =>
  pipe(
    directory(bytes),
    E.chain(members(bytes)),
    E.filterOrElse(
      (found) => new Set(found.map(({ name }) => name)).size === found.length,
      (found) => bad('directory', 'a name of its own for each file', found.map(({ name }) => name).join(', '))
    ),
    E.chain(E.traverseArray(array(bytes))),
    // `fromEntries` and not assignment: an array may be called `__proto__`
    E.map((named) => Object.fromEntries(named))
  )

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * One line for a person: where, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: NpzError): string => {
  const where = JSON.stringify(error.where)
  switch (error._tag) {
    case 'BadArchive':
      return `${where}: expected ${error.expected}, got ${error.got}; the archive is damaged, copy or save it again`
    case 'Unsupported':
      return `${where}: expected ${error.expected}, got ${error.got}; save the arrays with numpy.savez`
    case 'BadArray':
      return `${where}: ${Npy.showError(error.error)}`
  }
}
