/**
 * JSON that says each thing once: text to values, in linear time.
 *
 * `JSON.parse` takes a key twice and keeps the last, so that two readers may see two documents in one file. Here that is an
 * error, as are groups in groups without end.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { below, type DocumentError, fault } from './Document.js'
import { cut, quote } from './Shown.js'

/**
 * How many lists and groups may stand in one another.
 *
 * @category constants
 * @since 0.1.0
 */
export const deepest = 64

/**
 * The value of a JSON text. Left: a text that is no JSON, a key that a group has twice, or more than `deepest` levels.
 *
 * A key such as `__proto__` is a key like any other, an own one of its group.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (text: string): E.Either<DocumentError, unknown> =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      (reason) => ({
        ...fault('', 'JSON', undefined, 'correct it'),
        got: cut(reason instanceof Error ? reason.message : String(reason))
      })
    ),
    E.flatMap((value) => {
      const error = scan(text)
      return error === undefined ? E.right(value) : E.left(error)
    })
  )

/** A list or a group that is open: its keys so far, and the last of them. */
interface Open {
  readonly keys: Set<string> | undefined
  last: string
}

/** What is wrong with a text that is JSON: since it is, only its strings and brackets have to be told apart. */
const scan = (text: string): DocumentError | undefined => {
  const open: Array<Open> = []
  let expectsKey = false
  for (let at = 0; at < text.length; at++) {
    const c = text.charAt(at)
    const inside = open.at(-1)
    if (c === '{' || c === '[') {
      open.push({ keys: c === '{' ? new Set() : undefined, last: '0' })
      expectsKey = c === '{'
      if (open.length > deepest) return tooDeep(open)
    } else if (c === '}' || c === ']') {
      open.pop()
    } else if (c === ',' && inside !== undefined) {
      expectsKey = inside.keys !== undefined
      if (!expectsKey) inside.last = String(Number(inside.last) + 1)
    } else if (c === '"') {
      const end = closing(text, at)
      if (expectsKey && inside !== undefined) {
        inside.last = String(JSON.parse(text.slice(at, end + 1)))
        if (inside.keys?.has(inside.last)) return twice(open, inside.last)
        inside.keys?.add(inside.last)
        expectsKey = false
      }
      at = end
    }
  }
  return undefined
}

const tooDeep = (open: ReadonlyArray<Open>): DocumentError => ({
  ...fault(pathOf(open.slice(0, 3)), `at most ${deepest} levels of lists and groups`, undefined, 'flatten it'),
  got: 'more'
})

const twice = (open: ReadonlyArray<Open>, key: string): DocumentError => ({
  ...fault(pathOf(open.slice(0, -1)), 'each field once', undefined, 'remove one of them'),
  got: `${quote(key)} twice`
})

/** Where the string that begins at a quote ends. */
const closing = (text: string, start: number): number => {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

const pathOf = (open: ReadonlyArray<Open>): string => open.map(({ last }) => last).reduce(below, '')
