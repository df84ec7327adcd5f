/**
 * Samplers whose step is `mean = a_t x + b_t eps(x, t, c)`: the common part of all that are built on a denoiser.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import * as Need from '../tensor/Need.js'
import * as Tree from '../tensor/Tree.js'
import { lookup, refused, type Chain, type Switched } from './Chain.js'
import { prediction } from './Clean.js'
import type { Denoiser, DenoiserInput } from './Denoiser.js'
import { normal } from './Noise.js'
import { check, sound, type Schedule } from './Schedule.js'

/**
 * The numbers of one step.
 *
 * @category model
 * @since 0.1.0
 */
export interface Coefficients {
  readonly state: number
  readonly epsilon: number
  readonly sigma: number
}

/**
 * The numbers of a step for the state divided by a constant, from those of the process's own state: it is divided by `from`
 * before the step and by `to` after it.
 *
 * @category utils
 * @since 0.1.0
 */
export const inScale =
  (from: number, to: number) =>
  ({ state, epsilon, sigma }: Coefficients): Coefficients => ({
    state: (state * from) / to,
    epsilon: epsilon / to,
    sigma: sigma / to
  })

/**
 * Options that every sampler of a denoiser has.
 *
 * - `clip`: the clean output that is predicted is held within `[-clip, clip]` at each step, as `clip_sample` of diffusers
 *   does with 1. Default: it is not, since that **biases** samples: the chain's marginals are no longer those of the process.
 *   The pullback is that of the clipped chain: what is clipped sends nothing back, so a reward that asks for more of it has
 *   no gradient there.
 *
 * @category model
 * @since 0.1.0
 */
export interface Clipping {
  readonly clip?: number | undefined
}

/**
 * The option of samplers whose noise has a scale `eta`.
 *
 * - `window`: the lowest and the highest step that have noise; the others are those of `eta = 0`, the sampler's ODE. Default: all
 *   have. So MixGRPO (arXiv 2507.21802) samples, and what is deterministic may be run with fewer steps. `moving`: which steps
 *   have it is an input of each run (`Chain.switched`).
 *
 * @category model
 * @since 0.1.0
 */
export interface Noisy {
  readonly window?: readonly [lowest: number, highest: number] | 'moving' | undefined
}

/**
 * The parameter that says which steps have their noise, where the window moves: one program for every place of it.
 *
 * @category constants
 * @since 0.1.0
 */
export const noisySteps = 'noisySteps'

/** How a chain of `T` steps is told which of them have their noise. */
const byWindow = (T: number): Switched => ({
  path: noisySteps,
  at: (p, t) => {
    const told = Tree.leaves<Expr>(Tree.isExpr, p).find(([path]) => path === noisySteps)?.[1]
    return told === undefined ? X.scalar(1) : X.take<readonly [number], 0>(X.retype(told, [T + 1]), 0, t)
  }
})

/** The scale of noise at a step: `eta` within the window, 0 elsewhere. */
const etaAt = ({ eta, window }: Noisy & { readonly eta: number }, t: number): number =>
  window === undefined || window === 'moving' || (t >= window[0] && t <= window[1]) ? eta : 0

/** The noise as a chain's name has it: `eta = 1`, or `eta = 1 at 5..8`. */
const shownNoise = ({ eta, window }: Noisy & { readonly eta: number }): string =>
  `eta = ${eta}${window === undefined ? '' : window === 'moving' ? ' in a window' : ` at ${window[0]}..${window[1]}`}`

/** What is wrong with a window of a chain of `T` steps. */
const windowFaults = (name: string, T: number, { window }: Noisy): Need.Faults =>
  window === undefined ||
  window === 'moving' ||
  (Number.isInteger(window[0]) &&
    Number.isInteger(window[1]) &&
    window[0] >= 1 &&
    window[0] <= window[1] &&
    window[1] <= T)
    ? []
    : Need.fault(name, `a window of steps within 1..${T}, the lowest first`, `[${window.join(', ')}]`, 'choose others')

/**
 * The chain of an epsilon-predicting denoiser whose step `t` has the given coefficients. A schedule that is none, or numbers
 * that are not finite, are errors of the programs with it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromCoefficients = <P extends Params, D extends number, K extends number>(
  name: string,
  denoiser: Denoiser<P, D, K>,
  schedule: Schedule,
  coefficients: (t: number) => Coefficients
): Chain<P, readonly ['batch', D], Rows<K>> => clippedTo({})(name, denoiser, schedule, coefficients)

/**
 * `fromCoefficients` with the options of a sampler. Where there are `quiet` coefficients, those of a step without noise, which steps
 * have theirs is an input (`Chain.switched`). `wrong` says what is wrong with a schedule, by default what `Schedule.check`
 * does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clippedTo =
  ({ clip }: Clipping, wrong: (schedule: Schedule) => Need.Faults = check) =>
  <P extends Params, D extends number, K extends number>(
    name: string,
    denoiser: Denoiser<P, D, K>,
    given: Schedule,
    coefficients: (t: number) => Coefficients,
    quiet?: (t: number) => Coefficients
  ): Chain<P, readonly ['batch', D], Rows<K>> => {
    const none: Coefficients = { state: 0, epsilon: 0, sigma: 0 }
    const found = wrong(given)
    const schedule = sound(given, found)
    // no coefficients are asked of a schedule that is none
    const column = (numbers: (t: number) => Coefficients, of: keyof Coefficients): ReadonlyArray<number> =>
      schedule.alphaBar.map((_, t) => (t === 0 || found.length > 0 ? none : numbers(t))[of])
    const [state, epsilon] = [column(coefficients, 'state'), column(coefficients, 'epsilon')]
    const sigma = column(coefficients, 'sigma')
    const still = quiet === undefined ? undefined : { state: column(quiet, 'state'), epsilon: column(quiet, 'epsilon') }
    const switched = still === undefined ? undefined : byWindow(schedule.T)
    const factor = (of: 'state' | 'epsilon', p: P, t: Scalar): Scalar => {
      const noisy = lookup(of === 'state' ? state : epsilon, t)
      return still === undefined || switched === undefined
        ? noisy
        : X.select(switched.at(p, t), noisy, lookup(still[of], t))
    }
    const parameters =
      switched === undefined
        ? denoiser.lens.parameters
        : { ...denoiser.lens.parameters, [switched.path]: L.parameter([schedule.T + 1], 0, 1) }
    const faults = [
      ...found,
      ...(clip === undefined ? [] : Need.atLeast(name, 'clip', clip, 0)),
      ...Need.finiteAt(name, 'factors of the state', state, remedy),
      ...Need.finiteAt(name, 'factors of the prediction', epsilon, remedy),
      ...Need.finiteAt(name, 'deviations', sigma, remedy)
    ]
    const lens = (t: Scalar): Lens<P, DenoiserInput<D, K>, Rows<D>> =>
      clip === undefined ? denoiser.lens : held(schedule, t, clip)(denoiser.lens)
    const chain: Chain<P, readonly ['batch', D], Rows<K>> = {
      name,
      T: schedule.T,
      state: ['batch', denoiser.features],
      condition: ['batch', denoiser.labels],
      parameters,
      sigma,
      ...(switched === undefined ? {} : { switched }),
      noise: normal,
      networkCalls: denoiser.networkCalls,
      clean: (t) => prediction({ ...denoiser, lens: lens(t) }, schedule)(t),
      mean: (t) =>
        L.make(parameters, (p, { x, c }) => {
          const time = X.broadcastTo(lookup(schedule.time, t), ['batch', 1])
          const [prediction, back] = lens(t).run(p, { x, time, c })
          const a = factor('state', p, t)
          const b = factor('epsilon', p, t)
          return [
            X.add(X.mul(x, a), X.mul(prediction, b)),
            (bar) => {
              const [pBar, inputBar] = back(X.mul(bar, b))
              return [pBar, { x: X.add(X.mul(bar, a), inputBar.x), c: inputBar.c }]
            }
          ]
        })
    }
    return refused(faults)(chain)
  }

/**
 * The chain of a sampler whose noise has a scale `eta`: its coefficients at the scale of each step. `most` is the largest `eta`, where
 * there is one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const withNoise =
  (name: string, coefficients: (schedule: Schedule, eta: number, t: number) => Coefficients, most?: number) =>
  <P extends Params, D extends number, K extends number>(
    options: {
      readonly denoiser: Denoiser<P, D, K>
      readonly schedule: Schedule
      readonly eta: number
    } & Clipping &
      Noisy
  ): Chain<P, readonly ['batch', D], Rows<K>> => {
    const { denoiser, eta, schedule } = options
    return refused([
      ...(most === undefined ? Need.atLeast(name, 'eta', eta, 0) : Need.between(name, 'eta', eta, 0, most)),
      ...windowFaults(name, schedule.T, options)
    ])(
      clippedTo(options)(
        `${name}(${shownNoise(options)})`,
        denoiser,
        schedule,
        (t) => coefficients(schedule, etaAt(options, t), t),
        options.window === 'moving' ? (t) => coefficients(schedule, 0, t) : undefined
      )
    )
  }

const remedy = 'check the options of the sampler and its schedule'

/**
 * The denoiser whose clean prediction `x_0 = (x - sqrt(1 - a) eps) / sqrt(a)` is held within `[-clip, clip]`: where it is
 * beyond, the noise is what leads there, `(x -+ sqrt(a) clip) / sqrt(1 - a)`, and elsewhere what it was, to the last bit.
 */
const held =
  ({ alphaBar }: Schedule, t: Scalar, clip: number) =>
  <P extends Params, D extends number, K extends number>(
    lens: Lens<P, DenoiserInput<D, K>, Rows<D>>
  ): Lens<P, DenoiserInput<D, K>, Rows<D>> =>
    L.make(lens.parameters, (p, input) => {
      const [epsilon, back] = lens.run(p, input)
      const data = lookup(alphaBar.map(Math.sqrt), t)
      const noise = lookup(
        alphaBar.map((a) => Math.sqrt(1 - a)),
        t
      )
      const clean = X.div(X.sub(input.x, X.mul(epsilon, noise)), data)
      const beyond = X.less(X.fill(clean.shape, clip), X.abs(clean))
      const end = X.max(X.min(clean, X.scalar(clip)), X.scalar(-clip))
      return [
        X.select(beyond, X.div(X.sub(input.x, X.mul(end, data)), noise), epsilon),
        (bar) => {
          const [pBar, inputBar] = back(X.select(beyond, X.scalar(0), bar))
          return [pBar, { ...inputBar, x: X.add(inputBar.x, X.weigh(X.div(bar, noise), beyond)) }]
        }
      ]
    })
