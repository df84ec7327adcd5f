/**
 * What a price of leaving the base buys.
 *
 * @since 0.1.0
 */
import type { Condition, Study } from '../Study.js'
import * as Bases from './Bases.js'
import { halfOrderRest } from './Conditions.js'

const priced = (beta: number): Condition => ({
  name: `beta = ${beta}`,
  config: { ...halfOrderRest.config, kl: { beta } }
})

/** @category studies @since 0.1.0 */
export const kl: Study = {
  _tag: 'Finetunes',
  name: 'kl',
  question:
    'How much reward does each nat of divergence from the base buy, and what becomes of diversity, over three decades of the price?',
  paper: undefined,
  varied: 'price',
  on: { faces: Bases.inSteps(16, 3)(Bases.faces), points: Bases.inSteps(30, 3)(Bases.unpriced(Bases.points)) },
  conditions: [0, 0.01, 0.1, 1, 10].map(priced),
  against: 'beta = 0',
  marks: [0.5],
  plots: [{ x: 'kl', y: 'heldOut' }]
}
