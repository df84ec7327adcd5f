/**
 * Options that are typed: numbers, modes, names.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { parse, type Range } from 'halforder/document/Numbers'
import { type Mode, modes } from 'halforder/kernel'
import { type Failure, usage } from './Failure.js'

/**
 * The number of an option; `fallback` where it was not typed. Left: what was expected and what was typed.
 *
 * @category readings
 * @since 0.1.0
 */
export const number =
  (range: Range) =>
  <F>(option: string, text: string | undefined, fallback: F): E.Either<Failure, number | F> =>
    text === undefined
      ? E.right(fallback)
      : pipe(
          parse(range)(text),
          E.mapLeft((reason) => usage(`--${option}: ${reason}`))
        )

/**
 * The whole number of an option, of at least `least` and at most `most`.
 *
 * @category readings
 * @since 0.1.0
 */
export const whole = <F>(
  option: string,
  text: string | undefined,
  fallback: F,
  least: number,
  most = Infinity
): E.Either<Failure, number | F> => number({ whole: true, least, most })(option, text, fallback)

/**
 * The seed of an option: a whole number that f64 holds exactly.
 *
 * @category readings
 * @since 0.1.0
 */
export const seed = <F>(text: string | undefined, fallback: F): E.Either<Failure, number | F> =>
  whole('seed', text, fallback, 0, Number.MAX_SAFE_INTEGER)

/**
 * How often a checkpoint is written, in seconds: 0 is after every step.
 *
 * @category readings
 * @since 0.1.0
 */
export const saveEvery = (text: string | undefined): E.Either<Failure, number> =>
  number({ least: 0 })('save-every', text, 15)

/**
 * Whole numbers above 0 with commas between, each once, the least first.
 *
 * @category readings
 * @since 0.1.0
 */
export const wholes = (option: string, text: string | undefined): E.Either<Failure, ReadonlyArray<number>> =>
  pipe(
    text === undefined ? [] : text.split(','),
    RA.traverse(E.Applicative)((one) => whole(option, one.trim(), 0, 1)),
    E.map((all) => [...new Set(all)].sort((a, b) => a - b))
  )

/**
 * One of some names.
 *
 * @category readings
 * @since 0.1.0
 */
export const oneOf = <A extends string>(option: string, known: ReadonlyArray<A>, text: string): E.Either<Failure, A> =>
  pipe(
    known.find((one) => one === text),
    E.fromNullable(usage(`--${option}: expected one of ${known.join(', ')}, got ${JSON.stringify(text)}`))
  )

/**
 * The mode of gpu.js, `webasm` where none was typed.
 *
 * @category readings
 * @since 0.1.0
 */
export const mode = (text = 'webasm'): E.Either<Failure, Mode> => oneOf('mode', modes, text)
