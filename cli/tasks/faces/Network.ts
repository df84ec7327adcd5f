/**
 * What a network of faces, or of clips of them, is trained by.
 *
 * @since 0.1.0
 */
import type { Params } from 'halforder/lens/Lens'
import type { ClassifierDescription, NumbersDescription } from 'halforder/network/Description'
import type { Dropout, Source } from 'halforder/training/Batches'
import type { Objective } from 'halforder/training/Objective'
import type { Recipe } from 'halforder/training/Pretrain'
import type { FaceSet } from './Renderer.js'

/**
 * A network by its description, its objective and its recipe; `batch` is how many rows a step sees, and `source` draws them
 * from faces.
 *
 * @category model
 * @since 0.1.0
 */
export interface Network {
  readonly about: string
  readonly description: ClassifierDescription | NumbersDescription
  readonly objective: () => Objective<Params>
  readonly recipe: Recipe
  readonly dropout: Dropout
  readonly batch: number
  readonly source: (faces: FaceSet) => Source
}
