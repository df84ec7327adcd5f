/**
 * How noise grows with what is trained.
 *
 * @since 0.1.0
 */
import type { Study } from '../Study.js'

const only = [
  'rlr(h = 2), leave-one-out',
  'reinforce (first-order on step 1)',
  'evolution strategies, central',
  'full backpropagation'
].join('|')

/** @category studies @since 0.1.0 */
export const dimension: Study = {
  _tag: 'Comparisons',
  name: 'dimension',
  question: 'How does the variance of each estimator grow with the number of trained parameters?',
  paper: 'reviewers asked',
  varied: 'trained',
  on: {
    faces: {
      options: { samples: '512', T: '10', only },
      quick: { samples: '64', T: '5' }
    }
  },
  conditions: [
    { name: 'soft prompt', at: 128, options: { trained: '**.labels.bias' } },
    { name: 'all biases', at: 6400, options: { trained: '**.bias' } },
    // an adapter has its rank times the rows and the columns of every weight
    ...[1, 4, 16].map((rank) => ({ name: `adapters of rank ${rank}`, at: 8098 * rank, options: { lora: `${rank}` } }))
  ],
  x: 'trained parameters',
  quantities: ['varianceTimesCost', 'variance', 'slopeRatio']
}
