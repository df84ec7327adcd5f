/**
 * The names nearest to one that is not known, for errors that suggest what was meant.
 * Which known words a mistyped one may stand for.
 *
 * @since 0.1.0
 */

/**
 * The number of characters to insert, delete or replace to get from one text to another.
 *
 * Source: Wagner and Fischer, "The string-to-string correction problem", Journal of the ACM 21 (1974).
 * The fewest insertions, deletions and substitutions of characters, and swaps of neighbours that are not edited again, that
 * make one word into another (the restricted distance of Damerau, 1964). Symmetric, and 0 for equal words alone.
 *
 * @category utils
 * @since 0.1.0
 */
export const distance = (a: string, b: string): number => {
  // row by row of the table: entry `j` is the distance from the prefix of `a` so far to the first `j` characters of `b`
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

/**
 * At most `count` of the known names, nearest first, that are closer to `name` than half of its length, whatever the
 * case; names at one distance keep their order.
export const editDistance = (a: string, b: string): number => {
  const start = Array.from({ length: b.length + 1 }, (_, j) => j)
  let before: ReadonlyArray<number> = start
  let last: ReadonlyArray<number> = start
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const substituted = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? (before[j - 2] ?? 0) + 1 : Infinity
      row.push(Math.min(substituted, swapped, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/**
 * The `count` known words that are nearest to a word, the nearest first, in alphabetical order where they are equally near.
 *
 * @category utils
 * @since 0.1.0
 */
export const nearest =
  (known: ReadonlyArray<string>, count = 2) =>
  (name: string): ReadonlyArray<string> =>
    known
      .map((candidate) => ({ candidate, off: distance(name.toLowerCase(), candidate.toLowerCase()) }))
      .filter(({ off }) => off < Math.max(2, name.length / 2))
      .sort((a, b) => a.off - b.off)
      .slice(0, count)
      .map(({ candidate }) => candidate)
export const nearest = (word: string, known: ReadonlyArray<string>, count = 3): ReadonlyArray<string> =>
  [...new Set(known)]
    .map((name) => ({ name, distance: editDistance(word, name) }))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name)

/**
 * The known words that one may have been meant to be: as `nearest`, but only those that fewer edits than half of its length
 * lead to.
 *
 * @category utils
 * @since 0.1.0
 */
export const near = (word: string, known: ReadonlyArray<string>, count = 2): ReadonlyArray<string> =>
  nearest(word, known, count).filter((name) => editDistance(word, name) < Math.max(2, word.length / 2))
