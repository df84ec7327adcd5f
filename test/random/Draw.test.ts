import cephes from 'cephes'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { beforeAll, describe, expect, it } from 'vitest'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import * as Philox from '../../src/random/Philox.js'
import * as Quantile from '../../src/random/Quantile.js'
import * as RandomError from '../../src/random/RandomError.js'
import * as Tensor from '../../src/tensor/Tensor.js'
import { binomial, chiSquared, correlationScore, falseAlarm, kolmogorovSmirnov, twoSided } from './statistics.js'

beforeAll(async () => {
  await cephes.compiled
})

const seed = fc.integer()

/** SHA-256 of the values' bytes, in little-endian order. */
const digest = async (data: Tensor.Data): Promise<string> => {
  const width = data.BYTES_PER_ELEMENT
  const view = new DataView(new ArrayBuffer(data.length * width))
  data.forEach((value, i) => {
    if (width === 4) view.setFloat32(4 * i, value, true)
    else view.setFloat64(8 * i, value, true)
  })
  const hash = new Uint8Array(await globalThis.crypto.subtle.digest('SHA-256', view))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

describe('Draw: elements', () => {
  it('makes element i from word i % 4 of block floor(i / 4), also past 2^32 blocks', () => {
    fc.assert(
      fc.property(seed, fc.oneof(fc.nat(10_000), fc.maxSafeInteger()), (s, i) => {
        const from = Math.min(Math.abs(i), Number.MAX_SAFE_INTEGER - 8)
        const key = Key.make(s)
        const block = Math.floor(from / 4)
        const words = Philox.block(key.words, [block % 4294967296, Math.floor(block / 4294967296), 0, 0])
        expect(Array.from(Draw.bitsRange(key, from, from + 1))).toEqual([words[from % 4]])
        const out = new Float64Array(1)
        Draw.normalInto(key, from, out)
        expect(out[0]).toBe(Quantile.normal(words[from % 4] ?? 0))
      })
    )
  })

  it('draws a range as the same part of the whole', () => {
    fc.assert(
      fc.property(seed, fc.nat(3000), fc.nat(3000), (s, from, length) => {
        const key = Key.make(s)
        expect(Draw.bitsRange(key, from, from + length)).toEqual(Draw.bits(key, from + length).slice(from))
      })
    )
  })

  it('draws rows as the same rows of the whole, in f64 and in f32', () => {
    const shape = fc.tuple(fc.nat(40), fc.nat(12), fc.nat(12))
    fc.assert(
      fc.property(seed, shape, fc.nat(40), fc.nat(40), (s, sizes, a, b) => {
        const key = Key.make(s)
        const from = Math.min(a, b, sizes[0])
        const to = Math.min(Math.max(a, b), sizes[0])
        const whole = Draw.normal(key, sizes)
        const rows = Tensor.rows(from, to)
        expect(Draw.normalRows(key, sizes, from, to)).toEqual(rows(whole))
        expect(Draw.normalRows32(key, sizes, from, to)).toEqual(rows(Tensor.toFloat32(whole)))
      })
    )
  })

  it('reads the same words as bits, uniforms, normals and signs', () => {
    fc.assert(
      fc.property(seed, fc.nat(50), (s, n) => {
        const key = Key.make(s)
        const words = Array.from(Draw.bits(key, n))
        expect(Array.from(Draw.uniform(key, [n]).data)).toEqual(words.map(Quantile.uniform))
        expect(Array.from(Draw.normal(key, [n]).data)).toEqual(words.map(Quantile.normal))
        expect(Draw.normal32(key, [n])).toEqual(Tensor.toFloat32(Draw.normal(key, [n])))
        expect(Array.from(Draw.rademacher(key, [n]).data)).toEqual(words.map((w) => (w < 2 ** 31 ? -1 : 1)))
      })
    )
  })

  it('keeps the shape, a scalar and an empty axis included', () => {
    const key = Key.make(1)
    for (const shape of [[], [0], [3, 0], [2, 3, 4]]) {
      for (const tensor of [
        Draw.uniform(key, shape),
        Draw.normal(key, shape),
        Draw.normal32(key, shape),
        Draw.rademacher(key, shape)
      ]) {
        expect(tensor.shape).toEqual(shape)
        expect(tensor.data.length).toBe(Tensor.size(shape))
      }
    }
  })

  it('draws the same bits on every engine: the known digests of 10,000 normals', async () => {
    const key = Key.make(2026)
    expect(await digest(Draw.normal(key, [10_000]).data)).toBe(
      'fa52d4d4ebec682c12eb7158864e16b477c4421ea736b7072e806bdb85c9e99e'
    )
    expect(await digest(Draw.normal32(key, [10_000]).data)).toBe(
      '71a0a44965667836b8a83c6f1cc2460f0bca976a1c900db0c1155d2c406fd9ec'
    )
  })
})

// The key is fixed, so these tests pass always or never. `falseAlarm` bounds the probability that a perfect generator
// would have failed one of them; it is split over 5 groups, and within a group over its assertions.
describe('Draw: distribution', () => {
  const n = 200_000
  const alpha = falseAlarm / 5
  const z = Draw.normal(Key.make(20250200639), [n]).data

  it('has normals of the right distribution (a distance of 0.0063 would be seen)', () => {
    const sorted = z.slice().sort()
    const distance = sorted.reduce((worst, value, i) => {
      const p = cephes.ndtr(value)
      return Math.max(worst, p - i / n, (i + 1) / n - p)
    }, 0)
    // The bound is for the distribution on the grid of 2^32 words, which is within 2^-32 of the normal one.
    expect(distance).toBeLessThan(kolmogorovSmirnov(n, alpha) + 2 ** -32)
  })

  it('has normals of mean 0 and variance 1, and tails as heavy as they should be', () => {
    // The mean of n normals has the deviation 1 / sqrt(n); the sum of n squares is chi-squared. Two moments, 4 tails.
    const each = alpha / 6
    const sum = z.reduce((a, b) => a + b, 0)
    const squares = z.reduce((a, b) => a + b * b, 0)
    expect(Math.abs(sum) / Math.sqrt(n)).toBeLessThan(twoSided(each))
    expect(Math.abs(squares - n)).toBeLessThan(chiSquared(n, each))
    for (const level of [1, 2, 3, 4]) {
      const p = 2 * cephes.ndtr(-level)
      const count = z.reduce((c, value) => c + (Math.abs(value) > level ? 1 : 0), 0)
      expect(Math.abs(count - n * p)).toBeLessThan(binomial(n, p, each))
    }
  })

  it('has normals without serial correlation at lags 1 to 16', () => {
    // Position i pairs with i + lag where floor(i / lag) is even: no element occurs twice, so the score is exact.
    for (let lag = 1; lag <= 16; lag++) {
      const left = z.filter((_, i) => Math.floor(i / lag) % 2 === 0 && i + lag < n)
      const right = z.filter((_, i) => Math.floor(i / lag) % 2 === 1)
      expect(right.length).toBe(left.length)
      expect(Math.abs(correlationScore(left, right))).toBeLessThan(twoSided(alpha / 16))
    }
  })

  it('has categories in proportion to their weights', () => {
    const weights = [1, 0, 2.5, 0.5, 4, 0]
    const drawn = Draw.categorical(Key.make(5), weights, n)
    expect(E.isRight(drawn)).toBe(true)
    const counts = weights.map((_, k) => (E.isRight(drawn) ? drawn.right.filter((c) => c === k).length : Number.NaN))
    // The grid of the uniforms moves a probability by 2^-31 at most: n 2^-31 draws, added to the bound.
    counts.forEach((count, k) => {
      const p = (weights[k] ?? 0) / 8
      const bound = p === 0 ? 0 : binomial(n, p, alpha / 4) + n * 2 ** -31
      expect(Math.abs(count - n * p)).toBeLessThanOrEqual(bound)
    })
  })

  it('has each of the 24 permutations of 4 equally often', () => {
    const trials = 24_000
    const seen = new Map<string, number>()
    for (const key of Key.split(Key.make(6), trials)) {
      const name = Draw.permutation(key, 4).join('')
      seen.set(name, (seen.get(name) ?? 0) + 1)
    }
    expect(seen.size).toBe(24)
    for (const count of seen.values()) {
      expect(Math.abs(count - trials / 24)).toBeLessThan(binomial(trials, 1 / 24, alpha / 24))
    }
  })
})

describe('Draw: categories and permutations', () => {
  it('draws only categories of positive weight, at any scale', () => {
    const weight = fc.oneof(fc.constant(0), fc.double({ min: 0, max: Number.MAX_VALUE, noNaN: true }))
    fc.assert(
      fc.property(seed, fc.array(weight, { minLength: 1, maxLength: 9 }), (s, weights) => {
        fc.pre(weights.some((w) => w > 0))
        const drawn = Draw.categorical(Key.make(s), weights, 100)
        expect(E.isRight(drawn) && drawn.right.every((k) => (weights[k] ?? 0) > 0)).toBe(true)
      })
    )
    expect(Draw.categorical(Key.make(1), [0, Number.MIN_VALUE, 0], 3)).toEqual(E.right(Int32Array.of(1, 1, 1)))
  })

  it('says what is wrong with weights', () => {
    const message = (weights: ReadonlyArray<number>): string => {
      const drawn = Draw.categorical(Key.make(1), weights, 1)
      return E.isLeft(drawn) ? RandomError.show(drawn.left) : 'drawn'
    }
    const remedy = '  remedy: pass probabilities, or any numbers proportional to them; exponentiate logits first'
    for (const got of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(message([1, got])).toBe(
        `categorical: weights[1] is no weight\n  expected: a finite number >= 0\n  got: ${got}\n${remedy}`
      )
    }
    const nothing = (got: string): string =>
      `categorical: there is nothing to draw from\n  expected: at least one weight > 0\n  got: ${got}\n` +
      '  remedy: give a category a positive weight'
    expect(message([])).toBe(nothing('no weights'))
    expect(message([0, 0])).toBe(nothing('2 weights, all zero'))
  })

  it('permutes: each index once, also where the words run over one chunk', () => {
    fc.assert(
      fc.property(seed, fc.oneof(fc.nat(20), fc.constantFrom(1024, 1025, 1026, 3000)), (s, n) => {
        const sorted = Draw.permutation(Key.make(s), n).sort()
        expect(Array.from(sorted)).toEqual(Array.from({ length: n }, (_, i) => i))
      })
    )
  })

  // At least k indices of a random permutation stay in place with a probability of at most 1 / k!: 4e-19 for 20.
  it('permutes for real where the words run over one chunk', () => {
    expect(Draw.permutation(Key.make(3), 3000).filter((value, i) => value === i).length).toBeLessThan(20)
  })
})
