/**
 * Descriptions of toy models as JSON documents, so that a chain of your own needs no code.
 *
 *     { "kind": "linearGaussian", "T", "A": [[..]], "B": [[..]], "c": [..], "sigma": number or [T numbers],
 *       "prior": { "mean": [..], "cov": [[..]] }, "theta": [..], "reward": { "Q": [[..]], "m": [..], "q": [..] } }
 *
 * is `x_{t-1} = A x_t + B theta + c + sigma_t eps_t`, `R(x) = -1/2 (x - m)^T Q (x - m) + q^T x`, and
 *
 *     { "kind": "tanh", "T", "alpha", "theta": [a, b], "sigma", "reward": { "kind": "quadratic", "m" } }
 *
 * is `x_{t-1} = alpha x_t + a tanh(x_t) + b + sigma eps_t`, `R(x) = -(x - m)^2`, `x_T ~ N(0, 1)`. Both may have
 *
 *     "kl": { "beta": number, "reference": [the theta of the reference] }
 *
 * and then their objective is the expected reward less `beta` times the divergence of the path from the reference's.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as t from 'io-ts'
import {
  decodeWith,
  fault,
  finite,
  isRecord,
  numberThat,
  positive,
  wholeIn,
  type DocumentError
} from '../../src/document/Document.js'
import { longest } from '../../src/estimator/Cover.js'
import type { LinearGaussian } from './LinearGaussian.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The price of leaving a reference, whose steps have the parameters `reference` (`reward/Kl`).
 *
 * @category model
 * @since 0.1.0
 */
export interface Kl {
  readonly beta: number
  readonly reference: ReadonlyArray<number>
}

/** What both kinds may have. */
interface Near {
  readonly kl?: Kl
}

/**
 * A linear-Gaussian chain of dimension `D`, whose first state is `mean + factor z` for a standard normal `z`: `factor [D, D]`
 * is lower triangular, a square root of the prior's covariance.
 *
 * @category model
 * @since 0.1.0
 */
export interface LinearDescription extends Near {
  readonly kind: 'linearGaussian'
  readonly numbers: LinearGaussian
  readonly prior: { readonly mean: ReadonlyArray<number>; readonly factor: ReadonlyArray<ReadonlyArray<number>> }
}

/**
 * A tanh chain.
 *
 * @category model
 * @since 0.1.0
 */
export interface TanhDescription extends Near {
  readonly kind: 'tanh'
  readonly T: number
  readonly alpha: number
  readonly theta: readonly [a: number, b: number]
  readonly sigma: number
  readonly m: number
}

/**
 * A described model.
 *
 * @category model
 * @since 0.1.0
 */
export type ModelDescription = LinearDescription | TanhDescription

// -------------------------------------------------------------------------------------
// codecs
// -------------------------------------------------------------------------------------

// a number for all steps becomes one for each
const length = /*#__PURE__*/ wholeIn(1, longest)
const spread = /*#__PURE__*/ numberThat('a number of at least 0', (n) => n >= 0 && Number.isFinite(n))
const vector = /*#__PURE__*/ t.readonlyArray(finite, 'a list of numbers')
const matrix = /*#__PURE__*/ t.readonlyArray(vector, 'a list of rows')

const Price = /*#__PURE__*/ t.type({ beta: positive, reference: vector }, 'a group of fields')

const linearFields = {
  kind: /*#__PURE__*/ t.literal('linearGaussian'),
  T: length,
  A: matrix,
  B: matrix,
  c: vector,
  sigma: /*#__PURE__*/ t.union(
    [spread, /*#__PURE__*/ t.readonlyArray(spread)],
    'a number of at least 0, or a list of T of them'
  ),
  prior: /*#__PURE__*/ t.type({ mean: vector, cov: matrix }, 'a group of fields'),
  theta: vector,
  reward: /*#__PURE__*/ t.type({ Q: matrix, m: vector, q: vector }, 'a group of fields'),
  // may be left out, and has a decoder of its own
  kl: t.unknown
}

const Linear = /*#__PURE__*/ t.type(linearFields, 'a group of fields')

const Tanh = /*#__PURE__*/ t.type(
  {
    kind: /*#__PURE__*/ t.literal('tanh'),
    T: length,
    alpha: finite,
    theta: vector,
    sigma: positive,
    reward: /*#__PURE__*/ t.type({ kind: /*#__PURE__*/ t.literal('quadratic'), m: finite }, 'a group of fields'),
    kl: t.unknown
  },
  'a group of fields'
)

// -------------------------------------------------------------------------------------
// decoding
// -------------------------------------------------------------------------------------

const lengthOf = (path: string, list: ReadonlyArray<unknown>, n: number, why: string): DocumentError | undefined =>
  list.length === n
    ? undefined
    : fault(path, `a list of ${n} (${why})`, list, `give it ${n}, or change what it has to fit`)

const shapeOf = (
  path: string,
  rows: ReadonlyArray<ReadonlyArray<number>>,
  n: number,
  columns: number,
  why: string
): DocumentError | undefined =>
  lengthOf(path, rows, n, why) ??
  rows.map((row, i) => lengthOf(`${path}[${i}]`, row, columns, why)).find((error) => error !== undefined)

/** The price of leaving a reference of so many parameters, where a document has one. */
const price = (given: unknown, parameters: number): E.Either<DocumentError, Near> =>
  given === undefined
    ? E.right({})
    : pipe(
        decodeWith(Price, given, 'kl'),
        E.flatMap((kl) => {
          const wrong = lengthOf('kl.reference', kl.reference, parameters, `theta has ${parameters}`)
          return wrong === undefined ? E.right({ kl }) : E.left(wrong)
        })
      )

const linear = (given: unknown): E.Either<DocumentError, LinearDescription> =>
  pipe(
    decodeWith(Linear, given),
    E.flatMap(({ T, A, B, c, sigma, prior, theta, reward, kl: near }) => {
      const D = A.length
      const P = theta.length
      const state = `the state has ${D} numbers, as A has rows`
      const size =
        (D === 0 ? fault('A', 'at least one row', A, 'give it a row') : undefined) ??
        (P === 0 ? fault('theta', 'at least one number', theta, 'give it a number') : undefined) ??
        shapeOf('A', A, D, D, state) ??
        shapeOf('B', B, D, P, `${state}, and theta has ${P}`) ??
        lengthOf('c', c, D, state) ??
        (typeof sigma === 'number' ? undefined : lengthOf('sigma', sigma, T, 'one for each step')) ??
        lengthOf('prior.mean', prior.mean, D, state) ??
        shapeOf('prior.cov', prior.cov, D, D, state) ??
        shapeOf('reward.Q', reward.Q, D, D, state) ??
        lengthOf('reward.m', reward.m, D, state) ??
        lengthOf('reward.q', reward.q, D, state)
      return size === undefined
        ? pipe(
            cholesky(prior.cov),
            E.bindTo('factor'),
            E.bind('priced', () => price(near, P)),
            E.map(
              ({ factor, priced }): LinearDescription => ({
                ...priced,
                kind: 'linearGaussian',
                numbers: {
                  A,
                  B,
                  c,
                  sigma: typeof sigma === 'number' ? new Array<number>(T).fill(sigma) : sigma,
                  theta,
                  m: reward.m,
                  // a quadratic form is that of its symmetric part
                  Q: reward.Q.map((row, i) => row.map((v, j) => (v + (reward.Q[j]?.[i] ?? 0)) / 2)),
                  q: reward.q
                },
                prior: { mean: prior.mean, factor }
              })
            )
          )
        : E.left(size)
    })
  )

/**
 * A lower triangular square root of a covariance, which may be singular. A pivot counts as 0 below the rounding of the sums that
 * it is left over from: `D` units of the largest variance.
 */
const cholesky = (
  cov: ReadonlyArray<ReadonlyArray<number>>
): E.Either<DocumentError, ReadonlyArray<ReadonlyArray<number>>> => {
  const bad = (path: string, got: unknown): E.Either<DocumentError, never> =>
    E.left(fault(path, 'a symmetric, positive semidefinite matrix', got, 'correct the covariance'))
  const slack = cov.length * Number.EPSILON * Math.max(...cov.map((row, i) => Math.abs(row[i] ?? 0)))
  const factor = cov.map((row) => row.map(() => 0))
  for (const [j, row] of cov.entries()) {
    const own = factor[j] ?? []
    const left = (i: number): number =>
      (cov[i]?.[j] ?? 0) - own.slice(0, j).reduce((sum, v, k) => sum + v * (factor[i]?.[k] ?? 0), 0)
    const pivot = left(j)
    if (!(pivot >= -slack)) return bad('prior.cov', cov)
    for (let i = j; i < cov.length; i++) {
      if (cov[i]?.[j] !== row[i]) return bad(`prior.cov[${i}][${j}]`, cov[i]?.[j])
      const target = factor[i]
      if (target === undefined) continue
      if (pivot > slack) target[j] = left(i) / Math.sqrt(pivot)
      // where a direction has no variance, it has no covariance either: |cov_ij| <= sqrt(cov_ii slack)
      else if (Math.abs(left(i)) > Math.sqrt(slack * Math.max(cov[i]?.[i] ?? 0, slack))) return bad('prior.cov', cov)
    }
  }
  return E.right(factor)
}

const tanh = (given: unknown): E.Either<DocumentError, TanhDescription> =>
  pipe(
    decodeWith(Tanh, given),
    E.flatMap(({ theta, reward, kl: near, ...numbers }) => {
      const [a, b] = theta
      if (a === undefined || b === undefined || theta.length !== 2) {
        return E.left(fault('theta', 'a list of 2 (a and b)', theta, 'give it 2'))
      }
      return pipe(
        price(near, 2),
        E.map((priced) => ({ ...numbers, ...priced, theta: [a, b] as const, m: reward.m }))
      )
    })
  )

/**
 * Decodes a model. Left: the first field that is unknown, missing, not of its kind, or does not fit the others.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (given: unknown): E.Either<DocumentError, ModelDescription> => {
  if (!isRecord(given)) return E.left(fault('', 'a group of fields', given, 'write it as a JSON object'))
  switch (given['kind']) {
    case 'linearGaussian':
      return linear(given)
    case 'tanh':
      return tanh(given)
    default:
      return E.left(fault('kind', 'linearGaussian or tanh', given['kind'], 'choose one of them'))
  }
}
