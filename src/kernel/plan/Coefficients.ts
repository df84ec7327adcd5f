/**
 * The numbers of range reductions and polynomials, for both interpreters of elementwise functions.
 *
 * The coefficients interpolate each function at the Chebyshev nodes of its reduced range; lowest powers first.
 *
 * Source: Muller, *Elementary Functions*, 2016, chapters 3 (polynomials) and 11 (range reduction).
 *
 * @since 0.1.0
 */

/**
 * e^r = 1 + r + r^2 P(r) for |r| <= log(2) / 2.
 *
 * @category constants
 * @since 0.1.0
 */
export const expTail: ReadonlyArray<number> = [0.5, 0.166665763, 0.0416665524, 0.00836323295, 0.00139262504]

/**
 * log(1 + f) = f - f^2 / 2 + f^3 P(f) for 1 + f in [sqrt(1/2), sqrt 2).
 *
 * @category constants
 * @since 0.1.0
 */
export const logTail: ReadonlyArray<number> = [
  0.333333313, -0.25000307, 0.200010478, -0.166412473, 0.142143562, -0.1299849, 0.126237392, -0.079036437
]

/**
 * tanh x = x + x^3 P(x^2) for |x| < `tanhNear`.
 *
 * @category constants
 * @since 0.1.0
 */
export const tanhTail: ReadonlyArray<number> = [-0.333333284, 0.133327678, -0.0538506098, 0.0209957547, -0.00609464152]

/**
 * Where tanh changes from its polynomial to `1 - 2 / (e^2|x| + 1)`.
 *
 * @category constants
 * @since 0.1.0
 */
export const tanhNear = 0.625

/**
 * erf x = x P(x^2) for |x| < 1.
 *
 * @category constants
 * @since 0.1.0
 */
export const erfNear: ReadonlyArray<number> = [
  1.12837911, -0.376123428, 0.112803169, -0.0267150551, 0.00492176181, -0.000564805989
]

/**
 * erf x = 1 - e^-P(x) for x in [1, 4], where P approximates -log(1 - erf); 1 in f32 from 4 on.
 *
 * @category constants
 * @since 0.1.0
 */
export const erfFar: ReadonlyArray<number> = [
  0.000765897566, 1.12589371, 0.639141262, 0.103281118, -0.0226047728, 0.0034323514, -0.000316937047, 0.0000132723626
]

/**
 * pi / 2 in three parts, the first two of 8 and 11 bits, so that their products with small whole numbers are exact.
 *
 * @category constants
 * @since 0.1.0
 */
export const halfPi: readonly [number, number, number] = [1.5703125, 4.837512969970703e-4, 7.549789948768648e-8]

/**
 * sin r = r + r^3 P(r^2) for |r| <= pi / 4.
 *
 * @category constants
 * @since 0.1.0
 */
export const sinTail: ReadonlyArray<number> = [-0.166666642, 0.0083327461, -0.000195873872]

/**
 * cos r = 1 - r^2 / 2 + r^4 P(r^2) for |r| <= pi / 4.
 *
 * @category constants
 * @since 0.1.0
 */
export const cosTail: ReadonlyArray<number> = [0.0416666642, -0.00138883002, 0.0000245474366]
