/**
 * Backpropagation past the network.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as t from 'io-ts'
import { whole } from '../../../document/Document.js'
import * as C from '../../Cover.js'
import type { CoverError } from '../../Cover.js'
import type { Estimator } from '../../Estimator.js'
import * as Est from '../../Estimator.js'
import { define, field, noGradient, type Row } from '../Row.js'

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly count: number | null
}

/**
 * DRTune (Wu et al., arXiv 2405.00760): the reward's gradient is carried from step to step with the network's input held, so by the
 * sampler's own formula alone, and reaches the parameters at `count` steps, equally spaced from a random start (by default at
 * all). What is missing of a step's term is every path through the network of a step below it: **biased** for all but step 1. Its
 * authors stop early, at a clean prediction, which this does not.
 *
 * Left: a number of steps that does not divide `T`, for which no steps are equally spaced.
 *
 * @category constructors
 * @since 0.1.0
 */
export const drTune = ({
  T,
  count = T
}: {
  readonly T: number
  readonly count?: number
}): E.Either<CoverError, Estimator> => {
  const apart = T / count
  if (!(Number.isInteger(apart) && apart >= 1)) {
    return E.left({ _tag: 'BadOption', option: 'count', expected: `a number that divides T = ${T}`, got: `${count}` })
  }
  return pipe(
    C.range(1, apart),
    RA.traverse(E.Applicative)((start) =>
      pipe(
        C.cover(T, [
          C.firstOrder(T, {
            through: 'sampler',
            ...(apart === 1 ? {} : { shares: C.range(1, T).map((t) => (t % apart === start % apart ? 1 : 0)) })
          })
        ]),
        E.map((cover): Est.Weighted => ({ weight: 1, cover }))
      )
    ),
    E.flatMap((covers) => Est.mixtureOf(`drTune${apart === 1 ? '' : `(${count} steps)`}`, covers))
  )
}

const someSteps = /*#__PURE__*/ t.union([whole, t.null], 'a whole number, or null')

/**
 * `drTune` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'drTune', Options> = /*#__PURE__*/ define({
  name: 'drTune',
  prose: "first-order on some or all steps, with the network's input held: biased by every path through the network",
  cover: 'FO(1..T) through the sampler',
  unbiasedFor: { bias: 'minus what the networks of the steps below send on, for all steps but the last of sampling' },
  options: {
    count: /*#__PURE__*/ field('how many steps are trained, equally spaced from a random one; null for all', someSteps)
  },
  defaults: { count: null },
  make: ({ T, differentiable }, { count }) =>
    differentiable
      ? drTune({ T, ...(count === null ? {} : { count }) })
      : noGradient('drTune', 'reinforce', 'fdfo', 'blackBoxRlr'),
  compared: () => [],
  verified: () => []
})
