/**
 * Numbers that are typed.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { usage, type Failure } from './FinetuneRun.js'

/**
 * The whole number of an option, of at least `least`; `fallback` where it was not typed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const whole = (
  option: string,
  text: string | undefined,
  fallback: number,
  least: number
): E.Either<Failure, number> => {
  const value = text === undefined ? fallback : Number(text)
  return Number.isSafeInteger(value) && value >= least && text?.trim() !== ''
    ? E.right(value)
    : E.left(usage(`--${option}: expected a whole number of at least ${least}, got ${JSON.stringify(text)}`))
}
