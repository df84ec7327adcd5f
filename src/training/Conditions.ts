/**
 * What samples are asked for, a row each: drawn, or said in words.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { nearest } from '../document/Nearest.js'
import * as Draw from '../random/Draw.js'
import * as Key from '../random/Key.js'
import type { Values } from '../tensor/Program.js'
import { fill, type Tensor } from '../tensor/Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Draws the conditioning of `n` samples, by input name.
 *
 * @category model
 * @since 0.1.0
 */
export type Conditions = (key: Key.Key, n: number) => Values

/**
 * What a text asks for. `rows` are the conditions `[n, labels]` of samples: a text that leaves a choice, such as "a hat", is
 * decided for each row from the key, and a row's choice does not depend on `n`. `code` is one condition `[labels]` in which the
 * choices of a text have equal shares.
 *
 * @category model
 * @since 0.1.0
 */
export interface Told {
  readonly rows: (key: Key.Key, n: number) => Tensor
  readonly code: ReadonlyArray<number>
}

/**
 * The language in which a model is told what to draw: conditions are rows of `labels` numbers. `draw` gives random ones, in
 * which each thing that can be said is said with probability `named`; `parse` reads a text. Left: what is wrong with the text,
 * as a person is told. `words` says a condition in words, for rewards that read them; empty where it says nothing.
 *
 * @category model
 * @since 0.1.0
 */
export interface Language {
  readonly labels: number
  readonly draw: (named: number) => (key: Key.Key, n: number) => Tensor
  readonly parse: (text: string) => E.Either<string, Told>
  readonly words?: (code: ReadonlyArray<number>) => string
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Samples that are asked for nothing: conditions of `labels` zeros.
 *
 * @category constructors
 * @since 0.1.0
 */
export const untold =
  (labels: number): Conditions =>
  (_, n) => ({ c: fill([n, labels], 0) })

/**
 * The same condition for every sample.
 *
 * @category constructors
 * @since 0.1.0
 */
export const always = (code: ReadonlyArray<number>): Told => ({
  code,
  rows: (_, n) => ({
    shape: [n, code.length],
    data: Float32Array.from({ length: n * code.length }, (_, i) => code[i % code.length] ?? 0)
  })
})

/**
 * The language of a model of `labels` labels that is told nothing: every condition is zeros, and only the empty text is one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const silent = (labels: number): Language => ({
  labels,
  draw: () => (_, n) => fill([n, labels], 0),
  parse: (text) =>
    text.trim() === ''
      ? E.right(always(new Array<number>(labels).fill(0)))
      : E.left(`expected no prompt, since the model is told nothing, got ${JSON.stringify(text)}; leave it out`)
})

/**
 * The language of a few names: a condition is the one-hot code of one of them, or zeros for any. A drawn one has a name with
 * probability `named`, each as often as the others.
 *
 * @example
 * import { Conditions } from 'halforder/training'
 *
 * const language = Conditions.oneOf(['left', 'right'])
 *
 * @category constructors
 * @since 0.1.0
 */
export const oneOf = (names: ReadonlyArray<string>): Language => {
  const labels = names.length
  if (labels === 0) return silent(0)
  const code = (index: number): ReadonlyArray<number> => names.map((_, i) => (i === index ? 1 : 0))
  return {
    labels,
    words: (given) => names.filter((_, i) => (given[i] ?? 0) > 0).join(' or '),
    draw: (named) => (key, n) => {
      const said = Draw.uniform(Key.foldInString(key, 'named'), [n]).data
      const which = Draw.uniform(Key.foldInString(key, 'which'), [n]).data
      const data = new Float32Array(n * labels)
      for (let row = 0; row < n; row++) {
        if ((said[row] ?? 0) < named) data[row * labels + Math.floor((which[row] ?? 0) * labels)] = 1
      }
      return { shape: [n, labels], data }
    },
    parse: (text) => {
      const name = text.trim()
      const index = names.indexOf(name)
      return name === '' || index >= 0
        ? E.right(always(code(index)))
        : E.left(
            `expected one of ${names.join(', ')}, got ${JSON.stringify(name)}; the nearest is ${nearest(name, names, 1).join('')}`
          )
    }
  }
}

// -------------------------------------------------------------------------------------
// words
// -------------------------------------------------------------------------------------

/**
 * The prompts of samples, a row each: the text that all were asked for, or what the language says of the condition `c` of each;
 * empty where neither is known.
 *
 * @category readings
 * @since 0.1.0
 */
export const wordsOf =
  (prompt: string, { labels, words }: Language) =>
  (condition: Values, rows: number): ReadonlyArray<string> => {
    const c = condition['c']?.data
    return Array.from({ length: rows }, (_, row) =>
      prompt.trim() !== '' || words === undefined || c === undefined
        ? prompt
        : words(Array.from(c.subarray(row * labels, (row + 1) * labels)))
    )
  }
