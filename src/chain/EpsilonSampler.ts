/**
 * Samplers whose step is `mean = a_t x + b_t eps(x, t, c)`: the common part of all that are built on a denoiser.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import { lookup, type Chain } from './Chain.js'
import { prediction } from './Clean.js'
import type { Denoiser } from './Denoiser.js'
import { normal } from './Noise.js'
import type { Schedule } from './Schedule.js'

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
 * The chain of an epsilon-predicting denoiser whose step `t` has the given coefficients.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromCoefficients = <P extends Params, D extends number, K extends number>(
  name: string,
  denoiser: Denoiser<P, D, K>,
  schedule: Schedule,
  coefficients: (t: number) => Coefficients
): Chain<P, readonly ['batch', D], Rows<K>> => {
  const none: Coefficients = { state: 0, epsilon: 0, sigma: 0 }
  const rows = schedule.alphaBar.map((_, t) => (t === 0 ? none : coefficients(t)))
  const state = rows.map((row) => row.state)
  const epsilon = rows.map((row) => row.epsilon)
  return {
    name,
    T: schedule.T,
    state: ['batch', denoiser.features],
    condition: ['batch', denoiser.labels],
    parameters: denoiser.lens.parameters,
    sigma: rows.map((row) => row.sigma),
    noise: normal,
    networkCalls: denoiser.networkCalls,
    clean: prediction(denoiser, schedule),
    mean: (t) =>
      L.make(denoiser.lens.parameters, (p, { x, c }) => {
        const time = X.broadcastTo(lookup(schedule.time, t), ['batch', 1])
        const [prediction, back] = denoiser.lens.run(p, { x, time, c })
        const a = lookup(state, t)
        const b = lookup(epsilon, t)
        return [
          X.add(X.mul(x, a), X.mul(prediction, b)),
          (bar) => {
            const [pBar, inputBar] = back(X.mul(bar, b))
            return [pBar, { x: X.add(X.mul(bar, a), inputBar.x), c: inputBar.c }]
          }
        ]
      })
  }
}
