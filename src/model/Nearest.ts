/**
 * The names nearest to one that is not known, for errors that suggest what was meant.
 *
 * @since 0.1.0
 */

/**
 * The number of characters to insert, delete or replace to get from one text to another.
 *
 * Source: Wagner and Fischer, "The string-to-string correction problem", Journal of the ACM 21 (1974).
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
