/**
 * Prompts in words: "a smiling face with blue hair, dark glasses and no hat".
 *
 * A prompt says of some attributes which values they may have; what it does not mention stays open. `parse` reads nouns with
 * the adjectives before them, in any order:
 *
 * - "dark glasses" are dark; "glasses" are any but none; "round or dark glasses" are either.
 * - "no glasses", "not smiling" deny the next noun, and those that "or" joins to it; "without a hat and glasses" denies all
 *   nouns up to the next "with", "in", "wearing" or "that".
 * - "blinking", "moving" and "starts to smile" are motions, which clips alone have; "smiling" by itself is the mouth.
 * - What is said twice must agree: "blue hair and red hair" is refused.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RR from 'fp-ts/lib/ReadonlyRecord.js'
import { nearest } from 'halforder/document/Nearest'
import type { TextError } from './TextError.js'
import { beginnings, grammar, knownWords, nouns, predicates, slots, valuesOf } from './Words.js'
import type { Noun, Slot, Statement } from './Words.js'

export { showError, type TextError } from './TextError.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * For each slot that is not open, the values that it may have: at least one, not all, in the order of the vocabulary.
 *
 * @category model
 * @since 0.1.0
 */
export type Prompt = { readonly [S in Slot]?: ReadonlyArray<string> }

/**
 * The prompt that says nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open: Prompt = {}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * Adds a statement to a prompt; a statement of all values says nothing. Left: it shares no value with what was said.
 *
 * @category combinators
 * @since 0.1.0
 */
export const say =
  ({ slot, values }: Statement) =>
  (prompt: Prompt): E.Either<TextError, Prompt> => {
    const all = valuesOf(slot)
    const said = prompt[slot] ?? all
    const both = said.filter((value) => values.includes(value))
    if (both.length === 0) return E.left({ _tag: 'Contradiction', slot, said, and: values })
    return E.right(both.length === all.length ? prompt : { ...prompt, [slot]: both })
  }

const complement = ({ slot, values }: Statement): Statement => ({
  slot,
  values: valuesOf(slot).filter((value) => !values.includes(value))
})

// -------------------------------------------------------------------------------------
// tokens
// -------------------------------------------------------------------------------------

/**
 * The words of a text in lower case, and its commas; any other character ends a word. "top hat" is one word.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const tokens = (text: string): ReadonlyArray<string> =>
  (text.toLowerCase().match(/\p{L}+|,/gu) ?? []).flatMap((word, i, words) => {
    if (word === 'top' && words[i + 1] === 'hat') return []
    return word === 'hat' && words[i - 1] === 'top' ? ['top hat'] : [word]
  })

// -------------------------------------------------------------------------------------
// parsing
// -------------------------------------------------------------------------------------

/** An adjective that waits for its noun; `or` joined it to the one before. */
interface Adjective {
  readonly word: string
  readonly alternative: boolean
}

/** What was said so far, what waits, and what is denied: the next noun, or all up to an opening word. */
interface State {
  readonly prompt: Prompt
  readonly pending: ReadonlyArray<Adjective>
  readonly alternative: boolean
  readonly starting: string | undefined
  readonly denied: { readonly scope: 'next' | 'all'; readonly used: boolean } | undefined
}

type Result<A> = E.Either<TextError, A>

const initial: State = { prompt: open, pending: [], alternative: false, starting: undefined, denied: undefined }

const has = (words: ReadonlyArray<string>, word: string): boolean => words.includes(word)

const adjectives: ReadonlySet<string> = new Set(Object.values(nouns).flatMap((noun) => Object.keys(noun.adjectives)))

/**
 * Reads a prompt.
 *
 * @example
 * import { Text } from 'halforder/model'
 *
 * Text.parse('a smiling face with blue hair and dark glasses')
 * // right { mouth: ['happy'], hairColor: ['blue'], glasses: ['dark'] }
 *
 * @category interpreters
 * @since 0.1.0
 */
export const parse = (text: string): E.Either<TextError, Prompt> =>
  pipe(
    tokens(text).reduce<Result<State>>((state, word) => pipe(state, E.flatMap(read(word))), E.right(initial)),
    E.flatMap(settled),
    E.map(({ prompt }) => prompt)
  )

/** Words such as "constructor" are of every object, and of no grammar. */
const own = <A>(words: Readonly<Record<string, A>>, word: string): A | undefined =>
  Object.hasOwn(words, word) ? words[word] : undefined

const read =
  (word: string) =>
  (state: State): Result<State> => {
    if (state.starting !== undefined && !has(grammar.links, word)) return begun(state, state.starting, word)
    if (has(grammar.starts, word))
      return pipe(
        complete(state),
        E.map((s) => ({ ...s, starting: word }))
      )
    if (has(grammar.denials, word)) {
      return pipe(
        settled(state),
        E.map((s): State => ({ ...s, denied: { scope: 'next', used: false } }))
      )
    }
    if (has(grammar.lacks, word)) {
      return pipe(
        settled(state),
        E.map((s): State => ({ ...s, denied: { scope: 'all', used: false } }))
      )
    }
    if (has(grammar.opens, word)) return settled(state)
    if (has(grammar.joins, word)) return E.right(joined(state))
    if (has(grammar.alternatives, word)) return alternative(state, word)
    if (has(grammar.links, word)) return E.right(state)
    const noun = own(nouns, word)
    if (noun !== undefined) return described(state, word, noun)
    const predicate = own(predicates, word)
    if (predicate !== undefined) return claimed(state, [predicate], word)
    return adjectives.has(word)
      ? E.right({
          ...state,
          pending: [...state.pending, { word, alternative: state.alternative }],
          alternative: false
        })
      : E.left({ _tag: 'UnknownWord', word, nearest: nearest(word, knownWords) })
  }

/** No adjective waits for a noun, and no "starts" for its verb. */
const complete = (state: State): Result<State> => {
  const [first] = state.pending
  if (first !== undefined) return E.left(dangling(first.word, 'a noun such as hair or glasses'))
  return state.starting === undefined
    ? E.right(state)
    : E.left(dangling(state.starting, 'to smile, to blink or to move'))
}

/** Nothing waits at the end of a clause, and what is denied ends with it. */
const settled = (state: State): Result<State> =>
  pipe(
    complete(state),
    E.filterOrElse(
      ({ denied }) => denied?.used !== false,
      () => dangling('no', 'a noun such as glasses or hat')
    ),
    E.map((s): State => ({ ...s, alternative: false, denied: undefined }))
  )

const dangling = (word: string, expected: string): TextError => ({ _tag: 'Dangling', word, expected })

/** "and" and a comma end what "no" denies, unless an adjective waits: "no short and blue hair". */
const joined = (state: State): State =>
  state.pending.length === 0 && state.denied?.scope === 'next' && state.denied.used
    ? { ...state, denied: undefined }
    : state

const alternative = (state: State, word: string): Result<State> => {
  if (state.pending.length > 0) return E.right({ ...state, alternative: true })
  return state.denied?.used === true
    ? E.right(state)
    : E.left({
        _tag: 'Unexpressible',
        words: word,
        remedy: 'put it between adjectives of one noun, as in "round or dark glasses"'
      })
}

/** The verb of "starts to". */
const begun = (state: State, start: string, word: string): Result<State> => {
  const statement = own(beginnings, word)
  return statement === undefined
    ? E.left(dangling(start, 'to smile, to blink or to move'))
    : claimed({ ...state, starting: undefined }, [statement], word)
}

/** A noun with the adjectives that wait for it. */
const described = (state: State, word: string, noun: Noun): Result<State> => {
  if (state.alternative) {
    return E.left({ _tag: 'Unexpressible', words: `or ${word}`, remedy: 'put an adjective between the two' })
  }
  return pipe(
    state.pending.reduce<Result<ReadonlyArray<Statement>>>(
      (found, adjective) => pipe(found, E.flatMap(qualified(word, noun, adjective))),
      E.right([])
    ),
    E.flatMap((statements) => claimed({ ...state, pending: [] }, [...noun.says, ...statements], word))
  )
}

const qualified =
  (name: string, noun: Noun, { word, alternative: either }: Adjective) =>
  (before: ReadonlyArray<Statement>): Result<ReadonlyArray<Statement>> => {
    const statement = own(noun.adjectives, word)
    const last = before.at(-1)
    if (statement === undefined) {
      return E.left({ _tag: 'Misplaced', word, noun: name, known: Object.keys(noun.adjectives) })
    }
    if (!either || last === undefined) return E.right([...before, statement])
    return last.slot === statement.slot
      ? E.right([...before.slice(0, -1), { slot: last.slot, values: [...last.values, ...statement.values] }])
      : E.left({
          _tag: 'Unexpressible',
          words: `or ${word} ${name}`,
          remedy: `"or" joins values of one attribute, and these are of ${last.slot} and ${statement.slot}`
        })
  }

/** Statements that one phrase makes together, said or denied. */
const claimed = (state: State, statements: ReadonlyArray<Statement>, word: string): Result<State> => {
  const together = statements.reduce<Result<Prompt>>((said, one) => pipe(said, E.flatMap(say(one))), E.right(open))
  const { denied } = state
  return pipe(
    together,
    E.flatMap((said): Result<ReadonlyArray<Statement>> => {
      const parts = slots.flatMap((slot): ReadonlyArray<Statement> => {
        const values = said[slot]
        return values === undefined ? [] : [{ slot, values }]
      })
      // "not a smiling face": the denial has met what it denies, and the noun adds nothing
      if (denied === undefined || (parts.length === 0 && denied.used)) return E.right(parts)
      return parts.length === 1
        ? E.right(parts.map(complement))
        : E.left({
            _tag: 'Unexpressible',
            words: `no ${word}`,
            remedy: parts.length === 0 ? 'it can not be left out' : 'deny one attribute at a time'
          })
    }),
    E.flatMap((parts) =>
      parts.reduce<Result<Prompt>>((prompt, one) => pipe(prompt, E.flatMap(say(one))), E.right(state.prompt))
    ),
    E.map((prompt) => ({ ...state, prompt, denied: denied === undefined ? undefined : { ...denied, used: true } }))
  )
}

/**
 * Reads several prompts at once, such as one for each stage of a chain: `{ coarse, mid, fine }`, as diffusive
 * chain-of-thought has them (arXiv 2502.00639). Left: the first that is wrong, by its name.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const parseEach = <K extends string>(
  texts: Readonly<Record<K, string>>
): E.Either<TextError, Readonly<Record<K, Prompt>>> =>
  pipe(
    texts,
    RR.traverseWithIndex(E.Applicative)((part: K, text: string) =>
      pipe(
        parse(text),
        E.mapLeft((error): TextError => ({ _tag: 'InPart', part, error }))
      )
    )
  )
