/**
 * Prompts in words: "a happy face with round glasses and blue hair", to the one-hot code that the face models read.
 *
 * A phrase ends at a comma, "and", "with" or "in". Words that name a value wait for the thing that has it ("blue ...
 * hair"), or stand by themselves where one attribute only has such a value ("happy"). What is not named is left open.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Faces from '../model/Faces.js'
import { nearest } from '../model/Nearest.js'

/** A value of an attribute that a prompt asks for. */
interface Wish {
  readonly attribute: Faces.AttributeName
  readonly value: string
}

/** The attributes that a word may stand for, and the value that it names by itself. */
interface Noun {
  readonly attributes: ReadonlyArray<Faces.AttributeName>
  readonly alone?: Wish
}

// -------------------------------------------------------------------------------------
// words
// -------------------------------------------------------------------------------------

const noun = (attributes: ReadonlyArray<Faces.AttributeName>, value?: string): Noun => {
  const [attribute] = attributes
  return value === undefined || attribute === undefined ? { attributes } : { attributes, alone: { attribute, value } }
}

const nouns: Readonly<Record<string, Noun>> = {
  skin: noun(['skin']),
  hair: noun(['hair', 'hairColor']),
  glasses: noun(['glasses'], 'round'),
  hat: noun(['hat'], 'red beanie'),
  beanie: noun(['hat'], 'red beanie'),
  cap: noun(['hat'], 'green cap'),
  beard: noun(['beard'], 'full'),
  smile: noun(['mouth'], 'happy'),
  face: noun(['mouth', 'skin']),
  clothes: noun(['clothing']),
  clothing: noun(['clothing']),
  shirt: noun(['clothing'])
}

const ends: ReadonlyArray<string> = ['and', 'with', 'in', ',', ';', '.']
const fillers: ReadonlyArray<string> = ['a', 'an', 'the', 'of', 'wearing', 'person', 'top']
const denials: ReadonlyArray<string> = ['no', 'without']
const synonyms: Readonly<Record<string, string>> = { smiling: 'happy', blonde: 'blond', gray: 'grey', bald: 'balding' }

const values: ReadonlyArray<Wish> = Faces.attributeNames.flatMap((attribute) =>
  Faces.vocabulary[attribute].map(({ name }): Wish => ({ attribute, value: name }))
)

/** The wishes that a word may stand for. A hat's first word is its color: "red beanie". */
const meanings = (word: string): ReadonlyArray<Wish> =>
  values.filter(({ value }) => value !== 'none' && value.split(' ')[0] === word)

const known: ReadonlyArray<string> = [
  ...new Set([
    ...Object.keys(nouns),
    ...values.flatMap(({ value }) => (value === 'none' ? [] : [value.split(' ')[0] ?? value])),
    ...Object.keys(synonyms),
    ...denials,
    ...fillers,
    'and',
    'with',
    'in'
  ])
]

// -------------------------------------------------------------------------------------
// phrases
// -------------------------------------------------------------------------------------

interface Reading {
  readonly wishes: ReadonlyArray<Wish>
  /** Words that name values and wait for what has them. */
  readonly waiting: ReadonlyArray<string>
  readonly denied: boolean
}

const list = (words: ReadonlyArray<string>): string => words.map((word) => JSON.stringify(word)).join(', ')

const unknown = (word: string): string => {
  const close = nearest(known, 3)(word)
  return `expected words such as ${close.length > 0 ? list(close) : list(['round', 'glasses', 'happy', 'blue', 'hair'])}, got ${JSON.stringify(word)}; see Faces.vocabulary for all of them`
}

/** The words that wait, by themselves: each must have one meaning. */
const settle = ({ wishes, waiting, denied }: Reading): E.Either<string, Reading> =>
  pipe(
    waiting,
    E.traverseArray((word): E.Either<string, Wish> => {
      const found = meanings(word)
      const [only] = found
      return only !== undefined && found.length === 1
        ? E.right(only)
        : E.left(
            `expected what is ${word}: ${found.map(({ attribute }) => attribute).join(' or ')}; name it after the word`
          )
    }),
    E.chain((more) =>
      denied
        ? E.left('expected glasses, hat or beard after "no" or "without"; name one')
        : E.right({ wishes: [...wishes, ...more], waiting: [], denied: false })
    )
  )

/** The words that wait, at the thing that has them. What it cannot have stands by itself. */
const atNoun = (word: string, { attributes, alone }: Noun, reading: Reading): E.Either<string, Reading> => {
  const { wishes, waiting, denied } = reading
  if (denied) {
    const attribute = attributes.find((name) => Faces.vocabulary[name].some(({ name: value }) => value === 'none'))
    return attribute === undefined || waiting.length > 0
      ? E.left(`expected glasses, hat or beard after "no" or "without", got ${JSON.stringify(word)}; name one of these`)
      : E.right({ wishes: [...wishes, { attribute, value: 'none' }], waiting: [], denied: false })
  }
  const fitting = waiting.flatMap((one) => {
    const wish = meanings(one).find(({ attribute }) => attributes.includes(attribute))
    return wish === undefined ? [] : [{ one, wish }]
  })
  const rest = waiting.filter((one) => !fitting.some((pair) => pair.one === one))
  const found = fitting.map(({ wish }) => wish)
  const named = found.length > 0 ? found : alone === undefined ? [] : [alone]
  return settle({ wishes: [...wishes, ...named], waiting: rest, denied: false })
}

const read = (reading: Reading, word: string): E.Either<string, Reading> => {
  if (ends.includes(word)) return settle(reading)
  if (fillers.includes(word)) return E.right(reading)
  if (denials.includes(word))
    return pipe(
      settle(reading),
      E.map((settled) => ({ ...settled, denied: true }))
    )
  const thing = Object.hasOwn(nouns, word) ? nouns[word] : undefined
  if (thing !== undefined) return atNoun(word, thing, reading)
  return meanings(word).length > 0
    ? E.right({ ...reading, waiting: [...reading.waiting, word] })
    : E.left(unknown(word))
}

// -------------------------------------------------------------------------------------
// parsing
// -------------------------------------------------------------------------------------

/**
 * The one-hot code `[34]` of a prompt, zeros for what it leaves open; an empty one leaves everything open. Left: a word
 * that is not known, with those near it; a value that several things have; or two values of one attribute.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (text: string): E.Either<string, ReadonlyArray<number>> => {
  const words = (text.toLowerCase().match(/[^\s,;.]+|[,;.]/g) ?? []).map((word) =>
    Object.hasOwn(synonyms, word) ? (synonyms[word] ?? word) : word
  )
  const start: E.Either<string, Reading> = E.right({ wishes: [], waiting: [], denied: false })
  return pipe(
    words.reduce(
      (reading, word) =>
        pipe(
          reading,
          E.chain((so) => read(so, word))
        ),
      start
    ),
    E.chain(settle),
    E.chain(({ wishes }) => {
      const clash = wishes.find(({ attribute, value }) =>
        wishes.some((other) => other.attribute === attribute && other.value !== value)
      )
      if (clash !== undefined) {
        const both = wishes.filter(({ attribute }) => attribute === clash.attribute).map(({ value }) => value)
        return E.left(`expected one ${clash.attribute}, got ${list([...new Set(both)])}; choose one`)
      }
      return E.right(
        values.map(({ attribute, value }) =>
          wishes.some((wish) => wish.attribute === attribute && wish.value === value) ? 1 : 0
        )
      )
    })
  )
}
