/**
 * Reading JSON documents strictly: the first field that is unknown, missing or not of its kind is named by its path.
 *
 * Names are looked up among a group's own keys, so `toString` is an unknown field like any other; whatever is shown of a
 * document is cut (`Shown`); and nothing takes longer than linear time in what was given.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import { cut, most, quote, several, shown } from './Shown.js'

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

const isFinite32 = (n: number): boolean => Number.isFinite(Math.fround(n))

/**
 * Numbers that f32, in which kernels compute, holds as finite ones: 1e39 is infinite there.
 *
 * @category codecs
 * @since 0.1.0
 */
export const finite32: t.Type<number, number, unknown> = /*#__PURE__*/ numberThat(
  'a finite number that f32 holds',
  isFinite32
)

/**
 * Numbers above 0 that f32 holds as such: 1e39 is infinite there, and 1e-60 is 0.
 *
 * @category codecs
 * @since 0.1.0
 */
export const positive32: t.Type<number, number, unknown> = /*#__PURE__*/ numberThat(
  'a number above 0 that f32 holds',
  (n) => isFinite32(n) && Math.fround(n) > 0
)

/**
 * Numbers of at least 0 that f32 holds as finite ones.
 *
 * @category codecs
 * @since 0.1.0
 */
export const notNegative32: t.Type<number, number, unknown> = /*#__PURE__*/ numberThat(
  'a number of at least 0 that f32 holds',
  (n) => n >= 0 && isFinite32(n)
)

/**
 * `true` or `false`.
 *
 * @category codecs
 * @since 0.1.0
 */
export const flag: t.Type<boolean, boolean, unknown> = /*#__PURE__*/ new t.Type<boolean, boolean, unknown>(
  'true or false',
  t.boolean.is,
  t.boolean.validate,
  t.identity
)

/**
 * Whole numbers of at least 1 that f64 holds exactly, up to 2^53 - 1.
 *
 * @category codecs
 * @since 0.1.0
 */
export const whole: t.Type<number, number, unknown> = /*#__PURE__*/ numberThat(
  'a whole number of at least 1',
  (n) => Number.isSafeInteger(n) && n >= 1
)

/**
 * Whole numbers from `least` to `most`, both included.
 *
 * @category codecs
 * @since 0.1.0
 */
export const wholeIn = (least: number, most: number): t.Type<number, number, unknown> =>
  numberThat(`a whole number in ${least}..${most}`, (n) => Number.isSafeInteger(n) && n >= least && n <= most)

/**
 * Texts of at most some characters.
 *
 * @category codecs
 * @since 0.1.0
 */
export const textUpTo = (most: number): t.Type<string, string, unknown> =>
  new t.Type<string, string, unknown>(
    `a text of at most ${most} characters`,
    (u): u is string => typeof u === 'string' && u.length <= most,
    (u, context) => (typeof u === 'string' && u.length <= most ? t.success(u) : t.failure(u, context)),
    t.identity
  )

/**
 * Lists of at most some items. The length is looked at before the items are.
 *
 * @category codecs
 * @since 0.1.0
 */
export const listUpTo = <A>(
  item: t.Type<A, A, unknown>,
  most: number,
  name = `a list of at most ${most} items`
): t.Type<ReadonlyArray<A>, ReadonlyArray<A>, unknown> => {
  const items = t.readonlyArray(item, name)
  return new t.Type<ReadonlyArray<A>, ReadonlyArray<A>, unknown>(
    name,
    (u): u is ReadonlyArray<A> => items.is(u) && u.length <= most,
    (u, context) => (Array.isArray(u) && u.length > most ? t.failure(u, context) : items.validate(u, context)),
    t.identity
  )
}

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
 * An error at a path. What was got is cut, and so is the path, which may be of keys that were read.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fault = (path: string, expected: string, got: unknown, remedy: string): DocumentError => ({
  _tag: 'DocumentError',
  path: path === '' ? 'the document' : cut(path),
  expected,
  got: shown(got),
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

/**
 * The path of what stands under a key: `a.b`, `a[3]`, `a["b c"]`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const below = (path: string, key: string): string => {
  if (key.length > most.characters || !/^[\w*-]+$/.test(key)) return `${path}[${quote(key)}]`
  if (/^\d+$/.test(key)) return `${path}[${key}]`
  return path === '' ? key : `${path}.${key}`
}

/** The fields of a group's codec, where it is one. */
const fieldsOf = (codec: t.Mixed): unknown => {
  if (codec instanceof t.ExactType && codec.type instanceof t.Type) return fieldsOf(codec.type)
  return 'props' in codec ? codec.props : undefined
}

/** The first key, at any depth, that a codec's groups do not know. */
const unknownKey = (codec: t.Mixed, given: unknown, path: string): DocumentError | undefined => {
  const props = fieldsOf(codec)
  if (!isRecord(props) || !isRecord(given)) return undefined
  for (const [key, value] of Object.entries(given)) {
    const field = Object.hasOwn(props, key) ? props[key] : undefined
    if (field === undefined) {
      const known = several(Object.keys(props), 40)
      return fault(below(path, key), `one of the fields ${known}`, key, 'correct or remove the field')
    }
    const deeper = field instanceof t.Type ? unknownKey(field, value, below(path, key)) : undefined
    if (deeper !== undefined) return deeper
  }
  return undefined
}

/** Where a codec failed: the keys on the way, and the type that did not fit what was found. */
interface Place {
  readonly keys: ReadonlyArray<string>
  readonly expected: string
  readonly got: unknown
}

type Errors = ReadonlyArray<t.ValidationError>

/**
 * The place to report of errors whose contexts agree up to entry `from`: the first's, unless it is in a choice. Of a choice it
 * is in the alternative that fits best: the one whose errors lie deepest, and of those the one that has fewest. Where that is none,
 * or two are alike, it is the choice itself, with all its alternatives.
 */
const placeOf = (errors: Errors, from: number): Place => {
  const context = errors[0]?.context ?? []
  const choice = context.findIndex(({ type }, i) => i >= from && type instanceof t.UnionType)
  const last = choice < 0 ? context.length - 1 : choice
  const keys = context.slice(from + 1, last + 1).map(({ key }) => key)
  const best = choice < 0 ? undefined : bestOf(errors, choice)
  if (best === undefined) {
    const end = context[last]
    return { keys, expected: end?.type.name ?? 'another value', got: end?.actual }
  }
  const place = placeOf(best, choice + 1)
  return { ...place, keys: [...keys, ...place.keys] }
}

/** The errors of the alternative that fits best of the choice at entry `choice`, if there is one. */
const bestOf = (errors: Errors, choice: number): Errors | undefined => {
  const [first] = errors
  const branches = new Map<string, Array<t.ValidationError>>()
  for (const error of errors) {
    const key = error.context[choice + 1]?.key
    // what a choice says of one value shares the entry of its context
    if (key === undefined || error.context[choice] !== first?.context[choice]) continue
    const branch = branches.get(key)
    if (branch === undefined) branches.set(key, [error])
    else branch.push(error)
  }
  const [best, next] = [...branches.values()]
    .map((own) => ({ own, depth: own.reduce((least, { context }) => Math.min(least, context.length), Infinity) }))
    .sort((a, b) => b.depth - a.depth || a.own.length - b.own.length)
  const fits = best !== undefined && best.depth > choice + 2
  return fits && (next?.depth !== best.depth || next.own.length !== best.own.length) ? best.own : undefined
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
      const { keys, expected, got } = placeOf(errors, 0)
      return fault(keys.reduce(below, path), expected, got, 'correct it')
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
