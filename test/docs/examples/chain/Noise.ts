// the example
import type { Noise } from 'halforder/chain'
import { Density } from 'halforder/random'
import { Expr } from 'halforder/tensor'

// the hyperbolic secant, 1 / (2 cosh(pi x / 2)), of variance 1
export const secant: Noise.Noise = {
  density: Density.byQuantile('secant', (p) => (2 / Math.PI) * Math.log(Math.tan((Math.PI * p) / 2)), {
    symmetric: true
  }),
  score: (eps) => Expr.scale(Expr.tanh(Expr.scale(eps, Math.PI / 2)), Math.PI / 2),
  logDensity: (eps) => {
    const size = Expr.scale(Expr.abs(eps), Math.PI / 2)
    return Expr.neg(Expr.add(size, Expr.log(Expr.add(Expr.exp(Expr.scale(size, -2)), Expr.scalar(1)))))
  }
}
// until here
export const made: unknown = secant
