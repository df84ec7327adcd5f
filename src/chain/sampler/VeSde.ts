/**
 * The reverse variance-exploding SDE by Euler-Maruyama (Song et al., arXiv 2011.13456, equations 9 and 6).
 *
 * Forward `dy = dw` in the clock `s^2`, so `y = x_0 + s noise`. Reverse, with the score `-eps / s`:
 *
 *     y_{t-1} = y_t - (s_t^2 - s_{t-1}^2) eps / s_t + sqrt(s_t^2 - s_{t-1}^2) z
 *
 * The chain's state is `x = y / sqrt(1 + s^2)`, whose share of data is `alphaBar = 1 / (1 + s^2)`. That is the scale in which
 * denoisers are trained, `x_T` is a standard draw (`y_T` has variance `1 + s_T^2`, that of data of unit variance with its
 * noise), and since `s_0 = 0` the output has the scale of the data. A change of scale by constants leaves the process, its
 * scores and its gradients what they are.
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import type { Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { clippedTo, inScale, type Clipping, type Coefficients } from '../EpsilonSampler.js'
import { tabulated, type Schedule } from '../Schedule.js'
import { tabled, type TimeMap } from '../TimeMap.js'
import { onItsOwn, type SamplerRow } from '../SamplerRow.js'

/**
 * Where the levels of noise start and end.
 *
 * @category model
 * @since 0.1.0
 */
export interface Levels {
  readonly least: number
  readonly greatest: number
}

/**
 * Levels from 0.01 to 50 for data in [-1, 1], as the paper has them for small images.
 *
 * @category constants
 * @since 0.1.0
 */
export const levels: Levels = { least: 0.01, greatest: 50 }

/**
 * `T` levels in geometric progression, `least` at step 1 and `greatest` at step `T`, for a denoiser of any map. `T` is rounded
 * as in `Schedule.fromShare`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule =
  (map: TimeMap, { least, greatest }: Levels = levels) =>
  (T: number): Schedule => {
    const ratio = greatest / least
    const level = (t: number, steps: number): number => least * ratio ** (steps === 1 ? 1 : (t - 1) / (steps - 1))
    return tabled(map)(tabulated(T, (t, steps) => 1 / (1 + level(t, steps) ** 2)))
  }

/**
 * The coefficients of step `t`, on the scaled state.
 *
 * @category utils
 * @since 0.1.0
 */
export const coefficients = ({ alphaBar }: Schedule, t: number): Coefficients => {
  const a = alphaBar[t] ?? 1
  const b = alphaBar[t - 1] ?? 1
  // s_t^2 - s_{t-1}^2 = 1 / a - 1 / b
  const d = (b - a) / (a * b)
  const s = Math.sqrt((1 - a) / a)
  return inScale(1 / Math.sqrt(a), 1 / Math.sqrt(b))({ state: 1, epsilon: -d / s, sigma: Math.sqrt(d) })
}

/**
 * The chain. Marginals are off by `O(1 / T)` down to the least level; every step has noise, the last one of the least level.
 *
 * @category constructors
 * @since 0.1.0
 */
export const veSde = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
  } & Clipping
): Chain<P, readonly ['batch', D], Rows<K>> =>
  clippedTo(options)('ve-sde', options.denoiser, options.schedule, (t) => coefficients(options.schedule, t))

/**
 * `ve-sde` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'ve-sde'> = {
  name: 've-sde',
  prose: 'the reverse variance-exploding SDE',
  build: /*#__PURE__*/ onItsOwn(schedule, (denoiser, own, { clip }) => veSde({ denoiser, schedule: own, clip }))
}
