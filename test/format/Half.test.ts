import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBfloat, fromHalf, toHalf } from '../../src/format/Half.js'

const isNaNBits = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0

describe('binary16', () => {
  test('every pattern that is a number survives', () => {
    const changed = Array.from({ length: 65536 }, (_, bits) => bits).filter(
      (bits) => !isNaNBits(bits) && toHalf(fromHalf(bits)) !== bits
    )
    expect(changed).toEqual([])
  })

  test('not a number stays so', () => {
    expect(isNaNBits(toHalf(Number.NaN))).toBe(true)
    expect(fromHalf(0x7e01)).toBeNaN()
  })

  test.each([
    ['one', 1, 0x3c00],
    ['minus zero', -0, 0x8000],
    ['the smallest subnormal', 2 ** -24, 0x0001],
    ['half of it, a tie that goes to zero', 2 ** -25, 0x0000],
    ['a subnormal that rounds to the smallest normal', 2 ** -14 - 2 ** -26, 0x0400],
    ['a tie that goes down to even', 1 + 2 ** -11, 0x3c00],
    ['a tie that goes up to even', 1 + 3 * 2 ** -11, 0x3c02],
    ['a fraction that carries into the exponent', 2 - 2 ** -12, 0x4000],
    ['the greatest number', 65504, 0x7bff],
    ['just below the tie with infinity', 65519.99, 0x7bff],
    ['the tie with infinity', 65520, 0x7c00],
    ['minus infinity', Number.NEGATIVE_INFINITY, 0xfc00]
  ])('%s', (_, value, bits) => {
    expect(toHalf(value)).toBe(bits)
  })

  test('rounding goes to the nearest', () => {
    fc.assert(
      fc.property(fc.double({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const bits = toHalf(value)
        const error = Math.abs(fromHalf(bits) - value)
        // the neighbours towards and away from zero; zero has no neighbour towards it, infinity is no candidate
        const neighbours = [bits - 1, bits + 1].filter(
          (b) => (b & 0x8000) === (bits & 0x8000) && (b & 0x7c00) !== 0x7c00
        )
        expect(neighbours.filter((neighbour) => error > Math.abs(fromHalf(neighbour) - value))).toEqual([])
      })
    )
  })
})

test('bfloat16 is the upper half of binary32', () => {
  const view = new DataView(new ArrayBuffer(4))
  const different = Array.from({ length: 65536 }, (_, bits) => bits).filter((bits) => {
    view.setUint32(0, bits * 65536)
    return !Object.is(fromBfloat(bits), view.getFloat32(0))
  })
  expect(different).toEqual([])
})
