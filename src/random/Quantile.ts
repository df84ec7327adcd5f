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

const ln2 = 0.6931471805599453

const sqrt2 = 1.4142135623730951

const middle = 0x80000000

// The least folded word outside the tails: p = (word + 1/2) / 2^32 >= 0.075, that is |u - 1/2| <= 0.425.
const tailEnd = 322122547

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
  const numerator =
    ((((((2509.0809287301226727 * r + 33430.575583588128105) * r + 67265.770927008700853) * r + 45921.953931549871457) *
      r +
      13731.693765509461125) *
      r +
      1971.5909503065514427) *
      r +
      133.14166789178437745) *
      r +
    3.387132872796366608
  const denominator =
    ((((((5226.495278852854561 * r + 28729.085735721942674) * r + 39307.89580009271061) * r + 21213.794301586595867) *
      r +
      5394.1960214247511077) *
      r +
      687.1870074920579083) *
      r +
      42.313330701600911252) *
      r +
    1
  return (q * numerator) / denominator
}

/** -Phi^-1(odd / 2^33), the upper tail: odd / 2^33 < 0.075. */
const tail = (odd: number): number => {
  const r = Math.sqrt(negativeLog(odd)) - 1.6
  const numerator =
    ((((((7.7454501427834140764e-4 * r + 2.27238449892691845833e-2) * r + 2.4178072517745061177e-1) * r +
      1.27045825245236838258) *
      r +
      3.64784832476320460504) *
      r +
      5.7694972214606914055) *
      r +
      4.6303378461565452959) *
      r +
    1.42343711074968357734
  const denominator =
    ((((((1.05075007164441684324e-9 * r + 5.475938084995344946e-4) * r + 1.51986665636164571966e-2) * r +
      1.4810397642748007459e-1) *
      r +
      6.8976733498510000455e-1) *
      r +
      1.6763848301838038494) *
      r +
      2.05319162663775882187) *
      r +
    1
  return numerator / denominator
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
