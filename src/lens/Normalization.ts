/**
 * Normalisations.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import type { Rows } from './Dense.js'
import * as L from './Lens.js'
import type { Lens } from './Lens.js'

/**
 * The parameters of a layer norm: a gain and a bias for each feature.
 *
 * @category model
 * @since 0.1.0
 */
export type LayerNorm<N extends number> = { readonly gain: Expr<readonly [N]>; readonly bias: Expr<readonly [N]> }

/**
 * Layer normalisation of rows (Ba, Kiros and Hinton, arXiv 1607.06450): `(x - mean) / sqrt(variance + 1e-5)`, then an
 * affine map by feature. With `z` the normalised row and `g` the cotangent times the gain, the pullback is
 * `(g - mean(g) - z mean(g z)) / deviation`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const layerNorm = <N extends number>(features: N): Lens<LayerNorm<N>, Rows<N>, Rows<N>> => {
  const row = ['batch', features] as const
  const spread = (column: Expr): Rows<N> => X.broadcastTo(column, row)
  const mean = (x: Rows<N>): Rows<N> =>
    spread(X.scale(X.reshape(X.sum<readonly ['batch', number], [1]>(x, [1]), ['batch', 1]), 1 / features))
  return L.make(
    { gain: L.parameter([features], 0, 1), bias: L.parameter([features]) },
    ({ gain, bias }, x) => {
      const centred = X.sub(x, mean(x))
      const inverse = X.div(spread(X.scalar(1)), X.sqrt(X.add(mean(X.mul(centred, centred)), X.scalar(1e-5))))
      const z = X.mul(centred, inverse)
      return [
        X.add(X.mul(z, spread(gain)), spread(bias)),
        (bar) => {
          const g = X.mul(bar, spread(gain))
          const back = X.sub(X.sub(g, mean(g)), X.mul(z, mean(X.mul(g, z))))
          return [
            { gain: X.sumTo(X.mul(bar, z), gain.shape), bias: X.sumTo(bar, bias.shape) },
            X.mul(back, inverse)
          ]
        }
      ]
    }
  )
}
