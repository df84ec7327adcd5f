import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as Philox from '../../src/random/Philox.js'
import * as Quantile from '../../src/random/Quantile.js'
import { mostWords, vectors } from '../../src/random/Vectors.js'

const found = vectors()

/** Both ways' normals of some words, in a format. */
const both = (words: Uint32Array, from: number, make: (n: number) => Float32Array | Float64Array) => {
  const count = words.length - from
  const [slow, fast] = [make(count + 1), make(count + 1)]
  Quantile.normals(words, from, count, slow, 1)
  // the memory is written to as `words` does
  found?.words([0, 0], [0, 0, 0, 0], 0).set(words)
  found?.normals(from, count, fast, 1)
  return { slow, fast }
}

describe.skipIf(found === undefined)('vectors', () => {
  test('make the words of Philox, also where a counter goes round', () => {
    const word = fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.integer({ min: 2 ** 32 - 9, max: 2 ** 32 - 1 }))
    fc.assert(
      fc.property(
        fc.tuple(word, word),
        fc.tuple(word, word, word, word),
        fc.integer({ min: 1, max: mostWords / 8 }),
        (key, counter, pairs) => {
          const out = new Uint32Array(8 * pairs)
          Philox.fill(key, counter, pairs, out)
          expect(found?.words(key, counter, pairs).slice(0, 8 * pairs)).toEqual(out)
        }
      ),
      { numRuns: 60 }
    )
  })

  test('make the same normals, bit for bit', () => {
    const words = new Uint32Array(mostWords)
    for (let k = 0; k < 100; k++) {
      Philox.fill([k, 1], [k, 0, 0, 0], mostWords / 8, words)
      const some = words.subarray(0, mostWords - (k % 4))
      for (const make of [(n: number) => new Float32Array(n), (n: number) => new Float64Array(n)]) {
        const { slow, fast } = both(some, k % 9, make)
        expect(fast).toEqual(slow)
      }
    }
  })

  test('at the ends, in the middle, and where the tails begin', () => {
    const { tailEnd, middle } = Quantile
    const near = (word: number): ReadonlyArray<number> => [-2, -1, 0, 1, 2].map((d) => (word + d) >>> 0)
    const edges = [0, middle, tailEnd, 2 ** 32 - tailEnd, 2 ** 31 - tailEnd, 2 ** 30, 3 * 2 ** 30].flatMap(near)
    for (let count = 1; count <= edges.length; count++) {
      const { slow, fast } = both(Uint32Array.from(edges.slice(-count)), 0, (n) => new Float64Array(n))
      expect(fast).toEqual(slow)
    }
  })

  test('of no tails at all', () => {
    const { slow, fast } = both(Uint32Array.of(2 ** 31, 2 ** 31 + 5, 2 ** 31 - 9), 0, (n) => new Float32Array(n))
    expect(fast).toEqual(slow)
  })
})
