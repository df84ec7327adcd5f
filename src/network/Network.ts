/**
 * Denoisers of any kind, from their descriptions.
 *
 * @since 0.1.0
 */
import * as O from 'fp-ts/lib/Option.js'
import type { Denoiser, DenoiserInput } from '../chain/Denoiser.js'
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Parameters, Params } from '../lens/Lens.js'
import type { ShareName } from '../chain/Share.js'
import type { DenoiserDescription } from './Description.js'
import { erase } from '../lens/Erase.js'
import { fromClean } from './FromClean.js'
import * as Latent from './Latent.js'
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
    case 'latent':
      return Latent.featuresOf(description)
    case 'tokens':
      return description.length * description.alphabet
  }
}

/**
 * The schedule whose times a network is told. Tokens are masked in proportion to the time, as data are mixed on a straight path.
 *
 * @category utils
 * @since 0.1.0
 */
export const shareOf = (description: DenoiserDescription): ShareName =>
  description.kind === 'tokens' ? 'flow' : description.share

/**
 * The network of a description: from `x`, time and condition to the clean output that it expects, or the logits of clean tokens.
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
    case 'latent':
      return erase(L.at('denoiser', Latent.clean(description)))
    case 'tokens':
      return erase(Mlp.clean({ ...description, features: featuresOf(description), share: shareOf(description) }))
  }
}

/**
 * The denoiser of a description: the noise in `x`, or the logits of clean tokens. It is told times of the schedule that the description names in `share`
 * (`Share.schedules`), which a chain must use.
 *
 * @category constructors
 * @since 0.1.0
 */
export const denoiser = (description: DenoiserDescription): Denoiser<Params, number, number> =>
  description.kind === 'tokens'
    ? {
        features: featuresOf(description),
        labels: description.labels,
        alphabet: description.alphabet,
        networkCalls: 1,
        lens: clean(description)
      }
    : fromClean({ ...description, features: featuresOf(description) }, clean(description))

/**
 * What turns the denoiser's output into rows of pixels, where that is not the output itself.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decoder = (description: DenoiserDescription): O.Option<Lens<Params, Rows<number>, Rows<number>>> =>
  description.kind === 'latent' ? O.some(erase(L.at('decoder', Latent.decoder(description)))) : O.none

/**
 * All parameters of a description: those of the denoiser and, where there are latents, of encoder and decoder.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parameters = (description: DenoiserDescription): Parameters =>
  description.kind === 'latent'
    ? {
        encoder: Latent.encoder(description).parameters,
        decoder: Latent.decoder(description).parameters,
        denoiser: Latent.clean(description).parameters
      }
    : clean(description).parameters
