/**
 * What the fields of a configuration must be to each other.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { type DocumentError, fault } from '../../document/Document.js'
import type { Config } from '../Config.js'

/**
 * A fault whose finding is said in words of our own, not as JSON.
 *
 * @category errors
 * @since 0.1.0
 */
export const wrong = (path: string, expected: string, got: string, remedy: string): DocumentError => ({
  ...fault(path, expected, undefined, remedy),
  got
})

/** Groups fill a batch. */
const groups = ({ batch, group }: Config): E.Either<DocumentError, number> =>
  batch % group === 0
    ? E.right(group)
    : E.left(wrong('group', `a number of samples that divides the batch of ${batch}`, String(group), 'change either'))

/** Shares are equal, and a bound of ratios lies beyond 1. */
const policy = ({ batch, policy: { dualClip, minibatches } }: Config): E.Either<DocumentError, void> =>
  batch % minibatches !== 0
    ? E.left(
        wrong('policy.minibatches', `a number that divides the batch of ${batch}`, String(minibatches), 'change either')
      )
    : dualClip !== 0 && dualClip <= 1
      ? E.left(wrong('policy.dualClip', 'a ratio above 1, or 0 for no bound', String(dualClip), 'raise it'))
      : E.right(undefined)

/**
 * Groups fill a batch, and so do shares. Left: numbers that do not divide it, or a bound of ratios that is none.
 *
 * @category checks
 * @since 0.1.0
 */
export const divided = (config: Config): E.Either<DocumentError, void> =>
  pipe(
    groups(config),
    E.flatMap(() => policy(config))
  )
