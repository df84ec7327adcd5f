import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { frechet, moments, type Moments } from '../../src/training/measure/Frechet.js'
import * as Draw from '../../src/random/Draw.js'
import * as Key from '../../src/random/Key.js'

const n = 5

/** A rotation's columns times their eigenvalues times the rotation back, in a plane of two axes. */
const turned = (values: ReadonlyArray<number>, angle: number): Float64Array => {
  const rotation = (i: number, j: number): number => {
    const [c, s] = [Math.cos(angle), Math.sin(angle)]
    if (i < 2 && j < 2) return [c, -s, s, c][2 * i + j] ?? 0
    return i === j ? 1 : 0
  }
  return Float64Array.from({ length: n * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    return values.reduce((sum, value, k) => sum + rotation(i, k) * value * rotation(j, k), 0)
  })
}

const shifted = (covariance: Float64Array, shift: number): Moments => ({
  mean: Float64Array.from({ length: n }, () => shift),
  covariance
})

const eigenvalues = fc.array(fc.double({ min: 0, max: 4, noNaN: true }), { minLength: n, maxLength: n })

describe('the Fréchet distance', () => {
  test('of normals with common axes is that of their means and standard deviations, whatever the axes', () => {
    fc.assert(
      fc.property(eigenvalues, eigenvalues, fc.double({ min: 0, max: 3, noNaN: true }), (a, b, angle) => {
        const found = frechet(shifted(turned(a, angle), 0), shifted(turned(b, angle), 0.5))
        const expected = a.reduce((sum, x, i) => sum + 0.25 + (Math.sqrt(x) - Math.sqrt(b[i] ?? 0)) ** 2, 0)
        // the root of an eigenvalue of 0 that is off by rounding, 4 n 2^-52, is off by 6e-8
        expect(Math.abs(found - expected)).toBeLessThan(1e-6)
      })
    )
  })

  test('is no less with other axes: leaving the order of the product out of account would miss that', () => {
    const a = [4, 1, 1, 1, 1]
    const apart = frechet(shifted(turned(a, 0), 0), shifted(turned(a, Math.PI / 2), 0))
    expect(frechet(shifted(turned(a, 0), 0), shifted(turned(a, 0), 0))).toBeLessThan(1e-12)
    expect(apart).toBeCloseTo(2, 10)
  })

  test('of two samples of one population is small, and of another mean it is the square of the difference', () => {
    const rows = 4000
    const one = moments(Draw.normal(Key.make(1), [rows, n]))
    const two = moments(Draw.normal(Key.make(2), [rows, n]))
    const far = moments({
      shape: [rows, n],
      data: Draw.normal(Key.make(3), [rows, n]).data.map((x) => x + 1)
    })
    // each of the 5 means differs by a variance of 2 / rows, and the 15 covariances move it by as little
    expect(frechet(one, two)).toBeLessThan(100 / rows)
    expect(Math.abs(frechet(one, far) - n)).toBeLessThan(5 * Math.sqrt((8 * n) / rows))
  })

  test('moments are the means and the unbiased covariances', () => {
    const { mean, covariance } = moments({ shape: [3, 2], data: Float64Array.of(0, 1, 2, 1, 4, 4) })
    expect([...mean]).toEqual([2, 2])
    expect([...covariance].map((x) => Math.round(x * 1e9) / 1e9)).toEqual([4, 3, 3, 3])
  })
})
