/**
 * Half-order on the noisy steps of a window, which pay for the steps above them too.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as F from './Fields.js'
import type { Looking, StateOptions } from './Fields.js'
import { define, type Facts, noisySteps, type Row } from './Row.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Its options by name: which steps are scored, of those that have noise (null: all of them); and those of the zeroth-order cell
 * below the lowest, where the reward has no gradient.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends StateOptions {
  readonly steps: null | readonly [lowest: number, highest: number]
  readonly radius: number
}

/**
 * The steps of a window: those of some steps with noise that lie in an interval. Left: none do.
 *
 * @category model
 * @since 0.1.0
 */
export const within = (
  noisy: ReadonlyArray<number>,
  steps: Options['steps']
): E.Either<CoverError, readonly [number, ...ReadonlyArray<number>]> => {
  const [first, ...rest] = noisy.filter((t) => steps === null || (t >= steps[0] && t <= steps[1]))
  return first === undefined
    ? E.left({
        _tag: 'BadOption',
        option: 'steps',
        expected: `some of the steps that have noise, ${C.showSteps(noisy) || 'of which the chain has none'}`,
        got: steps === null ? 'all' : `[${steps.join(', ')}]`
      })
    : E.right([first, ...rest])
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A half-order segment from each of the `scored` steps, in rising order, up to the step below the next one, the last one up to `T`:
 * the likelihood ratio of a step's noise pays for the steps above it, with noise or without, because the state that it is added to
 * depends on their parameters. The steps below the lowest are paid for by `below`: first-order by default. Unbiased for J, where
 * MixGRPO (arXiv 2507.21802) and Flow-GRPO-Fast (arXiv 2505.05470), which score the window's steps alone, leave the others unpaid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const windowed = ({
  T,
  scored,
  below = (to) => C.firstOrder(to),
  ...looking
}: {
  readonly T: number
  readonly scored: readonly [number, ...ReadonlyArray<number>]
  readonly below?: (to: number) => C.Cell
} & Looking): E.Either<CoverError, Estimator<'exact'>> => {
  const [lowest] = scored
  return Est.fromExactCells(`windowed(${C.showSteps(scored)})`, T, [
    ...(lowest > 1 ? [below(lowest - 1)] : []),
    ...scored.map((t, i) => C.halfOrder(t, (scored[i + 1] ?? T + 1) - 1, looking))
  ])
}

/** Steps, of which there is one. */
type Some = readonly [number, ...ReadonlyArray<number>]

/**
 * What is made of a window, for each place of a window that moves over some steps, the highest first and each as likely: a chain that
 * switches noise has it on the steps that the drawn cover scores, and each cover is of that chain. Left: a window that has no place.
 *
 * @category constructors
 * @since 0.1.0
 */
export const moved =
  (
    { window }: Pick<Facts, 'window'>,
    name: string,
    make: (scored: Some) => E.Either<CoverError, Estimator>
  ): ((scored: Some) => E.Either<CoverError, Estimator>) =>
  (all) => {
    if (window === undefined) return make(all)
    const places = all.flatMap((_, i): ReadonlyArray<Some> => {
      const [first, ...rest] = all.slice(i, i + window)
      return first === undefined || rest.length + 1 < window ? [] : [[first, ...rest]]
    })
    return pipe(
      [...places].reverse(),
      RA.traverse(E.Applicative)(make),
      E.flatMap((each) =>
        Est.mixtureOf(
          `${name}(${window} of ${C.showSteps(all)})`,
          each.flatMap(({ covers }) => covers)
        )
      )
    )
  }

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `windowed` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'windowed', Options> = /*#__PURE__*/ define({
  name: 'windowed',
  prose:
    'half-order from each noisy step up to the next; first-order below, or zeroth-order under a black box (for J_s)',
  cover: 'FO(1..t1-1) + HO(t1..t2-1) + ... + HO(tn..T)',
  unbiasedFor: 'J',
  options: {
    steps: /*#__PURE__*/ F.steps(
      'the lowest and the highest step of the window, such as [5, 8]; null for all with noise'
    ),
    ...F.state,
    radius: F.zeroth.radius
  },
  defaults: { steps: null, ...F.stateDefaults, radius: F.zerothDefaults.radius },
  make: (facts, { steps, radius, ...state }) => {
    const below = facts.differentiable
      ? (to: number): C.Cell => C.firstOrder(to)
      : (to: number): C.Cell => C.zerothOrder(C.range(1, to), { radius })
    return pipe(
      within(noisySteps(facts), steps),
      E.flatMap(
        moved(facts, 'windowed', (scored) => windowed({ T: facts.T, scored, below, ...F.looking(facts, state) }))
      )
    )
  },
  compared: () => [],
  verified: ({ T }) =>
    T < 3
      ? []
      : [
          { name: `windowed(${C.showSteps(C.range(2, T - 1))})`, options: { steps: [2, T - 1] }, baseline: 'with' },
          { name: 'windowed(2)', options: { steps: [2, 2] }, baseline: 'with' }
        ]
})
