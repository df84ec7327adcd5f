/**
 * What a denoising network must be, and classifier-free guidance of one.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Dense.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import * as Tree from '../tensor/Tree.js'

/**
 * A network that predicts the noise in `x` (epsilon-prediction) from the time, in [0, 1], and a condition. A condition
 * of zeros means none.
 *
 * @category model
 * @since 0.1.0
 */
export interface Denoiser<P extends Params, D extends number, K extends number> {
  readonly features: D
  readonly labels: K
  readonly networkCalls: number
  readonly lens: Lens<P, DenoiserInput<D, K>, Rows<D>>
}

/**
 * The argument of a denoiser.
 *
 * @category model
 * @since 0.1.0
 */
export type DenoiserInput<D extends number, K extends number> = {
  readonly x: Rows<D>
  readonly time: Rows<1>
  readonly c: Rows<K>
}

/**
 * Classifier-free guidance (Ho and Salimans, arXiv 2207.12598) as a transformer of denoisers:
 * `(1 - scale) eps(x, t, none) + scale eps(x, t, c)`. A scale of 1 is the conditional denoiser itself, at no extra
 * cost; any other scale evaluates the network twice.
 *
 * @category combinators
 * @since 0.1.0
 */
export const guided =
  (scale: number) =>
  <P extends Params, D extends number, K extends number>(denoiser: Denoiser<P, D, K>): Denoiser<P, D, K> =>
    scale === 1
      ? denoiser
      : {
          ...denoiser,
          networkCalls: 2 * denoiser.networkCalls,
          lens: L.make(denoiser.lens.parameters, (p, { x, time, c }) => {
            const [with_, backWith] = denoiser.lens.run(p, { x, time, c })
            const [without, backWithout] = denoiser.lens.run(p, { x, time, c: X.zeros(c.shape) })
            return [
              X.add(X.scale(without, 1 - scale), X.scale(with_, scale)),
              (bar) => {
                const [p1, a1] = backWith(X.scale(bar, scale))
                const [p2, a2] = backWithout(X.scale(bar, 1 - scale))
                return [Tree.add(p1, p2), { x: X.add(a1.x, a2.x), time: X.add(a1.time, a2.time), c: a1.c }]
              }
            ]
          })
        }
