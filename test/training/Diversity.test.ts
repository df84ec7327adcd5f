import { describe, expect, it } from 'vitest'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'
import { mostRows, pairwiseDistance } from '../../src/training/measure/Diversity.js'
import * as T from '../../src/tensor/Tensor.js'

describe('the mean distance of two outputs', () => {
  it('is the mean over all pairs, each in root mean squares over the numbers of a row', () => {
    // pairs: (3, 4) apart, (0, 0) apart, (3, 4) apart
    const rows = T.matrix([
      [0, 0],
      [3, 4],
      [0, 0]
    ])
    expect(pairwiseDistance(rows)).toBeCloseTo((2 * Math.sqrt(25 / 2)) / 3, 12)
  })

  it('is 0 of copies of one output, and no number of one output', () => {
    expect(pairwiseDistance(T.fill([5, 7], 0.3))).toBe(0)
    expect(pairwiseDistance(T.fill([1, 7], 0.3))).toBeNaN()
  })

  it('is that of independent normals: nearly sqrt(2), by the law of large numbers over many numbers a row', () => {
    // the distance over sqrt(2 n) is a chi of n degrees over sqrt(n): mean 1 - 1 / (4 n), deviation below 1 / sqrt(2 n)
    const n = 400
    const found = pairwiseDistance(Draw.normal(Key.make(1), [40, n]))
    expect(Math.abs(found - Math.SQRT2 * (1 - 1 / (4 * n)))).toBeLessThan(6 * Math.sqrt(1 / n / 40))
  })

  it('looks at no more rows than it says', () => {
    const few = T.fill([mostRows, 1], 0)
    const data = new Float32Array(mostRows + 1)
    data[mostRows] = 1e6
    expect(pairwiseDistance({ shape: [mostRows + 1, 1], data })).toBe(pairwiseDistance(few))
  })
})
