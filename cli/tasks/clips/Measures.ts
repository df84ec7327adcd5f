/**
 * What clips are measured by, whatever they are trained for.
 *
 * @since 0.1.0
 */
import { classifier as network } from 'halforder/network/Classifier'
import type { TrainedClassifier } from 'halforder/network/Model'
import { alignment } from 'halforder/reward/Alignment'
import { dynamicDegree, meanOverFrames, smoothness } from 'halforder/reward/Clip'
import type { Named } from 'halforder/reward/Shelf'
import { aesthetic, type TrainedAesthetic } from '../faces/Aesthetic.js'
import * as Faces from '../faces/Faces.js'
import * as Clips from './Clips.js'

/**
 * The measures by name, under names of VBench (Huang et al., arXiv 2311.17982): `smoothness` and `dynamicDegree` as the rewards of
 * those names, in pixels from -1 to 1; `aesthetic`, the score learnt from pairs of faces, in the mean over the frames; and `alignment`, the
 * judge's log-probability of all that the prompt says of the face, in the mean over the frames.
 *
 * @category constructors
 * @since 0.1.0
 */
export const measures = (
  { description, parameters }: TrainedClassifier,
  score: TrainedAesthetic
): ReadonlyMap<string, Named> => {
  const clip = { frames: Clips.frameCount, size: Faces.features }
  const blocks = Faces.attributeNames.map(Faces.block)
  const agreement = alignment({ network: network(description), blocks, width: description.labels, parameters })
  return new Map<string, Named>([
    ['smoothness', { _tag: 'Free', reward: smoothness(clip) }],
    ['dynamicDegree', { _tag: 'Free', reward: dynamicDegree(clip) }],
    ['aesthetic', { _tag: 'Free', reward: meanOverFrames(clip, aesthetic(score.description, score.parameters)) }],
    ['alignment', { _tag: 'Prompted', reward: meanOverFrames(clip, agreement) }]
  ])
}
