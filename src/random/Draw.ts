/**
 * Draws: pure functions of a key (and of the position in the draw).
 *
 * Element `i` of a draw depends on the key and on `i` only: it is made from word `i % 4` of block `floor(i / 4)`. A part
 * of a draw can therefore be made without the rest, and a longer draw begins with the shorter one. `bits`, `uniform`,
 * `normal` and `rademacher` of one key are four readings of the same words: use another key for an independent draw.
 * Every result has the same bits on every engine. Sizes are nonnegative integers; another one is a broken invariant and
 * throws the `RangeError` of typed arrays.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as Tensor from '../tensor/Tensor.js'
import { domain, type Key } from './Key.js'
import * as Philox from './Philox.js'
import * as Quantile from './Quantile.js'
import type { RandomError } from './RandomError.js'
import { mostWords, vectors } from './Vectors.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A tensor of accurate values.
 *
 * @category model
 * @since 0.1.0
 */
export type Tensor64 = Tensor.Tensor & { readonly data: Float64Array }

/**
 * A tensor of values rounded to f32, as devices take them.
 *
 * @category model
 * @since 0.1.0
 */
export type Tensor32 = Tensor.Tensor & { readonly data: Float32Array }

// -------------------------------------------------------------------------------------
// bits
// -------------------------------------------------------------------------------------

/** Words made at a time by the longer draws: 4 kB, which stay in the first cache. */
const chunk = mostWords

/** For fewer numbers than these, going to WebAssembly and back takes longer than they do. */
const fewest = 64

const nothing = new Uint32Array(0)

/** The first counter of a pair of blocks. Positions are exact up to 2^53 words. */
const counterOf = (pair: number): Philox.Words4 => [
  (2 * pair) % 4294967296,
  Math.floor(pair / 2147483648),
  0,
  domain.draw
]

/** Writes the words 8 * pair to 8 * (pair + pairs) - 1 of the key's stream. */
const fillPairs = (key: Key, pair: number, pairs: number, out: Uint32Array): void =>
  Philox.fill(key.words, counterOf(pair), pairs, out)

/**
 * The words `from` (included) to `to` (excluded) of the key's stream.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bitsRange = (key: Key, from: number, to: number): Uint32Array => {
  const pair = Math.floor(from / 8)
  const pairs = Math.ceil(to / 8) - pair
  const out = new Uint32Array(8 * pairs)
  fillPairs(key, pair, pairs, out)
  return out.subarray(from - 8 * pair, to - 8 * pair)
}

/**
 * `n` independent words, uniform over 0 to 2^32 - 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bits = (key: Key, n: number): Uint32Array => bitsRange(key, 0, n)

// -------------------------------------------------------------------------------------
// continuous
// -------------------------------------------------------------------------------------

/**
 * Independent uniforms of (0, 1): multiples of 2^-32, moved to the middle of their cell, exact in f64. 0 and 1 do not
 * occur here; rounding to f32 can give 1, and cannot give 0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const uniform = (key: Key, shape: ReadonlyArray<number>): Tensor64 => uniformRows(key, shape, 0, shape[0] ?? 1)

/**
 * Rows `from` (included) to `to` (excluded), along the first axis, of `uniform(key, shape)`, without making the others.
 *
 * @category constructors
 * @since 0.1.0
 */
export const uniformRows = (key: Key, shape: ReadonlyArray<number>, from: number, to: number): Tensor64 => {
  const stride = Tensor.size(shape.slice(1))
  const words = bitsRange(key, from * stride, to * stride)
  const data = new Float64Array(words.length)
  for (let i = 0; i < data.length; i++) data[i] = Quantile.uniform(words[i] ?? 0)
  return { shape: rowsShape(shape, from, to), data }
}

/**
 * Fills a buffer that the caller owns with the elements `from`, `from + 1`, ... of the key's normal draw, for loops
 * that cannot afford to allocate. An f32 buffer receives the f64 values rounded to nearest.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const normalInto = (key: Key, from: number, out: Tensor.Data): void => {
  const fast = out.length < fewest ? undefined : vectors()
  const words = fast === undefined ? new Uint32Array(chunk) : nothing
  let pair = Math.floor(from / 8)
  let skip = from - 8 * pair
  let done = 0
  while (done < out.length) {
    const pairs = Math.min(chunk / 8, Math.ceil((skip + out.length - done) / 8))
    const count = Math.min(8 * pairs - skip, out.length - done)
    if (fast === undefined) {
      fillPairs(key, pair, pairs, words)
      Quantile.normals(words, skip, count, out, done)
    } else {
      fast.words(key.words, counterOf(pair), pairs)
      fast.normals(skip, count, out, done)
    }
    done += count
    pair += pairs
    skip = 0
  }
}

/**
 * Independent standard normals, in f64: one word each, through the normal quantile, so |z| <= 6.338.
 *
 * @category constructors
 * @since 0.1.0
 */
export const normal = (key: Key, shape: ReadonlyArray<number>): Tensor64 => normalRows(key, shape, 0, shape[0] ?? 1)

/**
 * The numbers of `normal`, each rounded to f32: what devices are given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const normal32 = (key: Key, shape: ReadonlyArray<number>): Tensor32 => normalRows32(key, shape, 0, shape[0] ?? 1)

/**
 * Rows `from` (included) to `to` (excluded), along the first axis, of `normal(key, shape)`, without making the others:
 * shards of a batch draw what the whole batch would. A scalar is one row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const normalRows = (key: Key, shape: ReadonlyArray<number>, from: number, to: number): Tensor64 => {
  const stride = Tensor.size(shape.slice(1))
  const data = new Float64Array((to - from) * stride)
  normalInto(key, from * stride, data)
  return { shape: rowsShape(shape, from, to), data }
}

/**
 * The numbers of `normalRows`, each rounded to f32.
 *
 * @category constructors
 * @since 0.1.0
 */
export const normalRows32 = (key: Key, shape: ReadonlyArray<number>, from: number, to: number): Tensor32 => {
  const stride = Tensor.size(shape.slice(1))
  const data = new Float32Array((to - from) * stride)
  normalInto(key, from * stride, data)
  return { shape: rowsShape(shape, from, to), data }
}

const rowsShape = (shape: ReadonlyArray<number>, from: number, to: number): ReadonlyArray<number> =>
  shape.length === 0 ? shape : [to - from, ...shape.slice(1)]

// -------------------------------------------------------------------------------------
// discrete
// -------------------------------------------------------------------------------------

/**
 * Independent signs, -1 or 1 with probability 1/2 each, in f64.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rademacher = (key: Key, shape: ReadonlyArray<number>): Tensor64 => {
  const words = bits(key, Tensor.size(shape))
  const data = new Float64Array(words.length)
  for (let i = 0; i < data.length; i++) data[i] = (words[i] ?? 0) < 0x80000000 ? -1 : 1
  return { shape, data }
}

/**
 * `n` independent categories, `k` with a probability proportional to `weights[k]`. Each probability is met to 2^-31
 * (the grid of the uniforms), and a category of weight zero is never drawn. Left when a weight is negative or not
 * finite, or none is positive.
 *
 * @category constructors
 * @since 0.1.0
 */
export const categorical = (key: Key, weights: ReadonlyArray<number>, n: number): E.Either<RandomError, Int32Array> => {
  const index = weights.findIndex((weight) => !(weight >= 0 && weight < Number.POSITIVE_INFINITY))
  if (index >= 0) return E.left({ _tag: 'InvalidWeight', index, got: weights[index] ?? Number.NaN })
  const largest = weights.reduce((a, b) => Math.max(a, b), 0)
  if (largest === 0) return E.left({ _tag: 'NoPositiveWeight', categories: weights.length })
  const sums = cumulative(weights, largest)
  const total = sums[sums.length - 1] ?? 1
  const words = bits(key, n)
  const out = new Int32Array(n)
  for (let i = 0; i < n; i++) out[i] = firstAbove(sums, Quantile.uniform(words[i] ?? 0) * total)
  return E.right(out)
}

/** Running sums of the weights over the largest one, which neither overflow nor vanish: the last is at least 1. */
const cumulative = (weights: ReadonlyArray<number>, largest: number): Float64Array => {
  const sums = new Float64Array(weights.length)
  let sum = 0
  for (let k = 0; k < weights.length; k++) {
    sum += (weights[k] ?? 0) / largest
    sums[k] = sum
  }
  return sums
}

/** The first place of an increasing array whose value is above the level; there is one. */
const firstAbove = (sums: Float64Array, level: number): number => {
  let low = 0
  let high = sums.length - 1
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sums[middle] ?? 0) > level) high = middle
    else low = middle + 1
  }
  return low
}

/**
 * A permutation of 0 to n - 1, each equally likely (n < 2^31): exchanges from the last place down, with indices freed
 * of bias by rejecting the words above the last multiple of the range.
 *
 * Source: Durstenfeld, "Algorithm 235: random permutation", Communications of the ACM 7 (1964).
 *
 * @category constructors
 * @since 0.1.0
 */
export const permutation = (key: Key, n: number): Int32Array => {
  const out = Int32Array.from({ length: n }, (_, i) => i)
  const words = new Uint32Array(chunk)
  let used = 0
  for (let last = n - 1; last > 0; last--) {
    const range = last + 1
    const bound = 4294967296 - (4294967296 % range)
    let word = bound
    while (word >= bound) {
      if (used % words.length === 0) fillPairs(key, used / 8, chunk / 8, words)
      word = words[used % words.length] ?? 0
      used++
    }
    const other = word % range
    const kept = out[last] ?? 0
    out[last] = out[other] ?? 0
    out[other] = kept
  }
  return out
}
