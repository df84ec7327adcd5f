/**
 * Quadrature rules for densities on the line: nodes with weights, in place of draws, turn a program into its
 * expectation.
 *
 * @since 0.1.0
 */

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Nodes and weights of a rule in one dimension. The weights of a density's rule add up to 1.
 *
 * @category model
 * @since 0.1.0
 */
export interface Rule {
  readonly nodes: ReadonlyArray<number>
  readonly weights: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** Where the rules on (0, 1) stop: an expectation of what grows as `p^(-1/4)` is off by 1e-45 of its size there. */
const least = 1e-60

/**
 * The tanh-sinh rule of about `n` nodes on (0, 1), increasing: `p = 1 / (1 + exp(-pi sinh t))` at equal distances of
 * `t`. Its error falls as `exp(-c n / ln n)` for what is analytic inside, whatever the ends do (Takahasi and Mori,
 * Publications of the RIMS 9, 1974). The nodes near 1 are rounded: read them as `1 - p` of those near 0 where that
 * matters.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unit = (n: number): Rule => {
  const reach = Math.asinh(-Math.log(least) / Math.PI)
  const h = (2 * reach) / Math.max(n - 1, 1)
  const raw = Array.from({ length: n }, (_, i) => {
    const t = n === 1 ? 0 : i * h - reach
    const s = Math.PI * Math.sinh(t)
    const node = s < 0 ? Math.exp(s) / (1 + Math.exp(s)) : 1 / (1 + Math.exp(-s))
    const tail = Math.exp(-Math.abs(s))
    return { node, weight: (Math.PI * Math.cosh(t) * tail) / (1 + tail) ** 2 }
  })
  const total = raw.reduce((sum, { weight }) => sum + weight, 0)
  return { nodes: raw.map(({ node }) => node), weights: raw.map(({ weight }) => weight / total) }
}

/**
 * The rule of a density from its quantile function: half of the nodes below the median and half above, each
 * tanh-sinh. Of a `symmetric` one the upper half is the lower one's mirror image.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofQuantile =
  (quantile: (p: number) => number, symmetric: boolean) =>
  (n: number): Rule => {
    const { nodes, weights } = unit(Math.max(1, Math.ceil(n / 2)))
    const below = nodes.map((p, i) => ({ p: p / 2, weight: (weights[i] ?? 0) / 2 }))
    // beyond half a unit of 1 there is no p left to ask for
    const above = [...below].reverse().filter(({ p }) => symmetric || 1 - p < 1)
    return {
      nodes: [
        ...below.map(({ p }) => quantile(p)),
        ...above.map(({ p }) => (symmetric ? -quantile(p) : quantile(1 - p)))
      ],
      weights: [...below, ...above].map(({ weight }) => weight)
    }
  }
