/**
 * The steps of a window scored alone.
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
import { define, field, noisySteps, type Row } from './Row.js'
import { probability, scored as scoredAlone, systematic } from './Scores.js'
import { moved, type Options as WindowOptions, within } from './Windowed.js'

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends StateOptions {
  readonly steps: WindowOptions['steps']
  readonly chance: number
}

/**
 * Half-order on each step of a window by itself, as MixGRPO (arXiv 2507.21802) and Flow-GRPO-Fast have it on a chain that has noise
 * in the window only. Its bias is minus the terms of the other steps: that a step has no noise does not make its parameters
 * matter less. `windowed` pays for them. With a `chance` below 1 each step is scored so often, at random and not made up for, as
 * DanceGRPO (arXiv 2505.07818) does: its steps are paid by so much less, and alike.
 * Left: a window that is not within the chain.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mixGrpo = ({
  T,
  scored,
  chance = 1,
  ...looking
}: {
  readonly T: number
  readonly scored: ReadonlyArray<number>
  readonly chance?: number
} & Looking): E.Either<CoverError, Estimator> =>
  chance === 1
    ? Est.fromCells(`mixGrpo(${C.showSteps(scored)})`, T, scoredAlone(scored, looking))
    : pipe(
        systematic(
          scored,
          scored.map(() => chance)
        ),
        RA.traverse(E.Applicative)(({ weight, steps }) =>
          pipe(
            C.cover(T, scoredAlone(steps, looking)),
            E.map((cover): Weighted => ({ weight, cover }))
          )
        ),
        E.flatMap((covers) => Est.mixtureOf(`mixGrpo(${C.showSteps(scored)}, each with chance ${chance})`, covers))
      )

/**
 * `mixGrpo` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'mixGrpo', Options> = /*#__PURE__*/ define({
  name: 'mixGrpo',
  prose: 'half-order on each noisy step of a window alone: biased where there are other steps',
  cover: 'HO(t..t) for every t of the window',
  unbiasedFor: { bias: 'minus the terms of the steps outside the window' },
  options: {
    steps: /*#__PURE__*/ F.steps(
      'the lowest and the highest step of the window, such as [5, 8]; null for all with noise'
    ),
    chance: /*#__PURE__*/ field('how likely each of them is scored in a sample, not made up for', probability),
    ...F.state
  },
  defaults: { steps: null, chance: 1, ...F.stateDefaults },
  make: (facts, { steps, chance, ...state }) =>
    pipe(
      within(noisySteps(facts), steps),
      E.flatMap(
        moved(facts, 'mixGrpo', (scored) => mixGrpo({ T: facts.T, scored, chance, ...F.looking(facts, state) }))
      )
    ),
  compared: () => [],
  verified: ({ T }) => (T < 3 ? [] : [{ name: 'mixGrpo(2)', options: { steps: [2, 2] }, baseline: 'without' }])
})
