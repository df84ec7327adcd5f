/**
 * What a reward costs, in evaluations and in time.
 *
 * @since 0.1.0
 */
import type { Study } from '../Study.js'
import * as Bases from './Bases.js'
import * as C from './Conditions.js'

/** @category studies @since 0.1.0 */
export const sampleEfficiency: Study = {
  _tag: 'Finetunes',
  name: 'sample-efficiency',
  question: 'Who gets to a reward with the fewest network evaluations, and who in the least time of one core?',
  paper:
    'RLR rises as fast as truncated backpropagation at first, reinforcement learning slowly, and RLR ends highest (its curves)',
  varied: 'estimator',
  on: { faces: Bases.paying(128_000)(Bases.faces), points: Bases.points },
  conditions: [C.asPrinted, C.truncated(1), C.reinforce, C.full, C.clean],
  against: C.asPrinted.name,
  marks: [1 / 16, 1 / 8, 1 / 4, 1 / 2],
  plots: [
    { x: 'cost', y: 'heldOut' },
    { x: 'seconds', y: 'heldOut' }
  ]
}
