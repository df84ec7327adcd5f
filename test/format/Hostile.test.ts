import { crc32 } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import * as Foreign from '../../src/format/Foreign.js'
import * as Npy from '../../src/format/Npy.js'
import * as Npz from '../../src/format/Npz.js'
import * as Safetensors from '../../src/format/Safetensors.js'
import type { Tensor } from '../../src/tensor/Tensor.js'
import { seconds } from '../cost.js'
import { header, join, type Member, npy, type Written, zip } from './writers.js'

const said = <L>(showError: (error: L) => string, result: E.Either<L, unknown>): string =>
  E.isLeft(result) ? showError(result.left) : 'decoded'

const ofNpy = (bytes: Uint8Array): string => said(Npy.showError, Npy.decode(bytes))
const ofNpz = (bytes: Uint8Array): string => said(Npz.showError, Npz.decode(bytes))
const ofSafetensors = (bytes: Uint8Array): string => said(Safetensors.showError, Safetensors.decode(bytes))

/** What is said, within a second of the processor. */
const quickly = (decode: (bytes: Uint8Array) => string, bytes: Uint8Array): string => {
  let message = ''
  expect(seconds(() => (message = decode(bytes)))).toBeLessThan(1)
  return message
}

const plain: Written = { kind: 'f4', little: true, fortran: false, version: 1, shape: [2], values: [1, 2] }
const tensor: Tensor = { shape: [2], data: Float32Array.of(1, 2) }
const member: Member = { name: 'a.npy', content: npy(plain) }

/** An npy file of `n` zeros of one byte. */
const zeros = (n: number): Uint8Array =>
  join(header(1, `{'descr': '|u1', 'fortran_order': False, 'shape': (${n},), }`), new Uint8Array(n))

describe('archives that unpack to more than they are', () => {
  test('a small archive of a large file is refused before it is unpacked', () => {
    const bytes = zip([{ name: 'a.npy', content: zeros(100 * 2 ** 20), deflate: true }])
    expect(bytes.length).toBeLessThan(120_000)
    expect(quickly(ofNpz, bytes)).toBe(
      `"archive": expected files of at most 16777216 bytes in an archive of ${bytes.length}, got 104857675; the archive is small for what it holds, save the arrays without compression`
    )
  })

  test('what deflates well is read where it is small, or the archive is not', () => {
    const read = (n: number, noise: number): string =>
      ofNpz(
        zip([
          { name: 'a.npy', content: zeros(n), deflate: true },
          { name: 'b.npy', content: zeros(noise) }
        ])
      )
    expect(read(15 * 2 ** 20, 0)).toBe('decoded')
    expect(read(17 * 2 ** 20, 0)).not.toBe('decoded')
    expect(read(17 * 2 ** 20, 2 ** 18)).toBe('decoded')
  })

  test('entries that share their bytes are refused: a hundred files in one', () => {
    const content = zeros(2 ** 20)
    const names = Array.from({ length: 100 }, (_, i) => `a${i}.npy`)
    const bytes = zip(
      names.map((name): Member => ({ name, content, deflate: true, headerSays: { name: 'a0.npy' } })),
      { overlap: true }
    )
    expect(quickly(ofNpz, bytes)).toBe(
      '"a1.npy": expected the same name in its header, got "a0.npy"; the archive is damaged, copy or save it again'
    )
  })

  test('entries that begin within another are refused', () => {
    const inner = zip([member]).subarray(0, 35 + member.content.length)
    // the first file holds, as its contents, a file that the directory lists too
    const outer: Member = { name: 'b.npy', content: inner }
    const listed: Member = { ...member, said: { at: 35 } }
    const bytes = zip([outer, listed])
    expect(ofNpz(bytes)).toMatch(
      /^"a\.npy": expected a beginning at byte \d+ or later, where another file ends, got 35;/
    )
  })

  test('a file that reaches into the directory is refused', () => {
    const bytes = zip([
      { ...member, said: { compressed: member.content.length + 10, size: member.content.length + 10 } }
    ])
    expect(ofNpz(bytes)).toMatch(
      /^"directory": expected a beginning at byte \d+ or later, where the last file ends, got/
    )
  })

  test.each([
    ['fewer', 40],
    ['more', 400]
  ])('a size of %s bytes than unpack is refused, whatever its checksum', (_, size) => {
    const content = npy({ ...plain, shape: [50], values: new Array(50).fill(1) })
    const crc = crc32(content.subarray(0, size))
    expect(ofNpz(zip([{ name: 'a.npy', content, deflate: true, said: { size, crc } }]))).toMatch(
      new RegExp(`^"a\\.npy": expected ${size} bytes, deflated, got (more than ${size}|${content.length}) bytes;`)
    )
  })

  test('a small size that unpacks to a gigabyte is refused early', () => {
    const bytes = zip([{ name: 'a.npy', content: zeros(2 ** 28), deflate: true, said: { size: 100 } }])
    expect(quickly(ofNpz, bytes)).toBe(
      '"a.npy": expected 100 bytes, deflated, got more than 100 bytes; the archive is damaged, copy or save it again'
    )
  })

  test('more than 65536 files are refused', () => {
    const content = new Uint8Array(0)
    const bytes = zip(
      Array.from({ length: 65_537 }, (_, i) => ({ name: `${i}`, content })),
      { long: true }
    )
    expect(ofNpz(bytes)).toBe(
      '"directory": expected at most 65536 files, got 65537; the archive is small for what it holds, save the arrays without compression'
    )
  })
})

describe('archives that say two things', () => {
  test.each([
    ['its name', { name: 'b.npy' }, 'the same name in its header, got "b.npy"'],
    [
      'its size',
      { size: 3 },
      'the method, checksum and sizes 0, 2166979667, 78, 78 in its header, got 0, 2166979667, 78, 3'
    ],
    [
      'its method',
      { method: 8 },
      'the method, checksum and sizes 0, 2166979667, 78, 78 in its header, got 8, 2166979667, 78, 78'
    ],
    ['its checksum', { crc: 1 }, 'the method, checksum and sizes 0, 2166979667, 78, 78 in its header, got 0, 1, 78, 78']
  ])('%s in the header', (_, headerSays, expected) => {
    expect(ofNpz(zip([{ ...member, headerSays }]))).toBe(
      `"a.npy": expected ${expected}; the archive is damaged, copy or save it again`
    )
  })

  test('sizes that follow the file, or stand in 64 bits, are not in the header', () => {
    const streamed: Member = { ...member, said: { flags: 8 }, headerSays: { crc: 0, compressed: 0, size: 0 } }
    const long: Member = { ...member, headerSays: { compressed: 0xffffffff, size: 0xffffffff } }
    expect(Npz.decode(zip([streamed]))).toEqual(E.right({ a: tensor }))
    expect(Npz.decode(zip([long]))).toEqual(E.right({ a: tensor }))
  })

  test('a small archive may have the records of a large one', () => {
    expect(Npz.decode(zip([member], { long: true }))).toEqual(E.right({ a: tensor }))
    expect(Npz.decode(zip([member], { long: 'both', comment: 'x' }))).toEqual(E.right({ a: tensor }))
  })

  test('the records of a large one must agree with the others', () => {
    const bytes = zip([member], { long: 'both' })
    // the count of the last record
    bytes[bytes.length - 12] = 2
    expect(ofNpz(bytes)).toMatch(
      /^"directory": expected 1 entries of 51 bytes from byte 113, as the 64-bit record has, got 2 of 51 from 113;/
    )
    const moved = zip([member], { long: true })
    moved[moved.length - 22 - 20 + 8] = 1
    expect(ofNpz(moved)).toMatch(/^"archive": expected a 64-bit record before byte \d+, got something else at byte 1;/)
  })

  test('a name that is no text is refused', () => {
    const bytes = zip([member])
    bytes[30] = 0xff
    bytes[bytes.length - 27] = 0xff
    expect(ofNpz(bytes)).toBe(
      '"entry 0 of the directory": expected a name in UTF-8, got other bytes; the archive is damaged, copy or save it again'
    )
  })
})

describe('headers that take long to read', () => {
  const spaces = (n: number): string => ' '.repeat(n)
  const head = (shape: string, before = ''): string =>
    `{'descr': '|u1', ${before}'fortran_order': True, 'shape': ${shape}}`

  test('a shape of 50,000 ones is refused, and one of 64 is read', () => {
    const ones = (n: number): Uint8Array => join(header(2, head(`(${'1,'.repeat(n)})`)), Uint8Array.of(7))
    expect(quickly(ofNpy, ones(50_000))).toBe(
      'header: expected at most 65535 bytes, got 100052; save the array with numpy.save'
    )
    expect(quickly(ofNpy, ones(30_000))).toMatch(
      /^'shape': expected a tuple of at most 64 sizes, of at most 2\^53 numbers, got "\(1,1,.*"\.\.\. \(60002 characters\); save/
    )
    expect(Npy.decode(ones(64))).toEqual(E.right({ shape: new Array(64).fill(1), data: Float32Array.of(7) }))
    expect(ofNpy(ones(65))).toMatch(/^'shape': expected a tuple of at most 64 sizes/)
  })

  test('200,000 spaces are refused, and 60,000 are read wherever they stand', () => {
    expect(quickly(ofNpy, header(2, head(`(1,${spaces(200_000)})`)))).toBe(
      'header: expected at most 65535 bytes, got 200054; save the array with numpy.save'
    )
    const places = [
      head(`(1,${spaces(60_000)})`),
      head(`(1${spaces(60_000)},)`),
      head('(1,)', spaces(60_000)),
      spaces(60_000) + head('(1,)')
    ]
    for (const text of places) expect(quickly(ofNpy, join(header(1, text), Uint8Array.of(1)))).toBe('decoded')
    expect(quickly(ofNpy, header(1, head(`(1,${spaces(60_000)}x)`)))).toMatch(/^header: expected a dictionary/)
    expect(quickly(ofNpy, header(1, `{${spaces(60_000)}`))).toBe(
      "header: expected a dictionary with the keys 'descr', 'fortran_order' and 'shape', got its end; save the array with numpy.save"
    )
  })

  test('thousands of keys, brackets or digits are refused', () => {
    expect(quickly(ofNpy, header(1, `{${Array.from({ length: 5000 }, (_, i) => `'${i}':True,`).join('')}}`))).toBe(
      "'descr': expected a string, got nothing; save the array with numpy.save"
    )
    expect(quickly(ofNpy, header(1, `{'descr': ${'['.repeat(60_000)}`))).toMatch(/^header: expected a dictionary/)
    expect(quickly(ofNpy, header(1, head(`(${'9'.repeat(60_000)},)`)))).toMatch(/^'shape': expected a tuple/)
  })

  test('a checkpoint of more than 65536 tensors is refused, and is not written', () => {
    const empty: Tensor = { shape: [0], data: new Float32Array(0) }
    const entry = { dtype: 'F32', shape: [0], data_offsets: [0, 0] }
    const text = new TextEncoder().encode(
      JSON.stringify(Object.fromEntries(Array.from({ length: 65_537 }, (_, i) => [`t${i}`, entry])))
    )
    const length = new Uint8Array(8)
    new DataView(length.buffer).setUint32(0, text.length, true)
    expect(ofSafetensors(join(length, text))).toBe(
      'header: expected at most 65536 tensors, got 65537; store the tensors in several files'
    )
    const tensors = Object.fromEntries(Array.from({ length: 65_537 }, (_, i) => [`t${i}`, empty]))
    expect(said(Safetensors.showError, Safetensors.encode('own')({ tensors, metadata: {} }))).toBe(
      'tensors: expected at most 65536, got 65537; store the tensors in several files'
    )
    const deep: Tensor = { shape: new Array(65).fill(1), data: Float32Array.of(1) }
    expect(said(Safetensors.showError, Safetensors.encode('own')({ tensors: { deep }, metadata: {} }))).toBe(
      'tensors: expected at most 64 axes, got 65; store the tensors in several files'
    )
    const long = 'x'.repeat(8 * 2 ** 20)
    expect(said(Safetensors.showError, Safetensors.encode('own')({ tensors: {}, metadata: { long } }))).toBe(
      'header: expected at most 8388608 bytes, got 8388640; store the tensors in several files'
    )
  })

  test('names of a megabyte are cut where they are shown', () => {
    const name = 'x'.repeat(2 ** 20)
    const text = new TextEncoder().encode(
      JSON.stringify({ [name]: { dtype: 'F32', shape: [1], data_offsets: [0, 1] } })
    )
    const length = new Uint8Array(8)
    new DataView(length.buffer).setUint32(0, text.length, true)
    expect(ofSafetensors(join(length, text, Uint8Array.of(1)))).toBe(
      `"${'x'.repeat(40)}"... (1048576 characters): expected 4 bytes for F32 [1], got 1; write the file again`
    )
  })
})

describe('names that every object has', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf']

  test('are names of tensors like any others', () => {
    const tensors = Object.fromEntries(names.map((name) => [name, tensor]))
    const bytes = E.getOrElseW(() => new Uint8Array(0))(Safetensors.encode('own')({ tensors, metadata: {} }))
    const read = Safetensors.decode(bytes)
    expect(E.isRight(read) ? Object.keys(read.right.tensors).sort() : []).toEqual([...names].sort())
    const unzipped = Npz.decode(zip(names.map((name) => ({ name: `${name}.npy`, content: npy(plain) }))))
    expect(E.isRight(unzipped) ? Object.keys(unzipped.right).sort() : []).toEqual([...names].sort())
  })

  test('are not found where they are not', () => {
    const parameters = Object.fromEntries(names.map((name) => [name, { shape: [2] }]))
    const mapping = Foreign.rename('**', '**')
    expect(said(Foreign.showError, Foreign.fromForeign(mapping)(parameters, {}))).toBe(
      names.map((name) => `"${name}": expected [2], got no such tensor`).join('\n')
    )
    expect(said(Foreign.showError, Foreign.toForeign(mapping)(parameters, {}))).toBe(
      names.map((name) => `"${name}": expected [2], got no such tensor`).join('\n')
    )
  })
})

describe('many names that do not fit', () => {
  test('are compared with others for the first of them, and listed up to a hundred', () => {
    const n = 3000
    const parameters = Object.fromEntries(Array.from({ length: n }, (_, i) => [`ours${i}`, { shape: [2] }]))
    const tensors = Object.fromEntries(Array.from({ length: n }, (_, i) => [`theirs${i}`, tensor]))
    let lines: ReadonlyArray<string> = []
    const spent = seconds(() => {
      lines = said(Foreign.showError, Foreign.fromForeign(Foreign.rename('**', '**'))(parameters, tensors)).split('\n')
    })
    expect(spent).toBeLessThan(2)
    expect(lines).toHaveLength(101)
    expect(lines[0]).toBe('"ours0": expected [2], got no such tensor')
    expect(lines.at(-1)).toBe('... (6000 in all)')
  })

  test('a pattern of many stars is compared in the product of the lengths', () => {
    const stars = `${'**.'.repeat(30)}x`
    const dots = `${'a.'.repeat(2000)}y`
    const mapping = [...Foreign.ignore(stars), ...Foreign.rename('z', 'z')]
    const spent = seconds(() => Foreign.fromForeign(mapping)({ z: { shape: [2] } }, { z: tensor, [dots]: tensor }))
    expect(spent).toBeLessThan(1)
  })
})
