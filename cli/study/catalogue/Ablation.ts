/**
 * Does each part of RLR help?
 *
 * @since 0.1.0
 */
import type { Condition, Study } from '../Study.js'
import * as Bases from './Bases.js'
import * as C from './Conditions.js'

const onlyFirst: Condition = { ...C.truncated(1), name: 'V1: first-order alone' }

const noZerothOrder: Condition = {
  name: 'V2: no zeroth-order cell',
  config: { estimator: { name: 'rlr', rest: 'none', baseline: 'none' } }
}

/** Cells of one's own name their steps. */
const T = 10

const noHalfOrder: Condition = {
  name: 'V3: no half-order cell',
  config: {
    estimator: {
      name: 'cells',
      cells: [
        { kind: 'firstOrder', to: 1 },
        { kind: 'zerothOrder', steps: Array.from({ length: T - 1 }, (_, i) => i + 2), radius: 0.3 }
      ]
    }
  }
}

/** @category studies @since 0.1.0 */
export const ablation: Study = {
  _tag: 'Finetunes',
  name: 'ablation',
  question:
    'Without its zeroth-order cell RLR is biased, without its half-order cell it is unbiased and noisier: which of its parts carries it?',
  paper:
    'V1 (no half-order, no zeroth-order), V2 (no zeroth-order) and V3 (no half-order) fall short of the whole; the biased V2 beats the unbiased V3 (table 5)',
  varied: 'estimator',
  on: {
    faces: Bases.paying(16_000)(Bases.having({ chain: { T } }, { chain: { T } })(Bases.faces)),
    points: Bases.having({ chain: { T } }, { chain: { T } })(Bases.points)
  },
  conditions: [C.asPrinted, onlyFirst, noZerothOrder, noHalfOrder, C.halfOrderRest],
  against: C.asPrinted.name,
  marks: [0.25, 0.5],
  plots: [{ x: 'cost', y: 'heldOut' }]
}
