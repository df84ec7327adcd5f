/**
 * What an estimator claims to expect on a model: the terms of its target, as far as its cover pays for them.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as C from '../../src/estimator/Cover.js'
import type { Cover } from '../../src/estimator/Cover.js'
import * as Gradient from '../../src/estimator/Gradient.js'
import { only, plus, smoothingOf, type Uncertain } from '../exact/Expectation.js'
import type { Contender, Model } from './Model.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A claim that can be tested, with what it claims: `exact` is the sum of all terms of the target, and `claimed` of what is paid of
 * them, which is the expectation.
 *
 * @category model
 * @since 0.1.0
 */
export interface Claim {
  readonly contender: Contender
  readonly exact: Uncertain
  readonly claimed: Uncertain
}

// -------------------------------------------------------------------------------------
// readings
// -------------------------------------------------------------------------------------

/** The terms of a cover's target, each times a share. */
const weighted = (model: Model, cover: Cover, share: (t: number) => number): E.Either<string, Uncertain> => {
  const cell = C.zerothOrderCell(cover)
  const smoothing = smoothingOf(cover)
  return pipe(
    model.terms(),
    E.bindTo('plain'),
    E.bind('smooth', ({ plain }) => (smoothing === undefined ? E.right(plain) : model.terms(smoothing))),
    E.map(({ plain, smooth }) =>
      C.range(1, cover.T).reduce<Uncertain>((total, t) => {
        const perturbed = cell?.form === 'onePoint' || cell?.steps.includes(t) === true
        const term = (perturbed ? smooth : plain)[t - 1]
        return term === undefined ? total : plus(total, term, share(t))
      }, zeros(model))
    )
  )
}

const zeros = ({ components }: Model): Uncertain => ({
  value: new Array<number>(components).fill(0),
  error: new Array<number>(components).fill(0)
})

const over = (
  model: Model,
  { estimator }: Contender,
  share: (cover: Cover) => (t: number) => number
): E.Either<string, Uncertain> =>
  estimator.covers.reduce<E.Either<string, Uncertain>>(
    (total, { weight, cover }) =>
      pipe(
        total,
        E.bindTo('sum'),
        E.bind('part', () => weighted(model, cover, share(cover))),
        E.map(({ sum, part }) => plus(sum, part, weight))
      ),
    E.right(zeros(model))
  )

/**
 * What a contender claims on a model. Left: why it can not stand on it, or why its terms are not known.
 *
 * @category readings
 * @since 0.1.0
 */
export const claimOf = (model: Model, contender: Contender): E.Either<string, Claim> =>
  pipe(
    model.check(contender),
    E.mapLeft(Gradient.showError),
    E.flatMap(() => over(model, contender, (cover) => only(C.range(1, cover.T)))),
    E.bindTo('exact'),
    E.bind('claimed', ({ exact }) =>
      contender.estimator._tag === 'exact'
        ? E.right(exact)
        : over(model, contender, (cover) => (t) => C.paid(cover)[t - 1] ?? 0)
    ),
    E.map((values) => ({ contender, ...values }))
  )
