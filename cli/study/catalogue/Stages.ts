/**
 * Prompts by stage, with the segment aimed.
 *
 * @since 0.1.0
 */
import type { Condition, Group, Study } from '../Study.js'
import * as Bases from './Bases.js'

/** What is asked for, a part of it at each third of the chain: the glasses, which the base model is worst at, in the second. */
const byStage: Group = {
  prompt: 'a happy face with blue hair, with round glasses',
  stages: {
    coarse: 'a face with blue hair',
    mid: 'a face with blue hair, with round glasses',
    fine: 'a happy face with blue hair, with round glasses'
  }
}

const from = (name: string, start: readonly [number, number] | null, asked: Group = byStage): Condition => ({
  name,
  config: { ...asked, estimator: { name: 'rlr', baseline: 'none', start } }
})

/** @category studies @since 0.1.0 */
export const stages: Study = {
  _tag: 'Finetunes',
  name: 'stages',
  question:
    'Where each third of the chain has its own prompt, does it help to start the half-order segment in the third that is deficient, and does it hurt to start it elsewhere?',
  paper: 'with prompts by stage and the segment aimed the reward is 49.9, without 43.1 (diffusive chain of thought)',
  varied: 'segment',
  on: { faces: Bases.having({ reward: 'alignment' }, { chain: { T: 20 } })(Bases.faces) },
  conditions: [
    from('by stage, aimed at the second third', [7, 13]),
    from('by stage, aimed at the third next to the output', [2, 6]),
    from('by stage, aimed at the third next to the noise', [14, 19]),
    from('by stage, not aimed', null),
    from('one prompt, not aimed', null, { prompt: byStage['prompt'] ?? '' })
  ],
  against: 'by stage, aimed at the second third',
  marks: [0.25, 0.5],
  plots: [{ x: 'cost', y: 'heldOut' }]
}
