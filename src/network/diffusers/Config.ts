/**
 * Configurations of diffusers' models: fields that are read, and refusals of those that ask for what is not there.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { shown } from '../../document/Shown.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A configuration as `config.json` has it.
 *
 * @category model
 * @since 0.1.0
 */
export type Config = Readonly<Record<string, unknown>>

/**
 * A field that is not as it has to be: what was expected there, and what it has.
 *
 * @category model
 * @since 0.1.0
 */
export interface ConfigError {
  readonly _tag: 'ConfigError'
  readonly field: string
  readonly expected: string
  readonly got: string
}

/**
 * How a field is read: its value, or what was expected.
 *
 * @category model
 * @since 0.1.0
 */
export type Field<A> = (value: unknown) => E.Either<string, A>

// -------------------------------------------------------------------------------------
// fields
// -------------------------------------------------------------------------------------

const fieldOf =
  <A>(expected: string, fits: (value: unknown) => value is A): Field<A> =>
  (value) =>
    fits(value) ? E.right(value) : E.left(expected)

/** A count from 1 on. @category fields @since 0.1.0 */
export const count: Field<number> = /*#__PURE__*/ fieldOf(
  'a whole number from 1 on',
  (value): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 1
)

/** A number. @category fields @since 0.1.0 */
export const real: Field<number> = /*#__PURE__*/ fieldOf(
  'a number',
  (value): value is number => typeof value === 'number' && Number.isFinite(value)
)

/** A truth value. @category fields @since 0.1.0 */
export const truth: Field<boolean> = /*#__PURE__*/ fieldOf(
  'true or false',
  (value): value is boolean => typeof value === 'boolean'
)

/** One of some values. @category fields @since 0.1.0 */
export const among = <A extends string | number | boolean | null>(...values: ReadonlyArray<A>): Field<A> =>
  fieldOf(values.map((value) => JSON.stringify(value)).join(' or '), (value): value is A =>
    values.some((one) => one === value)
  )

/** Values of one kind. @category fields @since 0.1.0 */
export const list =
  <A>(item: Field<A>): Field<ReadonlyArray<A>> =>
  (value) =>
    Array.isArray(value) && value.length > 0 ? E.traverseArray(item)(value) : E.left('a list of one or more')

/** Nothing, or a value. @category fields @since 0.1.0 */
export const optional =
  <A>(item: Field<A>): Field<A | null> =>
  (value) =>
    value === null ? E.right(null) : item(value)

/** One value, or one for each of some. @category fields @since 0.1.0 */
export const each =
  (size: number) =>
  (value: unknown): E.Either<string, ReadonlyArray<number>> =>
    Array.isArray(value)
      ? value.length === size
        ? E.traverseArray(count)(value)
        : E.left(`one number, or ${size}`)
      : E.either.map(count(value), (one) => Array.from({ length: size }, () => one))

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * A reader of a configuration. `read` gives the value of a field, or what it has where the field is not there; `finish` gives what
 * was built of them, or the first field that was wrong, or one that was never read and says something.
 *
 * @category model
 * @since 0.1.0
 */
export interface Reader {
  readonly read: <A>(field: string, of: Field<A>, otherwise: A) => A
  readonly finish: <A>(build: () => A) => E.Either<ConfigError, A>
}

const silent = (value: unknown): boolean => value === null || value === false

/**
 * A reader of a configuration. Fields of the given names say nothing about the network, and are left alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reader = (config: Config, ignored: ReadonlyArray<string>): Reader => {
  let wrong: ConfigError | undefined
  const known = new Set(ignored)
  return {
    read: (field, of, otherwise) => {
      known.add(field)
      if (!Object.hasOwn(config, field)) return otherwise
      const value = of(config[field])
      if (E.isRight(value)) return value.right
      wrong ??= { _tag: 'ConfigError', field, expected: value.left, got: shown(config[field]) }
      return otherwise
    },
    finish: (build) => {
      if (wrong !== undefined) return E.left(wrong)
      const other = Object.keys(config).find(
        (field) => !field.startsWith('_') && !known.has(field) && !silent(config[field])
      )
      if (other !== undefined) {
        return E.left({
          _tag: 'ConfigError',
          field: other,
          expected: 'a field that is known',
          got: shown(config[other])
        })
      }
      return E.right(build())
    }
  }
}

/**
 * One line for a person: the field, what was expected, what it has.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const showConfigError = ({ field, expected, got }: ConfigError): string =>
  `config.json: ${field}: expected ${expected}, got ${got}; export the model to ONNX, or use one without it`
