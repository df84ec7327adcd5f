/**
 * The standard normal quantile of a 32-bit word, with the same bits on every JavaScript engine.
 *
 * ECMAScript leaves `Math.log`, `Math.cos` and `Math.exp` to the engine, but fixes + - * / and the square root to the
 * nearest f64. Only these occur here. One word gives one normal:
 *
 *     u(w) = (w + 1/2) / 2^32,        z(w) = Phi^-1(u(w)),        z(2^32 - 1 - w) = -z(w)
 *
 * by Wichura's rational approximations (one for |u - 1/2| <= 0.425, one in sqrt(-log p) for the tails, p = min(u, 1 - u)).
 * The third one, for p < e^-25, is never reached: p >= 2^-33.
 *
 * Error: at most 42 units of 2^-53, relative (4.7e-15), by counting roundings: the Horner sums have terms of one sign,
 * hence at most 15 units each for numerator and denominator; 1 for dividing, 9 for the argument and 2 for the
 * approximation itself, in the tails; less in the centre. The largest of 16,066 words against 40-digit values is 6.5
 * units (7.2e-16).
 *
 * Tails: |z| <= 6.3379577545537892 = -Phi^-1(2^-33). The grid's variance is 1 - 2 log(2) / 2^32 = 1 - 3.2e-10.
 *
 * Source: Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988),
 * procedure PPND16.
 *
 * @since 0.1.0
 */
import type { Data } from '../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

const ulp32 = 1 / 4294967296

/**
 * The natural logarithm of 2.
 *
 * @category constants
 * @since 0.1.0
 */
export const ln2 = 0.6931471805599453

/**
 * The square root of 2.
 *
 * @category constants
 * @since 0.1.0
 */
export const sqrt2 = 1.4142135623730951

/**
 * The first word above the median.
 *
 * @category constants
 * @since 0.1.0
 */
export const middle = 0x80000000

/**
 * The least folded word outside the tails: p = (word + 1/2) / 2^32 >= 0.075, that is |u - 1/2| <= 0.425.
 *
 * @category constants
 * @since 0.1.0
 */
export const tailEnd = 322122547

/**
 * The numerator of the central formula, the highest power of `0.180625 - q^2` first.
 *
 * @category constants
 * @since 0.1.0
 */
export const centreOver = [
  2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457, 13731.693765509461125,
  1971.5909503065514427, 133.14166789178437745, 3.387132872796366608
] as const

/**
 * The denominator of the central formula.
 *
 * @category constants
 * @since 0.1.0
 */
export const centreUnder = [
  5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867, 5394.1960214247511077,
  687.1870074920579083, 42.313330701600911252, 1
] as const

/**
 * The numerator of the formula of the tails, the highest power of `sqrt(-log p) - 1.6` first.
 *
 * @category constants
 * @since 0.1.0
 */
export const tailOver = [
  7.7454501427834140764e-4, 2.27238449892691845833e-2, 2.4178072517745061177e-1, 1.27045825245236838258,
  3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734
] as const

/**
 * The denominator of the formula of the tails.
 *
 * @category constants
 * @since 0.1.0
 */
export const tailUnder = [
  1.05075007164441684324e-9, 5.475938084995344946e-4, 1.51986665636164571966e-2, 1.4810397642748007459e-1,
  6.8976733498510000455e-1, 1.6763848301838038494, 2.05319162663775882187, 1
] as const

const [a7, a6, a5, a4, a3, a2, a1, a0] = centreOver
const [b7, b6, b5, b4, b3, b2, b1, b0] = centreUnder
const [c7, c6, c5, c4, c3, c2, c1, c0] = tailOver
const [d7, d6, d5, d4, d3, d2, d1, d0] = tailUnder

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * -log(odd / 2^33) for an integer 0 < odd < 2^30.
 *
 * With odd = f 2^e, 1 <= f < 2: log f = log(2) / 2 + 2 atanh(s), s = (f - sqrt(2)) / (f + sqrt(2)), s^2 <= 0.0295, with no
 * branch that a processor could guess wrongly. Ten terms of the series leave out less than
 * 0.0295^10 / 21 / (1 - 0.0295) = 2.5e-17 of it. The whole is at least 2.59 in the tails, so nothing cancels: it is off
 * by less than 5 units of 2^-53, relative.
 */
const negativeLog = (odd: number): number => {
  const exponent = 31 - Math.clz32(odd)
  const f = odd / (1 << exponent)
  const s = (f - sqrt2) / (f + sqrt2)
  const t = s * s
  const series =
    1 +
    t *
      (1 / 3 +
        t *
          (1 / 5 +
            t * (1 / 7 + t * (1 / 9 + t * (1 / 11 + t * (1 / 13 + t * (1 / 15 + t * (1 / 17 + t * (1 / 19)))))))))
  return (32.5 - exponent) * ln2 - 2 * s * series
}

/** Phi^-1(1/2 + q) for |q| <= 0.425. */
const centre = (q: number): number => {
  const r = 0.180625 - q * q
  return (
    (q * (((((((a7 * r + a6) * r + a5) * r + a4) * r + a3) * r + a2) * r + a1) * r + a0)) /
    (((((((b7 * r + b6) * r + b5) * r + b4) * r + b3) * r + b2) * r + b1) * r + b0)
  )
}

/** -Phi^-1(odd / 2^33), the upper tail: odd / 2^33 < 0.075. */
const tail = (odd: number): number => {
  const r = Math.sqrt(negativeLog(odd)) - 1.6
  return (
    (((((((c7 * r + c6) * r + c5) * r + c4) * r + c3) * r + c2) * r + c1) * r + c0) /
    (((((((d7 * r + d6) * r + d5) * r + d4) * r + d3) * r + d2) * r + d1) * r + d0)
  )
}

/**
 * The uniform of a word, (word + 1/2) / 2^32: the middle of one of 2^32 equal cells, exact in f64, never 0 nor 1.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const uniform = (word: number): number => (word + 0.5) * ulp32

/**
 * The standard normal of a word: increasing in the word, odd about the middle.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const normal = (word: number): number => {
  const folded = fold(word)
  if (folded >= tailEnd) return centre(offset(word))
  return word < middle ? -tail(2 * folded + 1) : tail(2 * folded + 1)
}

/**
 * Writes the standard normals of `count` words, `words[from]` and the next, to `out[at]` and the next; the caller owns
 * `out`. The same values as `normal`, faster: the central formula is applied to each word and the tails are overwritten
 * after, so that no branch depends on a random bit.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const normals = (words: Uint32Array, from: number, count: number, out: Data, at: number): void => {
  const tails = new Int32Array(count + 1)
  centres(words, from, count, out, at)
  overwrite(words, from, tails, findTails(words, from, count, tails), out, at)
}

// Three functions of one loop each, since one function of three loops was compiled to slower code (V8: 20 against 12 ns).

const centres = (words: Uint32Array, from: number, count: number, out: Data, at: number): void => {
  for (let i = 0; i < count; i++) out[at + i] = centre(offset(words[from + i] ?? 0))
}

const findTails = (words: Uint32Array, from: number, count: number, tails: Int32Array): number => {
  let found = 0
  for (let i = 0; i < count; i++) {
    tails[found] = i
    found += (fold(words[from + i] ?? 0) - tailEnd) >>> 31
  }
  return found
}

const overwrite = (words: Uint32Array, from: number, tails: Int32Array, found: number, out: Data, at: number): void => {
  for (let k = 0; k < found; k++) {
    const i = tails[k] ?? 0
    const word = words[from + i] ?? 0
    const sign = (word >> 31) * -2 - 1
    out[at + i] = sign * tail(2 * fold(word) + 1)
  }
}

/** The distance of a word from its end of the range: word or 2^32 - 1 - word, whichever is less, below 2^31. */
const fold = (word: number): number => word ^ (word >> 31)

/** u - 1/2, exact. */
const offset = (word: number): number => (word - (middle - 0.5)) * ulp32
