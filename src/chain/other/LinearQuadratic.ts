/**
 * A linear controlled system under linear feedback: a chain that is no diffusion.
 *
 *     x_{t-1} = A x_t + B u_t + sigma_t eps_t,    u_t = -K x_t
 *
 * with the gain `K` as the parameter. With a quadratic cost as reward this is the linear-quadratic regulator (Anderson and Moore,
 * *Optimal Control*, 1990), the standard problem of policy gradients (Fazel et al., arXiv 1801.05039). Means and covariances
 * have a closed form: with `M = A - B K`, the mean of `x_t` is `M^(T-t)` times that of `x_T`, and its covariance `S` follows
 * `S' = M S M^T + sigma^2 I`.
 *
 * @since 0.1.0
 */
import type { Rows } from '../../lens/Rows.js'
import * as L from '../../lens/Lens.js'
import type { None } from '../../lens/Lens.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import { tabulate } from '../../tensor/Tensor.js'
import type { Chain } from '../Chain.js'
import { normal, type Noise } from '../Noise.js'

/**
 * A matrix by rows.
 *
 * @category model
 * @since 0.1.0
 */
export type Matrix = ReadonlyArray<ReadonlyArray<number>>

/**
 * A plant: how its state moves by itself, `A [n, n]`, and what a control does to it, `B [n, m]`. Missing entries are 0.
 *
 * @category model
 * @since 0.1.0
 */
export interface Plant {
  readonly A: Matrix
  readonly B: Matrix
}

/**
 * The parameter: the gain `K [m, n]`.
 *
 * @category model
 * @since 0.1.0
 */
export type Gain = { readonly gain: Expr<readonly [number, number]> }

/**
 * A matrix, transposed, as a constant `[columns, rows]`: what rows of states are multiplied with.
 *
 * @category utils
 * @since 0.1.0
 */
export const acting = (matrix: Matrix, columns: number): Expr<readonly [number, number]> => {
  const rows = matrix.length
  const value = tabulate([columns, rows], (i) => matrix[i % rows]?.[Math.floor(i / rows)] ?? 0)
  return X.constant(value, [columns, rows])
}

/**
 * The chain of a plant with `n = A.length` state variables and `m` controls. `sigma` has the deviations of steps `1..T`. The
 * gain starts at 0.
 *
 * @category constructors
 * @since 0.1.0
 */
export const linearQuadratic = (options: {
  readonly plant: Plant
  readonly sigma: ReadonlyArray<number>
  readonly noise?: Noise
}): Chain<Gain, readonly ['batch', number], None> => {
  const { plant, sigma, noise = normal } = options
  const n = plant.A.length
  const m = plant.B[0]?.length ?? 0
  const drift = acting(plant.A, n)
  const control = acting(plant.B, m)
  const parameters = { gain: L.parameter([m, n]) }
  return {
    name: 'linear-quadratic',
    T: sigma.length,
    state: ['batch', n],
    condition: {},
    parameters,
    sigma: [0, ...sigma],
    noise,
    networkCalls: 1,
    mean: () =>
      L.make<Gain, { readonly x: Rows<number>; readonly c: None }, Rows<number>>(parameters, ({ gain }, { x, c }) => {
        const u = X.neg(X.matmul(x, X.transpose(gain)))
        return [
          X.add(X.matmul(x, drift), X.matmul(u, control)),
          (bar) => {
            const uBar = X.matmul(bar, X.transpose(control))
            return [
              { gain: X.neg(X.matmul(X.transpose(uBar), x)) },
              { x: X.sub(X.matmul(bar, X.transpose(drift)), X.matmul(uBar, gain)), c }
            ]
          }
        ]
      })
  }
}
