/**
 * Choices from a seed: the same seed makes the same files on every machine.
 */

/** A stream of numbers in [0, 1): the generator mulberry32, whose 2^32 states are enough to choose by. */
export interface Chance {
  readonly unit: () => number
  /** A whole number in `0..n-1`. */
  readonly below: (n: number) => number
  readonly of: <A>(choices: readonly [A, ...ReadonlyArray<A>]) => A
}

export const chance = (seed: number): Chance => {
  let state = seed >>> 0
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number): number => Math.floor(unit() * n)
  return { unit, below, of: (choices) => choices[below(choices.length)] ?? choices[0] }
}
