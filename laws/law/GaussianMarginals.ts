/**
 * Laws of chains whose steps are affine: every marginal is a normal, and where it should be known it is.
 *
 * With the exact denoiser of Gaussian data a sampler's step is affine in the state, whatever the sampler. So mean and covariance
 * of `x_t` follow from those of `x_T` by the chain's *own* programs, evaluated at as many points as an affine map has columns. They
 * are compared with a closed form: at every step where the sampler claims to be exact, or by the order at which they converge
 * to it.
 *
 * @example
 * import { GaussianData, GaussianMarginals, Run } from 'halforder/laws'
 * import { consistency, linear } from 'halforder/chain'
 *
 * const schedule = linear(8)
 * const data = { mean: 0.5, variance: 0.25 }
 * const chain = consistency({ denoiser: GaussianData.exactConsistency(data), schedule })
 * Run.assert(GaussianMarginals.exact(GaussianMarginals.sampler(chain), GaussianMarginals.ofSchedule(schedule, data)))
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Chain } from '../../src/chain/Chain.js'
import type { Schedule } from '../../src/chain/Schedule.js'
import type { Rows } from '../../src/lens/Rows.js'
import type { None, Params } from '../../src/lens/Lens.js'
import * as T from '../../src/tensor/Tensor.js'
import * as Tree from '../../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../../src/tensor/Tree.js'
import { diagonal, propagate, type Affine, type Closed, type Gaussian, type Moved } from '../exact/AffineChain.js'
import { unitRoundoff } from '../exact/Rounding.js'
import type { Data } from '../toy/GaussianData.js'
import * as V from '../Verdict.js'
import type { Comparison, Verdict } from '../Verdict.js'

export type { Affine, Closed, Gaussian, Matrix } from '../exact/AffineChain.js'

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A sampler of a denoiser without parameters, with no condition.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sampler = <D extends number, K extends number>(
  chain: Chain<None, readonly ['batch', D], Rows<K>>
): Affine<None, D, Rows<K>> => ({ chain, params: {}, condition: { c: zeros(chain.condition) } })

const zeros = (condition: Shapes): T.Tensor => {
  const width = Tree.isShape(condition) ? condition[1] : undefined
  return T.fill([typeof width === 'number' ? width : 1], 0)
}

/**
 * Independent numbers with one mean and one variance.
 *
 * @category constructors
 * @since 0.1.0
 */
export const isotropic = (features: number, mean: number, variance: number): Gaussian => ({
  mean: new Array<number>(features).fill(mean),
  covariance: diagonal(features, variance)
})

/**
 * The marginals of a schedule on data that is independent in each feature: `N(sqrt(a) m, a v + 1 - a)` at `a = alphaBar[t]`.
 * Rounding: the formulas of samplers lose `b / a` units in `1 - (1 - a / b)`, `1 / (1 - a)` in `1 - a` and `1 / (1 - b)`
 * likewise, with `b = alphaBar[t - 1]`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofSchedule = ({ alphaBar }: Schedule, { mean, variance }: Data, features = 1): Closed => ({
  marginal: (t) => {
    const a = alphaBar[t] ?? 1
    return isotropic(features, Math.sqrt(a) * mean, a * variance + 1 - a)
  },
  conditioning: (t) => {
    const a = alphaBar[t] ?? 1
    const b = alphaBar[t - 1] ?? 1
    return 8 * (1 + b / a + 1 / (1 - a) + (b < 1 ? 1 / (1 - b) : 0))
  }
})

// -------------------------------------------------------------------------------------
// laws
// -------------------------------------------------------------------------------------

const compare = (t: number, got: Moved, expected: Gaussian): ReadonlyArray<Comparison> => {
  // rounding of the closed form itself
  const own = (v: number): number => 8 * unitRoundoff * (Math.abs(v) + 1)
  const because = 'rounding, carried through the steps'
  return [
    ...expected.mean.map((v, i) => ({
      at: `mean[${i}] at t = ${t}`,
      expected: v,
      got: got.mean[i] ?? Number.NaN,
      tolerance: own(v) + (got.meanError[i] ?? 0),
      because
    })),
    ...expected.covariance.flatMap((row, i) =>
      row.map((v, j) => ({
        at: `covariance[${i}][${j}] at t = ${t}`,
        expected: v,
        got: got.covariance[i]?.[j] ?? Number.NaN,
        tolerance: own(v) + (got.covarianceError[i]?.[j] ?? 0),
        because
      }))
    )
  ]
}

/**
 * **Marginals are exact.** At every step mean and covariance of the state are the closed form's, to rounding.
 *
 * @category laws
 * @since 0.1.0
 */
export const exact = <P extends Params, D extends number, C extends Exprs>(
  subject: Affine<P, D, C>,
  closed: Closed
): Verdict => {
  const law = `${subject.chain.name}: marginals have their closed form`
  return pipe(
    propagate(subject, closed),
    E.match(
      (reason) => V.stuck(law, reason),
      (found) =>
        V.verdict(
          law,
          found.flatMap((got, t) => compare(t, got, closed.marginal(t)))
        )
    )
  )
}

/**
 * A chain, its closed form, and the step at which the two are compared (0 by default). Take 1 where the last step jumps from a
 * fixed least level of noise to none: no refinement makes that jump smaller.
 *
 * @category model
 * @since 0.1.0
 */
export interface Refined<P extends Params, D extends number, C extends Exprs> {
  readonly subject: Affine<P, D, C>
  readonly closed: Closed
  readonly at?: number
}

/**
 * **Marginals converge at an order.** `family(n)` has steps of size in proportion to `1 / n`. The error, the sum of all gaps in mean
 * and covariance, is `C n^-order (1 + O(1 / n))`, so its logarithm falls with that of `n` at a slope which approaches the
 * order like `1 / n`. With `n` doubled three times there are three slopes, and two extrapolations of them that are off by
 * `O(1 / n^2)` only: the last one is the order, to the distance of the two and rounding. A chain whose law cannot be seen so,
 * since that distance exceeds a quarter, is `Stuck`: take more steps.
 *
 * @category laws
 * @since 0.1.0
 */
export const converges =
  <P extends Params, D extends number, C extends Exprs>(family: (n: number) => Refined<P, D, C>, order: number) =>
  (shortest: number): Verdict => {
    const law = `${family(shortest).subject.chain.name}: marginals converge at order ${order}`
    const one = (n: number): E.Either<string, { readonly error: number; readonly rounding: number }> => {
      const { subject, closed, at = 0 } = family(n)
      return pipe(
        propagate(subject, closed),
        E.map((found) => {
          const got = found[at]
          const gaps = got === undefined ? [] : compare(at, got, closed.marginal(at))
          return {
            error: gaps.reduce((sum, gap) => sum + Math.abs(gap.got - gap.expected), 0),
            rounding: gaps.reduce((sum, { tolerance }) => sum + tolerance, 0)
          }
        })
      )
    }
    return pipe(
      E.sequenceArray([1, 2, 4, 8].map((k) => one(k * shortest))),
      E.match(
        (reason) => V.stuck(law, reason),
        (found) => {
          const slopes = found.slice(1).map(({ error }, k) => Math.log2((found[k]?.error ?? Number.NaN) / error))
          const [first = Number.NaN, last = Number.NaN] = slopes.slice(1).map((p, k) => 2 * p - (slopes[k] ?? 0))
          // a slope has two errors in it, and the last extrapolation weighs two slopes by 2 and 1
          const rounding = (6 / Math.LN2) * Math.max(...found.map((each) => each.rounding / each.error))
          const seen = Math.abs(last - first) + rounding
          return seen > 0.25
            ? V.stuck(law, `slopes ${slopes.join(', ')} tell no order: take more than ${shortest} steps`)
            : V.verdict(law, [
                {
                  at: 'slope of log error in log step, extrapolated',
                  expected: order,
                  got: last,
                  tolerance: seen,
                  because: 'the distance of the last two extrapolations, and rounding'
                }
              ])
        }
      )
    )
  }
