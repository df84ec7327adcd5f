/**
 * What truncation does in the long run.
 *
 * @since 0.1.0
 */
import type { Study } from '../Study.js'
import * as Bases from './Bases.js'
import * as C from './Conditions.js'

/** @category studies @since 0.1.0 */
export const collapse: Study = {
  _tag: 'Finetunes',
  name: 'collapse',
  question:
    'Does truncated backpropagation collapse, with its reward going on to rise, and from which length on does it not?',
  paper: 'truncation at few steps collapses within 300 steps of training (figure 3)',
  varied: 'estimator',
  on: {
    faces: Bases.inSteps(300, 6)(Bases.having({ batch: 8 })(Bases.faces)),
    points: Bases.inSteps(300, 6)(Bases.unpriced(Bases.having({ batch: 16 })(Bases.points)))
  },
  conditions: [...[1, 2, 5, 10].map(C.truncated), C.full],
  against: C.full.name,
  marks: [1 / 30, 0.1, 1 / 3],
  plots: [
    { x: 'steps', y: 'diversity' },
    { x: 'steps', y: 'heldOut' }
  ]
}
