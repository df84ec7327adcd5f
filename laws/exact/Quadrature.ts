/**
 * Expectations by Gauss quadrature: under the standard normal, and under any density that is given as points.
 *
 * A rule of `n` nodes is exact for polynomials up to degree `2 n - 1`. Taken as the batch, with the weights as the
 * sample weights, its nodes turn a compiled estimator into its own expectation: unbiasedness becomes an equality.
 *
 * @since 0.1.0
 */
import type { Rule } from '../../src/random/Nodes.js'
import { sum } from './Rounding.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

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

/** A three-term recurrence of orthonormal polynomials: `roots[k + 1] p_{k+1} = (x - centres[k]) p_k - roots[k] p_{k-1}`. */
interface Recurrence {
  readonly centre: (k: number) => number
  readonly root: (k: number) => number
}

/** The orthonormal polynomials at `x`, degrees `0..n`. */
const polynomials = ({ centre, root }: Recurrence, n: number, x: number): ReadonlyArray<number> => {
  const p = [1]
  for (let k = 0; k < n; k++) {
    p.push(((x - centre(k)) * (p[k] ?? 0) - (k === 0 ? 0 : root(k) * (p[k - 1] ?? 0))) / root(k + 1))
  }
  return p
}

/** The orthonormal polynomial of degree `n` at `x`, and its slope there. */
const polynomial = ({ centre, root }: Recurrence, n: number, x: number): readonly [value: number, slope: number] => {
  let [before, value, slopeBefore, slope] = [0, 1, 0, 0]
  for (let k = 0; k < n; k++) {
    const back = k === 0 ? 0 : root(k)
    const next = ((x - centre(k)) * value - back * before) / root(k + 1)
    const nextSlope = (value + (x - centre(k)) * slope - back * slopeBefore) / root(k + 1)
    before = value
    value = next
    slopeBefore = slope
    slope = nextSlope
  }
  return [value, slope]
}

/**
 * The Gauss rule of `n` nodes of a recurrence, nodes in increasing order. The zeros of each degree separate those of
 * the next, so each is found by Newton's method between its fences; the weights are Christoffel's, `1 / sum over k <
 * n of p_k(x)^2`.
 */
const gauss = (
  recurrence: Recurrence,
  n: number,
  ends: (degree: number) => readonly [low: number, high: number],
  exactly: (degree: number, i: number) => number | undefined = () => undefined
): Rule => {
  let zeros: ReadonlyArray<number> = []
  for (let degree = 1; degree <= n; degree++) {
    const [low, high] = ends(degree)
    const fences = [low, ...zeros, high]
    zeros = Array.from(
      { length: degree },
      (_, i) =>
        exactly(degree, i) ?? zeroOf((x) => polynomial(recurrence, degree, x), fences[i] ?? low, fences[i + 1] ?? high)
    )
  }
  const weights = zeros.map((x) => 1 / sum(polynomials(recurrence, n - 1, x).map((p) => p * p)))
  return { nodes: zeros, weights }
}

/** The zero between two numbers at which a function differs in sign: Newton's method, and halves where it would leave. */
const zeroOf = (f: (x: number) => readonly [value: number, slope: number], from: number, to: number): number => {
  let [low, high] = [from, to]
  const sign = Math.sign(f(low)[0])
  let x = (low + high) / 2
  for (;;) {
    const [value, slope] = f(x)
    if (value === 0) return x
    if (Math.sign(value) === sign) low = x
    else high = x
    const step = value / slope
    const middle = (low + high) / 2
    const next = x - step > low && x - step < high ? x - step : middle
    if (Math.abs(next - x) <= 2 ** -52 * Math.abs(x) || middle === low || middle === high) return next
    x = next
  }
}

/**
 * The Gauss-Hermite rule of `n` nodes for the standard normal, nodes in increasing order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const gaussHermite = (n: number): Rule =>
  gauss(
    { centre: () => 0, root: Math.sqrt },
    n,
    (degree) => {
      // every zero of the Hermite polynomial of degree n is below sqrt(4 n + 2) in magnitude
      const bound = Math.sqrt(4 * degree + 2)
      return [-bound, bound]
    },
    (degree, i) => (2 * i + 1 === degree ? 0 : undefined)
  )

/**
 * The Gauss rule of `n` nodes of the measure that many points stand for, by Stieltjes' procedure (Gautschi,
 * *Orthogonal Polynomials: Computation and Approximation*, 2004, section 2.2). Points that integrate polynomials of
 * degree `2 n - 1` well give a rule that does so with `n` nodes. Their weights add up to 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const gaussOf = ({ nodes, weights }: Rule, n: number): Rule => {
  const inner = (f: ReadonlyArray<number>, g: ReadonlyArray<number>): number =>
    sum(weights.map((w, i) => w * (f[i] ?? 0) * (g[i] ?? 0)))
  const centres: Array<number> = []
  const roots: Array<number> = [1]
  let before = nodes.map(() => 0)
  let current = nodes.map(() => 1)
  for (let k = 0; k < n; k++) {
    const centre = inner(
      current,
      current.map((p, i) => p * (nodes[i] ?? 0))
    )
    const raw = current.map(
      (p, i) => ((nodes[i] ?? 0) - centre) * p - (k === 0 ? 0 : (roots[k] ?? 0)) * (before[i] ?? 0)
    )
    const root = Math.sqrt(inner(raw, raw))
    centres.push(centre)
    roots.push(root)
    before = current
    current = raw.map((p) => p / root)
  }
  const [low, high] = [Math.min(...nodes), Math.max(...nodes)]
  return gauss({ centre: (k) => centres[k] ?? 0, root: (k) => roots[k] ?? 1 }, n, () => [low, high])
}

const rules = new Map<number, Rule>()

/**
 * The Gauss-Hermite rule, computed once.
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
 * The product of rules, one a dimension, the last one varying fastest; a number is the Gauss-Hermite rule of so many
 * nodes. Points of weight below `prune` are dropped.
 *
 * @category combinators
 * @since 0.1.0
 */
export const product = (dimensions: ReadonlyArray<number | Rule>, prune = 1e-20): Points => {
  let points: ReadonlyArray<ReadonlyArray<number>> = [[]]
  let weights: ReadonlyArray<number> = [1]
  for (const given of dimensions) {
    const one = typeof given === 'number' ? rule(given) : given
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
