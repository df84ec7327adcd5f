/**
 * Chains whose steps are affine in the state: their maps, read off their own programs, and the normals that these carry along.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { conditionInputs } from '../../src/chain/Chain.js'
import * as L from '../../src/lens/Lens.js'
import type { Params } from '../../src/lens/Lens.js'
import * as X from '../../src/tensor/Expr.js'
import * as Program from '../../src/tensor/Program.js'
import * as Reference from '../../src/tensor/Reference.js'
import { showError } from '../../src/tensor/Shape.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import type { Subject } from '../law/Chain.js'
import { fromSingle, unitRoundoff } from './Rounding.js'
import { rowCondition, rowParams } from '../Setting.js'

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

/**
 * A Gaussian and how far rounding may have moved it, elementwise.
 *
 * @category model
 * @since 0.1.0
 */
export interface Moved extends Gaussian {
  readonly meanError: ReadonlyArray<number>
  readonly covarianceError: Matrix
}

// -------------------------------------------------------------------------------------
// matrices
// -------------------------------------------------------------------------------------

/**
 * A multiple of the identity.
 *
 * @category utils
 * @since 0.1.0
 */
export const diagonal = (n: number, value: number): Matrix =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_column, j) => (i === j ? value : 0)))

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

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

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
        mean: chain.mean(X.input('t', [])).forward(L.parameterInputs<P>('params', chain.parameters), {
          x: X.input('x', chain.state),
          c: conditionInputs(chain)
        })
      })
    ),
    E.mapLeft((errors) => errors.map(showError).join('\n')),
    E.flatMap((program) => E.sequenceArray(Array.from({ length: chain.T }, (_, i) => read(program, i + 1))))
  )
}

/**
 * Marginals at `t = 0..T`, from the closed form at `T`. Left: a program that does not close, or a mean that is not affine.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const propagate = <P extends Params, D extends number, C extends Exprs>(
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
