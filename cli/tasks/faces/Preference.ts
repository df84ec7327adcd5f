/**
 * A synthetic preference between images, defined exactly, from which pairwise choices are drawn. It stands in for people's
 * ratings: what a score that is learned from choices should come to is known here.
 *
 * An image is liked for a harmonious palette and for left-right symmetry:
 *
 *     utility(x) = 12 harmony(x) - 16 asymmetry(x)
 *
 * - `harmony`: with a pixel's chroma `z = r - (g + b) / 2 + i sqrt(3) / 2 (g - b)`, a complex number whose argument is the
 *   hue, `|mean z^2| / (mean |z|^2 + 0.01)` over the pixels. Squaring makes opposite hues alike: it is near 1 where all
 *   hues lie on one line through grey, that is where they are equal or complementary (template I of Cohen-Or et al.,
 *   "Color Harmonization", 2006), and near 0 where they spread.
 * - `asymmetry`: the root of the mean squared difference between the image and its mirror image.
 *
 * Channels are in [-1, 1]. Of two images the first is chosen with the probability `sigmoid(utility - utility)` (Bradley and
 * Terry, "Rank Analysis of Incomplete Block Designs", 1952).
 *
 * @since 0.1.0
 */
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import type { Tensor } from 'halforder/tensor/Tensor'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A choice between two rows of a batch of images: whether the first was preferred, and the probability that it would be.
 *
 * @category model
 * @since 0.1.0
 */
export interface Choice {
  readonly first: number
  readonly second: number
  readonly chosen: boolean
  readonly probability: number
}

/**
 * How good a score is on choices that it has not seen: how many, how often it agrees with them, how often the true utility
 * does, what the best predictor is expected to reach, the standard error of the first, and the correlation with the
 * utility.
 *
 * @category model
 * @since 0.1.0
 */
export interface Quality {
  readonly pairs: number
  readonly accuracy: number
  readonly standardError: number
  readonly trueAccuracy: number
  readonly bayesRate: number
  readonly correlation: number
}

/**
 * How much the two terms count, and what keeps the harmony of a grey image defined.
 *
 * @category constants
 * @since 0.1.0
 */
export const terms = { harmony: 12, asymmetry: 16, grey: 0.01 } as const

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * How well the hues of a row of pixels fit on one line through grey, in [0, 1).
 *
 * @category interpreters
 * @since 0.1.0
 */
export const harmony = (row: ArrayLike<number>): number => {
  const pixels = row.length / 3
  let re = 0
  let im = 0
  let energy = 0
  for (let at = 0; at < row.length; at += 3) {
    const [r, g, b] = [row[at] ?? 0, row[at + 1] ?? 0, row[at + 2] ?? 0]
    const u = r - (g + b) / 2
    const v = (Math.sqrt(3) / 2) * (g - b)
    re += u * u - v * v
    im += 2 * u * v
    energy += u * u + v * v
  }
  return Math.hypot(re, im) / (energy + pixels * terms.grey)
}

/**
 * How far a row of `side x side` RGB pixels is from its mirror image: a root mean square, 0 for a symmetric one.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const asymmetry = (row: ArrayLike<number>): number => {
  const side = Math.sqrt(row.length / 3)
  let sum = 0
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let c = 0; c < 3; c++) {
        sum += ((row[(y * side + x) * 3 + c] ?? 0) - (row[(y * side + side - 1 - x) * 3 + c] ?? 0)) ** 2
      }
    }
  }
  return Math.sqrt(sum / row.length)
}

/**
 * The utility of each row of images `[N, 3 * side * side]`.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const utilities = ({ shape: [count = 0, width = 0], data }: Tensor): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => {
    const row = data.subarray(i * width, (i + 1) * width)
    return terms.harmony * harmony(row) - terms.asymmetry * asymmetry(row)
  })

/**
 * Choices between pairs of rows whose utilities are given, drawn as Bradley and Terry's model says.
 *
 * @category constructors
 * @since 0.1.0
 */
export const choose = (
  utility: ArrayLike<number>,
  pairs: ReadonlyArray<readonly [first: number, second: number]>,
  key: Key.Key
): ReadonlyArray<Choice> => {
  const uniform = Draw.uniform(key, [pairs.length]).data
  return pairs.map(([first, second], i) => {
    const probability = 1 / (1 + Math.exp((utility[second] ?? 0) - (utility[first] ?? 0)))
    return { first, second, probability, chosen: (uniform[i] ?? 0) < probability }
  })
}

/**
 * Choices between `n` pairs of random rows, with replacement: a function of the key alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const choices = (utility: ArrayLike<number>, n: number, key: Key.Key): ReadonlyArray<Choice> => {
  const at = Draw.uniform(Key.foldInString(key, 'pairs'), [n, 2]).data
  const row = (i: number): number => Math.floor((at[i] ?? 0) * utility.length)
  const pairs = Array.from({ length: n }, (_, i): readonly [number, number] => [row(2 * i), row(2 * i + 1)])
  return choose(utility, pairs, Key.foldInString(key, 'chosen'))
}

/**
 * The accuracy of the best predictor of some choices, which knows the utilities: the mean of `max(p, 1 - p)`.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const bayesRate = (some: ReadonlyArray<Choice>): number =>
  some.reduce((total, { probability: p }) => total + Math.max(p, 1 - p), 0) / some.length

/**
 * How often a score is greater for the image that was preferred; ties count one half.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const accuracy = (score: ArrayLike<number>, some: ReadonlyArray<Choice>): number =>
  some.reduce((total, { first, second, chosen }) => {
    const difference = (score[first] ?? 0) - (score[second] ?? 0)
    return total + (difference === 0 ? 0.5 : difference > 0 === chosen ? 1 : 0)
  }, 0) / some.length

/**
 * Judges scores of images by choices between disjoint pairs of them, `0, 1`, then `2, 3`, and so on.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const quality = (scores: ArrayLike<number>, utility: ArrayLike<number>, key: Key.Key): Quality => {
  const pairs = Array.from({ length: Math.floor(utility.length / 2) }, (_, i) => [2 * i, 2 * i + 1] as const)
  const some = choose(utility, pairs, key)
  const found = accuracy(scores, some)
  return {
    pairs: pairs.length,
    accuracy: found,
    standardError: Math.sqrt((found * (1 - found)) / Math.max(pairs.length - 1, 1)),
    trueAccuracy: accuracy(utility, some),
    bayesRate: bayesRate(some),
    correlation: correlation(Array.from(scores), Array.from(utility))
  }
}

const correlation = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  const mean = (x: ReadonlyArray<number>): number => x.reduce((sum, v) => sum + v, 0) / x.length
  const [ma, mb] = [mean(a), mean(b)]
  const product = (x: ReadonlyArray<number>, mx: number, y: ReadonlyArray<number>, my: number): number =>
    x.reduce((sum, v, i) => sum + (v - mx) * ((y[i] ?? 0) - my), 0)
  return product(a, ma, b, mb) / Math.sqrt(product(a, ma, a, ma) * product(b, mb, b, mb))
}
