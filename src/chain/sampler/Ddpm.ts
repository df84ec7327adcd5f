/**
 * Denoising diffusion probabilistic models (Ho, Jain and Abbeel, arXiv 2006.11239, algorithm 2).
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import { withoutLastNoise, type Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { clippedTo, type Clipping, type Coefficients } from '../EpsilonSampler.js'
import type { Schedule } from '../Schedule.js'
import { onLevels, type SamplerRow } from '../SamplerRow.js'

/**
 * Which variance a step has, with `beta = 1 - alphaBar[t] / alphaBar[t - 1]`: `large` is `beta`, right for data that is a
 * standard normal; `small` is the posterior's, `beta (1 - alphaBar[t - 1]) / (1 - alphaBar[t])`, right for data that
 * is one point. The small one is 0 at the last step.
 *
 * @category model
 * @since 0.1.0
 */
export type Variance = 'large' | 'small'

/**
 * The coefficients of step `t`: the state over `sqrt(1 - beta)`, the predicted noise times
 * `-beta / sqrt((1 - alphaBar) (1 - beta))`.
 *
 * @category utils
 * @since 0.1.0
 */
export const coefficients = (schedule: Schedule, variance: Variance, t: number): Coefficients => {
  const a = schedule.alphaBar[t] ?? 1
  const b = schedule.alphaBar[t - 1] ?? 1
  const beta = 1 - a / b
  return {
    // 1 - beta is a / b
    state: Math.sqrt(b / a),
    epsilon: -beta / Math.sqrt((1 - a) * (a / b)),
    sigma: Math.sqrt(variance === 'large' ? beta : (beta * (1 - b)) / (1 - a))
  }
}

/**
 * The DDPM chain. With the `large` variance its step 1 has noise as every other, so that a half-order cell may end there;
 * `lastNoise: false` leaves that out, as algorithm 2 of the paper and diffusers do (`z = 0` at `t = 1`). Default: true.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ddpm = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
    readonly variance: Variance
    readonly lastNoise?: boolean | undefined
  } & Clipping
): Chain<P, readonly ['batch', D], Rows<K>> => {
  const chain = clippedTo(options)(`ddpm(${options.variance})`, options.denoiser, options.schedule, (t) =>
    coefficients(options.schedule, options.variance, t)
  )
  return options.lastNoise === false ? withoutLastNoise(chain) : chain
}

/**
 * `ddpm` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'ddpm'> = {
  name: 'ddpm',
  prose: 'DDPM (`variance`), on the levels of `schedule`',
  build: /*#__PURE__*/ onLevels((denoiser, schedule, { variance, clip }) =>
    ddpm({ denoiser, schedule, variance, clip })
  )
}
