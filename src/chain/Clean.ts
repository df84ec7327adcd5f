/**
 * One-step predictions of an epsilon-predicting denoiser: the clean output that a state implies, and the way back to noise.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Scalar } from '../tensor/Expr.js'
import { lookup } from './Chain.js'
import type { Denoiser } from './Denoiser.js'
import type { Schedule } from './Schedule.js'

/**
 * The output that the denoiser expects behind `x_t`: `(x - sqrt(1 - alphaBar[t]) eps(x, t, c)) / sqrt(alphaBar[t])`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prediction =
  <P extends Params, D extends number, K extends number>(denoiser: Denoiser<P, D, K>, schedule: Schedule) =>
  (t: Scalar): Lens<P, { readonly x: Rows<D>; readonly c: Rows<K> }, Rows<D>> =>
    L.make(denoiser.lens.parameters, (p, { x, c }) => {
      const table = (f: (a: number) => number): Scalar => lookup(schedule.alphaBar.map(f), t)
      const time = X.broadcastTo(lookup(schedule.time, t), ['batch', 1])
      const [epsilon, back] = denoiser.lens.run(p, { x, time, c })
      const state = table((a) => 1 / Math.sqrt(a))
      const noise = table((a) => -Math.sqrt((1 - a) / a))
      return [
        X.add(X.mul(x, state), X.mul(epsilon, noise)),
        (bar) => {
          const [pBar, inputBar] = back(X.mul(bar, noise))
          return [pBar, { x: X.add(X.mul(bar, state), inputBar.x), c: inputBar.c }]
        }
      ]
    })

/**
 * The state of step `t` for a clean output and a noise: `sqrt(alphaBar[t]) x_0 + sqrt(1 - alphaBar[t]) eps`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const renoised =
  (schedule: Schedule) =>
  <D extends number>(t: Scalar, x0: Rows<D>, eps: Rows<D>): Rows<D> => {
    const table = (f: (a: number) => number): Scalar => lookup(schedule.alphaBar.map(f), t)
    return X.add(
      X.mul(x0, table(Math.sqrt)),
      X.mul(
        eps,
        table((a) => Math.sqrt(1 - a))
      )
    )
  }
