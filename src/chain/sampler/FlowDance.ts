/**
 * The SDE of DanceGRPO on straight paths (Xue et al., arXiv 2505.07818).
 *
 * The reverse SDE of `Flow` with a noise `g` that does not change along the path: `g = eta`, 0.3 in the paper's code. The step is
 *
 *     y_u = y_s - h v - h eta^2 / (2 s) eps + eta sqrt(h) z.
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import type { Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { inScale, withNoise, type Clipping, type Coefficients, type Noisy } from '../EpsilonSampler.js'
import { onItsOwn, refuse, type SamplerRow } from '../SamplerRow.js'
import type { Schedule } from '../Schedule.js'
import { place, schedule } from './Flow.js'

/**
 * The coefficients of step `t`, on the scaled state.
 *
 * @category utils
 * @since 0.1.0
 */
export const coefficients = ({ alphaBar }: Schedule, eta: number, t: number): Coefficients => {
  const from = place(alphaBar[t] ?? 1)
  const to = place(alphaBar[t - 1] ?? 1)
  const h = from.s - to.s
  return inScale(
    from.scale,
    to.scale
  )({
    state: to.left / from.left,
    epsilon: -h / from.left - (h * eta * eta) / (2 * from.s),
    sigma: eta * Math.sqrt(h)
  })
}

/**
 * The chain. Marginals are off by `O(1 / T)`, more so the larger `eta` next to the output, where little noise is left to take away.
 * Every step of the window has noise, the last one too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flowDance = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
    readonly eta: number
  } & Clipping &
    Noisy
): Chain<P, readonly ['batch', D], Rows<K>> => withNoise('flow-dance', coefficients)(options)

/**
 * `flow-dance` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'flow-dance'> = {
  name: 'flow-dance',
  prose: 'flow matching with noise that does not change along the path (`eta`), as DanceGRPO has it',
  windows: true,
  build: (base, options) =>
    options.eta > 0
      ? onItsOwn(schedule, (denoiser, own, { eta, clip, window }) =>
          flowDance({ denoiser, schedule: own, eta, clip, window })
        )(base, options)
      : refuse('chain.eta', 'a number above 0 for flow-dance', String(options.eta), 'raise it, or choose flow-ode')
}
