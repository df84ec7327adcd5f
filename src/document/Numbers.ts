/**
 * Numbers that are typed: on a command line, in a sum of rewards, in an estimator's options.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { quote } from './Shown.js'

/**
 * What a number must be: from `least` to `most`, both included, and whole or not.
 *
 * @category model
 * @since 0.1.0
 */
export interface Range {
  readonly least?: number
  readonly most?: number
  readonly whole?: boolean
}

/**
 * A range in words, as errors say it: `a whole number of at least 1`.
 *
 * @category utils
 * @since 0.1.0
 */
export const show = ({ least = -Infinity, most = Infinity, whole = false }: Range): string => {
  const kind = whole ? 'a whole number' : 'a number'
  if (Number.isFinite(least) && Number.isFinite(most)) return `${kind} in ${least}..${most}`
  if (Number.isFinite(least)) return `${kind} of at least ${least}`
  return Number.isFinite(most) ? `${kind} of at most ${most}` : whole ? kind : 'a finite number'
}

/** The whole numbers that f64 holds, and to which no other rounds. */
const safe = { least: Number.MIN_SAFE_INTEGER, most: Number.MAX_SAFE_INTEGER } as const

/**
 * The number that a text is. Left: what was expected and what was found, for a text that is no decimal number, lies outside
 * of the range, or is not whole where it must be. Whole numbers are those that f64 holds exactly, up to 2^53 - 1.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse =
  (range: Range) =>
  (text: string): E.Either<string, number> => {
    const { least = -Infinity, most = Infinity, whole = false } = range
    const value = decimal.test(text.trim()) ? Number(text) : Number.NaN
    const within = Number.isFinite(value) && value >= least && value <= most
    if (within && (!whole || Number.isSafeInteger(value))) return E.right(value)
    // where the number alone is too large to be held, that is what to say
    const held = { ...range, least: Math.max(least, safe.least), most: Math.min(most, safe.most) }
    return E.left(`expected ${show(within && Number.isInteger(value) ? held : range)}, got ${quote(text)}`)
  }

/** No hexadecimal, no `Infinity`, no empty text: all of which `Number` takes. */
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i
