/**
 * Every sampler.
 *
 * @since 0.1.0
 */
import type { Condition, Study } from '../Study.js'
import * as Bases from './Bases.js'
import { halfOrderRest } from './Conditions.js'

const on = (kind: string, model: string): Condition => ({
  name: kind,
  config: { ...halfOrderRest.config, chain: { kind }, model }
})

/** @category studies @since 0.1.0 */
export const chains: Study = {
  _tag: 'Finetunes',
  name: 'chains',
  question: 'Does the reward rise on every chain that has noise?',
  paper: 'chains of other samplers are left to later work',
  varied: 'chain',
  on: { faces: Bases.inSteps(15, 2)(Bases.having({ chain: { T: 10 } })(Bases.faces)) },
  conditions: [
    ...['ddim', 'ddpm', 'edm', 'consistency'].map((kind) => on(kind, 'faces-mlp')),
    ...['flow-sde', 'flow-cps', 'flow-dance'].map((kind) => on(kind, 'flow'))
  ],
  against: 'ddim',
  marks: [0.5],
  plots: [{ x: 'steps', y: 'heldOut' }]
}
