/**
 * Denoising diffusion implicit models with noise (Song, Meng and Ermon, arXiv 2010.02502, equations 12 and 16).
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import * as Need from '../../tensor/Need.js'
import { refused, type Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { clippedTo, type Clipping, type Coefficients } from '../EpsilonSampler.js'
import type { Schedule } from '../Schedule.js'

/**
 * The coefficients of step `t`, with `a = alphaBar[t]` and `b = alphaBar[t - 1]`:
 * `sigma = eta sqrt((1 - b) / (1 - a)) sqrt(1 - a / b)`, the state times `sqrt(b / a)`, and the predicted noise times
 * `sqrt(1 - b - sigma^2) - sqrt(b (1 - a) / a)`.
 *
 * @category utils
 * @since 0.1.0
 */
export const coefficients = (schedule: Schedule, eta: number, t: number): Coefficients => {
  const a = schedule.alphaBar[t] ?? 1
  const b = schedule.alphaBar[t - 1] ?? 1
  const sigma = eta * Math.sqrt((1 - b) / (1 - a)) * Math.sqrt(1 - a / b)
  return {
    state: Math.sqrt(b / a),
    epsilon: Math.sqrt(Math.max(1 - b - sigma * sigma, 0)) - Math.sqrt((b * (1 - a)) / a),
    sigma
  }
}

/**
 * The DDIM chain. `eta` in [0, 1] scales the noise: 0 is deterministic and has no score at any step; 1 has the posterior
 * variance of DDPM. The last step, next to the output, is deterministic for every `eta`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ddim = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
    readonly eta: number
  } & Clipping
): Chain<P, readonly ['batch', D], Rows<K>> =>
  refused(Need.between('ddim', 'eta', options.eta, 0, 1))(
    clippedTo(options)(`ddim(eta = ${options.eta})`, options.denoiser, options.schedule, (t) =>
      coefficients(options.schedule, options.eta, t)
    )
  )
