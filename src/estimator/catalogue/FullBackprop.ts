/**
 * Full backpropagation.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as C from '../Cover.js'
import type { CoverError, Memory } from '../Cover.js'
import type { Estimator } from '../Estimator.js'
import * as Est from '../Estimator.js'
import * as F from './Fields.js'
import { define, field, noGradient, type Row } from './Row.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly memory: Memory
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Full backpropagation: first-order on every step. Unbiased for J. With `memory: 'recompute'` it keeps one step's
 * activations at a time, for one more evaluation of each step. Left: `T` is no length of a chain.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fullBackprop = (T: number, options: C.SegmentOptions = {}): E.Either<CoverError, Estimator<'exact'>> =>
  Est.fromExactCells(`full backpropagation${options.memory === 'recompute' ? '(recompute)' : ''}`, T, [
    C.firstOrder(T, options)
  ])

// -------------------------------------------------------------------------------------
// row
// -------------------------------------------------------------------------------------

/**
 * `fullBackprop` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'fullBackprop', Options> = /*#__PURE__*/ define({
  name: 'fullBackprop',
  prose: 'first-order on every step: little variance, and the memory of the whole chain unless it recomputes',
  cover: 'FO(1..T)',
  unbiasedFor: 'J',
  options: {
    memory: /*#__PURE__*/ field(
      'keep the activations of every step, or recompute each step when its turn comes',
      F.memory
    )
  },
  defaults: { memory: 'store' },
  make: ({ T, differentiable }, { memory }) =>
    differentiable
      ? fullBackprop(T, { memory })
      : noGradient('fullBackprop', 'reinforce', 'blackBoxRlr', 'evolutionStrategies'),
  compared: ({ differentiable }) => (differentiable ? [{ options: { memory: 'recompute' } }] : []),
  verified: () => [
    { options: {}, baseline: 'without' },
    { options: { memory: 'recompute' }, baseline: 'without' }
  ]
})
