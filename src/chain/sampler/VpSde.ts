/**
 * The reverse variance-preserving SDE by Euler-Maruyama (Song et al., arXiv 2011.13456, equations 11 and 6).
 *
 * Forward `dx = -x / 2 dtau + dw`, in the clock `tau = integral of beta = -ln alphaBar`. Reverse, over a step that takes the
 * clock back by `d = ln(alphaBar[t - 1] / alphaBar[t])`, with the score `-eps / sqrt(1 - alphaBar[t])`:
 *
 *     x_{t-1} = x_t + d (x_t / 2 + score) + sqrt(d) z
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import type { Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { clippedTo, type Clipping, type Coefficients } from '../EpsilonSampler.js'
import { linear, type Schedule } from '../Schedule.js'
import { retimed, type TimeMap } from '../TimeMap.js'
import { onItsOwn, type SamplerRow } from '../SamplerRow.js'

/**
 * The SDE's own schedule, with beta from 0.1 to 20 and uniform steps in time, for a denoiser of any map. The cosine schedule
 * is no good for Euler-Maruyama: its clock runs to infinity next to the noise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule =
  (map: TimeMap) =>
  (T: number): Schedule =>
    retimed(map)(linear(T))

/**
 * The coefficients of step `t`.
 *
 * @category utils
 * @since 0.1.0
 */
export const coefficients = ({ alphaBar }: Schedule, t: number): Coefficients => {
  const a = alphaBar[t] ?? 1
  const b = alphaBar[t - 1] ?? 1
  const d = Math.log(b / a)
  return { state: 1 + d / 2, epsilon: -d / Math.sqrt(1 - a), sigma: Math.sqrt(d) }
}

/**
 * The chain. Marginals are off by `O(1 / T)`; every step has noise.
 *
 * @category constructors
 * @since 0.1.0
 */
export const vpSde = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
  } & Clipping
): Chain<P, readonly ['batch', D], Rows<K>> =>
  clippedTo(options)('vp-sde', options.denoiser, options.schedule, (t) => coefficients(options.schedule, t))

/**
 * `vp-sde` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'vp-sde'> = {
  name: 'vp-sde',
  prose: 'the reverse variance-preserving SDE',
  build: /*#__PURE__*/ onItsOwn(schedule, (denoiser, own, { clip }) => vpSde({ denoiser, schedule: own, clip }))
}
