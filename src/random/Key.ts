/**
 * Keys: names of independent random streams, derived from one seed and never mutated.
 *
 * A key is consumed once: either to draw, or to derive other keys. Drawing twice with one key gives the same bits
 * twice, which is the point (a run can be replayed) and the one mistake to avoid (two draws with one key are not
 * independent). Derivation maps counters of other domains than the draws do through the same bijection, so no derived
 * key shares a counter with a draw. Keys have 64 bits: among n derived keys, two coincide with a probability of about
 * n^2 / 2^65 (3e-8 for a million keys).
 *
 * @since 0.1.0
 */
import * as Philox from './Philox.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A random stream, as the 64-bit key of the generator: two integers in [0, 2^32).
 *
 * @category model
 * @since 0.1.0
 */
export interface Key {
  readonly words: Philox.Words2
}

/**
 * The last word of a counter: what the block is for. Counters of different purposes never meet.
 *
 * @category model
 * @since 0.1.0
 */
export const domain = { draw: 0, split: 1, foldIn: 2, name: 3, nameText: 4 } as const

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** The 64 bits of an f64, low word first; the two zeros are one number, and so are the NaNs. */
const wordsOf = (value: number): Philox.Words2 => {
  const view = new DataView(new ArrayBuffer(8))
  if (Number.isNaN(value)) return [0, 0x7ff80000]
  view.setFloat64(0, value + 0)
  return [view.getUint32(4), view.getUint32(0)]
}

const derive = (key: Key, first: number, second: number, third: number, purpose: number): Key => {
  const [low, high] = Philox.block(key.words, [first, second, third, purpose])
  return { words: [low, high] }
}

/**
 * The key of a seed. Every number is a seed, and different numbers give different keys (the key is the number's bits).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (seed: number): Key => ({ words: wordsOf(seed) })

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * `n` new keys. The `i`-th depends on the key and on `i` only: a longer split begins with the shorter one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const split = (key: Key, n: number): ReadonlyArray<Key> =>
  Array.from({ length: n }, (_, i) => derive(key, i, 0, 0, domain.split))

/**
 * The key for an item that is known by a number: a step, an epoch, a sample. Every number counts, and different
 * numbers give keys from different counters.
 *
 * @category combinators
 * @since 0.1.0
 */
export const foldIn = (key: Key, data: number): Key => {
  const [low, high] = wordsOf(data)
  return derive(key, low, high, 0, domain.foldIn)
}

/**
 * The key for an item that is known by a name: a parameter, an input of a program. The name's length is absorbed
 * first and its UTF-16 code units after it, six to a block, so no name is the beginning of another.
 *
 * @category combinators
 * @since 0.1.0
 */
export const foldInString = (key: Key, name: string): Key => {
  const pair = (at: number): number => unit(name, at) + 0x10000 * unit(name, at + 1)
  let state = derive(key, name.length, 0, 0, domain.name)
  for (let at = 0; at < name.length; at += 6) {
    state = derive(state, pair(at), pair(at + 2), pair(at + 4), domain.nameText)
  }
  return state
}

/** A code unit; zero past the end, where the length has told already that there is nothing. */
const unit = (name: string, at: number): number => (at < name.length ? name.charCodeAt(at) : 0)
