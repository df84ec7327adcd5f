/**
 * Single arrays as `.npy` files, to tensors.
 *
 * A file is the magic `\x93NUMPY`, a version (1 to 3), the length of the header (u16 in version 1, else u32, little-endian),
 * the header (a Python dictionary with the keys `descr`, `fortran_order` and `shape`), then the numbers.
 * See https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { plain } from '../document/Shown.js'
import { type Data, size, type Tensor } from '../tensor/Tensor.js'
import { fromHalf } from './Half.js'
import { limits } from './Limits.js'
import { type BadHeader, type Header, parse } from './NpyHeader.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What can be wrong with an array's file. `NotNpy`: it does not begin as one. `Truncated`: it ends before `what` does.
 * `BadHeader`: the header is not the dictionary that the format asks for. `UnknownDtype`: a number format that is not
 * read. `Trailing`: bytes after the last number. `NotExact`: an integer beyond 2^53.
 *
 * @category model
 * @since 0.1.0
 */
export type NpyError =
  | { readonly _tag: 'NotNpy'; readonly expected: string; readonly got: string }
  | { readonly _tag: 'Truncated'; readonly what: string; readonly expected: number; readonly got: number }
  | BadHeader
  | { readonly _tag: 'UnknownDtype'; readonly got: string }
  | { readonly _tag: 'Trailing'; readonly expected: number; readonly got: number }
  | { readonly _tag: 'NotExact'; readonly index: number; readonly got: string }

/** A number format: its width in bytes, the storage that holds it without loss, and how a number is read. */
interface Format {
  readonly width: number
  readonly make: (length: number) => Data
  readonly read: (view: DataView, at: number, little: boolean) => number | bigint
}

// -------------------------------------------------------------------------------------
// number formats
// -------------------------------------------------------------------------------------

const single = (length: number): Data => new Float32Array(length)
const double = (length: number): Data => new Float64Array(length)

const formats: Readonly<Record<string, Format>> = {
  b1: { width: 1, make: single, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
  i1: { width: 1, make: single, read: (view, at) => view.getInt8(at) },
  u1: { width: 1, make: single, read: (view, at) => view.getUint8(at) },
  i2: { width: 2, make: single, read: (view, at, little) => view.getInt16(at, little) },
  u2: { width: 2, make: single, read: (view, at, little) => view.getUint16(at, little) },
  i4: { width: 4, make: double, read: (view, at, little) => view.getInt32(at, little) },
  u4: { width: 4, make: double, read: (view, at, little) => view.getUint32(at, little) },
  i8: { width: 8, make: double, read: (view, at, little) => view.getBigInt64(at, little) },
  u8: { width: 8, make: double, read: (view, at, little) => view.getBigUint64(at, little) },
  f2: { width: 2, make: single, read: (view, at, little) => fromHalf(view.getUint16(at, little)) },
  f4: { width: 4, make: single, read: (view, at, little) => view.getFloat32(at, little) },
  f8: { width: 8, make: double, read: (view, at, little) => view.getFloat64(at, little) }
}

/** The byte order and the format of a `descr` such as `<f4`. A single byte has no order, and is written with `|`. */
const formatOf = (descr: string): E.Either<NpyError, Format & { readonly little: boolean }> => {
  const [, order, kind = ''] = /^([<>|])([a-z]\d)$/.exec(descr) ?? []
  const format = Object.hasOwn(formats, kind) ? formats[kind] : undefined
  return format === undefined || (order === '|' && format.width > 1)
    ? E.left({ _tag: 'UnknownDtype', got: descr })
    : E.right({ ...format, little: order !== '>' })
}

// -------------------------------------------------------------------------------------
// the beginning
// -------------------------------------------------------------------------------------

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59] as const

const prefix = (bytes: Uint8Array): E.Either<NpyError, { readonly start: number; readonly text: string }> => {
  if (magic.some((byte, i) => bytes[i] !== byte)) {
    const got = Array.from(bytes.subarray(0, magic.length), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    return E.left({ _tag: 'NotNpy', expected: 'a file that begins with 93 4e 55 4d 50 59', got: got || 'no bytes' })
  }
  const [version = 0, minor = 0] = bytes.subarray(magic.length)
  const lengthAt = magic.length + 2
  const lengthWidth = version === 1 ? 2 : 4
  const begin = lengthAt + lengthWidth
  if (bytes.length < begin)
    return E.left({ _tag: 'Truncated', what: 'header length', expected: begin, got: bytes.length })
  if (version < 1 || version > 3 || minor !== 0) {
    return E.left({ _tag: 'NotNpy', expected: 'version 1.0, 2.0 or 3.0', got: `${version}.${minor}` })
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = version === 1 ? view.getUint16(lengthAt, true) : view.getUint32(lengthAt, true)
  const start = begin + length
  if (length > limits.npyHeader) {
    return E.left({
      _tag: 'BadHeader',
      what: 'header',
      expected: `at most ${limits.npyHeader} bytes`,
      got: `${length}`
    })
  }
  if (bytes.length < start) return E.left({ _tag: 'Truncated', what: 'header', expected: start, got: bytes.length })
  return pipe(
    E.tryCatch(
      () => new TextDecoder(version === 3 ? 'utf-8' : 'latin1', { fatal: true }).decode(bytes.subarray(begin, start)),
      (): NpyError => ({ _tag: 'BadHeader', what: 'header', expected: 'text in UTF-8', got: 'other bytes' })
    ),
    E.map((text) => ({ start, text }))
  )
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * The tensor in a file's bytes, row-major whatever the order in the file. f2, f4, truth values and integers of up to 16
 * bits become f32, the others f64, without loss.
 *
 * Left when the file is no `.npy` file, ends early or late, holds something other than numbers, an integer that f64
 * cannot hold, or more than `Limits` has: the header is at most 65535 bytes, and a shape at most 64 axes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decode = (bytes: Uint8Array): E.Either<NpyError, Tensor> =>
  pipe(
    prefix(bytes),
    E.chain(({ start, text }) =>
      pipe(
        parse(text),
        E.bindTo('header'),
        E.bindW('format', ({ header }) => formatOf(header.descr)),
        E.chain(({ header, format }): E.Either<NpyError, Tensor> => {
          const expected = start + size(header.shape) * format.width
          if (bytes.length < expected) return E.left({ _tag: 'Truncated', what: 'data', expected, got: bytes.length })
          if (bytes.length > expected) return E.left({ _tag: 'Trailing', expected, got: bytes.length })
          return numbers(new DataView(bytes.buffer, bytes.byteOffset + start, expected - start), header, format)
        })
      )
    )
  )

const numbers = (
  view: DataView,
  { shape, fortran }: Header,
  { width, make, read, little }: Format & { readonly little: boolean }
): E.Either<NpyError, Tensor> => {
  const data = make(size(shape))
  // in Fortran's order the first axis is contiguous: position `i` counts through the axes with these strides
  const strides = shape.map((_, axis) => size(shape.slice(axis + 1)))
  const place = (i: number): number => {
    let rest = i
    return shape.reduce((at, d, axis) => {
      const index = rest % d
      rest = Math.floor(rest / d)
      return at + index * (strides[axis] ?? 1)
    }, 0)
  }
  for (let i = 0; i < data.length; i++) {
    const stored = read(view, i * width, little)
    const value = Number(stored)
    const at = fortran ? place(i) : i
    if (typeof stored === 'bigint' && !Number.isSafeInteger(value)) {
      return E.left({ _tag: 'NotExact', index: at, got: String(stored) })
    }
    data[at] = value
  }
  return E.right({ shape, data })
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * One line for a person: what, expected, got, what to do.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showError = (error: NpyError): string => {
  switch (error._tag) {
    case 'NotNpy':
      return `file: expected ${error.expected}, got ${error.got}; save the array with numpy.save`
    case 'Truncated':
      return `${error.what}: expected the file to have ${error.expected} bytes, got ${error.got}; it is cut off, copy or save it again`
    case 'BadHeader':
      return `${error.what}: expected ${error.expected}, got ${error.got}; save the array with numpy.save`
    case 'UnknownDtype':
      return `'descr': expected < or > before ${Object.keys(formats).join(', ')}, got ${plain(error.got)}; convert the array first, such as by astype('<f4')`
    case 'Trailing':
      return `data: expected the file to have ${error.expected} bytes, got ${error.got}; save one array a file`
    case 'NotExact':
      return `number ${error.index}: expected an integer below 2^53 in magnitude, got ${error.got}; convert the array to f8 first`
  }
}
