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
import { classes, every, inclusion, scoredFor, systematic } from './Scores.js'

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
  readonly inclusion: ReadonlyArray<number> | null
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * First-order on step 1 and half-order, each by itself, on some of the others, drawn at random: on every `every`-th, from a place
 * drawn at random, or on each with a probability of its own, `inclusion` of the steps `2..T`. What is drawn counts one over its
 * probability. Every step is paid once on average, so it is unbiased for J, with `(T - 1) / every` pullbacks a sample, or the sum of
 * the probabilities. `Inclusion.allocate` finds them on a pilot. Left: an `every` that is no number of steps, probabilities that are
 * none, or not those of `T - 1` steps.
 *
 * @category constructors
 * @since 0.1.0
 */
export const subsampled = ({
  T,
  every: n = 1,
  inclusion,
  ...looking
}: {
  readonly T: number
  readonly every?: number
  readonly inclusion?: ReadonlyArray<number>
} & Looking): E.Either<CoverError, Estimator<'exact'>> => {
  if (!Number.isInteger(n) || n < 1) {
    return E.left({ _tag: 'BadOption', option: 'every', expected: 'a whole number of at least 1', got: `${n}` })
  }
  if (inclusion !== undefined && !(inclusion.length === T - 1 && inclusion.every((p) => p > 0 && p <= 1))) {
    const expected = `${T - 1} numbers above 0 and at most 1`
    return E.left({ _tag: 'BadOption', option: 'inclusion', expected, got: inclusion.join(', ') })
  }
  const likely = (t: number): number => inclusion?.[t - 2] ?? 1 / n
  const above = C.range(2, T)
  const drawn =
    inclusion === undefined ? classes(above, n).map((steps) => ({ weight: 1, steps })) : systematic(above, inclusion)
  const mean = inclusion?.reduce((sum, p) => sum + p, 0) ?? 0
  return pipe(
    drawn,
    RA.traverse(E.Applicative)(({ weight, steps }) =>
      pipe(
        C.portion(T, [C.firstOrder(1), ...steps.map((t) => scoredFor(1 / likely(t), looking)(t))]),
        E.map((cover): Weighted => ({ weight, cover }))
      )
    ),
    E.flatMap((covers) =>
      Est.balanced(
        inclusion === undefined
          ? `subsampled(every = ${n})`
          : `subsampled(${Number(mean.toPrecision(3))} of ${T - 1} steps, by chances)`,
        covers
      )
    )
  )
}

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
  options: { every, inclusion, ...F.state },
  defaults: { every: 5, inclusion: null, ...F.stateDefaults },
  make: (facts, { every: n, inclusion: chances, ...state }) =>
    facts.differentiable
      ? subsampled({
          T: facts.T,
          every: n,
          ...(chances === null ? {} : { inclusion: chances }),
          ...F.looking(facts, state)
        })
      : noGradient('subsampled', 'reinforce', 'blackBoxRlr'),
  compared: ({ differentiable }) => (differentiable ? [5, 10].map((n) => ({ options: { every: n } })) : []),
  verified: ({ T }) => [
    ...[2, 3].map((n) => ({ options: { every: n }, baseline: 'with' as const })),
    { options: { inclusion: C.range(2, T).map((t) => 1 / t) }, baseline: 'with' }
  ]
})
