/**
 * How a network is told the time and the prompt.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import * as Need from '../../tensor/Need.js'
import { tabulate } from '../../tensor/Tensor.js'
import { dense, type Dense } from './Dense.js'
import type { Rows } from '../Rows.js'
import * as L from '../Lens.js'
import type { Lens, None } from '../Lens.js'

/**
 * Sinusoidal features of a time in [0, 1], one a row: `sin(w_k t)` and `cos(w_k t)` with `features / 2` frequencies `w_k`
 * in geometric progression from 1 to 1000 radians (after Vaswani et al., arXiv 1706.03762); `features` is even. Times carry
 * no gradient: the pullback is zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const timeEmbedding = <N extends number>(features: N): Lens<None, Rows<1>, Rows<N>> => {
  const faults = Need.whole('timeEmbedding', 'half of the features', features / 2)
  const half = features / 2
  const frequency = tabulate([half], (k) => 1000 ** (k / Math.max(half - 1, 1)))
  return L.pure((time) => {
    const row = ['batch', features] as const
    if (faults.length > 0) return [X.ill([time], row, faults), () => X.ill([time], ['batch', 1], faults)]
    const phase = X.mul(
      X.broadcastTo(time, ['batch', half]),
      X.broadcastTo(X.constant(frequency, [half]), ['batch', half])
    )
    return [X.retype(X.concat([X.sin(phase), X.cos(phase)], 1), row), () => X.zeros(['batch', 1])]
  })
}

/**
 * A linear embedding of labels: the rows of the weight for the labels that are set, added up. Labels are given one-hot,
 * or several-hot for several attributes; a row of zeros means no condition at all.
 *
 * @category constructors
 * @since 0.1.0
 */
export const labelEmbedding = <K extends number, N extends number>(
  labels: K,
  features: N
): Lens<Dense<K, N>, Rows<K>, Rows<N>> => dense(labels, features, Math.sqrt(labels) / 2)

/**
 * The parameters of a FiLM layer: two dense maps of the condition.
 *
 * @category model
 * @since 0.1.0
 */
export type Film<C extends number, N extends number> = { readonly scale: Dense<C, N>; readonly shift: Dense<C, N> }

/**
 * Feature-wise linear modulation (Perez et al., arXiv 1709.07871): `x (1 + scale(c)) + shift(c)`. It starts as the
 * identity.
 *
 * @category constructors
 * @since 0.1.0
 */
export const film = <C extends number, N extends number>(
  condition: C,
  features: N
): Lens<Film<C, N>, { readonly x: Rows<N>; readonly c: Rows<C> }, Rows<N>> => {
  const scale = dense(condition, features, 0)
  const shift = dense(condition, features, 0)
  return L.make({ scale: scale.parameters, shift: shift.parameters }, (p, { x: rows, c }) => {
    const x = X.retype(rows, ['batch', features])
    const [factor, backScale] = scale.run(p.scale, c)
    const [offset, backShift] = shift.run(p.shift, c)
    const gain = X.add(factor, X.scalar(1))
    return [
      X.add(X.mul(x, gain), offset),
      (bar) => {
        const [scaleBar, c1] = backScale(X.mul(bar, x))
        const [shiftBar, c2] = backShift(bar)
        return [
          { scale: scaleBar, shift: shiftBar },
          { x: X.mul(bar, gain), c: X.add(c1, c2) }
        ]
      }
    ]
  })
}
