/**
 * Denoisers of any kind, from their descriptions.
 *
 * @since 0.1.0
 */
import type { Denoiser, DenoiserInput } from '../chain/Denoiser.js'
import type { Rows } from '../lens/Dense.js'
import type { Lens, Params } from '../lens/Lens.js'
import type { DenoiserDescription } from './Description.js'
import { erase } from './Erase.js'
import { fromClean } from './FromClean.js'
import * as Mlp from './Mlp.js'
import * as Unet from './Unet.js'

/**
 * The numbers of a row that a denoiser takes and gives.
 *
 * @category utils
 * @since 0.1.0
 */
export const featuresOf = (description: DenoiserDescription): number => {
  switch (description.kind) {
    case 'mlp':
      return description.features
    case 'unet':
      return Unet.featuresOf(description.size)
  }
}

/**
 * The network of a description: from `x`, time and condition to the clean output that it expects.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clean = (description: DenoiserDescription): Lens<Params, DenoiserInput<number, number>, Rows<number>> => {
  switch (description.kind) {
    case 'mlp':
      return erase(Mlp.clean(description))
    case 'unet':
      return Unet.clean(description)
  }
}

/**
 * The denoiser of a description: the noise in `x`. It is told times of the schedule that the description names in `share`
 * (`Share.schedules`), which a chain must use.
 *
 * @category constructors
 * @since 0.1.0
 */
export const denoiser = (description: DenoiserDescription): Denoiser<Params, number, number> =>
  fromClean({ ...description, features: featuresOf(description) }, clean(description))
