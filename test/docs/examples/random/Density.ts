// the example
import { Density } from 'halforder/random'

// the hyperbolic secant, 1 / (2 cosh(pi x / 2))
export const secant = Density.byQuantile('secant', (p) => (2 / Math.PI) * Math.log(Math.tan((Math.PI * p) / 2)), {
  symmetric: true
})
// until here
export const made: unknown = secant
