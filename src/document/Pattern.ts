/**
 * Patterns of paths: `*` stands for one key and `**` for any number of them, none included.
 *
 * The time is the product of the two lengths, whatever the pattern: what has been tried is not tried again.
 *
 * @since 0.1.0
 */

/**
 * What the stars of a pattern stand for in a path, in order, each with as few keys as will do; `undefined` where the pattern does
 * not fit.
 *
 * @example
 * import { Pattern } from 'halforder/document'
 *
 * const stars = Pattern.captures('blocks.*.**.weight', 'blocks.0.film.scale.weight') // ['0', 'film.scale']
 *
 * @category combinators
 * @since 0.1.0
 */
export const captures = (pattern: string, path: string): ReadonlyArray<string> | undefined => {
  const wanted = pattern.split('.')
  const keys = path.split('.')
  const fits = fitting(wanted, keys)
  if (fits(0, 0) === 0) return undefined
  const stars: Array<string> = []
  let at = 0
  wanted.forEach((want, i) => {
    const from = at
    if (want === '**') while (fits(i + 1, at) === 0) at += 1
    else at += 1
    if (want === '*' || want === '**') stars.push(keys.slice(from, at).join('.'))
  })
  return stars
}

/** Whether the pattern from key `i` on fits the path from key `j` on. */
const fitting = (wanted: ReadonlyArray<string>, keys: ReadonlyArray<string>): ((i: number, j: number) => number) => {
  const width = keys.length + 1
  const table = new Uint8Array((wanted.length + 1) * width)
  const fits = (i: number, j: number): number => (j < width ? (table[i * width + j] ?? 0) : 0)
  table[table.length - 1] = 1
  for (let i = wanted.length - 1; i >= 0; i--) {
    const want = wanted[i]
    for (let j = keys.length; j >= 0; j--) {
      table[i * width + j] =
        want === '**' ? fits(i + 1, j) | fits(i, j + 1) : want === '*' || want === keys[j] ? fits(i + 1, j + 1) : 0
    }
  }
  return fits
}

/**
 * Does a pattern fit a path, or the beginning of one? `blocks.*.film` fits `blocks.0.film.scale.weight`.
 *
 * @category predicates
 * @since 0.1.0
 */
export const begins = (pattern: string, path: string): boolean => captures(`${pattern}.**`, path) !== undefined
