/**
 * The number formats of checkpoints: how wide each is and how its bytes are read.
 *
 * @since 0.1.0
 */
import { type Data } from '../tensor/Tensor.js'
import { fromBfloat, fromHalf, toBfloat, toHalf } from './Half.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A number format: `width` bytes a number, the storage that holds it without loss, and the number in the bytes at a
 * position, little-endian.
 *
 * @category model
 * @since 0.1.0
 */
export interface Format {
  readonly width: number
  readonly make: (length: number) => Data
  readonly read: (view: DataView, at: number) => number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const single = (length: number): Data => new Float32Array(length)
const double = (length: number): Data => new Float64Array(length)

const exactInteger = (value: bigint): number => {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : Number.NaN
}

/**
 * The formats that are read. An integer of 64 bits that is beyond 2^53 in magnitude has no exact f64: it reads as NaN.
 *
 * @category constructors
 * @since 0.1.0
 */
export const formats = {
  F64: { width: 8, make: double, read: (view, at) => view.getFloat64(at, true) },
  F32: { width: 4, make: single, read: (view, at) => view.getFloat32(at, true) },
  F16: { width: 2, make: single, read: (view, at) => fromHalf(view.getUint16(at, true)) },
  BF16: { width: 2, make: single, read: (view, at) => fromBfloat(view.getUint16(at, true)) },
  I64: { width: 8, make: double, read: (view, at) => exactInteger(view.getBigInt64(at, true)) },
  U64: { width: 8, make: double, read: (view, at) => exactInteger(view.getBigUint64(at, true)) },
  I32: { width: 4, make: double, read: (view, at) => view.getInt32(at, true) },
  U32: { width: 4, make: double, read: (view, at) => view.getUint32(at, true) },
  I16: { width: 2, make: single, read: (view, at) => view.getInt16(at, true) },
  U16: { width: 2, make: single, read: (view, at) => view.getUint16(at, true) },
  I8: { width: 1, make: single, read: (view, at) => view.getInt8(at) },
  U8: { width: 1, make: single, read: (view, at) => view.getUint8(at) },
  BOOL: { width: 1, make: single, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) }
} as const satisfies Readonly<Record<string, Format>>

/**
 * The name of a number format that is read.
 *
 * @category model
 * @since 0.1.0
 */
export type Dtype = keyof typeof formats

/**
 * Whether a name is that of a number format that is read.
 *
 * @category refinements
 * @since 0.1.0
 */
export const isDtype = (name: string): name is Dtype => Object.hasOwn(formats, name)

// -------------------------------------------------------------------------------------
// writing
// -------------------------------------------------------------------------------------

/** The whole number of 64 bits that is nearest: one that marks an end is beyond it as a number of f64. */
const wide = (value: number, least: bigint, most: bigint): bigint => {
  if (Number.isNaN(value)) return 0n
  if (!Number.isFinite(value)) return value < 0 ? least : most
  const cut = BigInt(Math.trunc(value))
  return cut < least ? least : cut > most ? most : cut
}

/**
 * Writes a number at a position, little-endian, rounded to the nearest that the format has; whole numbers are cut.
 *
 * @category utils
 * @since 0.1.0
 */
export const write = (dtype: Dtype, view: DataView, at: number, value: number): void => {
  switch (dtype) {
    case 'F64':
      return view.setFloat64(at, value, true)
    case 'F32':
      return view.setFloat32(at, value, true)
    case 'F16':
      return view.setUint16(at, toHalf(value), true)
    case 'BF16':
      return view.setUint16(at, toBfloat(value), true)
    case 'I64':
      return view.setBigInt64(at, wide(value, -(2n ** 63n), 2n ** 63n - 1n), true)
    case 'U64':
      return view.setBigUint64(at, wide(value, 0n, 2n ** 64n - 1n), true)
    case 'I32':
    case 'U32':
      return view.setInt32(at, value, true)
    case 'I16':
    case 'U16':
      return view.setInt16(at, value, true)
    case 'I8':
    case 'U8':
      return view.setInt8(at, value)
    case 'BOOL':
      return view.setUint8(at, value === 0 ? 0 : 1)
  }
}
