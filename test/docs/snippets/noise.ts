import type { Noise } from 'halforder/chain'
import { Expr } from 'halforder/tensor'

/** The Laplace density `exp(-|eps|) / 2`: `-grad ln f` is the sign. */
export const laplace: Noise.Noise = {
  density: 'laplace',
  score: (eps) => Expr.sub(Expr.less(Expr.zeros(eps.shape), eps), Expr.less(eps, Expr.zeros(eps.shape))),
  logDensity: (eps) => Expr.sub(Expr.neg(Expr.abs(eps)), Expr.scalar(Math.LN2))
}
