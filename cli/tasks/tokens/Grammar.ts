/**
 * Short sentences of a small grammar: a subject, a verb and an object, each word of a list, in agreement.
 *
 *     sentence: group verb group      group: article adjective noun
 *
 * Articles are singular (`the`, `one`) or plural (`the`, `two`), nouns agree with their article and the verb with the subject.
 *
 * @since 0.1.0
 */
import * as Draw from 'halforder/random/Draw'
import * as Key from 'halforder/random/Key'
import type { Labelled } from 'halforder/training/Batches'

// -------------------------------------------------------------------------------------
// words
// -------------------------------------------------------------------------------------

const adjectives = ['big', 'brown', 'small', 'slow', 'red', 'rapid']
const nouns = ['bear', 'bird', 'snake', 'seal', 'rabbit', 'rat']
const verbs = ['bite', 'see', 'rescue']

const plural = (noun: string): string => `${noun}s`
const singular = (verb: string): string => `${verb}s`

/**
 * All words; the mask comes after them.
 *
 * @category constants
 * @since 0.1.0
 */
export const words: ReadonlyArray<string> = [
  'the',
  'one',
  'two',
  ...adjectives,
  ...nouns,
  ...nouns.map(plural),
  ...verbs,
  ...verbs.map(singular)
]

/**
 * Words of a sentence, and the categories of one: all words, and the mask.
 *
 * @category constants
 * @since 0.1.0
 */
export const length = 7

/**
 * How many categories a place has.
 *
 * @category constants
 * @since 0.1.0
 */
export const alphabet: number = words.length + 1

// -------------------------------------------------------------------------------------
// sentences
// -------------------------------------------------------------------------------------

const pick = (from: ReadonlyArray<string>, u: number): string => from[Math.floor(u * from.length)] ?? ''

/** A group from three uniforms, of singular or plural. */
const group = (many: boolean, [a = 0, b = 0, c = 0]: ReadonlyArray<number>): ReadonlyArray<string> => [
  pick(many ? ['the', 'two'] : ['the', 'one'], a),
  pick(adjectives, b),
  pick(many ? nouns.map(plural) : nouns, c)
]

/**
 * A sentence from nine uniforms of (0, 1).
 *
 * @category constructors
 * @since 0.1.0
 */
export const sentence = (u: ReadonlyArray<number>): ReadonlyArray<string> => {
  const [subject = 0, verb = 0, object = 0] = u.slice(6)
  const many = subject < 0.5
  return [
    ...group(many, u.slice(0, 3)),
    pick(many ? verbs : verbs.map(singular), verb),
    ...group(object < 0.5, u.slice(3, 6))
  ]
}

/** Is a group one: 1 if singular, 2 if plural, 3 where its article says neither, 0 if it is none. */
const grammatical = ([article = '', adjective = '', noun = '']: ReadonlyArray<string>):
  | 'singular'
  | 'plural'
  | 'none' => {
  if (!adjectives.includes(adjective)) return 'none'
  if (nouns.includes(noun)) return ['the', 'one'].includes(article) ? 'singular' : 'none'
  return nouns.map(plural).includes(noun) && ['the', 'two'].includes(article) ? 'plural' : 'none'
}

/**
 * Is it a sentence of the grammar?
 *
 * @category readings
 * @since 0.1.0
 */
export const isSentence = (said: ReadonlyArray<string>): boolean => {
  const subject = grammatical(said.slice(0, 3))
  const [verb = ''] = said.slice(3, 4)
  const agrees = subject === 'plural' ? verbs.includes(verb) : verbs.map(singular).includes(verb)
  return said.length === length && subject !== 'none' && agrees && grammatical(said.slice(4)) !== 'none'
}

// -------------------------------------------------------------------------------------
// codes
// -------------------------------------------------------------------------------------

/**
 * The words of a row of codes: the likeliest of each place. A mask is `...`.
 *
 * @category readings
 * @since 0.1.0
 */
export const read = (row: ArrayLike<number>): ReadonlyArray<string> =>
  Array.from({ length }, (_, place) => {
    let best = 0
    for (let k = 1; k < alphabet; k++) {
      if ((row[place * alphabet + k] ?? 0) > (row[place * alphabet + best] ?? 0)) best = k
    }
    return words[best] ?? '...'
  })

/**
 * `n` sentences as codes, from a key.
 *
 * @category constructors
 * @since 0.1.0
 */
export const draw = (key: Key.Key, n: number): Labelled => {
  const u = Array.from(Draw.uniform(Key.foldInString(key, 'sentences'), [n, 9]).data)
  const x0 = new Float32Array(n * length * alphabet)
  const places = new Map(words.map((word, k) => [word, k]))
  for (let row = 0; row < n; row++) {
    sentence(u.slice(9 * row, 9 * row + 9)).forEach((word, place) => {
      x0[(row * length + place) * alphabet + (places.get(word) ?? 0)] = 1
    })
  }
  return { x0: { shape: [n, length * alphabet], data: x0 }, labels: { shape: [n, 1], data: new Float32Array(n) } }
}
