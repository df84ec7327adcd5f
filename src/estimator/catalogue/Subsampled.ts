/**
 * REINFORCE on some of the steps: each step's term is paid rarely and then counts more, so that a sample costs few pullbacks
 * however long the chain is.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator, Weighted } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as F from './Fields.js'
import type { Looking, StateOptions } from './Fields.js'
import { define, noGradient, type Row } from './Row.js'
import { classes, every, scoredFor } from './Scores.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends StateOptions {
  readonly every: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * First-order on step 1 and half-order, each by itself, on every `every`-th of the others, from a place drawn at random; each
 * counts `every` times. Every step is paid once on average, so it is unbiased for J, with `(T - 1) / every` pullbacks a sample.
 * Left: an `every` that is no number of steps.
 *
 * @category constructors
 * @since 0.1.0
 */
export const subsampled = ({
  T,
  every: n,
  ...looking
}: {
  readonly T: number
  readonly every: number
} & Looking): E.Either<CoverError, Estimator<'exact'>> =>
  !Number.isInteger(n) || n < 1
    ? E.left({ _tag: 'BadOption', option: 'every', expected: 'a whole number of at least 1', got: `${n}` })
    : pipe(
        classes(C.range(2, T), n),
        RA.traverse(E.Applicative)((steps) =>
          pipe(
            C.portion(T, [C.firstOrder(1), ...steps.map(scoredFor(n, looking))]),
            E.map((cover): Weighted => ({ weight: 1, cover }))
          )
        ),
        E.flatMap((covers) => Est.balanced(`subsampled(every = ${n})`, covers))
      )

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `subsampled` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'subsampled', Options> = /*#__PURE__*/ define({
  name: 'subsampled',
  prose: 'first-order on step 1, and half-order on every so many-th other step, which counts so often: few pullbacks',
  cover: 'FO(1) + HO(t..t) for one step of n, shares n',
  unbiasedFor: 'J',
  options: { every, ...F.state },
  defaults: { every: 5, ...F.stateDefaults },
  make: (facts, { every: n, ...state }) =>
    facts.differentiable
      ? subsampled({ T: facts.T, every: n, ...F.looking(facts, state) })
      : noGradient('subsampled', 'reinforce', 'blackBoxRlr'),
  compared: ({ differentiable }) => (differentiable ? [5, 10].map((n) => ({ options: { every: n } })) : []),
  verified: () => [2, 3].map((n) => ({ options: { every: n }, baseline: 'with' as const }))
})
