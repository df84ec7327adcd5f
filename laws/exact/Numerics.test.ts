import cephes from 'cephes'
import * as E from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { derivatives } from './Differences.js'
import * as MC from '../law/MonteCarlo.js'
import { allowance, stratified, undecided } from './MeanTest.js'
import * as P from './Propagation.js'
import * as Q from './Quadrature.js'
import * as Student from './Student.js'
import * as V from '../Verdict.js'

/** (n - 1)!! for even n: the n-th moment of the standard normal. */
const moment = (n: number): number => (n % 2 === 1 ? 0 : n === 0 ? 1 : (n - 1) * moment(n - 2))

describe('Quadrature', () => {
  // Abramowitz and Stegun, table 25.10, nodes and weights for exp(-x^2): times sqrt(2), over sqrt(pi)
  it.each([
    [1, [0], [1]],
    [2, [1], [0.5]],
    [3, [0, Math.sqrt(3)], [2 / 3, 1 / 6]],
    [4, [Math.sqrt(3 - Math.sqrt(6)), Math.sqrt(3 + Math.sqrt(6))], [(3 + Math.sqrt(6)) / 12, (3 - Math.sqrt(6)) / 12]],
    [
      5,
      [0, Math.sqrt(5 - Math.sqrt(10)), Math.sqrt(5 + Math.sqrt(10))],
      [8 / 15, (7 + 2 * Math.sqrt(10)) / 60, (7 - 2 * Math.sqrt(10)) / 60]
    ]
  ])('has the known rule of %i nodes', (n, nodes, weights) => {
    const rule = Q.gaussHermite(n)
    const upper = rule.nodes.map((x, i) => [x, rule.weights[i] ?? 0] as const).filter(([x]) => x >= 0)
    upper.forEach(([x, w], i) => {
      expect(x).toBeCloseTo(nodes[i] ?? Number.NaN, 14)
      expect(w).toBeCloseTo(weights[i] ?? Number.NaN, 14)
    })
    expect(upper.length).toBe(nodes.length)
  })

  it('has the largest node and its weight of the published rule of 20', () => {
    // Abramowitz and Stegun, table 25.10, n = 20: x = 5.3874808900112, w = 2.229393645534e-13
    const rule = Q.gaussHermite(20)
    expect((rule.nodes.at(-1) ?? 0) / Math.SQRT2).toBeCloseTo(5.3874808900112, 12)
    expect(((rule.weights.at(-1) ?? 0) * Math.sqrt(Math.PI)) / 2.229393645534e-13).toBeCloseTo(1, 11)
  })

  it.each([1, 2, 3, 5, 8, 13, 20, 40])('integrates polynomials up to degree 2 n - 1 exactly, with %i nodes', (n) => {
    const points = Q.product([n], 0)
    for (let degree = 0; degree <= Math.min(2 * n - 1, 30); degree++) {
      const scale = Q.expectation(([x = 0]) => Math.abs(x) ** degree, points)
      const got = Q.expectation(([x = 0]) => x ** degree, points)
      // a node is off by a unit, so its power is by `degree` units
      expect(Math.abs(got - moment(degree))).toBeLessThanOrEqual((degree + 4 * n) * 2 ** -53 * scale * 4)
    }
    expect(Q.nodesFor(2 * n - 1)).toBe(n)
    expect(Q.nodesFor(2 * n)).toBe(n + 1)
  })

  it.each([1, 2, 3, 5, 8])('is off by n! at degree 2 n, with %i nodes', (n) => {
    const missing = moment(2 * n) - Q.expectation(([x = 0]) => x ** (2 * n), Q.product([n], 0))
    const factorial = Array.from({ length: n }, (_, i) => i + 1).reduce((a, b) => a * b, 1)
    expect(missing / factorial).toBeCloseTo(1, 8)
  })

  it('takes products with the last dimension fastest, and prunes by weight', () => {
    const { points, weights } = Q.product([2, 3])
    expect(points.map(([x]) => x)).toEqual([-1, -1, -1, 1, 1, 1])
    expect(points[1]).toEqual([-1, 0])
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 14)
    expect(Q.product([20, 20], 1e-12).points.length).toBeLessThan(400)
  })
})

describe('Differences', () => {
  it('is exact for polynomials up to twice the levels', () => {
    const f = (x: number): { readonly value: ReadonlyArray<number>; readonly error: ReadonlyArray<number> } => ({
      value: [3 * x + 5 * x ** 2 - 7 * x ** 6 + x ** 7, 2],
      error: [0, 0]
    })
    const exact = derivatives(f, { step: 1, levels: 5 })
    expect(Math.abs((exact.value[0] ?? 0) - 3)).toBeLessThanOrEqual(exact.error[0] ?? 0)
    expect(exact.error[0]).toBeLessThan(1e-12)
    expect(exact.value[1]).toBe(0)
    // three levels leave the term of degree 7
    const short = derivatives(f, { step: 1, levels: 3 })
    expect(Math.abs((short.value[0] ?? 0) - 3)).toBeGreaterThan(1e-3)
    expect(Math.abs((short.value[0] ?? 0) - 3)).toBeLessThanOrEqual(short.error[0] ?? 0)
  })

  it.each([
    ['exp', Math.exp, 1],
    ['tanh', Math.tanh, 1],
    ['sin 3x', (x: number): number => Math.sin(3 * x), 3]
  ])('bounds its own error for %s', (_, f, slope) => {
    const { value, error } = derivatives((x) => ({ value: [f(x)], error: [2 ** -53 * 2] }))
    expect(Math.abs((value[0] ?? 0) - slope)).toBeLessThanOrEqual(error[0] ?? 0)
    expect(error[0]).toBeLessThan(1e-9)
  })

  it('bounds its own error beside a kink, however near: neither side may be refuted', () => {
    for (let k = 0; k < 200; k++) {
      const distance = 2 ** (1 - k / 4)
      for (const slope of [1, -0.25, 8]) {
        const f = (x: number): number => slope * Math.abs(x + distance) + Math.sin(x)
        const { value, error } = derivatives((x) => ({ value: [f(x)], error: [2 ** -52] }), { step: 0.125, levels: 9 })
        expect(Math.abs((value[0] ?? NaN) - (slope + 1))).toBeLessThanOrEqual(error[0] ?? NaN)
      }
    }
    // a kink that no step reaches does no harm
    const far = derivatives((x) => ({ value: [Math.abs(x + 0.25)], error: [2 ** -52] }), { step: 0.125, levels: 9 })
    expect(far.error[0]).toBeLessThan(1e-12)
  })
})

describe('Student', () => {
  // in the far tail relative to the tail: cephes gives it to a dozen digits by another series, except for few degrees
  it.each([1, 2, 3, 7, 30, 400, 9000, 250_000])(
    'has the tails and quantiles of cephes with %d degrees',
    async (degrees) => {
      await cephes.compiled
      for (const t of [1e-3, 0.5, 1, 2, 4, 6, 9]) {
        const exact = cephes.stdtr(degrees, -t)
        expect(Math.abs(Student.upperTail(degrees, t) / exact - 1)).toBeLessThan(1e-8)
      }
      for (const p of [0.5, 0.3, 0.025, 1e-3, 1e-6, 1e-9]) {
        const quantile = Student.upperQuantile(degrees, p)
        expect(Math.abs(Student.upperTail(degrees, quantile) / p - 1)).toBeLessThan(1e-9)
      }
    }
  )

  it('has closed forms for one and two degrees', () => {
    expect(Student.upperTail(1, 1)).toBeCloseTo(0.25, 14)
    expect(Student.upperTail(1, 1e6)).toBeCloseTo(1 / Math.PI / 1e6, 18)
    expect(Student.upperTail(2, Math.SQRT2)).toBeCloseTo(0.5 - Math.SQRT2 / 4, 14)
    // about 1 / (pi p) for one degree: a mean of two samples says next to nothing
    expect(Student.upperQuantile(1, 1e-9) * Math.PI * 1e-9).toBeCloseTo(1, 9)
  })
})

describe('the test of a mean', () => {
  it("is Student's where samples are symmetric, and wider where they are skewed, until nothing is wide enough", () => {
    const t = Student.upperQuantile(999, 1e-6)
    const allowed = [0, 0.02, -0.02, 0.05, 0.1, 0.3].map((skewness) => allowance(1e-6, { skewness, degrees: 999 }))
    expect(allowed[0]).toBeCloseTo(t, 9)
    expect(allowed[1]).toBe(allowed[2])
    // the tail of a skewed mean is heavier by exp(g t^3 / 3), which the rate t^2 / 2 has to make up for
    for (const [i, g] of [0.02, 0.02, 0.05].entries()) {
      const x = allowed[[1, 2, 3][i] ?? 0] ?? Number.NaN
      expect(x ** 2 / 2 - (g * x ** 3) / 3).toBeCloseTo(t ** 2 / 2, 9)
    }
    expect(allowed.slice(0, 4).sort((a, b) => a - b)).toEqual(allowed.slice(0, 4))
    expect(allowed[5]).toBe(Number.POSITIVE_INFINITY)
  })

  it('adds up strata by variance and third cumulant, with the degrees of Welch and Satterthwaite', () => {
    const strata = [
      { weight: 0.25, n: 50, standardError: 2, skewness: 3, heaviest: 0.5 },
      { weight: 0.75, n: 200, standardError: 1, skewness: -1, heaviest: 0.125 }
    ]
    const { standardError, skewness, degrees, heaviest } = stratified(strata)
    expect(standardError ** 2).toBeCloseTo(0.25 + 0.5625, 12)
    expect(skewness * standardError ** 3).toBeCloseTo((0.125 * 3) / Math.sqrt(50) - 0.421875 / Math.sqrt(200), 12)
    expect(degrees).toBeCloseTo(0.8125 ** 2 / (0.0625 / 49 + 0.5625 ** 2 / 199), 9)
    expect(heaviest).toBeCloseTo((0.5 * 0.25) / 0.8125, 12)
  })

  it('decides nothing on few samples, on one that outweighs the others, and on too skewed ones', () => {
    const fine = { standardError: 1, skewness: 0, degrees: 999, heaviest: 0.1 }
    expect(undecided(1000, [fine], 1e-6)).toBe(undefined)
    expect(undecided(999, [fine], 1e-6)).toBe('999 samples, where at least 1000 are needed')
    expect(undecided(1000, [fine, { ...fine, heaviest: 0.3 }], 1e-6)).toBe(
      'one of 1000 samples makes up 30 % of the variance; take more'
    )
    expect(undecided(1000, [{ ...fine, skewness: -0.3 }], 1e-6)).toBe(
      '1000 samples are too few for their skewness, 0.30 in the mean; take more'
    )
  })

  it('takes no side where samples do not decide: the comparison has no finite tolerance', () => {
    const few = MC.zTest('mean', 0, [1, 2, 3], MC.standard, 1)
    expect(few.tolerance).toBe(Number.POSITIVE_INFINITY)
    expect(V.verdict('few', [few])).toEqual(
      V.stuck('few', 'no finite tolerance at mean (3 samples, where at least 1000 are needed)')
    )
  })
})

describe('MonteCarlo', () => {
  it('knows the normal quantile and the sample size of the declared rates', () => {
    expect(MC.upperQuantile(0.025)).toBeCloseTo(1.959963984540054, 9)
    expect(MC.upperQuantile(5e-7)).toBeCloseTo(4.891638475699, 8)
    expect(MC.upperQuantile(0.5)).toBeCloseTo(0, 12)
    expect(MC.sampleSize(MC.standard, 1)).toBe(9303)
  })

  it('refuses a mean that is off, and accepts one that is not', () => {
    const samples = Array.from({ length: 9302 }, (_, i) => (i % 2 === 0 ? 1 : -1))
    expect(E.isRight(V.verdict('z', [MC.zTest('mean', 0, samples, MC.standard, 1)]))).toBe(true)
    expect(E.isLeft(V.verdict('z', [MC.zTest('mean', 0.1, samples, MC.standard, 1)]))).toBe(true)
  })
})

describe('Propagation', () => {
  const tanh: P.ScalarProcess = {
    sigma: new Array<number>(10).fill(0.3),
    mean: (x, [a = 0, b = 0]) => 0.9 * x + a * Math.tanh(x) + b,
    reward: (x) => -((x - 2) ** 2),
    grid: { from: -9, to: 13, spacing: 0.1 }
  }

  it('gives the exact gradient of the tanh chain of ten steps', () => {
    const { value, error } = P.gradient(tanh, [0.3, 0.1])
    expect(Math.max(...error)).toBeLessThan(1e-9)
    expect(value[0]).toBeCloseTo(-20.6457, 4)
    expect(value[1]).toBeCloseTo(24.7331, 4)
  })

  it('does not depend on the grid', () => {
    const coarse = P.expectedReward(tanh, () => [0.3, 0.1])
    const fine = P.expectedReward({ ...tanh, grid: { from: -10, to: 14, spacing: 0.0625 } }, () => [0.3, 0.1])
    expect(Math.abs(coarse - fine)).toBeLessThan(1e-12 * Math.abs(fine))
  })
})

describe('Verdict', () => {
  const comparison = (got: number, tolerance: number): V.Comparison => ({
    at: 'x[0]',
    expected: 1,
    got,
    tolerance,
    because: 'rounding'
  })

  it('holds within the tolerance and is refuted outside, with the worst first', () => {
    const held = V.verdict('law', [comparison(1, 0), comparison(1.05, 0.1)])
    expect(held).toEqual(E.right({ law: 'law', compared: 2, nearest: comparison(1.05, 0.1) }))
    const refuted = V.verdict('law', [comparison(1.5, 0.1), comparison(1, 0.1), comparison(3, 0.1)])
    expect(E.isLeft(refuted) ? V.show(refuted.left) : '').toBe(
      [
        'law: refuted in 2 of 3 comparisons',
        '  x[0]: expected 1, got 3, off by 2.00e+0; allowed 1.00e-1 (rounding)',
        '  x[0]: expected 1, got 1.5, off by 5.00e-1; allowed 1.00e-1 (rounding)'
      ].join('\n')
    )
  })

  it('does not accept nothing, a number that is none, or a tolerance without end', () => {
    const drawn = (verdict: V.Verdict): string => (E.isLeft(verdict) ? V.show(verdict.left) : 'held')
    expect(drawn(V.verdict('law', []))).toBe('law: could not be tested: nothing was compared')
    expect(drawn(V.all('law', []))).toBe('law: could not be tested: nothing was compared')
    expect(drawn(V.verdict('law', [comparison(Number.NaN, 1)]))).toContain('refuted in 1 of 1')
    expect(drawn(V.verdict('law', [comparison(1, Number.POSITIVE_INFINITY)]))).toBe(
      'law: could not be tested: no finite tolerance at x[0] (rounding)'
    )
    expect(drawn(V.holds('law', [['two is three', false]]))).toContain('two is three: expected 1, got 0')
  })

  it('joins verdicts: the first violation, else all the evidence', () => {
    const good = V.verdict('a', [comparison(1, 1)])
    const near = V.verdict('b', [comparison(1.9, 1), comparison(1, 1)])
    expect(V.all('all', [good, near])).toEqual(E.right({ law: 'all', compared: 3, nearest: comparison(1.9, 1) }))
    expect(V.all('all', [good, V.stuck('c', 'why')])).toEqual(V.stuck('c', 'why'))
  })
})
