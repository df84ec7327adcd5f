import { readFileSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, test } from 'vitest'
import { write } from '../../src/format/Dtype.js'
import { fromBfloat, toBfloat } from '../../src/format/Half.js'
import * as Onnx from '../../src/format/Onnx.js'
import * as Safetensors from '../../src/format/Safetensors.js'
import * as Torch from '../../src/format/Torch.js'
import * as Zip from '../../src/format/Zip.js'
import type { Values } from '../../src/tensor/Program.js'

const fixture = (path: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../${path}`, import.meta.url)))

const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** The bytes that differ. */
const changed = (a: Uint8Array, b: Uint8Array): number => {
  expect(b.length).toBe(a.length)
  return a.reduce((n, byte, i) => (byte === b[i] ? n : n + 1), 0)
}

const six = (value: number): Values[string] => ({ shape: [2, 3], data: Float64Array.of(1, 2, 3, 4, 5, value) })

describe.each(['checkpoint.pt', 'legacy.pt'])('%s with other numbers', (name) => {
  const bytes = fixture(`format/fixtures/${name}`)
  const weights = (of: Uint8Array, key?: string): Values => right(Torch.weights(key)(right(Torch.decode(of))))

  test('has them in each format, and all else as it was', () => {
    const kinds = ['f32', 'f64', 'f16', 'bf16', 'i64', 'i32', 'i16', 'i8', 'u8']
    const result = right(Torch.rewrite(undefined)(bytes, Object.fromEntries(kinds.map((kind) => [kind, six(6)]))))
    const before = weights(bytes)
    const after = weights(result)
    for (const kind of kinds) expect([...(after[kind]?.data ?? [])]).toEqual([1, 2, 3, 4, 5, 6])
    const others = (of: Values): Values =>
      Object.fromEntries(Object.entries(of).filter(([key]) => !kinds.includes(key)))
    expect(others(after)).toEqual(others(before))
    expect(weights(result, 'ema')).toEqual(weights(bytes, 'ema'))
    // six numbers of 4 + 8 + 2 + 2 + 8 + 4 + 2 + 1 + 1 bytes, and the checksums of nine storages in two or three places
    expect(changed(bytes, result)).toBeLessThanOrEqual(6 * 32 + 9 * 3 * 4)
  })

  test('has them in a view, at the places of its storage', () => {
    const column = { shape: [4], data: Float64Array.of(-1, -2, -3, -4) }
    const after = weights(right(Torch.rewrite('state_dict')(bytes, { 'view.column': column })))
    expect([...(after['view.column']?.data ?? [])]).toEqual([-1, -2, -3, -4])
    expect([...(after['view.transposed']?.data ?? [])].slice(8, 12)).toEqual([-1, -2, -3, -4])
  })

  test('has those of a tied weight under both names', () => {
    const after = weights(right(Torch.rewrite(undefined)(bytes, { 'tied.a': six(7) })))
    expect(after['tied.b']).toEqual(after['tied.a'])
    expect(after['tied.b']?.data[5]).toBe(7)
  })

  test('is refused for a name or a shape that it does not have', () => {
    const said = (values: Values): string => {
      const result = Torch.rewrite(undefined)(bytes, values)
      return E.isLeft(result) ? Torch.showError(result.left) : 'written'
    }
    expect(said({ other: six(1) })).toContain('"other": expected a tensor of the file, got none')
    expect(said({ scalar: six(1) })).toContain('"scalar": expected [], got [2, 3]')
    expect(said({})).toBe('written')
  })

  test('without any is the same', () => {
    expect(right(Torch.rewrite(undefined)(bytes, {}))).toEqual(bytes)
    const same = weights(bytes)
    const { large: _, ...exact } = same
    expect(right(Torch.rewrite(undefined)(bytes, exact))).toEqual(bytes)
  })
})

test('an ONNX model has other numbers in its initializers, and all else as it was', () => {
  const bytes = fixture('network/fixtures/denoiser.onnx')
  const bias = { shape: [8], data: Float64Array.from({ length: 8 }, (_, i) => i / 4) }
  const { model } = right(Onnx.rewrite(bytes, { 'conv_in.bias': bias }))
  const before = right(Onnx.decode(bytes))
  const after = right(Onnx.decode(model))
  expect([...(after.initializers['conv_in.bias']?.tensor.data ?? [])]).toEqual([...bias.data])
  expect(after.nodes).toEqual(before.nodes)
  expect(changed(bytes, model)).toBeLessThanOrEqual(32)
  const values = Object.fromEntries(Object.entries(before.initializers).map(([name, { tensor }]) => [name, tensor]))
  expect(right(Onnx.rewrite(bytes, values)).model).toEqual(bytes)
  const wrong = Onnx.rewrite(bytes, { 'conv_in.bias': six(1) })
  expect(E.isLeft(wrong) && Onnx.showError(wrong.left)).toBe(
    '"conv_in.bias": expected [8], got [2, 3]; give it its own shape'
  )
  const none = Onnx.rewrite(bytes, { bias })
  expect(E.isLeft(none) && Onnx.showError(none.left)).toContain('"bias": expected an initializer of the graph')
})

test('a safetensors file has other numbers in its own formats', () => {
  const tensors = {
    a: { shape: [2, 3], data: Float32Array.of(0, 0, 0, 0, 0, 0) },
    b: { shape: [1], data: Float64Array.of(5) }
  }
  const bytes = right(Safetensors.encode('own')({ tensors, metadata: { note: 'kept' } }))
  const after = right(Safetensors.decode(right(Safetensors.rewrite(bytes, { a: six(6) }))))
  expect(after).toEqual({
    tensors: { ...tensors, a: { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) } },
    metadata: { note: 'kept' }
  })
  expect(E.isLeft(Safetensors.rewrite(bytes, { b: six(1) }))).toBe(true)
  expect(E.isLeft(Safetensors.rewrite(bytes, { c: six(1) }))).toBe(true)
})

/** The first file of an archive. */
const unpacked = (bytes: Uint8Array): Uint8Array => {
  const [first] = right(Zip.files(bytes))
  if (first === undefined) throw new Error('no file')
  return right(first.unpack())
}

test('an archive with other contents is one whose checksums fit; packed files and other sizes are refused', () => {
  const bytes = fixture('format/fixtures/arrays.npz')
  const [first] = right(Zip.files(bytes))
  const content = unpacked(bytes).slice().fill(7)
  const result = right(Zip.replace(bytes, new Map([[first?.name ?? '', content]])))
  expect(unpacked(result)).toEqual(content)
  expect(E.isLeft(Zip.replace(bytes, new Map([[first?.name ?? '', content.subarray(1)]])))).toBe(true)
  expect(E.isLeft(Zip.replace(bytes, new Map([['none', content]])))).toBe(true)
  const packed = fixture('format/fixtures/denoiser.npz')
  const [other] = right(Zip.files(packed))
  expect(E.isLeft(Zip.replace(packed, new Map([[other?.name ?? '', unpacked(packed)]])))).toBe(true)
})

test('bfloat16 is the nearest, and of two that are as near the even one', () => {
  const all = Array.from({ length: 2 ** 16 }, (_, bits) => bits).filter((bits) => !Number.isNaN(fromBfloat(bits)))
  expect(all.map((bits) => toBfloat(fromBfloat(bits)))).toEqual(all)
  const [low, high] = [fromBfloat(0x3f80), fromBfloat(0x3f81)]
  expect(toBfloat((low + high) / 2)).toBe(0x3f80)
  expect(toBfloat((fromBfloat(0x3f81) + fromBfloat(0x3f82)) / 2)).toBe(0x3f82)
  expect([toBfloat(Infinity), toBfloat(-Infinity), toBfloat(Number.NaN), toBfloat(3.4e38)]).toEqual([
    0x7f80, 0xff80, 0x7fc0, 0x7f80
  ])
})

test('whole numbers and truth values are written as they are', () => {
  const view = new DataView(new ArrayBuffer(8))
  write('I64', view, 0, -3)
  expect(view.getBigInt64(0, true)).toBe(-3n)
  write('BOOL', view, 0, 2)
  expect(view.getUint8(0)).toBe(1)
  write('U16', view, 0, 65_535)
  expect(view.getUint16(0, true)).toBe(65_535)
})
