/**
 * The studies, in the order of the claims that they test.
 *
 * @since 0.1.0
 */
import type { Study } from '../Study.js'
import { ablation } from './Ablation.js'
import { blackBox } from './BlackBox.js'
import { chains } from './Chains.js'
import { collapse } from './Collapse.js'
import { dimension } from './Dimension.js'
import { kl } from './Kl.js'
import { learningRate } from './LearningRate.js'
import { methods } from './Methods.js'
import { pathwise } from './Pathwise.js'
import { sampleEfficiency } from './SampleEfficiency.js'
import { segmentLength } from './SegmentLength.js'
import { stages } from './Stages.js'
import { start } from './Start.js'
import { steps } from './Steps.js'
import { video } from './Video.js'

/**
 * All studies.
 *
 * @category table
 * @since 0.1.0
 */
export const studies: ReadonlyArray<Study> = [
  methods,
  learningRate,
  ablation,
  segmentLength,
  collapse,
  sampleEfficiency,
  stages,
  start,
  dimension,
  kl,
  blackBox,
  pathwise,
  steps,
  chains,
  video
]
