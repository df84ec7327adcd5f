/**
 * Is a larger batch worth its price?
 *
 * @since 0.1.0
 */
import type { Condition, Study } from '../Study.js'
import * as Bases from './Bases.js'

const of = (batch: number): Condition => ({ name: `batches of ${batch}`, config: { batch } })

/** @category studies @since 0.1.0 */
export const batches: Study = {
  _tag: 'Finetunes',
  name: 'batches',
  question: 'At the same cost, are few steps of many samples better than many of few?',
  paper: undefined,
  varied: 'batch',
  on: { points: Bases.points },
  conditions: [16, 64, 256].map(of),
  against: 'batches of 64',
  marks: [0.25, 0.5],
  plots: [{ x: 'cost', y: 'heldOut' }]
}
