import { readFileSync } from 'node:fs'
import { deflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Npy from '../../src/format/Npy.js'
import * as Npz from '../../src/format/Npz.js'
import { size, type Tensor } from '../../src/tensor/Tensor.js'
import { formats, header, join, type Member, npy, type Written, zip } from './writers.js'

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
    [
      'a key twice',
      header(1, "{'descr': '<f4', 'descr': '<f8'}"),
      'header: expected each key once, got "descr" twice; save'
    ],
    ['a wrong order', head("'<f4'", '(1,)'), "'fortran_order': expected True or False, got (1,); save the array"],
    [
      'a shape that is no tuple',
      head("'<f4'", 'True', '(3)'),
      "'shape': expected a tuple of at most 64 sizes, of at most 2^53 numbers, got (3); save"
    ],
    [
      'a shape beyond 2^53',
      head("'<f4'", 'True', `(${2 ** 30}, ${2 ** 30})`),
      "'shape': expected a tuple of at most 64 sizes"
    ],
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
        const tensors = right(Npz.decode(zip(members, { comment })))
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
    ['bytes beyond the archive', edited(entry + 23, 1), '"a.npy": expected an end before byte'],
    ['a file elsewhere', edited(entry + 42, 3), '"a.npy": expected the signature of a file at byte 3, got something'],
    ['sizes of 64 bits that are nowhere', edited(-6, 255, 255, 255, 255), '"archive": expected the 64-bit record that'],
    ['a name twice', zip([member, member]), '"directory": expected a name of its own for each file, got "a.npy" twice'],
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
