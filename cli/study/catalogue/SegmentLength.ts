/**
 * How long a half-order segment should be.
 *
 * @since 0.1.0
 */
import type { Condition, Study } from '../Study.js'
import * as Bases from './Bases.js'

const ofLength = (h: number): Condition => ({
  name: `h = ${h}`,
  config: { estimator: { name: 'rlr', h, baseline: 'none' } }
})

/** @category studies @since 0.1.0 */
export const segmentLength: Study = {
  _tag: 'Finetunes',
  name: 'segment-length',
  question: 'Does a longer half-order segment raise the reward more for the same cost?',
  paper: 'the reward rises with h, and so do time and memory (table 9)',
  varied: 'segment',
  on: {
    faces: Bases.having({}, { chain: { T: 10 } })(Bases.faces),
    points: Bases.having({}, { chain: { T: 10 } })(Bases.points)
  },
  conditions: [1, 2, 4, 8].map(ofLength),
  against: 'h = 2',
  marks: [0.25, 0.5],
  plots: [{ x: 'cost', y: 'heldOut' }]
}
