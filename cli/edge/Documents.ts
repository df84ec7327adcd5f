/**
 * Documents that people write: JSON, and YAML where it is asked for, read strictly and within limits.
 *
 * YAML is a large language. Of what it may do to a reader, these are refused before they cost time or memory: groups in groups
 * without end, a key twice, a value inside itself, references that multiply, and types beyond those of JSON.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type DocumentError, fault, showError } from 'halforder/document/Document'
import * as Json from 'halforder/document/Json'
import { cut, quote } from 'halforder/document/Shown'
import { type Document, isNode, isScalar, Lexer, parseDocument, Parser, visit } from 'yaml'
import { type Step, usage } from './Failure.js'
import * as Files from './Files.js'

/**
 * How much a document may have: bytes of JSON, bytes of YAML, whose reader takes longer, and how often YAML may refer to what
 * stands elsewhere. `docs/limits.md` lists these.
 *
 * @category constants
 * @since 0.1.0
 */
export const limits = { json: 2 ** 20, yaml: 2 ** 15, references: 100 } as const

type Parsed = E.Either<DocumentError, unknown>

const wrong = (expected: string, got: string, remedy: string): E.Either<DocumentError, never> =>
  E.left({ ...fault('', expected, undefined, remedy), got })

// -------------------------------------------------------------------------------------
// parsing
// -------------------------------------------------------------------------------------

/**
 * The value of a JSON text of at most 1 MiB. Left: as `Json.parse`.
 *
 * @category parsing
 * @since 0.1.0
 */
export const json = (text: string): Parsed =>
  text.length > limits.json
    ? wrong(`at most ${limits.json} characters of JSON`, `${text.length}`, 'leave out what is not needed')
    : Json.parse(text)

/**
 * The value of a text that is JSON, or YAML of at most 32 KiB; an empty one has no fields. Left: what is neither, with where it
 * goes wrong, a key twice, more than 64 levels of groups, or a value inside itself.
 *
 * @category parsing
 * @since 0.1.0
 */
export const yaml = (text: string): Parsed => {
  if (isJson(text)) return json(text)
  if (text.length > limits.yaml) {
    return wrong(
      `at most ${limits.yaml} characters of YAML`,
      `${text.length}`,
      'write it as JSON, or leave out what is not needed'
    )
  }
  if (isDeep(text)) return wrong(`at most ${Json.deepest} levels of lists and groups`, 'more', 'flatten it')
  // that errors are drawn takes the time of their number squared
  const document = parseDocument(text, { uniqueKeys: false, schema: 'core', logLevel: 'error', prettyErrors: false })
  const [error] = document.errors
  if (error !== undefined)
    return wrong('JSON or YAML', `${cut(error.message)} ${placeOf(text, error.pos[0])}`, 'correct it')
  const [fault] = faultsOf(document)
  if (fault !== undefined) return wrong(...fault)
  return E.tryCatch((): unknown => document.toJS({ maxAliasCount: limits.references }) ?? {}, misreferred)
}

const placeOf = (text: string, at: number): string => {
  const lines = text.slice(0, at).split('\n')
  return `at line ${lines.length}, column ${(lines.at(-1) ?? '').length + 1}`
}

/** What the reader throws where it makes values of nodes: of aliases, too many or of nothing. */
const misreferred = (reason: unknown): DocumentError => {
  const [, name] = /^Unresolved alias .*?: (.*)$/s.exec(reason instanceof Error ? reason.message : '') ?? []
  const remedy = 'write out what they stand for'
  return name === undefined
    ? { ...fault('', `at most ${limits.references} values by alias`, undefined, remedy), got: 'more' }
    : { ...fault('', 'aliases of anchors above them', undefined, remedy), got: `*${cut(name)}` }
}

/** What is JSON is never given to the slower reader. */
const isJson = (text: string): boolean => {
  if (!/^\s*[{["]/.test(text)) return false
  return E.isRight(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => undefined
    )
  )
}

/** Has a text of YAML more levels than a document may? The words are read one by one, since the whole is read recursively. */
const isDeep = (text: string): boolean => {
  const parser = new Parser()
  for (const word of new Lexer().lex(text)) {
    for (const _ of parser.next(word));
    // the document, a list or group for each level, and a scalar
    if (parser.stack.length > Json.deepest + 2) return true
  }
  return false
}

type Fault = readonly [expected: string, got: string, remedy: string]

/** Keys that stand twice in a group, and references to what they stand in. */
const faultsOf = (document: Document.Parsed): ReadonlyArray<Fault> => {
  const faults: Array<Fault> = []
  visit(document, {
    Map: (_, { items }) => {
      const keys = new Set<unknown>()
      for (const { key } of items) {
        const name = isScalar(key) ? key.value : key
        if (keys.has(name)) faults.push(['each field once', `${quote(String(name))} twice`, 'remove one of them'])
        keys.add(name)
      }
    },
    Alias: (_, { source }, path) => {
      const around = path.some((node) => isNode(node) && 'anchor' in node && node.anchor === source)
      if (around)
        faults.push([
          'no value inside itself',
          `*${cut(source)} inside &${cut(source)}`,
          'write out what it stands for'
        ])
    }
  })
  return faults
}

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * The value of a file, by `json` or `yaml`. Left: a file that can not be read, or what is wrong in it, with its path.
 *
 * @category effects
 * @since 0.1.0
 */
export const read = (path: string, parse: (text: string) => Parsed): Step<unknown> =>
  pipe(
    Files.read(path),
    TE.mapLeft((error) => usage(Files.showError(error))),
    TE.flatMapEither((bytes) =>
      pipe(
        E.tryCatch(
          () => new TextDecoder('utf-8', { fatal: true }).decode(bytes),
          () => ({ ...fault('', 'text in UTF-8', undefined, 'save it as such'), got: 'other bytes' })
        ),
        E.flatMap(parse),
        E.mapLeft((error) => usage(showError({ ...error, path: located(path, error.path) })))
      )
    )
  )

const located = (path: string, inside: string): string => (inside === 'the document' ? path : `${path}: ${inside}`)
