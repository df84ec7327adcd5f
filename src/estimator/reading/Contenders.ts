/**
 * The forms of the named estimators that are measured: by variance and cost (`halforder compare`), and against exact
 * gradients (`halforder verify`).
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import { estimators } from '../catalogue/All.gen.js'
import type { Document, Facts, Part, Trial, Verified } from '../catalogue/Row.js'
import { showError } from '../catalogue/Row.js'
import { type DocumentError, fault } from '../../document/Document.js'
import type { Estimator } from '../Estimator.js'
import type { Description } from '../Named.js'

/**
 * An estimator to be compared, with the document that stands for it where one does. The `reference` is REINFORCE with the advantage
 * of the problem, and no baseline of the state; a `plain` one takes nothing off at all.
 *
 * @category model
 * @since 0.1.0
 */
export interface Contender {
  readonly estimator: Estimator
  readonly part: Part | undefined
  readonly document?: Document
}

/**
 * The estimators to be compared, the reference first, and what does not fit the chain, with the reason.
 *
 * @category model
 * @since 0.1.0
 */
export interface Compared {
  readonly contenders: ReadonlyArray<Contender>
  readonly misfits: ReadonlyArray<string>
}

/**
 * An estimator to be verified: with the expected reward as the baseline of its likelihood-ratio terms, without, or
 * both.
 *
 * @category model
 * @since 0.1.0
 */
export interface Candidate {
  readonly estimator: Estimator
  readonly baseline: Verified<object>['baseline']
}

const reason = ({ name, estimator }: Trial): ReadonlyArray<string> =>
  E.isLeft(estimator) ? [`${name}: ${showError(estimator.left)}`] : []

/**
 * What `halforder compare` measures on a chain and a reward. `radius` is that of zeroth-order cells.
 *
 * @category readings
 * @since 0.1.0
 */
export const compared = (on: Facts & { readonly radius: number }): Compared => {
  const trials = estimators.flatMap((row) => row.compared(on))
  const contenders = trials.flatMap(
    ({ estimator, part, document }): ReadonlyArray<Contender> =>
      E.isLeft(estimator) ? [] : [{ estimator: estimator.right, part, ...(document === undefined ? {} : { document }) }]
  )
  const { left: others, right: references } = pipe(
    contenders,
    RA.partition(({ part }) => part === 'reference')
  )
  return { contenders: [...references, ...others], misfits: trials.flatMap(reason) }
}

/**
 * What `halforder verify` tests on a chain and a reward, without what does not fit: a segment that is longer than a
 * chain is no estimator of it.
 *
 * @category readings
 * @since 0.1.0
 */
export const verified = (facts: Facts): ReadonlyArray<Candidate> =>
  estimators
    .flatMap((row) => row.verified(facts))
    .flatMap(({ estimator: built, baseline }) =>
      pipe(
        built,
        E.match(
          () => [],
          (estimator) => [{ estimator, baseline }]
        )
      )
    )

/**
 * A description as it can be measured: sample by sample, so each with a direction of its own. Left: one that has all
 * samples share a direction.
 *
 * @category readings
 * @since 0.1.0
 */
export const bySample = (description: Description): E.Either<DocumentError, Description> =>
  'directions' in description && description.directions === 'batch'
    ? E.left(
        fault(
          'directions',
          '"row" or "auto", since each sample is measured with a direction of its own',
          'batch',
          'leave it out'
        )
      )
    : E.right(description)
