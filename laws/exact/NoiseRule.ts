/**
 * Quadrature rules of the densities that a chain's noise may have.
 *
 * @since 0.1.0
 */
import { isCustom, type Density } from '../../src/random/Density.js'
import { unit, type Rule } from '../../src/random/Nodes.js'
import { gaussOf, rule } from './Quadrature.js'

// -------------------------------------------------------------------------------------
// half lines
// -------------------------------------------------------------------------------------

/** How far out half lines are looked at: from `1e-30` to `1e30`. */
const reach = 70

/**
 * The exp-sinh rule of `n` nodes for integrals over the positive half line, `x = exp(pi / 2 sinh t)`: it converges
 * for what falls off exponentially or as a power, whatever happens at 0 (Takahasi and Mori, Publications of the RIMS
 * 9, 1974).
 *
 * @category constructors
 * @since 0.1.0
 */
export const halfLine = (n: number): Rule => {
  const end = Math.asinh((2 * reach) / Math.PI)
  const h = (2 * end) / (n - 1)
  const at = Array.from({ length: n }, (_, i) => i * h - end)
  const nodes = at.map((t) => Math.exp((Math.PI / 2) * Math.sinh(t)))
  return { nodes, weights: at.map((t, i) => (nodes[i] ?? 0) * (Math.PI / 2) * Math.cosh(t) * h) }
}

/** A rule on the positive half line, and the same on the negative one. */
const mirrored = ({ nodes, weights }: Rule): Rule => ({
  nodes: [...[...nodes].reverse().map((x) => -x), ...nodes],
  weights: [...[...weights].reverse(), ...weights].map((w) => w / 2)
})

// -------------------------------------------------------------------------------------
// rules
// -------------------------------------------------------------------------------------

/** So many points stand for a half line when a Gauss rule is made of them. */
const points = 400

const known = new Map<string, Rule>()

const once = (name: string, make: () => Rule): Rule => {
  const found = known.get(name) ?? make()
  known.set(name, found)
  return found
}

/** The Gauss rule of each half line, from the quantile function below the median. */
const halves = (n: number, lower: (p: number) => number): Rule => {
  const { nodes, weights } = unit(points)
  return mirrored(gaussOf({ nodes: nodes.map((p) => -lower(p / 2)), weights }, Math.max(1, Math.ceil(n / 2))))
}

/**
 * The rule of about `n` nodes of a density. The normal's is Gauss-Hermite. Laplace's and the logistic's have a Gauss
 * rule of `n / 2` nodes on each side of the median, exact for what is a polynomial on each, such as a score that is a
 * sign. Student's t, which has few moments, has exp-sinh nodes on each side. A density of your own brings its rule.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ruleOf = (density: Density, n: number): Rule => {
  if (isCustom(density)) return density.rule(n)
  if (density === 'normal') return rule(n)
  if (density === 'laplace') return once(`laplace ${n}`, () => halves(n, (p) => Math.log(2 * p)))
  if (density === 'logistic') return once(`logistic ${n}`, () => halves(n, (p) => Math.log(p / (1 - p))))
  const { studentT: nu } = density
  return once(`studentT(${nu}) ${n}`, () => {
    const { nodes, weights } = halfLine(Math.max(2, Math.ceil(n / 2)))
    const raw = weights.map((w, i) => w * (1 + (nodes[i] ?? 0) ** 2 / nu) ** (-(nu + 1) / 2))
    const total = raw.reduce((sum, w) => sum + w, 0)
    return mirrored({ nodes, weights: raw.map((w) => w / total) })
  })
}
