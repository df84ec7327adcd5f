/**
 * Differences of outputs in place of gradients.
 *
 * @since 0.1.0
 */
import type * as E from 'fp-ts/lib/Either.js'
import * as C from '../../Cover.js'
import type { CoverError } from '../../Cover.js'
import type { Estimator } from '../../Estimator.js'
import * as Est from '../../Estimator.js'
import { define, type Row } from '../Row.js'

/**
 * Finite-difference flow optimization (arXiv 2603.12893): two samples of one initial noise differ by `dx` in output and by `dR`
 * in reward, `D dR dx / |dx|^2` stands for the reward's gradient, and every step has it as it is, as if the steps below changed
 * nothing. The reward may be a black box. The noises of the two are each other's negatives here, and one of the two is trained on,
 * where the authors draw them apart and train on both by a ratio of surrogates.
 *
 * **Biased**: step `t` is paid with the identity in place of the Jacobian of the steps below it. On a linear chain
 * with a quadratic reward, and noise that is alike in all directions of the output, nothing else is off: a chain that only adds has
 * no bias. Left: options that do not fit `T`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fdfo = (T: number): E.Either<CoverError, Estimator> =>
  Est.fromCells('fdfo', T, [C.firstOrder(T, { through: 'identity', gradient: 'difference' })])

/**
 * `fdfo` by name.
 *
 * @category row
 * @since 0.1.0
 */
export const row: Row<'fdfo', Readonly<Record<never, never>>> = /*#__PURE__*/ define({
  name: 'fdfo',
  prose:
    'the difference of two outputs, as large as that of their rewards, at every step alike: biased, for any reward',
  cover: 'FO(1..T) of a difference, through the identity',
  unbiasedFor: { bias: 'what the Jacobian of the steps below a step differs in from the identity' },
  options: {},
  defaults: {},
  make: ({ T }) => fdfo(T),
  compared: () => [],
  verified: () => []
})
