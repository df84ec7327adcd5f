/**
 * Where full backpropagation's gradient lives.
 *
 * @since 0.1.0
 */
import type { Study } from '../Study.js'

const only = 'full backpropagation|reinforce'

/** @category studies @since 0.1.0 */
export const pathwise: Study = {
  _tag: 'Comparisons',
  name: 'pathwise',
  question:
    'Is the gradient of full backpropagation that of rare samples: does its tail grow heavier with T, and is its slope that of finite differences?',
  paper: 'Jacobians of a long chain explode',
  varied: 'T',
  on: {
    faces: { options: { samples: '512', only }, quick: { samples: '64' } },
    points: { options: { samples: '2048', only }, quick: { samples: '64' } }
  },
  conditions: [5, 10, 20, 50].map((T) => ({ name: `T = ${T}`, at: T, options: { T: `${T}` } })),
  x: 'steps of the chain',
  quantities: ['tailIndex', 'slopeRatio', 'variance', 'varianceTimesCost']
}
