/**
 * Where along the chain the noise of an estimator is.
 *
 * @since 0.1.0
 */
import type { Study } from '../Study.js'

/** @category studies @since 0.1.0 */
export const steps: Study = {
  _tag: 'Comparisons',
  name: 'steps',
  question:
    'Which steps bring the variance of scores, and what is left of it where the prediction of the clean output is taken off?',
  paper: 'reviewers asked what each cell costs and how noisy it is',
  varied: 'T',
  on: { faces: { options: { samples: '256', only: 'reinforce (first-order on step 1)' }, quick: { samples: '64' } } },
  conditions: [{ name: 'T = 20', at: 20, options: { T: '20' } }],
  x: 'steps of the chain',
  quantities: ['variance', 'varianceTimesCost'],
  byStep: true
}
