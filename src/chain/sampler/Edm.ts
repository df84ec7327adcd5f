/**
 * Samplers of EDM (Karras et al., arXiv 2206.00364): the rho schedule, ancestral steps, and algorithm 2 with its churn.
 *
 * In the paper's scale `y = x_0 + s noise`; its derivative along the deterministic path is `dy/ds = (y - D) / s = eps`. The
 * chain's state is `x = y / sqrt(1 + s^2)`, as in `VeSde`.
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import type { Params } from '../../lens/Lens.js'
import * as Need from '../../tensor/Need.js'
import { refused, type Chain } from '../Chain.js'
import type { Denoiser } from '../Denoiser.js'
import { clippedTo, inScale, type Clipping, type Coefficients, type Noisy, withNoise } from '../EpsilonSampler.js'
import { check, sound, tabulated, type Schedule } from '../Schedule.js'
import { tabled, type TimeMap } from '../TimeMap.js'
import type { Levels } from './VeSde.js'
import { onItsOwn, type SamplerRow } from '../SamplerRow.js'

// -------------------------------------------------------------------------------------
// schedule
// -------------------------------------------------------------------------------------

/**
 * The paper's levels, from 0.002 to 80, and its exponent `rho`, 7.
 *
 * @category constants
 * @since 0.1.0
 */
export const levels: Levels & { readonly rho: number } = { least: 0.002, greatest: 80, rho: 7 }

/**
 * The levels of equation 5, whose `1 / rho`-th powers are evenly spaced: `least` at step 1, `greatest` at step `T`; for a
 * denoiser of any map. `T` is rounded as in `Schedule.fromShare`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedule =
  (map: TimeMap, { least, greatest, rho } = levels) =>
  (T: number): Schedule => {
    const [low, high] = [least ** (1 / rho), greatest ** (1 / rho)]
    const level = (t: number, steps: number): number =>
      (low + (steps === 1 ? 1 : (t - 1) / (steps - 1)) * (high - low)) ** rho
    return tabled(map)(tabulated(T, (t, steps) => 1 / (1 + level(t, steps) ** 2)))
  }

const levelOf = (a: number): number => Math.sqrt((1 - a) / a)

// -------------------------------------------------------------------------------------
// ancestral
// -------------------------------------------------------------------------------------

/**
 * How a step from level `from` to level `to` is split: deterministically down to `down`, then noise of deviation `up`, with
 * `down^2 + up^2 = to^2`. `up = eta to sqrt(1 - (to / from)^2)`; `eta` 1 is the posterior's.
 *
 * @category utils
 * @since 0.1.0
 */
export const split = (from: number, to: number, eta: number): { readonly down: number; readonly up: number } => {
  const up = eta * to * Math.sqrt(1 - (to / from) ** 2)
  return { down: Math.sqrt(Math.max(to * to - up * up, 0)), up }
}

/**
 * The coefficients of an ancestral step, `y + (down - s) eps` and noise `up`, on the scaled state.
 *
 * @category utils
 * @since 0.1.0
 */
export const coefficients = ({ alphaBar }: Schedule, eta: number, t: number): Coefficients => {
  const a = alphaBar[t] ?? 1
  const b = alphaBar[t - 1] ?? 1
  const { down, up } = split(levelOf(a), levelOf(b), eta)
  return inScale(1 / Math.sqrt(a), 1 / Math.sqrt(b))({ state: 1, epsilon: down - levelOf(a), sigma: up })
}

/**
 * The ancestral chain. The paper has no such sampler: it is what k-diffusion and diffusers call Euler ancestral
 * (`EulerAncestralDiscreteScheduler`), on the paper's schedule; the paper's own stochastic sampler is `churned`. It is DDIM in
 * another scale, with the same `eta` in [0, 1]: what is its own is the schedule. The last step is deterministic.
 *
 * @category constructors
 * @since 0.1.0
 */
export const edm = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly schedule: Schedule
    readonly eta: number
  } & Clipping &
    Noisy
): Chain<P, readonly ['batch', D], Rows<K>> => withNoise('edm', coefficients, 1)(options)

// -------------------------------------------------------------------------------------
// churn
// -------------------------------------------------------------------------------------

const largestChurn = Math.SQRT2 - 1

/**
 * The chain of algorithm 2 with Euler steps. There a step first raises the noise from `s` to `(1 + churn) s` and then goes down
 * deterministically: the noise comes before the network. Cut between the two instead, the algorithm is a chain: a step goes
 * from its raised level down to the next level and raises the noise there. So the state of step `t` is at level
 * `(1 + churn) s_t`, where the schedule returned beside the chain has it; the first level and the last, 0, are not raised. The
 * paper's `gamma` is `churn`, at most `sqrt(2) - 1`: more noise than that would be more than there is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const churned = <P extends Params, D extends number, K extends number>(
  options: {
    readonly denoiser: Denoiser<P, D, K>
    readonly map: TimeMap
    readonly schedule: Schedule
    readonly churn: number
  } & Clipping
): { readonly chain: Chain<P, readonly ['batch', D], Rows<K>>; readonly schedule: Schedule } => {
  const faults = check(options.schedule)
  const { alphaBar, T } = sound(options.schedule, faults)
  const bare = alphaBar.map(levelOf)
  const raised = bare.map((s, t) => (t === T ? s : (1 + options.churn) * s))
  const schedule = tabled(options.map)({ T, values: raised.slice(1).map((s) => 1 / (1 + s * s)) })
  const scale = (s: number): number => Math.sqrt(1 + s * s)
  // a raised level may be above the one that it comes from
  const chain = clippedTo(options, () => faults)(`edm(churn = ${options.churn})`, options.denoiser, schedule, (t) => {
    const from = raised[t] ?? 0
    const to = raised[t - 1] ?? 0
    const down = bare[t - 1] ?? 0
    return inScale(
      scale(from),
      scale(to)
    )({
      state: 1,
      epsilon: down - from,
      sigma: Math.sqrt(to * to - down * down)
    })
  })
  return { chain: refused(Need.between('edm', 'churn', options.churn, 0, largestChurn))(chain), schedule }
}

/**
 * `edm` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: SamplerRow<'edm'> = {
  name: 'edm',
  prose: 'ancestral steps (`eta`) on the levels of EDM',
  windows: true,
  build: /*#__PURE__*/ onItsOwn(schedule, (denoiser, own, { eta, clip, window }) =>
    edm({ denoiser, schedule: own, eta, clip, window })
  )
}
