/**
 * Philox4x32-10: a bijection of 128-bit counters for each 64-bit key, whose outputs pass for random bits.
 *
 * A counter-based generator has no state: the words at a counter are a pure function of the key and that counter, so
 * any part of a stream is computed alone, in any order, on any thread. Every operation is exact, so the words are the
 * same on every engine.
 *
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Two 32-bit words: the key of the bijection. Words are read modulo 2^32.
 *
 * @category model
 * @since 0.1.0
 */
export type Words2 = readonly [number, number]

/**
 * Four 32-bit words: a counter, or the block that it is mapped to. Words are read modulo 2^32 and returned in
 * [0, 2^32).
 *
 * @category model
 * @since 0.1.0
 */
export type Words4 = readonly [number, number, number, number]

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * What the first and the third word are multiplied by.
 *
 * @category constants
 * @since 0.1.0
 */
export const multipliers = [0xd2511f53, 0xcd9e8d57] as const

const [multiplier0, multiplier1] = multipliers
const ulp32 = 1 / 4294967296

/**
 * Weyl increments of the key: the golden ratio and the square root of three, less one.
 *
 * @category constants
 * @since 0.1.0
 */
export const weyl = [0x9e3779b9, 0xbb67ae85] as const

const [weyl0, weyl1] = weyl

/**
 * How often a block is mixed.
 *
 * @category constants
 * @since 0.1.0
 */
export const rounds = 10

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The high word of the product of two words, given its low word.
 *
 * The f64 product of two words below 2^32 is off by at most 2^10, and so is the difference to the low word: divided by
 * 2^32 it is within 2^-21 of the high word, an integer. Adding 1/2 and truncating therefore gives it exactly.
 */
const highWord = (x: number, multiplier: number, low: number): number =>
  (((x >>> 0) * multiplier - (low >>> 0)) * ulp32 + 0.5) >>> 0

/**
 * Writes the blocks of `2 * pairs` consecutive counters into `out[0]` to `out[8 * pairs - 1]`. The first two words of
 * the counter count, the first one fastest; the last two stay. The caller owns `out`, which has room for `8 * pairs`
 * words. Two blocks are computed side by side because each is one long chain of dependent operations.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const fill = (key: Words2, counter: Words4, pairs: number, out: Uint32Array): void => {
  const third = counter[2] | 0
  const fourth = counter[3] | 0
  let first = counter[0] | 0
  let second = counter[1] | 0
  for (let at = 0; at < 8 * pairs; at += 8) {
    let x0 = first
    let x1 = second
    let x2 = third
    let x3 = fourth
    first = (first + 1) | 0
    if (first === 0) second = (second + 1) | 0
    let y0 = first
    let y1 = second
    let y2 = third
    let y3 = fourth
    first = (first + 1) | 0
    if (first === 0) second = (second + 1) | 0
    let key0 = key[0] | 0
    let key1 = key[1] | 0
    for (let round = 0; round < rounds; round++) {
      const xLow0 = Math.imul(multiplier0, x0)
      const xLow1 = Math.imul(multiplier1, x2)
      const xHigh0 = highWord(x0, multiplier0, xLow0)
      const xHigh1 = highWord(x2, multiplier1, xLow1)
      x0 = xHigh1 ^ x1 ^ key0
      x1 = xLow1
      x2 = xHigh0 ^ x3 ^ key1
      x3 = xLow0
      const yLow0 = Math.imul(multiplier0, y0)
      const yLow1 = Math.imul(multiplier1, y2)
      const yHigh0 = highWord(y0, multiplier0, yLow0)
      const yHigh1 = highWord(y2, multiplier1, yLow1)
      y0 = yHigh1 ^ y1 ^ key0
      y1 = yLow1
      y2 = yHigh0 ^ y3 ^ key1
      y3 = yLow0
      key0 = (key0 + weyl0) | 0
      key1 = (key1 + weyl1) | 0
    }
    out[at] = x0
    out[at + 1] = x1
    out[at + 2] = x2
    out[at + 3] = x3
    out[at + 4] = y0
    out[at + 5] = y1
    out[at + 6] = y2
    out[at + 7] = y3
  }
}

/**
 * The block of one counter.
 *
 * @example
 * import { Philox } from 'halforder/random'
 *
 * Philox.block([0, 0], [0, 0, 0, 0]) // [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
 *
 * @category interpreters
 * @since 0.1.0
 */
export const block = (key: Words2, counter: Words4): Words4 => {
  const out = new Uint32Array(8)
  fill(key, counter, 1, out)
  return [out[0] ?? 0, out[1] ?? 0, out[2] ?? 0, out[3] ?? 0]
}
