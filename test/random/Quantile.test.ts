import cephes from 'cephes'
import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import * as Quantile from '../../src/random/Quantile.js'

beforeAll(async () => {
  await cephes.compiled
})

/** The unit of relative error, 2^-53, and the number of them that counting roundings allows (see Quantile.ts). */
const unit = Number.EPSILON / 2
const bound = 42 * unit

const last = 4294967295
const word = fc.nat(last)

/** Phi^-1((word + 1/2) / 2^32), by Newton's method in 40 digits: both formulas, their seam, both ends. */
const accurate: ReadonlyArray<readonly [word: number, z: number]> = [
  [0, -6.33795775455378925249],
  [1, -6.166429517819750247],
  [2, -6.08510454578303098371],
  [3, -6.03096701911825212804],
  [10, -5.8508917606424577652],
  [100, -5.46306255438953867049],
  [1000, -5.03985112596871154905],
  [12345, -4.53542276209042805631],
  [1000000, -3.49976898875838142879],
  [10000000, -2.82987542868536018668],
  [100000000, -1.99022524138914442645],
  [322122545, -1.43953147373461934309],
  [322122546, -1.43953147208981732541],
  [322122547, -1.43953147044501531161],
  [322122548, -1.43953146880021330171],
  [500000000, -1.1930988958931784505],
  [1000000000, -0.729556553075874007105],
  [1500000000, -0.387357002160543084306],
  [2000000000, -0.0861809490044896876301],
  [2147000000, -0.000282266297040764912952],
  [2147483000, -3.77893868792711630168e-7],
  [2147483646, -8.75429811874986801786e-10],
  [2147483647, -2.91809937291662267229e-10]
]

describe('Quantile', () => {
  it('is accurate to its stated bound, against 40-digit values', () => {
    // One more unit for writing the accurate value as an f64.
    for (const [w, z] of accurate) expect(Math.abs(Quantile.normal(w) / z - 1)).toBeLessThanOrEqual(bound + unit)
  })

  it('agrees with the quantile of cephes to the sum of both bounds', () => {
    // cephes states a peak relative error of 7.2e-16 for ndtri.
    fc.assert(
      fc.property(fc.oneof(word, fc.nat(400_000_000), fc.nat(5000)), (w) => {
        const z = Quantile.normal(w)
        const expected = cephes.ndtri(Quantile.uniform(w))
        expect(Math.abs(z - expected)).toBeLessThanOrEqual((bound + 7.2e-16) * Math.abs(expected))
      }),
      { numRuns: 10_000 }
    )
  })

  it('is odd about the middle, to the bit', () => {
    fc.assert(
      fc.property(word, (w) => {
        expect(Quantile.normal(last - w)).toBe(-Quantile.normal(w))
      })
    )
  })

  // A cell is 2^-32 wide, so z moves by at least 2^-32 sqrt(2 pi) = 5.8e-10 from word to word: beyond the error everywhere.
  it('increases with the word, across the seams too', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(last - 1), fc.integer({ min: 322122540, max: 322122552 })), (w) => {
        expect(Quantile.normal(w + 1)).toBeGreaterThan(Quantile.normal(w))
        expect(Quantile.normal(last - w)).toBeGreaterThan(Quantile.normal(last - w - 1))
      })
    )
  })

  it('fills arrays with the values of single words', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 40 }), fc.nat(8), fc.nat(8), (list, skip, at) => {
        const words = Uint32Array.from(list)
        const from = Math.min(skip, words.length)
        const expected = list.slice(from).map(Quantile.normal)
        const accurate = new Float64Array(at + expected.length + 1).fill(9)
        Quantile.normals(words, from, expected.length, accurate, at)
        expect(Array.from(accurate)).toEqual([...new Array<number>(at).fill(9), ...expected, 9])
        const rounded = new Float32Array(at + expected.length + 1).fill(9)
        Quantile.normals(words, from, expected.length, rounded, at)
        expect(Array.from(rounded)).toEqual([...new Array<number>(at).fill(9), ...expected.map(Math.fround), 9])
      })
    )
  })

  it('keeps uniforms strictly between 0 and 1, and exact', () => {
    expect(Quantile.uniform(0)).toBe(1.1641532182693481e-10)
    expect(Quantile.uniform(last)).toBe(1 - 1.1641532182693481e-10)
    fc.assert(
      fc.property(word, (w) => {
        expect(Quantile.uniform(w) * 8589934592).toBe(2 * w + 1)
      })
    )
  })
})
