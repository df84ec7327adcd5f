/**
 * Adjoint matching.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as C from '../../Cover.js'
import type { CoverError, Memory } from '../../Cover.js'
import type { Estimator } from '../../Estimator.js'
import * as Est from '../../Estimator.js'
import * as F from '../Fields.js'
import { define, field, noGradient, type Row } from '../Row.js'

/**
 * Its options by name.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly memory: Memory
}

/**
 * Adjoint matching (Domingo-Enrich et al., arXiv 2409.08861) on a chain: the reward's gradient is carried from step to step by the
 * Jacobian of the *reference*, the lean adjoint `a_t = D_x mu_ref(x_t)^T a_{t-1}`, and each step's shift from the reference is matched
 * to it:
 *
 *     sum over t of D_theta mu(x_t)^T ( a_{t-1} - beta (mu(x_t) - mu_ref(x_t)) / sigma_t^2 ),    a_0 = grad R(x_0).
 *
 * The second part is the gradient of the divergence in the step's own parameters: set `kl.beta`. At the reference this is full
 * backpropagation's estimate of `E[R] - beta KL`, sample by sample. Elsewhere it is **biased**, but where the steps' means are free it
 * is 0 on average exactly where the gradient is: at the optimum both are. Left: options that do not fit `T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const adjointMatching = (
  T: number,
  options: Pick<C.SegmentOptions, 'memory'> = {}
): E.Either<CoverError, Estimator> =>
  Est.fromCells('adjointMatching', T, [C.firstOrder(T, { ...options, through: 'reference' })])

/**
 * `adjointMatching` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'adjointMatching', Options> = /*#__PURE__*/ define({
  name: 'adjointMatching',
  prose:
    "first-order on every step, carried by the base model's Jacobian; wants a KL penalty, with which it has the same optimum",
  cover: 'FO(1..T) through the reference',
  unbiasedFor: {
    bias: 'what the Jacobian of the base differs in, and the divergences of the steps below: none at the base'
  },
  options: {
    memory: /*#__PURE__*/ field(
      'keep the activations of every step, or recompute each step when its turn comes',
      F.memory
    )
  },
  defaults: { memory: 'store' },
  make: ({ T, differentiable }, { memory }) =>
    differentiable ? adjointMatching(T, { memory }) : noGradient('adjointMatching', 'reinforce', 'fdfo'),
  compared: () => [],
  verified: () => []
})
