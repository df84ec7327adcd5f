/**
 * Expectations under the standard normal by Gauss-Hermite quadrature.
 *
 * A rule of `n` nodes is exact for polynomials up to degree `2 n - 1`. Taken as the batch, with the weights as the
 * sample weights, its nodes turn a compiled estimator into its own expectation: unbiasedness becomes an equality.
 *
 * @since 0.1.0
 */
import { sum } from './Rounding.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Nodes and weights of a rule in one dimension. Weights add up to 1.
 *
 * @category model
 * @since 0.1.0
 */
export interface Rule {
  readonly nodes: ReadonlyArray<number>
  readonly weights: ReadonlyArray<number>
}

/**
 * Points of several dimensions, with weights.
 *
 * @category model
 * @since 0.1.0
 */
export interface Points {
  readonly points: ReadonlyArray<ReadonlyArray<number>>
  readonly weights: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** The orthonormal Hermite polynomials of the standard normal at `x`, degrees `0..n`. */
const hermite = (n: number, x: number): ReadonlyArray<number> => {
  const p = [1, x]
  for (let k = 1; k < n; k++) p.push((x * (p[k] ?? 0) - Math.sqrt(k) * (p[k - 1] ?? 0)) / Math.sqrt(k + 1))
  return p.slice(0, n + 1)
}

/**
 * The Gauss-Hermite rule of `n` nodes for the standard normal, nodes in increasing order. The zeros of each degree
 * separate those of the next, so each is found by bisection, to the last bit; the weights are Christoffel's,
 * `1 / sum over k < n of p_k(x)^2`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const gaussHermite = (n: number): Rule => {
  let zeros: ReadonlyArray<number> = []
  for (let degree = 1; degree <= n; degree++) {
    // every zero of the Hermite polynomial of degree n is below sqrt(4 n + 2) in magnitude
    const bound = Math.sqrt(4 * degree + 2)
    const fences = [-bound, ...zeros, bound]
    const value = (x: number): number => hermite(degree, x)[degree] ?? 0
    zeros = Array.from({ length: degree }, (_, i) =>
      2 * i + 1 === degree ? 0 : bisect(value, fences[i] ?? -bound, fences[i + 1] ?? bound)
    )
  }
  const weights = zeros.map((x) => 1 / sum(hermite(n - 1, x).map((p) => p * p)))
  return { nodes: zeros, weights }
}

const bisect = (f: (x: number) => number, from: number, to: number): number => {
  let low = from
  let high = to
  const sign = Math.sign(f(low))
  for (;;) {
    const middle = (low + high) / 2
    if (middle === low || middle === high) return middle
    if (Math.sign(f(middle)) === sign) low = middle
    else high = middle
  }
}

const rules = new Map<number, Rule>()

/**
 * The same rule, computed once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rule = (n: number): Rule => {
  const known = rules.get(n) ?? gaussHermite(n)
  rules.set(n, known)
  return known
}

/**
 * The nodes that integrate polynomials of a degree exactly.
 *
 * @category utils
 * @since 0.1.0
 */
export const nodesFor = (degree: number): number => Math.floor(degree / 2) + 1

/**
 * The product of rules with the given numbers of nodes, one a dimension, the last one varying fastest. Points of weight
 * below `prune` are dropped.
 *
 * @category combinators
 * @since 0.1.0
 */
export const product = (sizes: ReadonlyArray<number>, prune = 1e-20): Points => {
  let points: ReadonlyArray<ReadonlyArray<number>> = [[]]
  let weights: ReadonlyArray<number> = [1]
  for (const size of sizes) {
    const one = rule(size)
    const nextPoints: Array<ReadonlyArray<number>> = []
    const nextWeights: Array<number> = []
    points.forEach((point, i) => {
      one.nodes.forEach((node, k) => {
        const weight = (weights[i] ?? 0) * (one.weights[k] ?? 0)
        if (weight < prune) return
        nextPoints.push([...point, node])
        nextWeights.push(weight)
      })
    })
    points = nextPoints
    weights = nextWeights
  }
  return { points, weights }
}

/**
 * The expectation of a function of independent standard normals.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const expectation = (f: (x: ReadonlyArray<number>) => number, { points, weights }: Points): number =>
  sum(points.map((point, i) => f(point) * (weights[i] ?? 0)))
