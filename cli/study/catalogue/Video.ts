/**
 * Clips: what is left of their motion.
 *
 * @since 0.1.0
 */
import type { Finetunes } from '../Study.js'
import * as Bases from './Bases.js'
import * as C from './Conditions.js'

/** @category studies @since 0.1.0 */
export const video: Finetunes = {
  _tag: 'Finetunes',
  name: 'video',
  question:
    'When clips are trained for glasses at the same cost, which estimator raises the reward most, and does it keep the motion: how smooth it is, and how much of it there is?',
  paper:
    'of dynamic degree, aesthetic quality and VBench’s average, truncated backpropagation (VADER) has 66.94, 66.04 and 83.45, DDPO 58.29, 59.23 and 80.78, RLR 70.69, 66.15 and 84.63',
  varied: 'estimator',
  on: { clips: Bases.clips },
  conditions: [C.asPrinted, C.base, C.truncated(1), C.reinforce, C.halfOrderRest, C.clean],
  against: C.asPrinted.name,
  marks: [0.5],
  plots: [{ x: 'cost', y: 'heldOut' }],
  measures: [
    {
      name: 'smoothness',
      title: 'motion smoothness',
      here: 'minus the mean over pixels of the squared second difference in time: 0 for a still',
      elsewhere: 'how well a network finds frames that are left out from their neighbours'
    },
    {
      name: 'dynamicDegree',
      title: 'dynamic degree',
      here: 'the mean over pixels of the absolute first difference in time: 0 for a still',
      elsewhere: 'the share of clips whose strongest optical flow is above a threshold'
    },
    {
      name: 'aesthetic',
      title: 'aesthetic quality',
      here: 'a score that was learnt from pairs of faces, in the mean over the frames',
      elsewhere: 'the score of a predictor of people’s ratings, in the mean over the frames'
    },
    {
      name: 'alignment',
      title: 'alignment',
      here: 'the log-probability of all that the prompt says (0 where it says nothing, as here), in the mean over the frames, by a judge that no reward is of',
      elsewhere: 'the share of objects, colours, places and actions that are found as the prompt says'
    }
  ]
}
