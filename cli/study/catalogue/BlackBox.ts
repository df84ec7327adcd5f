/**
 * Rewards without a gradient.
 *
 * @since 0.1.0
 */
import type { Condition, Study } from '../Study.js'
import * as Bases from './Bases.js'

const by = (name: string, estimator: Condition['config']): Condition => ({ name, config: { estimator } })

/** @category studies @since 0.1.0 */
export const blackBox: Study = {
  _tag: 'Finetunes',
  name: 'black-box',
  question: 'Who raises a reward that is known by its values alone, the size of a JPEG file, with the fewest calls?',
  paper: undefined,
  varied: 'estimator',
  on: { faces: Bases.having({ reward: 'compressibility' })(Bases.faces) },
  conditions: [
    by('REINFORCE (DDPO)', { name: 'reinforce', baseline: 'none' }),
    by('half-order, clean baseline', { name: 'reinforce', baseline: 'clean' }),
    by('RLR, zeroth-order rest', { name: 'blackBoxRlr', baseline: 'none' }),
    by('evolution strategies', { name: 'evolutionStrategies' })
  ],
  against: 'REINFORCE (DDPO)',
  marks: [0.25, 0.5],
  plots: [{ x: 'cost', y: 'reward' }]
}
