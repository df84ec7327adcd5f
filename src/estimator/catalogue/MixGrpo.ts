/**
 * The steps of a window scored alone.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as F from './Fields.js'
import type { Looking, StateOptions } from './Fields.js'
import { define, noisySteps, type Row } from './Row.js'
import { scored as scoredAlone } from './Scores.js'
import { type Options as WindowOptions, within } from './Windowed.js'

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options extends StateOptions {
  readonly steps: WindowOptions['steps']
}

/**
 * Half-order on each step of a window by itself, as MixGRPO (arXiv 2507.21802) and Flow-GRPO-Fast have it on a chain that has noise
 * in the window only. Its bias is minus the terms of the other steps: that a step has no noise does not make its parameters
 * matter less. `windowed` pays for them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const mixGrpo = ({
  T,
  scored,
  ...looking
}: {
  readonly T: number
  readonly scored: ReadonlyArray<number>
} & Looking): E.Either<CoverError, Estimator> =>
  Est.fromCells(`mixGrpo(${C.showSteps(scored)})`, T, scoredAlone(scored, looking))

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
    ...F.state
  },
  defaults: { steps: null, ...F.stateDefaults },
  make: (facts, { steps, ...state }) =>
    pipe(
      within(noisySteps(facts), steps),
      E.flatMap((scored) => mixGrpo({ T: facts.T, scored, ...F.looking(facts, state) }))
    ),
  compared: () => [],
  verified: ({ T }) => (T < 3 ? [] : [{ name: 'mixGrpo(2)', options: { steps: [2, 2] }, baseline: 'without' }])
})
