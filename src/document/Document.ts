/**
 * Reading JSON documents strictly: the first field that is unknown, missing or not of its kind is named by its path.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A field that is not what it should be.
 *
 * @category model
 * @since 0.1.0
 */
export interface DocumentError {
  readonly _tag: 'DocumentError'
  readonly path: string
  readonly expected: string
  readonly got: string
  readonly remedy: string
}

// -------------------------------------------------------------------------------------
// codecs
// -------------------------------------------------------------------------------------

/**
 * Numbers with a property, named as it is said in errors.
 *
 * @category codecs
 * @since 0.1.0
 */
export const numberThat = (name: string, holds: (n: number) => boolean): t.Type<number, number, unknown> =>
  new t.Type<number, number, unknown>(
    name,
    (u): u is number => typeof u === 'number' && holds(u),
    (u, context) => (typeof u === 'number' && holds(u) ? t.success(u) : t.failure(u, context)),
    t.identity
  )

/**
 * Finite numbers.
 *
 * @category codecs
 * @since 0.1.0
 */
export const finite: t.Type<number, number, unknown> = /*#__PURE__*/ numberThat('a finite number', Number.isFinite)

/**
 * Finite numbers above 0.
 *
 * @category codecs
 * @since 0.1.0
 */
export const positive: t.Type<number, number, unknown> = /*#__PURE__*/ numberThat(
  'a number above 0',
  (n) => n > 0 && Number.isFinite(n)
)

/**
 * Whole numbers of at least 1.
 *
 * @category codecs
 * @since 0.1.0
 */
export const whole: t.Type<number, number, unknown> = /*#__PURE__*/ numberThat(
  'a whole number of at least 1',
  (n) => Number.isInteger(n) && n >= 1
)

/**
 * One of some names.
 *
 * @category codecs
 * @since 0.1.0
 */
export const oneOf = <A extends string>(...names: ReadonlyArray<A>): t.Type<A, A, unknown> =>
  new t.Type<A, A, unknown>(
    `one of ${names.join(', ')}`,
    (u): u is A => names.some((name) => name === u),
    (u, context) => {
      const found = names.find((name) => name === u)
      return found === undefined ? t.failure(u, context) : t.success(found)
    },
    t.identity
  )

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

/**
 * An error at a path.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fault = (path: string, expected: string, got: unknown, remedy: string): DocumentError => ({
  _tag: 'DocumentError',
  path: path === '' ? 'the document' : path,
  expected,
  got: got === undefined ? 'nothing' : typeof got === 'number' ? String(got) : JSON.stringify(got),
  remedy
})

/**
 * Is it a JSON object?
 *
 * @category decoding
 * @since 0.1.0
 */
export const isRecord = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === 'object' && u !== null && !Array.isArray(u)

const join = (path: string, key: string): string =>
  /^\d+$/.test(key) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`

/** The first key, at any depth, that a codec's groups do not know. */
const unknownKey = (codec: t.Mixed, given: unknown, path: string): DocumentError | undefined => {
  const props: unknown = 'props' in codec ? codec.props : undefined
  if (!isRecord(props) || !isRecord(given)) return undefined
  for (const [key, value] of Object.entries(given)) {
    const inner = props[key]
    if (inner === undefined) {
      return fault(
        join(path, key),
        `one of the fields ${Object.keys(props).join(', ')}`,
        key,
        'correct or remove the field'
      )
    }
    const deeper = inner instanceof t.Type ? unknownKey(inner, value, join(path, key)) : undefined
    if (deeper !== undefined) return deeper
  }
  return undefined
}

/**
 * Decodes a document below a path; fields that no one knows are errors. Left: the first field that is unknown, missing or not of its
 * kind.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeWith = <A>(
  codec: t.Type<A, unknown, unknown>,
  given: unknown,
  path = ''
): E.Either<DocumentError, A> => {
  const unknown = unknownKey(codec, given, path)
  if (unknown !== undefined) return E.left(unknown)
  return pipe(
    codec.decode(given),
    E.mapLeft((errors) => {
      // of a choice that fits nothing the outermost type is reported, with all its alternatives
      const context = errors[0]?.context ?? []
      const choice = context.findIndex(({ type }) => type instanceof t.UnionType)
      const end = context[choice < 0 ? context.length - 1 : choice]
      const keys = context.slice(1, choice < 0 ? undefined : choice + 1).map(({ key }) => key)
      return fault(keys.reduce(join, path), end?.type.name ?? 'another value', end?.actual, 'correct it')
    })
  )
}

/**
 * One line for a person: the path, what was expected, what was found, what to do.
 *
 * @category decoding
 * @since 0.1.0
 */
export const showError = ({ path, expected, got, remedy }: DocumentError): string =>
  `${path}: expected ${expected}, got ${got}; ${remedy}`
