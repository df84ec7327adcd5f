/**
 * Flow matching with coefficients-preserving noise (Wang and Yu, arXiv 2509.05952).
 *
 * A step of `Flow` predicts the output `x_0` and the noise behind a state, and goes to level `u` of the straight path. Here a part of
 * that noise is drawn anew, and no more of it than there is:
 *
 *     y_u = (1 - u) x_0 + sqrt(u^2 - s^2) eps + s z,     s = u sin(eta pi / 2),
 *
 * so that the amount of noise is `u` whatever `eta`, where the Euler step of an SDE has too much of it by `O(1 / T)`. It is DDIM's step
 * (arXiv 2010.02502, equation 12) in another scale and with another deviation. The last step is deterministic.
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import type { Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { inScale, withNoise, type Clipping, type Coefficients, type Noisy } from '../EpsilonSampler.js'
import { onItsOwn, type SamplerRow } from '../SamplerRow.js'
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
  const angle = (eta * Math.PI) / 2
  // of x_0 = (y - s eps) / (1 - s)
  const state = to.left / from.left
  return inScale(
    from.scale,
    to.scale
  )({ state, epsilon: to.s * Math.cos(angle) - state * from.s, sigma: to.s * Math.sin(angle) })
}

/**
 * The chain. `eta` in [0, 1]: 0 is the ODE, 1 draws all of the noise anew.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flowCps = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
    readonly eta: number
  } & Clipping &
    Noisy
): Chain<P, readonly ['batch', D], Rows<K>> => withNoise('flow-cps', coefficients, 1)(options)

/**
 * `flow-cps` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'flow-cps'> = {
  name: 'flow-cps',
  prose: 'flow matching with coefficients-preserving noise (`eta`)',
  windows: true,
  build: /*#__PURE__*/ onItsOwn(schedule, (denoiser, own, { eta, clip, window }) =>
    flowCps({ denoiser, schedule: own, eta, clip, window })
  )
}
