/**
 * How noise grows with what is trained.
 *
 * @since 0.1.0
 */
import type { Study } from '../Study.js'

/** @category studies @since 0.1.0 */
export const dimension: Study = {
  _tag: 'Comparisons',
  name: 'dimension',
  question: 'How does the variance of each estimator grow with the number of trained parameters?',
  paper: 'reviewers asked',
  varied: 'trained',
  on: {
    faces: {
      options: { samples: '2048', only: 'rlr(h = 2)|reinforce|evolution strategies, central|full backpropagation' },
      quick: { samples: '64', T: '5' }
    }
  },
  // the parameters of an adapter are in proportion to its rank; the soft prompt has 128
  conditions: [
    { name: 'soft prompt, 128 parameters', at: 0.1, options: { trained: '**.labels.bias' } },
    ...[1, 4, 16].map((rank) => ({ name: `adapters of rank ${rank}`, at: rank, options: { lora: `${rank}` } }))
  ],
  x: 'rank of the adapters (0.1: the soft prompt)',
  quantities: ['varianceTimesCost', 'variance', 'slopeRatio']
}
