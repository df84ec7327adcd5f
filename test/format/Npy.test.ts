import { readFileSync } from 'node:fs'
import { crc32, deflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Npy from '../../src/format/Npy.js'
import * as Npz from '../../src/format/Npz.js'
import { size, type Tensor } from '../../src/tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// a writer of its own
// -------------------------------------------------------------------------------------

type Put = (view: DataView, at: number, value: number, little: boolean) => void

/** Width, a generator of numbers that the format holds, and how one is written. */
const formats: Readonly<Record<string, readonly [number, fc.Arbitrary<number>, Put]>> = {
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

interface Written {
  readonly kind: string
  readonly little: boolean
  readonly fortran: boolean
  readonly version: number
  readonly shape: ReadonlyArray<number>
  /** row-major */
  readonly values: ReadonlyArray<number>
}

const header = (version: number, text: string): Uint8Array => {
  const body = new TextEncoder().encode(text)
  const bytes = new Uint8Array((version === 1 ? 10 : 12) + body.length)
  bytes.set([0x93, ...new TextEncoder().encode('NUMPY'), version, 0])
  const view = new DataView(bytes.buffer)
  if (version === 1) view.setUint16(8, body.length, true)
  else view.setUint32(8, body.length, true)
  bytes.set(body, bytes.length - body.length)
  return bytes
}

const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

/** All indices of a shape, the last axis fastest. */
const indices = (shape: ReadonlyArray<number>): ReadonlyArray<ReadonlyArray<number>> =>
  shape.reduce<ReadonlyArray<ReadonlyArray<number>>>(
    (found, d) => found.flatMap((index) => Array.from({ length: d }, (_, i) => [...index, i])),
    [[]]
  )

const npy = ({ kind, little, fortran, version, shape, values }: Written): Uint8Array => {
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

interface Member {
  readonly name: string
  readonly content: Uint8Array
  readonly deflate: boolean
  /** bytes of an extra field of the local header, as the 64-bit extension makes them */
  readonly extra: number
}

const zip = (members: ReadonlyArray<Member>, comment = ''): Uint8Array => {
  const parts: Array<Uint8Array> = []
  const directory: Array<Uint8Array> = []
  let at = 0
  for (const { name, content, deflate, extra } of members) {
    const bytes = deflate ? Uint8Array.from(deflateRawSync(content)) : content
    const label = new TextEncoder().encode(name)
    const method = deflate ? 8 : 0
    const common = [crc32(content), bytes.length, content.length]
    const local = new DataView(new ArrayBuffer(30))
    const entry = new DataView(new ArrayBuffer(46))
    local.setUint32(0, 0x04034b50, true)
    local.setUint16(8, method, true)
    common.forEach((word, i) => local.setUint32(14 + 4 * i, word, true))
    local.setUint16(26, label.length, true)
    local.setUint16(28, extra, true)
    entry.setUint32(0, 0x02014b50, true)
    entry.setUint16(10, method, true)
    common.forEach((word, i) => entry.setUint32(16 + 4 * i, word, true))
    entry.setUint16(28, label.length, true)
    entry.setUint32(42, at, true)
    const piece = join(new Uint8Array(local.buffer), label, new Uint8Array(extra), bytes)
    parts.push(piece)
    directory.push(join(new Uint8Array(entry.buffer), label))
    at += piece.length
  }
  const listed = join(...directory)
  const end = new DataView(new ArrayBuffer(22))
  end.setUint32(0, 0x06054b50, true)
  end.setUint16(8, members.length, true)
  end.setUint16(10, members.length, true)
  end.setUint32(12, listed.length, true)
  end.setUint32(16, at, true)
  const note = new TextEncoder().encode(comment)
  end.setUint16(20, note.length, true)
  return join(...parts, listed, new Uint8Array(end.buffer), note)
}

// -------------------------------------------------------------------------------------
// generators
// -------------------------------------------------------------------------------------

const written: fc.Arbitrary<Written> = fc
  .record({
    kind: fc.constantFrom(...Object.keys(formats)),
    little: fc.boolean(),
    fortran: fc.boolean(),
    version: fc.constantFrom(1, 2, 3),
    shape: fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 })
  })
  .chain((layout) => {
    const n = size(layout.shape)
    const [, value] = formats[layout.kind] ?? [1, fc.constant(0)]
    return fc.array(value, { minLength: n, maxLength: n }).map((values) => ({ ...layout, values }))
  })

const archive: fc.Arbitrary<ReadonlyArray<Member & { readonly array: Written }>> = fc.uniqueArray(
  fc
    .record({
      array: written,
      stem: fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('__proto__', 'a.weight', '0')),
      deflate: fc.boolean(),
      extra: fc.constantFrom(0, 20)
    })
    .map(({ array, stem, ...rest }) => ({ ...rest, array, name: `${stem}.npy`, content: npy(array) })),
  { maxLength: 4, selector: ({ name }) => name }
)

const same = (tensor: Tensor | undefined, { shape, values }: Written): boolean =>
  JSON.stringify(tensor?.shape) === JSON.stringify(shape) &&
  tensor?.data.length === values.length &&
  values.every((value, i) => Object.is(tensor.data[i], value))

const plain: Written = {
  kind: 'f4',
  little: true,
  fortran: false,
  version: 1,
  shape: [2, 3],
  values: [1, 2, 3, 4, 5, 6]
}

const npyMessage = (bytes: Uint8Array): string => {
  const result = Npy.decode(bytes)
  return E.isLeft(result) ? Npy.showError(result.left) : 'decoded'
}

const npzMessage = (bytes: Uint8Array): string => {
  const result = Npz.decode(bytes)
  return E.isLeft(result) ? Npz.showError(result.left) : 'decoded'
}

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

// -------------------------------------------------------------------------------------
// tests
// -------------------------------------------------------------------------------------

describe('Npy', () => {
  test('every format, byte order, memory order and version is read, number for number', () => {
    fc.assert(
      fc.property(written, fc.nat(9), (value, offset) => {
        // a view into a larger buffer reads the same
        const bytes = npy(value)
        const larger = new Uint8Array(bytes.length + offset + 3).fill(0xff)
        larger.set(bytes, offset)
        return same(right(Npy.decode(larger.subarray(offset, offset + bytes.length))), value)
      }),
      { numRuns: 400 }
    )
  })

  test('the comparison tells byte orders, memory orders and formats apart', () => {
    const mutants: ReadonlyArray<Partial<Written>> = [{ little: false }, { fortran: true }, { shape: [3, 2] }]
    const data = npy(plain).slice(-24)
    for (const mutant of mutants) {
      const start = npy({ ...plain, ...mutant }).slice(0, -24)
      expect(same(right(Npy.decode(join(start, data))), plain)).toBe(false)
    }
  })

  test('a file that ends early or late is refused', () => {
    fc.assert(
      fc.property(written, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (value, fraction) => {
        const bytes = npy(value)
        expect(E.isLeft(Npy.decode(bytes.subarray(0, Math.floor(bytes.length * fraction))))).toBe(true)
        expect(E.isLeft(Npy.decode(join(bytes, Uint8Array.of(0))))).toBe(true)
      })
    )
  })

  test('any bytes and any header decode or are refused in words', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.string(), fc.constantFrom(1, 2, 3), (bytes, text, version) => {
        expect(npyMessage(bytes)).not.toBe('')
        expect(npyMessage(join(header(version, text), bytes))).not.toBe('')
      })
    )
  })

  test('the keys of the header may be in any order', () => {
    const text = `{"shape": (2,), 'fortran_order': False, 'descr': '|u1'}`
    expect(Npy.decode(join(header(1, text), Uint8Array.of(7, 8)))).toEqual(
      E.right({ shape: [2], data: Float32Array.of(7, 8) })
    )
  })

  const head = (descr: string, order = 'False', shape = '(1,)'): Uint8Array =>
    header(1, `{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }\n`)
  const kinds = 'b1, i1, u1, i2, u2, i4, u4, i8, u8, f2, f4, f8'
  test.each([
    ['no bytes', Uint8Array.of(), 'file: expected a file that begins with 93 4e 55 4d 50 59, got no bytes; save the'],
    ['a later version', header(4, '{}'), 'file: expected version 1.0, 2.0 or 3.0, got 4.0; save the array with'],
    ['no header', header(1, '').slice(0, 9), 'header length: expected the file to have 10 bytes, got 9; it is cut off'],
    [
      'a header cut off',
      header(1, '{  }').slice(0, 12),
      'header: expected the file to have 14 bytes, got 12; it is cut'
    ],
    ['no dictionary', header(1, '[1]'), "header: expected a dictionary with the keys 'descr', 'fortran_order' and"],
    ['a missing key', header(1, "{'descr': '<f4'}"), "'fortran_order': expected True or False, got nothing; save"],
    ['a key twice', header(1, "{'descr': '<f4', 'descr': '<f8'}"), 'header: expected a dictionary with the keys'],
    ['a wrong order', head("'<f4'", '(1,)'), "'fortran_order': expected True or False, got (1,); save the array"],
    ['a shape that is no tuple', head("'<f4'", 'True', '(3)'), "'shape': expected a tuple of sizes, got (3); save"],
    ['a shape beyond 2^53', head("'<f4'", 'True', `(${2 ** 30}, ${2 ** 30})`), "'shape': expected a tuple of sizes"],
    ['complex numbers', head("'<c8'"), `'descr': expected < or > before ${kinds}, got <c8; convert the array first`],
    ['objects', head("'|O'"), `'descr': expected < or > before ${kinds}, got |O; convert the array first`],
    ['a record', head("[('a', '<f4')]"), `'descr': expected < or > before ${kinds}, got [('a', '<f4')]; convert`],
    ['no byte order', head("'|f4'"), `'descr': expected < or > before ${kinds}, got |f4; convert the array first`],
    [
      'an integer beyond 2^53',
      join(head("'>i8'"), Uint8Array.of(0x80, 0, 0, 0, 0, 0, 0, 0)),
      'number 0: expected an integer below 2^53 in magnitude, got -9223372036854775808; convert the array to f8 first'
    ]
  ])('%s is refused', (_, bytes, expected) => {
    expect(npyMessage(bytes)).toContain(expected)
  })
})

describe('Npz', () => {
  test('stored and deflated arrays are read by name', () => {
    fc.assert(
      fc.property(archive, fc.string({ maxLength: 5 }), (members, comment) => {
        const tensors = right(Npz.decode(zip(members, comment)))
        const own = (name: string): Tensor | undefined => new Map(Object.entries(tensors)).get(name.slice(0, -4))
        return (
          Object.keys(tensors).length === members.length && members.every(({ name, array }) => same(own(name), array))
        )
      })
    )
  })

  test('an archive that ends early is refused', () => {
    fc.assert(
      fc.property(archive, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (members, fraction) => {
        const bytes = zip(members)
        expect(E.isLeft(Npz.decode(bytes.subarray(0, Math.floor(bytes.length * fraction))))).toBe(true)
      })
    )
  })

  test('a changed byte of the numbers never passes unseen', () => {
    const content = npy(plain)
    for (const deflate of [false, true]) {
      const bytes = zip([{ name: 'a.npy', content, deflate, extra: 0 }])
      const [begin, end] = [35, 35 + (deflate ? deflateRawSync(content).length : content.length)]
      for (let at = begin; at < end; at++) {
        const changed = bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ 0x10
        const result = Npz.decode(changed)
        // unused bits may differ
        expect(E.isLeft(result) || same(result.right['a'], plain)).toBe(true)
      }
    }
  })

  test('changed bytes decode or are refused in words', () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(archive, changes, (members, edits) => {
        const bytes = zip(members)
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte
        expect(npzMessage(bytes)).not.toBe('')
      }),
      { numRuns: 300 }
    )
  })

  const member = { name: 'a.npy', content: npy(plain), deflate: false, extra: 0 }
  const edited = (at: number, ...words: ReadonlyArray<number>): Uint8Array => {
    const bytes = zip([member])
    bytes.set(words, at < 0 ? bytes.length + at : at)
    return bytes
  }
  // the one directory entry is 46 bytes and a name of 5, the end 22
  const entry = -73
  test.each([
    [
      'no archive',
      Uint8Array.of(1, 2, 3),
      '"archive": expected the directory of a zip archive at the end, got 3 bytes'
    ],
    [
      'a method that is not read',
      edited(entry + 10, 9),
      '"a.npy": expected stored or deflated, got method 9; save the'
    ],
    [
      'encryption',
      edited(entry + 8, 1),
      '"a.npy": expected no encryption, got an encrypted file; save the arrays with'
    ],
    ['a size beyond its bytes', edited(entry + 27, 1), '"a.npy": expected a size of'],
    ['bytes beyond the archive', edited(entry + 23, 1), '"a.npy": expected an end before byte'],
    ['a file elsewhere', edited(entry + 42, 3), '"a.npy": expected the signature of a file at byte 3, got something'],
    ['the 64-bit extension', edited(-6, 255, 255, 255, 255), '"archive": expected at most 4 GiB, got the 64-bit'],
    ['a name twice', zip([member, member]), '"directory": expected a name of its own for each file, got a.npy, a.npy'],
    ['another file', zip([{ ...member, name: 'a.txt' }]), '"a.txt": expected a file named *.npy, got another; save'],
    ['a file that is no array', zip([{ ...member, content: Uint8Array.of(1) }]), '"a.npy": file: expected a file that']
  ])('%s is refused', (_, bytes, expected) => {
    expect(npzMessage(bytes)).toContain(expected)
  })

  test('what numpy wrote is read: each format, byte order and memory order', () => {
    const tensors = right(Npz.decode(readFileSync(new URL('./fixtures/arrays.npz', import.meta.url))))
    const expected: Readonly<Record<string, (i: number) => number>> = {
      i: (i) => i - 2,
      u: (i) => i,
      f: (i) => i / 4 - 1,
      b: (i) => (i % 3 === 0 ? 0 : 1)
    }
    const names = Object.keys(tensors).filter((name) => /^[iufb]/.test(name))
    expect(names).toHaveLength(45)
    for (const name of names) {
      expect(tensors[name]?.shape).toEqual([2, 3])
      expect(Array.from(tensors[name]?.data ?? [])).toEqual(
        Array.from({ length: 6 }, (_, i) => expected[name.charAt(0)]?.(i))
      )
    }
    expect(tensors['scalar']).toEqual({ shape: [], data: Float64Array.of(2.5) })
    expect(tensors['empty']).toEqual({ shape: [0, 3], data: new Float32Array(0) })
  })
})
