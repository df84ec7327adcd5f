import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as Philox from '../../src/random/Philox.js'

const hex = (words: Iterable<number>): string => Array.from(words, (w) => w.toString(16).padStart(8, '0')).join(' ')

const word = fc.oneof(fc.nat(0xffffffff), fc.constantFrom(0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff))
const key = fc.tuple(word, word)
const counter = fc.tuple(word, word, word, word)

/** The definition, on integers without limit. */
const definition = (key: Philox.Words2, counter: Philox.Words4): Philox.Words4 => {
  const low = (x: bigint): bigint => x & 0xffffffffn
  let [x0, x1, x2, x3] = [BigInt(counter[0]), BigInt(counter[1]), BigInt(counter[2]), BigInt(counter[3])]
  let [k0, k1] = [BigInt(key[0]), BigInt(key[1])]
  for (let round = 0; round < 10; round++) {
    const p0 = 0xd2511f53n * x0
    const p1 = 0xcd9e8d57n * x2
    ;[x0, x1, x2, x3] = [(p1 >> 32n) ^ x1 ^ k0, low(p1), (p0 >> 32n) ^ x3 ^ k1, low(p0)]
    ;[k0, k1] = [low(k0 + 0x9e3779b9n), low(k1 + 0xbb67ae85n)]
  }
  return [Number(x0), Number(x1), Number(x2), Number(x3)]
}

describe('Philox', () => {
  it('gives the known answers published with Random123', () => {
    const ones = 0xffffffff
    expect(hex(Philox.block([0, 0], [0, 0, 0, 0]))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8')
    expect(hex(Philox.block([ones, ones], [ones, ones, ones, ones]))).toBe('408f276d 41c83b0e a20bc7c6 6d5451fd')
    expect(hex(Philox.block([0xa4093822, 0x299f31d0], [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]))).toBe(
      'd16cfe09 94fdcceb 5001e420 24126ea1'
    )
  })

  it('is its definition on unlimited integers', () => {
    fc.assert(
      fc.property(key, counter, (k, c) => {
        expect(Philox.block(k, c)).toEqual(definition(k, c))
      }),
      { numRuns: 1000 }
    )
  })

  it('fills consecutive counters, with a carry from the first word to the second only', () => {
    fc.assert(
      fc.property(key, counter, fc.integer({ min: 1, max: 4 }), (k, c, pairs) => {
        const out = new Uint32Array(8 * pairs)
        Philox.fill(k, c, pairs, out)
        const expected = Array.from({ length: 2 * pairs }, (_, i) => {
          const position = BigInt(c[0]) + (BigInt(c[1]) << 32n) + BigInt(i)
          return definition(k, [Number(position & 0xffffffffn), Number((position >> 32n) & 0xffffffffn), c[2], c[3]])
        })
        expect(Array.from(out)).toEqual(expected.flat())
      })
    )
  })

  it('reads words modulo 2^32', () => {
    fc.assert(
      fc.property(key, counter, (k, c) => {
        const signed: Philox.Words4 = [c[0] | 0, c[1] | 0, c[2] | 0, c[3] | 0]
        expect(Philox.block([k[0] | 0, k[1] | 0], signed)).toEqual(Philox.block(k, c))
      })
    )
  })
})
