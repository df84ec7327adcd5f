import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { type Checkpoint, decode, encode, showError } from '../../src/format/Safetensors.js'
import { type Data, size, type Tensor } from '../../src/tensor/Tensor.js'

const written = (checkpoint: Checkpoint, precision: 'own' | 'F16' = 'own'): Uint8Array => {
  const result = encode(precision)(checkpoint)
  if (E.isLeft(result)) throw new Error(showError(result.left))
  return result.right
}

/** A file with the given header, as text or as JSON, and data bytes. */
const file = (header: unknown, data: ReadonlyArray<number> = []): Uint8Array => {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header))
  const bytes = new Uint8Array(8 + text.length + data.length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true)
  bytes.set(text, 8)
  bytes.set(data, 8 + text.length)
  return bytes
}

const entry = (dtype: string, shape: ReadonlyArray<number>, begin: number, end: number): unknown => ({
  dtype,
  shape,
  data_offsets: [begin, end]
})

const message = (bytes: Uint8Array): string => {
  const result = decode(bytes)
  return E.isLeft(result) ? showError(result.left) : 'decoded'
}

const tensor: fc.Arbitrary<Tensor> = fc
  .tuple(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }), fc.boolean())
  .chain(([shape, single]): fc.Arbitrary<Tensor> => {
    const length = { minLength: size(shape), maxLength: size(shape) }
    return (single ? fc.float32Array(length) : fc.float64Array(length)).map((data: Data) => ({ shape, data }))
  })

const name = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('__proto__', 'constructor', '', '0', '7', '\ud800')
)

const record = <A>(value: fc.Arbitrary<A>): fc.Arbitrary<Readonly<Record<string, A>>> =>
  fc.array(fc.tuple(name, value), { maxLength: 6 }).map((entries) => Object.fromEntries(entries))

const checkpoint: fc.Arbitrary<Checkpoint> = fc
  .tuple(record(tensor), record(fc.string({ unit: 'binary' })))
  .map(([tensors, metadata]) => ({ tensors, metadata }))

describe('round trip', () => {
  test('what is written is read, number for number', () => {
    fc.assert(
      fc.property(checkpoint, (value) => {
        expect(isDeepStrictEqual(decode(written(value)), E.right(value))).toBe(true)
      })
    )
  })

  test('a view into a larger buffer reads the same', () => {
    fc.assert(
      fc.property(checkpoint, fc.integer({ min: 1, max: 9 }), (value, offset) => {
        const bytes = written(value)
        const larger = new Uint8Array(bytes.length + offset + 3).fill(0xff)
        larger.set(bytes, offset)
        expect(isDeepStrictEqual(decode(larger.subarray(offset, offset + bytes.length)), E.right(value))).toBe(true)
      })
    )
  })

  test('the order of the names does not matter', () => {
    fc.assert(
      fc.property(checkpoint, ({ tensors, metadata }) => {
        const reversed = {
          tensors: Object.fromEntries(Object.entries(tensors).reverse()),
          metadata: Object.fromEntries(Object.entries(metadata).reverse())
        }
        expect(written(reversed)).toEqual(written({ tensors, metadata }))
      })
    )
  })

  test('F16 takes two bytes a number and rounds to 11 bits', () => {
    const data = Float32Array.of(1, -2.5, 1 / 3, 65504, 1e6)
    const bytes = written({ tensors: { a: { shape: [5], data } }, metadata: {} }, 'F16')
    expect(bytes.length % 8).toBe(10 % 8)
    expect(decode(bytes)).toEqual(
      E.right({
        tensors: { a: { shape: [5], data: Float32Array.of(1, -2.5, 1365 / 4096, 65504, Number.POSITIVE_INFINITY) } },
        metadata: {}
      })
    )
  })
})

describe('the format', () => {
  test('a small file, byte by byte', () => {
    const bytes = written({ tensors: { w: { shape: [2, 1], data: Float32Array.of(1, -2) } }, metadata: { step: '3' } })
    const header = '{"__metadata__":{"step":"3"},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}    '
    expect([...bytes.subarray(0, 8)]).toEqual([88, 0, 0, 0, 0, 0, 0, 0])
    expect(new TextDecoder().decode(bytes.subarray(8, 96))).toBe(header)
    expect([...bytes.subarray(96)]).toEqual([0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0])
  })

  test('numbers are aligned to their width', () => {
    const tensors = {
      a: { shape: [3], data: Float32Array.of(1, 2, 3) },
      b: { shape: [1], data: Float64Array.of(4) }
    }
    const bytes = written({ tensors, metadata: {} })
    expect(new Float64Array(bytes.slice(-20, -12).buffer)).toEqual(Float64Array.of(4))
    expect((bytes.length - 20) % 8).toBe(0)
  })

  test.each([
    ['F16', [0x00, 0x3c], Float32Array.of(1)],
    ['BF16', [0xc0, 0xbf], Float32Array.of(-1.5)],
    ['I64', [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Float64Array.of(-1)],
    ['U64', [1, 0, 0, 0, 1, 0, 0, 0], Float64Array.of(2 ** 32 + 1)],
    ['I32', [0xfe, 0xff, 0xff, 0xff], Float64Array.of(-2)],
    ['U32', [0xfe, 0xff, 0xff, 0xff], Float64Array.of(2 ** 32 - 2)],
    ['I16', [0xfd, 0xff], Float32Array.of(-3)],
    ['U16', [0xfd, 0xff], Float32Array.of(65533)],
    ['I8', [0x80], Float32Array.of(-128)],
    ['U8', [0x80], Float32Array.of(128)],
    ['BOOL', [1], Float32Array.of(1)]
  ])('reads %s', (dtype, bytes, data) => {
    expect(decode(file({ a: entry(dtype, [1], 0, bytes.length) }, bytes))).toEqual(
      E.right({ tensors: { a: { shape: [1], data } }, metadata: {} })
    )
  })

  test('a scalar has the shape [], an empty tensor no bytes', () => {
    expect(decode(file({ a: entry('U8', [], 0, 1), b: entry('F32', [0, 3], 1, 1) }, [7]))).toEqual(
      E.right({
        tensors: { a: { shape: [], data: Float32Array.of(7) }, b: { shape: [0, 3], data: new Float32Array(0) } },
        metadata: {}
      })
    )
  })
})

describe('malformed files', () => {
  const dtypes = 'F64, F32, F16, BF16, I64, U64, I32, U32, I16, U16, I8, U8, BOOL'
  test.each([
    [
      'an empty file',
      Uint8Array.of(),
      'header length: expected 8 bytes, got 0; the file is cut off, copy or write it again'
    ],
    [
      'a header length beyond the file',
      Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 123),
      'header: expected 255 bytes, got 1; the file is cut off, copy or write it again'
    ],
    [
      'a header that is a list',
      file('[]'),
      'header: expected an object, got []; check that this is a safetensors file'
    ],
    [
      'an entry without a dtype',
      file({ a: { shape: [], data_offsets: [0, 0] } }),
      '"a".dtype: expected string, got nothing; check that this is a safetensors file'
    ],
    [
      'a negative size',
      file({ a: entry('U8', [-1], 0, 0) }),
      '"a".shape[0]: expected an integer from 0 to 2^53, got -1; check that this is a safetensors file'
    ],
    [
      'metadata that is no text',
      file({ __metadata__: { step: 3 } }),
      '"__metadata__".step: expected string, got 3; check that this is a safetensors file'
    ],
    [
      'an unknown dtype',
      file({ a: entry('F8_E4M3', [1], 0, 1) }, [0]),
      `"a": expected a dtype of ${dtypes}, got "F8_E4M3"; convert the tensor first`
    ],
    [
      'a dtype that every object has',
      file({ a: entry('toString', [1], 0, 1) }, [0]),
      `"a": expected a dtype of ${dtypes}, got "toString"; convert the tensor first`
    ],
    [
      'bytes that do not fill the shape',
      file({ a: entry('F32', [2], 0, 4) }, [0, 0, 0, 0]),
      '"a": expected 8 bytes for F32 [2], got 4; write the file again'
    ],
    [
      'offsets that run backwards',
      file({ a: entry('U8', [1], 1, 0) }, [0]),
      '"a": expected 1 bytes for U8 [1], got -1; write the file again'
    ],
    [
      'a tensor twice',
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}',
        [7]
      ),
      'header: expected each field once, got "a" twice; check that this is a safetensors file'
    ],
    [
      'a tensor twice, spelled in two ways',
      file(
        '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
        [7]
      ),
      'header: expected each field once, got "a" twice; check that this is a safetensors file'
    ],
    [
      'an offset twice',
      file('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"shape":[1]}}', [7]),
      'a: expected each field once, got "shape" twice; check that this is a safetensors file'
    ],
    [
      'text twice',
      file('{"__metadata__":{"description":"x","description":"y"}}'),
      '__metadata__: expected each field once, got "description" twice; check that this is a safetensors file'
    ],
    [
      'a field that no one knows',
      file({ a: { dtype: 'U8', shape: [1], data_offsets: [0, 1], toString: 1 } }, [7]),
      '"a".toString: expected one of the fields dtype, shape, data_offsets, got "toString"; check that this is a safetensors file'
    ],
    [
      'more than 64 axes',
      file({ a: entry('U8', new Array(65).fill(1), 0, 1) }, [7]),
      '"a".shape: expected a list of at most 64 sizes, got [1,1,1,1,1,1,1,1,... 65 in all]; check that this is a safetensors file'
    ],
    [
      'more numbers than can be counted, beside a size of 0',
      file({ a: entry('U8', [2 ** 40, 2 ** 40, 0], 0, 0) }),
      'shape of "a": expected at most 2^53 numbers, got [1099511627776,1099511627776,0]; store the tensors in several files'
    ],
    [
      'a header of more than 8 MiB',
      Uint8Array.of(1, 0, 0x80, 0, 0, 0, 0, 0, 0x7b, 0x7d),
      'header: expected at most 8388608 bytes, got 8388609; store the tensors in several files'
    ],
    [
      'tensors that overlap',
      file({ a: entry('U8', [2], 0, 2), b: entry('U8', [2], 1, 3) }, [0, 0, 0]),
      'start of "b": expected at byte 2 of the data, got 1; tensors have to lie end to end, write the file again'
    ],
    [
      'a gap',
      file({ a: entry('U8', [1], 0, 1), b: entry('U8', [1], 2, 3) }, [0, 0, 0]),
      'start of "b": expected at byte 1 of the data, got 2; tensors have to lie end to end, write the file again'
    ],
    [
      'data that is cut off',
      file({ a: entry('U8', [4], 0, 4) }, [0, 0]),
      'data: expected 4 bytes, got 2; the file is cut off, copy or write it again'
    ],
    [
      'bytes after the last tensor',
      file({ a: entry('U8', [1], 0, 1) }, [0, 0]),
      'end of the data: expected at byte 1 of the data, got 2; tensors have to lie end to end, write the file again'
    ],
    [
      'an integer beyond 2^53',
      file({ a: entry('I64', [1], 0, 8) }, [0, 0, 0, 0, 0, 0, 0, 0x80]),
      '"a"[0]: expected an integer below 2^53 in magnitude, got -9223372036854775808; store the tensor as F64'
    ]
  ])('%s', (_, bytes, expected) => {
    expect(message(bytes)).toBe(expected)
  })

  test.each([
    ['no JSON', file('{"a": ')],
    ['no UTF-8', Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0xff)],
    ['a byte order mark', file('\ufeff{}')]
  ])('a header that is %s', (_, bytes) => {
    expect(message(bytes)).toMatch(/^header: expected JSON( in UTF-8)?, got .+; check that this is a safetensors file$/)
  })

  test('a header that is nested deeply', () => {
    const deep = `{"a":{"dtype":${'['.repeat(50_000)}${']'.repeat(50_000)},"shape":[],"data_offsets":[0,0]}}`
    expect(message(file(deep))).toBe(
      'a.dtype[0]: expected at most 64 levels of lists and groups, got more; check that this is a safetensors file'
    )
  })

  test('any bytes decode or are refused in words', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(message(bytes)).not.toBe('')
      })
    )
  })

  test('changed bytes decode or are refused in words', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(checkpoint, changes, (value, edits) => {
        const bytes = written(value)
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte
        expect(message(bytes)).not.toBe('')
      }),
      { numRuns: 500 }
    )
  })

  test('a file that ends early is refused', () => {
    fc.assert(
      fc.property(checkpoint, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value, fraction) => {
        const bytes = written(value)
        expect(E.isLeft(decode(bytes.subarray(0, Math.floor(bytes.length * fraction))))).toBe(true)
      })
    )
  })
})

describe('what cannot be written', () => {
  test('a tensor with the reserved name', () => {
    const result = encode('own')({ tensors: { __metadata__: { shape: [], data: Float64Array.of(1) } }, metadata: {} })
    expect(E.mapLeft(showError)(result)).toEqual(
      E.left('tensors: expected any name but "__metadata__", got it; the format keeps it for text, rename the tensor')
    )
  })

  test('a tensor that does not fill its shape', () => {
    const result = encode('own')({ tensors: { a: { shape: [2], data: Float64Array.of(1) } }, metadata: {} })
    expect(E.mapLeft(showError)(result)).toEqual(
      E.left('"a": expected 16 bytes for F64 [2], got 8; write the file again')
    )
  })
})
