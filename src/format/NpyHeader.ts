/**
 * The header of an `.npy` file: a Python dictionary with the keys `descr`, `fortran_order` and `shape`.
 *
 * Words are read one after another and never again, so the time is linear in the header's length.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { plain, quote, several } from '../document/Shown.js'
import { countOf, limits } from './Limits.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How the numbers are stored.
 *
 * @category model
 * @since 0.1.0
 */
export interface Header {
  readonly descr: string
  readonly fortran: boolean
  readonly shape: ReadonlyArray<number>
}

/**
 * The header is not the dictionary that the format asks for.
 *
 * @category model
 * @since 0.1.0
 */
export interface BadHeader {
  readonly _tag: 'BadHeader'
  readonly what: string
  readonly expected: string
  readonly got: string
}

const bad = (what: string, expected: string, got: string): E.Either<BadHeader, never> =>
  E.left({ _tag: 'BadHeader', what, expected, got })

const keys = ['descr', 'fortran_order', 'shape'] as const

// -------------------------------------------------------------------------------------
// words
// -------------------------------------------------------------------------------------

/** A string, a truth value, a whole number or a bracket, and where it begins. Python 2 wrote long integers as `3L`. */
interface Word {
  readonly text: string
  readonly at: number
}

const word = /\s*(?<text>'[^'\\]*'|"[^"\\]*"|True|False|\d+L?|[{}()[\]:,])/y

/** The words of a text, up to where there is none. */
const wordsOf = (text: string): { readonly words: ReadonlyArray<Word>; readonly rest: string } => {
  const words: Array<Word> = []
  let at = 0
  for (;;) {
    word.lastIndex = at
    const found = word.exec(text)?.groups?.['text']
    if (found === undefined) return { words, rest: text.slice(at).trim() }
    at = word.lastIndex
    words.push({ text: found, at: at - found.length })
  }
}

const isString = (text: string): boolean => /^['"]/.test(text)

const unquoted = (text: string): string => text.slice(1, -1)

/** The words of the value that begins at a word: one, or all up to the bracket that closes it. */
const valueAt = (words: ReadonlyArray<Word>, start: number): ReadonlyArray<Word> => {
  let depth = 0
  for (let i = start; i < words.length; i++) {
    const text = words[i]?.text ?? ''
    if ('([{'.includes(text)) depth += 1
    if (')]}'.includes(text)) depth -= 1
    if (depth === 0) return words.slice(start, i + 1)
  }
  return []
}

type Values = ReadonlyMap<string, ReadonlyArray<Word>>

/** The values of the keys, as words. */
const dictionary = (text: string): E.Either<BadHeader, Values> => {
  const { words, rest } = wordsOf(text)
  const wrong = (i: number): E.Either<BadHeader, never> =>
    bad(
      'header',
      "a dictionary with the keys 'descr', 'fortran_order' and 'shape'",
      i < words.length ? quote(text.slice(words[i]?.at).trim()) : rest === '' ? 'its end' : quote(rest)
    )
  if (words[0]?.text !== '{') return wrong(0)
  const found = new Map<string, ReadonlyArray<Word>>()
  let i = 1
  while (words[i]?.text !== '}') {
    const name = words[i]?.text ?? ''
    const value = valueAt(words, i + 2)
    const next = words[i + 2 + value.length]?.text
    if (!isString(name) || words[i + 1]?.text !== ':' || value.length === 0 || !(next === ',' || next === '}')) {
      return wrong(i)
    }
    const key = unquoted(name)
    if (found.has(key)) return bad('header', 'each key once', `${quote(key)} twice`)
    found.set(key, value)
    i += 2 + value.length + (next === ',' ? 1 : 0)
  }
  return i === words.length - 1 && rest === '' ? E.right(found) : wrong(i + 1)
}

// -------------------------------------------------------------------------------------
// fields
// -------------------------------------------------------------------------------------

const field =
  <A>(
    name: (typeof keys)[number],
    expected: string,
    read: (words: ReadonlyArray<string>, text: string) => A | undefined
  ) =>
  (text: string, found: Values): E.Either<BadHeader, A> => {
    const words = found.get(name) ?? []
    const [first, last] = [words[0], words.at(-1)]
    if (first === undefined || last === undefined) return bad(`'${name}'`, expected, 'nothing')
    const own = text.slice(first.at, last.at + last.text.length)
    const value = read(
      words.map((one) => one.text),
      own
    )
    return value === undefined ? bad(`'${name}'`, expected, plain(own)) : E.right(value)
  }

// a list is the descr of a record of several fields: it goes on as text, so that the refusal names it
const readDescr = field('descr', 'a string', ([first = ''], text) => (isString(first) ? unquoted(first) : text))

const readOrder = field('fortran_order', 'True or False', ([first]) =>
  first === 'True' ? true : first === 'False' ? false : undefined
)

const readShape = field(
  'shape',
  `a tuple of at most ${limits.rank} sizes, of at most 2^53 numbers`,
  ([open, ...words]) => {
    const inside = words.slice(0, -1)
    const sizes = inside.filter((_, i) => i % 2 === 0)
    const alternate = inside.every((text, i) => (i % 2 === 0 ? /^\d/.test(text) : text === ','))
    // a number in brackets is a number
    if (open !== '(' || !alternate || inside.length === 1 || sizes.length > limits.rank) return undefined
    const shape = sizes.map((text) => Number(text.replace('L', '')))
    return countOf(shape) === undefined ? undefined : shape
  }
)

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * The header in a text. Left: what is no dictionary of the three keys, each once and of its kind. A shape has at most 64 axes and
 * 2^53 numbers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (text: string): E.Either<BadHeader, Header> =>
  pipe(
    dictionary(text),
    E.bindTo('found'),
    E.bind('descr', ({ found }) => readDescr(text, found)),
    E.bind('fortran', ({ found }) => readOrder(text, found)),
    E.bind('shape', ({ found }) => readShape(text, found)),
    E.filterOrElse(
      ({ found }) => found.size <= keys.length,
      ({ found }): BadHeader => ({
        _tag: 'BadHeader',
        what: 'header',
        expected: "no keys but 'descr', 'fortran_order' and 'shape'",
        got: several([...found.keys()].map(plain))
      })
    ),
    E.map(({ descr, fortran, shape }) => ({ descr, fortran, shape }))
  )
