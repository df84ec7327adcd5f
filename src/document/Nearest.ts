/**
 * Which known words a mistyped one may stand for.
 *
 * @since 0.1.0
 */

/**
 * The fewest insertions, deletions and substitutions of characters, and swaps of neighbours that are not edited again, that
 * make one word into another (the restricted distance of Damerau, 1964). Symmetric, and 0 for equal words alone.
 *
 * @category utils
 * @since 0.1.0
 */
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
 * The characters of a word that are compared, and the known words that a word is compared with: beyond them nothing was
 * mistyped, and the distance, which takes the product of the lengths, would take minutes.
 *
 * @category constants
 * @since 0.1.0
 */
export const most = { characters: 100, words: 1000 } as const

const beginning = (word: string): string => word.slice(0, most.characters)

/**
 * The `count` known words that are nearest to a word, the nearest first, in alphabetical order where they are equally near. Of
 * long words the beginnings are compared, and of many known words the first: see `most`.
 *
 * @category utils
 * @since 0.1.0
 */
export const nearest = (word: string, known: ReadonlyArray<string>, count = 3): ReadonlyArray<string> =>
  [...new Set(known.slice(0, most.words))]
    .map((name) => ({ name, distance: editDistance(beginning(word), beginning(name)) }))
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name)

/**
 * The known words that one may have been meant to be: as `nearest`, but only those that fewer edits than half of its length
 * lead to, and none for a word that is longer than any that is typed.
 *
 * @category utils
 * @since 0.1.0
 */
export const near = (word: string, known: ReadonlyArray<string>, count = 2): ReadonlyArray<string> =>
  word.length > most.characters
    ? []
    : nearest(word, known, count).filter((name) => editDistance(word, beginning(name)) < Math.max(2, word.length / 2))
