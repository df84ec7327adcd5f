/**
 * Random toy settings for fast-check. Their numbers are sixteenths, so that a shrunk counterexample can be read and retyped.
 *
 * @since 0.1.0
 */
import * as fc from 'fast-check'
import type { LinearGaussian } from '../toy/LinearGaussian.js'
import * as Polynomial from '../toy/Polynomial.js'
import type { ScalarSetting } from '../toy/Polynomial.js'
import type { Key } from '../../src/random/Key.js'
import * as K from '../../src/random/Key.js'

/**
 * A key, from any integer: the seed of whatever a law draws.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const key: fc.Arbitrary<Key> = fc.integer().map(K.make)

/**
 * A number in `[-most, most]`, a multiple of 1/16.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const number = (most = 1): fc.Arbitrary<number> =>
  fc.integer({ min: -16 * most, max: 16 * most }).map((n) => n / 16)

/**
 * Standard deviations of `T` steps, each in `[1/4, 1]`.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const sigmas = (T: number): fc.Arbitrary<ReadonlyArray<number>> =>
  fc.array(
    fc.integer({ min: 4, max: 16 }).map((n) => n / 16),
    { minLength: T, maxLength: T }
  )

const coefficients = (T: number): fc.Arbitrary<Polynomial.Coefficients> =>
  fc.record({ alpha: number(), a: number(), b: number(), sigma: sigmas(T) })

const reward = (degree: number): fc.Arbitrary<ReadonlyArray<number>> =>
  fc.array(number(2), { minLength: degree + 1, maxLength: degree + 1 })

/**
 * A scalar chain of `T` steps with a polynomial reward: linear in the state (`alpha x + a x + b`) with a quadratic or cubic
 * reward, or, where `T` is at most 2, quadratic in the state or multiplicative.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const scalar = (T: number): fc.Arbitrary<ScalarSetting> => {
  const linear = fc
    .tuple(coefficients(T), fc.oneof(reward(2), reward(3)))
    .map(([c, r]) => Polynomial.polynomialSetting(1, c, r))
  const curved = fc
    .tuple(coefficients(T), reward(2), fc.boolean())
    .map(([c, r, multiplicative]) =>
      multiplicative ? Polynomial.multiplicativeSetting(c, r) : Polynomial.polynomialSetting(2, c, r)
    )
  return T <= 2 ? fc.oneof({ arbitrary: linear, weight: 2 }, { arbitrary: curved, weight: 1 }) : linear
}

/**
 * Numbers of a linear-Gaussian chain of dimension `D` with `P` parameters and `T` steps.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const linearGaussian = (D: number, P: number, T: number): fc.Arbitrary<LinearGaussian> => {
  const vector = (n: number): fc.Arbitrary<ReadonlyArray<number>> => fc.array(number(), { minLength: n, maxLength: n })
  const matrix = (n: number, m: number): fc.Arbitrary<ReadonlyArray<ReadonlyArray<number>>> =>
    fc.array(vector(m), { minLength: n, maxLength: n })
  return fc.record({
    A: matrix(D, D),
    B: matrix(D, P),
    c: vector(D),
    sigma: sigmas(T),
    theta: vector(P),
    m: vector(D),
    Q: matrix(D, D).map((q) => q.map((row, i) => row.map((x, j) => (x + (q[j]?.[i] ?? 0)) / 2))),
    q: vector(D)
  })
}
