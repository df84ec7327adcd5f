/**
 * Chains whose step is affine in the state and in what a network says, whatever that is: the schedulers of other tools, in their own
 * numbers.
 *
 *     x_{t-1} = state_t x_t + output_t F(input_t x_t, time_t, c) + sigma_t eps_t
 *
 * A network that predicts the noise needs none of this: `EpsilonSampler` has its chains. One that predicts the clean output or a
 * velocity is exact here next to the noise, where to ask it for the noise and back again would lose every digit.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Scalar } from '../tensor/Expr.js'
import * as Need from '../tensor/Need.js'
import * as Tree from '../tensor/Tree.js'
import { lookup, refused, type Chain } from './Chain.js'
import type { Denoiser, DenoiserInput } from './Denoiser.js'
import type { Coefficients } from './EpsilonSampler.js'
import { normal } from './Noise.js'
import type { Schedule } from './Schedule.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The numbers of one step.
 *
 * - `time`: what the network is told, in [0, 1].
 * - `input`: what the state is multiplied by where the network reads it.
 * - `state`, `output`, `sigma`: factors of the state and of the network's output, and the deviation of the noise.
 * - `clean`: the same factors for what the state lets one expect of the output.
 * - `guidance`: the scale of classifier-free guidance, as in `Denoiser.guided`; 1 is none.
 *
 * @category model
 * @since 0.1.0
 */
export interface AffineStep {
  readonly time: number
  readonly input: number
  readonly state: number
  readonly output: number
  readonly sigma: number
  readonly clean: { readonly state: number; readonly output: number }
  readonly guidance: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The chain of a network, which has the form of a denoiser and predicts what the numbers take it for, and of steps `1..T`, from the
 * output to the noise. A scale of guidance other than 1 at any step evaluates the network twice at each. Numbers that are not
 * finite, or no step, are errors of the programs with it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const affine = <P extends Params, D extends number, K extends number>(
  name: string,
  network: Denoiser<P, D, K>,
  steps: ReadonlyArray<AffineStep>
): Chain<P, readonly ['batch', D], Rows<K>> => {
  const column = (of: (step: AffineStep) => number): ReadonlyArray<number> => [0, ...steps.map(of)]
  const [time, input] = [column((step) => step.time), column((step) => step.input)]
  const scales = column((step) => step.guidance)
  const guided = steps.some(({ guidance }) => guidance !== 1)
  const told = guided ? mixed(network.lens, scales) : (): typeof network.lens => network.lens
  const step =
    (state: ReadonlyArray<number>, output: ReadonlyArray<number>) =>
    (t: Scalar): Lens<P, { readonly x: Rows<D>; readonly c: Rows<K> }, Rows<D>> =>
      L.make(network.lens.parameters, (p, { x, c }) => {
        const [a, b, scale] = [lookup(state, t), lookup(output, t), lookup(input, t)]
        const at = X.broadcastTo(lookup(time, t), ['batch', 1])
        const [value, back] = told(t).run(p, { x: X.mul(x, scale), time: at, c })
        return [
          X.add(X.mul(x, a), X.mul(value, b)),
          (bar) => {
            const [pBar, inputBar] = back(X.mul(bar, b))
            return [pBar, { x: X.add(X.mul(bar, a), X.mul(inputBar.x, scale)), c: inputBar.c }]
          }
        ]
      })
  const numbers = {
    times: time,
    'factors of the input': input,
    'factors of the state': column((one) => one.state),
    'factors of the output': column((one) => one.output),
    deviations: column((one) => one.sigma),
    'scales of guidance': scales
  }
  const remedy = 'check the numbers of the steps'
  return refused([
    ...Need.whole(name, 'steps', steps.length),
    ...Object.entries(numbers).flatMap(([what, values]) => Need.finiteAt(name, what, values, remedy))
  ])({
    name,
    T: steps.length,
    state: ['batch', network.features],
    condition: ['batch', network.labels],
    parameters: network.lens.parameters,
    sigma: numbers.deviations,
    noise: normal,
    networkCalls: (guided ? 2 : 1) * network.networkCalls,
    mean: step(numbers['factors of the state'], numbers['factors of the output']),
    clean: step(
      column((one) => one.clean.state),
      column((one) => one.clean.output)
    )
  })
}

/** `g F(c) + (1 - g) F(none)`, with the scale `g` of each step. */
const mixed =
  <P extends Params, D extends number, K extends number>(
    lens: Lens<P, DenoiserInput<D, K>, Rows<D>>,
    scales: ReadonlyArray<number>
  ) =>
  (t: Scalar): Lens<P, DenoiserInput<D, K>, Rows<D>> =>
    L.make(lens.parameters, (p, { x, time, c }) => {
      const scale = lookup(scales, t)
      const rest = X.sub(X.scalar(1), scale)
      const [asked, backAsked] = lens.run(p, { x, time, c })
      const [none, backNone] = lens.run(p, { x, time, c: X.zeros(c.shape) })
      return [
        X.add(X.mul(asked, scale), X.mul(none, rest)),
        (bar) => {
          const [p1, a1] = backAsked(X.mul(bar, scale))
          const [p2, a2] = backNone(X.mul(bar, rest))
          return [Tree.add(p1, p2), { x: X.add(a1.x, a2.x), time: X.add(a1.time, a2.time), c: a1.c }]
        }
      ]
    })

// -------------------------------------------------------------------------------------
// levels of noise
// -------------------------------------------------------------------------------------

/** What a network predicts at a share `a` of data, as the noise: factors of the state and of its output. */
const asNoise = (
  kind: 'epsilon' | 'clean' | 'velocity',
  a: number
): { readonly state: number; readonly output: number } => {
  const [data, noise] = [Math.sqrt(a), Math.sqrt(1 - a)]
  switch (kind) {
    case 'epsilon':
      return { state: 0, output: 1 }
    case 'clean':
      return { state: 1 / noise, output: -data / noise }
    case 'velocity':
      return { state: noise, output: data }
  }
}

/**
 * The numbers of steps on a schedule's levels, from those of a sampler for the noise, for a network that predicts the noise, the clean
 * output or the velocity: what cancels in the way by the noise does so here in f64, before anything runs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onLevels = ({
  kind,
  schedule: { alphaBar, time, T },
  coefficients,
  guidance
}: {
  readonly kind: 'epsilon' | 'clean' | 'velocity'
  readonly schedule: Schedule
  readonly coefficients: (t: number) => Coefficients
  readonly guidance: number
}): ReadonlyArray<AffineStep> =>
  Array.from({ length: T }, (_, i): AffineStep => {
    const a = alphaBar[i + 1] ?? 1
    const { state, epsilon, sigma } = coefficients(i + 1)
    const noise = asNoise(kind, a)
    const [data, rest] = [1 / Math.sqrt(a), -Math.sqrt((1 - a) / a)]
    const clean =
      kind === 'clean'
        ? { state: 0, output: 1 }
        : kind === 'velocity'
          ? { state: Math.sqrt(a), output: -Math.sqrt(1 - a) }
          : { state: data, output: rest }
    return {
      time: time[i + 1] ?? 0,
      input: 1,
      state: state + epsilon * noise.state,
      output: epsilon * noise.output,
      sigma,
      clean,
      guidance
    }
  })

// -------------------------------------------------------------------------------------
// straight paths
// -------------------------------------------------------------------------------------

/**
 * The numbers of steps on straight paths `y_s = (1 - s) x_0 + s noise`, for a network that reads `y` and predicts the clean output or
 * the velocity `noise - x_0` (`flow`), at noises `0 = s_0 < s_1 < ... < s_T <= 1`. `told` is the time of a noise, `guidance` its scale.
 *
 * A step goes to `(1 - u) x_0 + u (sqrt(1 - r^2) eps + r z)` with what the network expects for `x_0` and `eps`. An `eta` of 0 is Euler's
 * step of the ODE; of 1, the step whose mean and noise are those of `y_u` given `y_s` and `x_0`, with
 * `r^2 = eta^2 (1 - a_s / a_u) / (1 - a_s)` for the shares `a_s = (1 - s)^2 / ((1 - s)^2 + s^2)`, as in DDIM (Song et al., arXiv 2010.02502).
 *
 * @category constructors
 * @since 0.1.0
 */
export const straight = ({
  kind,
  noises,
  eta,
  told,
  guidance
}: {
  readonly kind: 'clean' | 'flow'
  readonly noises: ReadonlyArray<number>
  readonly eta: number
  readonly told: (s: number) => number
  readonly guidance: (s: number) => number
}): ReadonlyArray<AffineStep> =>
  noises.slice(1).map((s, i): AffineStep => {
    const u = noises[i] ?? 0
    const share = (v: number): number => (1 - v) ** 2 / ((1 - v) ** 2 + v ** 2)
    const fresh = u === 0 ? 0 : (eta * eta * (1 - share(s) / share(u))) / (1 - share(s))
    const [data, noise] = [1 - u, u * Math.sqrt(1 - fresh)]
    const clean = kind === 'clean' ? { state: 0, output: 1 } : { state: 1, output: -s }
    const factors =
      kind === 'clean'
        ? { state: noise / s, output: data - (noise * (1 - s)) / s }
        : { state: data + noise, output: noise * (1 - s) - data * s }
    return { time: told(s), input: 1, ...factors, sigma: u * Math.sqrt(fresh), clean, guidance: guidance(s) }
  })
