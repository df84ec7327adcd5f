/**
 * REINFORCE over the steps of a chain.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as C from '../Cover.js'
import type { CoverError } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as F from './Fields.js'
import type { Looking, StateOptions, Zeroth } from './Fields.js'
import { reinforceAfterFirst } from './ReinforceAfterFirst.js'
import { define, type Row } from './Row.js'
import { scored } from './Scores.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Its options by name: those of the zeroth-order cell that pays for step 1 where nothing else can.
 *
 * @category model
 * @since 0.1.0
 */
export type Options = Pick<Zeroth, 'form' | 'radius'> & StateOptions

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * REINFORCE over the denoising steps, as DDPO-SF (arXiv 2305.13301): half-order on each step by itself. Unbiased for J.
 * Left: `T` is no length of a chain.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reinforce = (T: number, looking: Looking = {}): E.Either<CoverError, Estimator<'exact'>> =>
  Est.fromExactCells('reinforce', T, scored(C.range(1, T), looking))

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `reinforce` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'reinforce', Options> = /*#__PURE__*/ define({
  name: 'reinforce',
  // a half-order cell needs noise: which cell pays for a step 1 without any is the reward's to decide
  prose:
    'half-order on each step, as DDPO; first-order on a step 1 without noise, zeroth-order under a black box (for J_s)',
  cover: 'HO(t..t) for every t',
  unbiasedFor: 'J',
  options: { ...F.state, form: F.zeroth.form, radius: F.zeroth.radius },
  defaults: { ...F.stateDefaults, form: F.zerothDefaults.form, radius: F.zerothDefaults.radius },
  make: (facts, { form, radius, ...state }) => {
    const { T, noisyFirst, differentiable } = facts
    const looking = F.looking(facts, state)
    if (noisyFirst) return reinforce(T, looking)
    return differentiable
      ? reinforceAfterFirst(T, looking)
      : Est.fromExactCells('reinforce', T, [C.zerothOrder([1], { form, radius }), ...scored(C.range(2, T), looking)])
  },
  compared: ({ noisyFirst, differentiable, clean }) => {
    const name = noisyFirst ? 'reinforce' : `reinforce (${differentiable ? 'first' : 'zeroth'}-order on step 1)`
    return [
      { name, options: { baseline: 'none' }, part: 'reference' as const },
      { name: `${name}, no baseline`, options: { baseline: 'none' }, part: 'plain' as const },
      ...(clean ? [{ name: `${name}, clean baseline`, options: {} }] : []),
      ...(clean && differentiable ? [{ name: `${name}, clean control`, options: { control: 'clean' as const } }] : [])
    ]
  },
  verified: ({ noisyFirst }) => [
    noisyFirst
      ? { options: {}, baseline: 'both' }
      : { name: 'reinforce (first-order on step 1)', options: {}, baseline: 'both' }
  ]
})
