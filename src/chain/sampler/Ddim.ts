/**
 * Denoising diffusion implicit models with noise (Song, Meng and Ermon, arXiv 2010.02502, equations 12 and 16).
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import type { Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { type Clipping, type Coefficients, type Noisy, withNoise } from '../EpsilonSampler.js'
import type { Schedule } from '../Schedule.js'
import { type Build, onLevels, refuse, type SamplerRow } from '../SamplerRow.js'

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
 * The DDIM chain. `eta` in [0, 1] scales the noise: 0 is deterministic and has no score at any step; 1 has the
 * posterior variance of DDPM. The last step, next to the output, is deterministic for every `eta`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ddim = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
    readonly eta: number
  } & Clipping &
    Noisy
): Chain<P, readonly ['batch', D], Rows<K>> => withNoise('ddim', coefficients, 1)(options)

const build: Build = /*#__PURE__*/ onLevels((denoiser, schedule, { eta, clip, window }) =>
  ddim({ denoiser, schedule, eta, clip, window })
)

/**
 * `ddim` by name, and `latent`, which is the same for a model of latents. The other chains take such a model too, but
 * for `cascade`.
 *
 * @category row
 * @since 0.1.0
 */
export const rows: readonly [SamplerRow<'ddim'>, SamplerRow<'latent'>] = [
  { name: 'ddim', prose: 'DDIM with noise (`eta`), on the levels of `schedule`', windows: true, build },
  {
    name: 'latent',
    prose: 'DDIM for a model of latents',
    windows: true,
    build: (base, options) =>
      base.latent
        ? build(base, options)
        : refuse(
            'chain.kind',
            "a model of latents with a decoder for 'latent'",
            'a model of images',
            "set `model` to a file that `halforder pretrain` wrote for latents, or choose 'ddim'"
          )
  }
]
