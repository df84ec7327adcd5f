/**
 * Multistep consistency sampling (Song et al., arXiv 2303.01469, algorithm 1): predict the clean output, put noise back in.
 *
 *     x_{t-1} = sqrt(alphaBar[t - 1]) f(x_t, t) + sqrt(1 - alphaBar[t - 1]) z
 *
 * `f` should be a consistency function, which takes a state to the end of its deterministic path: then every marginal is
 * right, however few the steps. An ordinary denoiser predicts the *mean* of the clean outputs behind a state instead, and
 * its samples vary too little; a fine-tune may start from one all the same.
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import type { Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { clippedTo, type Clipping, type Coefficients } from '../EpsilonSampler.js'
import type { Schedule } from '../Schedule.js'
import { onLevels, type SamplerRow } from '../SamplerRow.js'

/**
 * The coefficients of step `t`, for `f = (x - sqrt(1 - a) eps) / sqrt(a)` with `a = alphaBar[t]`.
 *
 * @category utils
 * @since 0.1.0
 */
export const coefficients = ({ alphaBar }: Schedule, t: number): Coefficients => {
  const a = alphaBar[t] ?? 1
  const b = alphaBar[t - 1] ?? 1
  return { state: Math.sqrt(b / a), epsilon: -Math.sqrt((b * (1 - a)) / a), sigma: Math.sqrt(1 - b) }
}

/**
 * The chain of a consistency function, given as the epsilon-denoiser that it implies (`Prediction.epsilon`). The last step
 * is deterministic.
 *
 * @category constructors
 * @since 0.1.0
 */
export const consistency = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
  } & Clipping
): Chain<P, readonly ['batch', D], Rows<K>> =>
  clippedTo(options)('consistency', options.denoiser, options.schedule, (t) => coefficients(options.schedule, t))

/**
 * `consistency` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'consistency'> = {
  name: 'consistency',
  prose: 'multistep consistency sampling, on the levels of `schedule`',
  build: /*#__PURE__*/ onLevels((denoiser, schedule, { clip }) => consistency({ denoiser, schedule, clip }))
}
