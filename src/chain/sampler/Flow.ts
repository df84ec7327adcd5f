/**
 * Flow matching: its ODE, and SDEs with the same marginals.
 *
 * Paths are straight, `y_s = (1 - s) x_0 + s noise` (Lipman et al., arXiv 2210.02747; Liu et al., arXiv 2209.03003). The
 * velocity is `v = E[noise - x_0 | y_s]`, and since `x_0 = (y - s noise) / (1 - s)`, `v = (eps - y) / (1 - s)`. The density `p`
 * of `y_s` obeys `dp/ds = -div(v p)`. Run backwards, with `h` the step in `s`, any `g` leaves it so:
 *
 *     dy = (-v + g^2 / 2 grad ln p) dh + g dw,     grad ln p = -eps / s,
 *
 * because the drift along the score and the noise cancel in the Fokker-Planck equation:
 * `-div(g^2 / 2 p grad ln p) + g^2 / 2 div grad p = 0`. `g = 0` is the ODE; Flow-GRPO (arXiv 2505.05470) takes
 * `g^2 = eta^2 s / (1 - s)`. The Euler-Maruyama step, with `u = s - h`, is
 *
 *     y_u = y_s - h v - h g^2 / (2 s) eps + g sqrt(h) z,     g^2 = eta^2 s / (1 - u):
 *
 * `1 - u` for `1 - s` changes it by `O(h)` and keeps the first steps, where `1 - s` is next to nothing, as quiet as the rest.
 *
 * The chain's state is `x = y / sqrt((1 - s)^2 + s^2)`, the scale in which denoisers are trained; it is `y` at the output.
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import type { Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { clippedTo, inScale, type Clipping, type Coefficients, type Noisy, withNoise } from '../EpsilonSampler.js'
import { leastShare, tabulated, type Schedule } from '../Schedule.js'
import { flow as paths, tabled, type TimeMap } from '../TimeMap.js'
import { onItsOwn, refuse, type SamplerRow } from '../SamplerRow.js'

/**
 * `T` uniform steps in `s`, for a denoiser of any map. Since a noise prediction says nothing about the velocity at `s = 1`,
 * it starts where the denoiser's own share ends, or at `Schedule.leastShare` where that ends at 0: at `s = 0.99` for the cosine
 * schedule and for straight paths. `T` is rounded as in `Schedule.fromShare`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule =
  (map: TimeMap) =>
  (T: number): Schedule => {
    const start = paths.time(Math.max(map.share(1), leastShare(1)))
    return tabled(map)(tabulated(T, (t, steps) => paths.share((start * t) / steps)))
  }

/**
 * Where in a step its noise is read off: at its `end`, nearer to the output, or at its `start`, as Flow-GRPO does.
 *
 * @category model
 * @since 0.1.0
 */
export type End = 'end' | 'start'

/**
 * Where a share `a` of the data is on a straight path: the noise `s`, what is `left` of the output, and the scale of the state there.
 *
 * @category utils
 * @since 0.1.0
 */
export const place = (a: number): { readonly s: number; readonly left: number; readonly scale: number } => {
  const scale = 1 / (Math.sqrt(a) + Math.sqrt(1 - a))
  return { s: Math.sqrt(1 - a) * scale, left: Math.sqrt(a) * scale, scale }
}

/**
 * The coefficients of step `t`, on the scaled state. `eta` scales the noise `g`; 0 is the ODE.
 *
 * @category utils
 * @since 0.1.0
 */
export const coefficients = ({ alphaBar }: Schedule, eta: number, t: number, at: End = 'end'): Coefficients => {
  const from = place(alphaBar[t] ?? 1)
  const to = place(alphaBar[t - 1] ?? 1)
  const h = from.s - to.s
  const g2 = (eta * eta * from.s) / (at === 'end' ? to.left : from.left)
  return inScale(
    from.scale,
    to.scale
  )({
    state: to.left / from.left,
    epsilon: -h / from.left - (h * g2) / (2 * from.s),
    sigma: Math.sqrt(g2 * h)
  })
}

/**
 * The chain of the ODE, deterministic at every step: it has no score, so no half-order cell may stand on it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flowOde = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
  } & Clipping
): Chain<P, readonly ['batch', D], Rows<K>> =>
  clippedTo(options)('flow-ode', options.denoiser, options.schedule, (t) => coefficients(options.schedule, 0, t))

/**
 * The chain of the SDE with noise `eta > 0`; Flow-GRPO's is 0.7. Marginals are off by `O(1 / T)`; every step has noise.
 *
 * Who compares with Flow-GRPO's code: its `g^2` is `eta^2 s / (1 - s)` at the start of a step, and here it is
 * `eta^2 s / (1 - u)` with `u` at the end of it, unless `at` is `start`. The two differ by `O(1 / T)`, most in the first steps,
 * where `1 - s` is next to nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flowSde = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
    readonly eta: number
    readonly at?: End | undefined
  } & Clipping &
    Noisy
): Chain<P, readonly ['batch', D], Rows<K>> =>
  withNoise('flow-sde', (schedule, eta, t) => coefficients(schedule, eta, t, options.at))(options)

/**
 * `flow-ode` and `flow-sde` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const rows: readonly [SamplerRow<'flow-ode'>, SamplerRow<'flow-sde'>] = [
  {
    name: 'flow-ode',
    prose: 'the ODE of flow matching: no step has noise, so no half-order cell may stand on it',
    build: /*#__PURE__*/ onItsOwn(schedule, (denoiser, own, { clip }) => flowOde({ denoiser, schedule: own, clip }))
  },
  {
    name: 'flow-sde',
    prose: 'its SDE with the same marginals (`eta`), as Flow-GRPO has it',
    windows: true,
    build: (base, options) =>
      options.eta > 0
        ? onItsOwn(schedule, (denoiser, own, { eta, clip, window }) =>
            flowSde({ denoiser, schedule: own, eta, clip, window })
          )(base, options)
        : refuse('chain.eta', 'a number above 0 for flow-sde', String(options.eta), 'raise it, or choose flow-ode')
  }
]
