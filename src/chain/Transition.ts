/**
 * One step's law: from the step's mean, its deviation and its noise to the state below, and back to the score.
 *
 * What estimators ask of a step is a draw, the log-density of what was drawn, and the gradient of that in the mean, which the
 * step's lens pulls back to parameters. Location noise and categories are two answers.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Expr, Scalar } from '../tensor/Expr.js'
import type { Shape } from '../tensor/Shape.js'
import type { Noise } from './Noise.js'

/**
 * `mean + sigma eps`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const addNoise = <S extends Shape>(mean: Expr<S>, sigma: Scalar, eps: Expr<S>): Expr<S> =>
  sigma.op._tag === 'Scalar' && sigma.op.value === 0 ? mean : X.add(mean, X.mul(eps, sigma))

/**
 * The state below a step: `mean + sigma eps`, or what the noise's outcome keeps of it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const next =
  (noise: Noise, sigma: Scalar) =>
  <S extends Shape>(mean: Expr<S>, eps: Expr<S>): Expr<S> => {
    const noisy = addNoise(mean, sigma, eps)
    return noise.outcome === undefined ? noisy : noise.outcome.of(noisy)
  }

/**
 * Terms whose *sum* over a state's elements is the log-density, or log-probability, of the state below a step, where sigma is
 * above 0.
 *
 * @category combinators
 * @since 0.1.0
 */
export const logDensity =
  (noise: Noise, sigma: Scalar) =>
  <S extends Shape>(mean: Expr<S>, below: Expr<S>): Expr<S> =>
    noise.outcome === undefined
      ? X.sub(noise.logDensity(standardised(mean, below, sigma)), X.log(sigma))
      : noise.outcome.logProbability(X.div(mean, sigma), below)

/**
 * The gradient of the log-density of the state below in the step's location, `mean / sigma`; over sigma it is that in the mean.
 *
 * @category combinators
 * @since 0.1.0
 */
export const score =
  (noise: Noise, sigma: Scalar) =>
  <S extends Shape>(mean: Expr<S>, below: Expr<S>): Expr<S> =>
    noise.outcome === undefined
      ? noise.score(standardised(mean, below, sigma))
      : noise.outcome.score(X.div(mean, sigma), below)

const standardised = <S extends Shape>(mean: Expr<S>, below: Expr<S>, sigma: Scalar): Expr<S> =>
  X.div(X.sub(below, mean), sigma)

/**
 * The divergence of a step's law from the same noise about another mean: terms whose sum is the Kullback-Leibler divergence, with
 * the gradients of the sum in both locations. `inverse` is `1 / sigma`.
 *
 * @category model
 * @since 0.1.0
 */
export type Divergence = <S extends Shape>(
  mean: Expr<S>,
  other: Expr<S>,
  inverse: Scalar
) => readonly [value: Expr<S>, bar: Expr<S>, otherBar: Expr<S>]

/**
 * The divergence of a noise; none where it has no closed form.
 *
 * @category combinators
 * @since 0.1.0
 */
export const divergence = ({ divergence: shifted, outcome }: Noise): Divergence | undefined => {
  if (outcome !== undefined) {
    return (mean, other, inverse) => outcome.divergence(X.mul(mean, inverse), X.mul(other, inverse))
  }
  return shifted === undefined
    ? undefined
    : (mean, other, inverse) => {
        const [value, derivative] = shifted(X.mul(X.sub(mean, other), inverse))
        return [value, derivative, X.neg(derivative)]
      }
}
