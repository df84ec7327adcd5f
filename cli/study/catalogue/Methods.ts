/**
 * Who gets furthest for the same cost.
 *
 * @since 0.1.0
 */
import type { Study } from '../Study.js'
import * as Bases from './Bases.js'
import * as C from './Conditions.js'

/** @category studies @since 0.1.0 */
export const methods: Study = {
  _tag: 'Finetunes',
  name: 'methods',
  question:
    'At the same number of network evaluations and pullbacks, which estimator raises the reward most, by the judge that it was not trained on, and what does it do to diversity?',
  paper: 'RLR beats truncated backpropagation and reinforcement learning on every reward (table 1)',
  varied: 'estimator',
  on: { faces: Bases.faces, points: Bases.points, 'unet-lora': Bases.unetLora },
  conditions: [
    C.asPrinted,
    C.base,
    C.truncated(1),
    C.randomTruncation,
    C.reinforce,
    C.full,
    C.halfOrderRest,
    C.clean,
    C.ddpo,
    C.flowGrpo,
    C.siblings,
    C.adjointMatching,
    C.nft,
    C.weightedMatching
  ],
  against: C.asPrinted.name,
  marks: [0.25, 0.5],
  plots: [
    { x: 'cost', y: 'heldOut' },
    { x: 'cost', y: 'diversity' }
  ]
}
