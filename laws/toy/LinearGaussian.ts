/**
 * Linear chains with Gaussian noise and a quadratic reward: everything has a closed form, in any dimension, at any length.
 *
 *     x_{t-1} = A x_t + B theta + c + sigma_t eps_t,    R(x) = -1/2 (x - m)^T Q (x - m) + q^T x
 *
 * The mean of `x_0` is affine in the copies of `theta` that the steps use, jointly, and its covariance does not depend on them.
 * So the expected reward is quadratic in the copies, jointly: the gradient of `J_s` is that of `J`.
 *
 * @since 0.1.0
 */
import type { Chain } from '../../src/chain/Chain.js'
import { normal } from '../../src/chain/Noise.js'
import * as L from '../../src/lens/Lens.js'
import * as Reward from '../../src/reward/Reward.js'
import * as X from '../../src/tensor/Expr.js'
import type { Expr } from '../../src/tensor/Expr.js'
import * as T from '../../src/tensor/Tensor.js'
import type { Exprs } from '../../src/tensor/Tree.js'
import { nodesFor } from '../exact/Quadrature.js'
import { dot } from '../exact/Rounding.js'
import type { Order, Setting } from '../Setting.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

type Matrix = ReadonlyArray<ReadonlyArray<number>>
type Vector = ReadonlyArray<number>

/**
 * The numbers of a linear-Gaussian chain of dimension `D = A.length` with `P = theta.length` parameters, and of its reward.
 * `sigma` has those of steps `1..T`. `Q` is symmetric.
 *
 * @category model
 * @since 0.1.0
 */
export interface LinearGaussian {
  readonly A: Matrix
  readonly B: Matrix
  readonly c: Vector
  readonly sigma: Vector
  readonly theta: Vector
  readonly m: Vector
  readonly Q: Matrix
  readonly q: Vector
}

/**
 * Rows of numbers.
 *
 * @category model
 * @since 0.1.0
 */
export type Rows = Expr<readonly ['batch', number]>

/**
 * The parameters: a vector for each row.
 *
 * @category model
 * @since 0.1.0
 */
export type Theta = { readonly theta: Rows }

/**
 * Such a chain as a setting.
 *
 * @category model
 * @since 0.1.0
 */
export type LinearSetting = Setting<Theta, readonly ['batch', number], Readonly<Record<never, never>>, L.None>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

const times = (a: Matrix, x: Vector): Vector => a.map((row) => dot(row, x))
const flip = (a: Matrix): Matrix => (a[0] ?? []).map((_, j) => a.map((row) => row[j] ?? 0))
const product = (a: Matrix, b: Matrix): Matrix => a.map((row) => times(flip(b), row))
const plus = (x: Vector, y: Vector, factor = 1): Vector => x.map((v, i) => v + factor * (y[i] ?? 0))

/** Rows times a matrix. */
const apply = (x: Rows, a: Matrix): Rows => {
  const shape = [a.length, a[0]?.length ?? 0] as const
  return X.matmul<'batch', number, number>(x, X.constant(T.matrix(a), shape))
}

const row = (values: Vector): Rows =>
  X.broadcastTo(X.constant(T.vector(values), [values.length]), ['batch', values.length])

/**
 * The chain.
 *
 * @category constructors
 * @since 0.1.0
 */
export const linearChain = ({
  A,
  B,
  c,
  sigma,
  theta
}: LinearGaussian): Chain<Theta, readonly ['batch', number], Readonly<Record<never, never>>> => {
  const parameters = { theta: L.parameter(['batch', theta.length]) }
  return {
    name: 'linear-Gaussian',
    T: sigma.length,
    state: ['batch', A.length],
    condition: {},
    parameters,
    sigma: [0, ...sigma],
    noise: normal,
    networkCalls: 1,
    mean: () =>
      L.make<Theta, { readonly x: Rows; readonly c: Readonly<Record<never, never>> }, Rows>(
        parameters,
        (p, { x, c: none }) => [
          X.add(X.add(apply(x, flip(A)), apply(p.theta, flip(B))), row(c)),
          (bar) => [{ theta: apply(bar, B) }, { x: apply(bar, A), c: none }]
        ]
      )
  }
}

/**
 * The reward.
 *
 * @category constructors
 * @since 0.1.0
 */
export const quadraticReward = ({
  m,
  Q,
  q
}: LinearGaussian): Reward.Differentiable<L.None, readonly ['batch', number], Exprs> =>
  Reward.differentiable<L.None, readonly ['batch', number]>(
    'quadratic form',
    L.pure((x) => {
      const off = X.sub(x, row(m))
      const pull = apply(off, Q)
      const inner = X.add(X.scale(X.mul(off, pull), -0.5), X.mul(x, row(q)))
      return [
        X.retype(X.sum<readonly ['batch', number], [1]>(inner, [1]), ['batch']),
        (bar) => X.mul(X.broadcastTo(X.reshape(bar, ['batch', 1]), ['batch', m.length]), X.sub(row(q), pull))
      ]
    })
  )

/**
 * The setting. Three nodes an axis are exact for estimates, whose degree in each random number is at most 4, and two for
 * the reward; `J` is quadratic, so central differences are exact too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const linearSetting = (numbers: LinearGaussian): LinearSetting => {
  const even = (nodes: number): Order => ({ xT: nodes, eps: () => nodes, xi: () => nodes })
  return {
    chain: linearChain(numbers),
    reward: quadraticReward(numbers),
    params: { theta: T.vector(numbers.theta) },
    condition: {},
    trained: () => true,
    order: even(nodesFor(4)),
    objective: even(nodesFor(2)),
    scheme: { step: 0.25, levels: 2 }
  }
}

// -------------------------------------------------------------------------------------
// closed forms
// -------------------------------------------------------------------------------------

/**
 * `J`, and the terms of its gradient: `terms[t - 1]` is the gradient in the copy of `theta` that step `t` uses. With `M` and
 * `S` the mean and covariance of `x_0`: `J = -1/2 ((M - m)^T Q (M - m) + tr(Q S)) + q^T M`, and the term of step `t` is
 * `(A^(t-1) B)^T (q - Q (M - m))`. A price `beta` of leaving the reference `r` adds `-beta |B (theta - r)|^2 / (2 sigma_t^2)` for
 * each step with noise to `J`, and `-beta B^T B (theta - r) / sigma_t^2` to its term.
 *
 * @category closed forms
 * @since 0.1.0
 */
export const closedForm = (
  { A, B, c, sigma, theta, m, Q, q }: LinearGaussian,
  near?: { readonly beta: number; readonly reference: Vector }
): { readonly J: number; readonly terms: ReadonlyArray<Vector>; readonly gradient: Vector } => {
  let mean: Vector = A.map(() => 0)
  let covariance: Matrix = A.map((_, i) => A.map((_row, j) => (i === j ? 1 : 0)))
  for (let t = sigma.length; t >= 1; t--) {
    const s = sigma[t - 1] ?? 0
    mean = plus(plus(times(A, mean), times(B, theta)), c)
    covariance = product(product(A, covariance), flip(A)).map((line, i) =>
      line.map((v, j) => (i === j ? v + s * s : v))
    )
  }
  const off = plus(mean, m, -1)
  const trace = product(Q, covariance).reduce((sum, line, i) => sum + (line[i] ?? 0), 0)
  const gap = near === undefined ? B.map(() => 0) : times(B, plus(theta, near.reference, -1))
  const price = (s: number): number => (near === undefined || s === 0 ? 0 : near.beta / s ** 2)
  const penalty = sigma.reduce((sum, s) => sum - (price(s) * dot(gap, gap)) / 2, 0)
  const J = -0.5 * (dot(off, times(Q, off)) + trace) + dot(q, mean) + penalty
  let pull = plus(q, times(Q, off), -1)
  const terms: Array<Vector> = []
  for (const s of sigma) {
    terms.push(plus(times(flip(B), pull), times(flip(B), gap), -price(s)))
    pull = times(flip(A), pull)
  }
  return { J, terms, gradient: theta.map((_, i) => terms.reduce((sum, term) => sum + (term[i] ?? 0), 0)) }
}
