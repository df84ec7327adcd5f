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
import * as Ch from '../src/chain/Chain.js'
import type { Chain } from '../src/chain/Chain.js'
import type { Schedule } from '../src/chain/Schedule.js'
import type { Rows } from '../src/lens/Dense.js'
import * as L from '../src/lens/Lens.js'
import type { Params } from '../src/lens/Lens.js'
import * as X from '../src/tensor/Expr.js'
import * as Program from '../src/tensor/Program.js'
import * as Reference from '../src/tensor/Reference.js'
import { showError } from '../src/tensor/Shape.js'
import * as T from '../src/tensor/Tensor.js'
import * as Tree from '../src/tensor/Tree.js'
import type { Exprs, Shapes } from '../src/tensor/Tree.js'
import type { Subject } from './Chain.js'
import { fromSingle, unitRoundoff } from './Rounding.js'
import { rowCondition, rowParams } from './Setting.js'
import type { Data } from './toy/GaussianData.js'
import * as V from './Verdict.js'
import type { Comparison, Verdict } from './Verdict.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Numbers by rows.
 *
 * @category model
 * @since 0.1.0
 */
export type Matrix = ReadonlyArray<ReadonlyArray<number>>

/**
 * A normal in some dimensions.
 *
 * @category model
 * @since 0.1.0
 */
export interface Gaussian {
  readonly mean: ReadonlyArray<number>
  readonly covariance: Matrix
}

/**
 * What a chain's marginals should be, at `t = 0..T`; the one at `T` is where it starts. `conditioning(t)`: by how many roundings
 * the numbers of step `t` may be off (1 by default): formulas such as `1 - alphaBar` lose digits near 0.
 *
 * @category model
 * @since 0.1.0
 */
export interface Closed {
  readonly marginal: (t: number) => Gaussian
  readonly conditioning?: (t: number) => number
}

/**
 * A chain on rows at some parameters and condition.
 *
 * @category model
 * @since 0.1.0
 */
export type Affine<P extends Params, D extends number, C extends Exprs> = Subject<P, readonly ['batch', D], C>

/** A Gaussian and how far rounding may have moved it, elementwise. */
interface Moved extends Gaussian {
  readonly meanError: ReadonlyArray<number>
  readonly covarianceError: Matrix
}

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
  chain: Chain<L.None, readonly ['batch', D], Rows<K>>
): Affine<L.None, D, Rows<K>> => ({ chain, params: {}, condition: { c: zeros(chain.condition) } })

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

const diagonal = (n: number, value: number): Matrix =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_column, j) => (i === j ? value : 0)))

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
// propagation
// -------------------------------------------------------------------------------------

const times = (a: Matrix, b: Matrix): Matrix =>
  a.map((row) => (b[0] ?? []).map((_, j) => row.reduce((sum, x, k) => sum + x * (b[k]?.[j] ?? 0), 0)))
const flip = (a: Matrix): Matrix => (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? 0))
const plus = (...terms: ReadonlyArray<Matrix>): Matrix =>
  (terms[0] ?? []).map((row, i) => row.map((_, j) => terms.reduce((sum, term) => sum + (term[i]?.[j] ?? 0), 0)))
const sized = (a: Matrix): Matrix => a.map((row) => row.map(Math.abs))
const apply = (a: Matrix, x: ReadonlyArray<number>): ReadonlyArray<number> =>
  times(
    a,
    x.map((v) => [v])
  ).map(([v = Number.NaN]) => v)

/** A step's map `x -> slope x + offset`, and the rounding in both. */
interface Step {
  readonly slope: Matrix
  readonly offset: ReadonlyArray<number>
  readonly slopeError: Matrix
  readonly offsetError: ReadonlyArray<number>
}

/** Reads the affine map of each step, `t = 1..T`, off one program at a run-time `t`. Left: it is not affine. */
const steps = <P extends Params, D extends number, C extends Exprs>({
  chain,
  params,
  condition
}: Affine<P, D, C>): E.Either<string, ReadonlyArray<Step>> => {
  const n = chain.state[1]
  // the origin, the unit vectors, and twice their sum, which tells whether the map is affine
  const batch = n + 2
  const points = T.tabulate([batch, n], (i) => {
    const row = Math.floor(i / n)
    return row === n + 1 ? 2 : row === (i % n) + 1 ? 1 : 0
  })
  const values = {
    ...Object.fromEntries(
      Object.entries(rowParams(chain.parameters, params, batch)).map(([path, value]) => [`params.${path}`, value])
    ),
    ...rowCondition(condition, batch),
    x: points
  }
  const read = (program: Program.Program, t: number): E.Either<string, Step> =>
    pipe(
      Reference.runWithBounds(program, { batch }, { ...values, t: T.scalar(t) }),
      E.mapLeft((errors) => errors.map(showError).join('\n')),
      E.flatMap(({ values: out, bounds }) => {
        const at = (row: number): ReadonlyArray<number> =>
          Array.from({ length: n }, (_, i) => out['mean']?.data[row * n + i] ?? Number.NaN)
        const off = (row: number): ReadonlyArray<number> =>
          Array.from({ length: n }, (_, i) => (bounds['mean']?.data[row * n + i] ?? 0) * fromSingle)
        const offset = at(0)
        const offsetError = off(0)
        const columns = Array.from({ length: n }, (_, k) => at(k + 1).map((v, i) => v - (offset[i] ?? 0)))
        const errors = Array.from({ length: n }, (_, k) => off(k + 1).map((v, i) => v + (offsetError[i] ?? 0)))
        const bent = at(n + 1).some((v, i) => {
          const line = (offset[i] ?? 0) + 2 * columns.reduce((sum, column) => sum + (column[i] ?? 0), 0)
          const slack = errors.reduce((sum, column) => sum + 2 * (column[i] ?? 0), 0) + (off(n + 1)[i] ?? 0)
          return !(Math.abs(v - line) <= 4 * slack + 2 * (offsetError[i] ?? 0))
        })
        return bent
          ? E.left(`the mean of step ${t} is not affine in the state`)
          : E.right({ slope: flip(columns), offset, slopeError: flip(errors), offsetError })
      })
    )
  return pipe(
    Program.make(
      { params: L.shapes(chain.parameters), c: chain.condition, x: chain.state, t: [] },
      (): Exprs => ({
        mean: chain.mean(X.input('t', [])).forward(Ch.parameterInputs<P>('params', chain.parameters), {
          x: X.input('x', chain.state),
          // the declared shapes are those of `C`
          c: Tree.inputs<Shapes>('c', chain.condition) as C
        })
      })
    ),
    E.mapLeft((errors) => errors.map(showError).join('\n')),
    E.flatMap((program) => E.sequenceArray(Array.from({ length: chain.T }, (_, i) => read(program, i + 1))))
  )
}

/** Marginals at `t = 0..T`, from the closed form at `T`. */
const propagate = <P extends Params, D extends number, C extends Exprs>(
  subject: Affine<P, D, C>,
  { marginal, conditioning = () => 1 }: Closed
): E.Either<string, ReadonlyArray<Moved>> =>
  pipe(
    steps(subject),
    E.map((all) => {
      const { T: length, sigma } = subject.chain
      const start = marginal(length)
      const still = start.mean.map(() => 0)
      const found: Array<Moved> = [{ ...start, meanError: still, covarianceError: start.covariance.map(() => still) }]
      for (let t = length; t >= 1; t--) {
        const one = all[t - 1]
        const from = found[0]
        if (one === undefined || from === undefined) break
        const units = conditioning(t)
        const s = sigma[t] ?? 0
        const { slope, offset } = one
        const across = sized(slope)
        const shaky = one.slopeError.map((row) => row.map((v) => v * units))
        const spread = times(times(slope, from.covariance), flip(slope))
        const mixed = times(times(shaky, sized(from.covariance)), flip(plus(across, shaky)))
        found.unshift({
          mean: apply(slope, from.mean).map((v, i) => v + (offset[i] ?? 0)),
          covariance: plus(spread, diagonal(offset.length, s * s)),
          meanError: apply(across, from.meanError).map(
            (v, i) => v + (apply(shaky, from.mean.map(Math.abs))[i] ?? 0) + units * (one.offsetError[i] ?? 0)
          ),
          covarianceError: plus(
            times(times(across, from.covarianceError), flip(across)),
            mixed,
            flip(mixed),
            diagonal(offset.length, 4 * units * unitRoundoff * (s * s))
          )
        })
      }
      return found
    })
  )

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
