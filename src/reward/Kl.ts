/**
 * Staying near a reference: the Kullback-Leibler divergence of a chain's steps from those of a reference model, as a step reward.
 *
 * For a chain of parameters `theta` and its reference `theta_ref`, step by step,
 *
 *     r_t(x_t) = -beta KL(p_theta(. | x_t) || p_ref(. | x_t)),
 *
 * for normal noise `-beta |mu_t(x_t; theta) - mu_t(x_t; theta_ref)|^2 / (2 sigma_t^2)`, and for categories the divergence of their
 * probabilities. The sum over the steps of a trajectory of
 * the model has the expectation `-beta KL(path || path_ref)` (DPOK, Fan et al., arXiv 2305.16381, equation 4), so with a terminal
 * reward `R` the objective is `E[R] - beta KL`. Nothing is sampled for the penalty itself.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { lookup, type Chain } from '../chain/Chain.js'
import { anchored, declared } from '../chain/Reference.js'
import * as Transition from '../chain/Transition.js'
import type { PerRow } from '../lens/layer/Loss.js'
import { type DocumentError, fault } from '../document/Document.js'
import * as L from '../lens/Lens.js'
import type { Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import type { Values } from '../tensor/Program.js'
import type { Batched, Shape } from '../tensor/Shape.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import type { StepLens, Stepped, Stepping } from './StepReward.js'

/**
 * How a divergence is weighed. `beta` is its price. A step without noise has none, or an infinite one: where `floor` is given,
 * a step whose deviation is below it counts with that deviation, else steps without noise are left out.
 *
 * @category model
 * @since 0.1.0
 */
export interface KlOptions {
  readonly beta: number
  readonly floor?: number
}

/**
 * The steps that a penalty leaves out: those without noise, where no floor is given.
 *
 * @category readings
 * @since 0.1.0
 */
export const leftOut = (sigma: ReadonlyArray<number>, { floor = 0 }: KlOptions): ReadonlyArray<number> =>
  sigma.flatMap((s, t) => (t > 0 && Math.max(s, floor) === 0 ? [t] : []))

/**
 * The penalty for leaving a reference: a step reward of the chain, with the values of the chain's own parameters at which the
 * reference is. With an adapter these are the values of the frozen model and of an adapter that does nothing. It evaluates the
 * network once more a step. Left: a price that is not positive and finite, or a noise whose divergence from its own shift is not
 * known in closed form.
 *
 * @category constructors
 * @since 0.1.0
 */
export const klTo =
  (reference: Values, options: KlOptions) =>
  <P extends Params, S extends Batched, C extends Exprs>(
    chain: Chain<P, S, C>
  ): E.Either<DocumentError, StepLens<P, S, C>> => {
    const { beta, floor = 0 } = options
    const divergence = Transition.divergence(chain.noise)
    if (!(beta > 0 && Number.isFinite(beta))) {
      return E.left(fault('kl.beta', 'a number above 0', beta, 'leave the penalty out for none'))
    }
    if (!(floor >= 0 && Number.isFinite(floor))) {
      return E.left(fault('kl.floor', 'a number of at least 0', floor, 'leave it out for none'))
    }
    if (divergence === undefined) {
      return E.left(
        fault(
          'kl',
          'a chain whose noise has a divergence from its own shift in closed form: normal, Laplace or categorical',
          chain.noise.density,
          'give the noise a `divergence`, or choose another chain'
        )
      )
    }
    const deviation = chain.sigma.map((sigma) => Math.max(sigma, floor))
    // 0 for a step that is left out, so that what stands there is not counted
    const inverse = deviation.map((sigma) => (sigma > 0 ? 1 / sigma : 0))
    const rest = chain.state.slice(1).map((_, i) => i + 1)
    return E.right({
      _tag: 'StepLens',
      name: `-${beta} KL to the reference`,
      direct: false,
      networkCalls: chain.networkCalls,
      shapes: declared(chain),
      parameters: reference,
      lens: (t) =>
        // `theta` are the chain's own, which it declares
        L.make<Stepping<P>, Stepped<S, C>, PerRow>({ own: chain.parameters }, ({ theta, own }, { mean, x, c }) => {
          const [anchor, back] = chain.mean(t).run(anchored(chain, own), { x, c })
          const scale = lookup(inverse, t)
          const [value, derivative, anchorDerivative] = divergence(mean, anchor, scale)
          const total = X.retype(X.sum<Shape, ReadonlyArray<number>>(value, rest), ['batch'])
          // a step whose noise is switched off is left out
          const counted = (each: PerRow): PerRow => {
            const priced = X.scale(each, -beta)
            return chain.switched === undefined ? priced : X.weigh(priced, chain.switched.at(theta, t))
          }
          return [
            counted(total),
            (bar) => {
              const rows: Expr = X.reshape(counted(bar), ['batch', ...rest.map(() => 1)])
              const weighed = (of: Expr<S>): Expr<S> => X.mul(X.mul(of, X.broadcastTo(rows, chain.state)), scale)
              const meanBar = weighed(derivative)
              const [, aBar] = back(weighed(anchorDerivative))
              return [
                // the reference is not trained
                { theta, own: Tree.zerosOf(own) },
                { mean: meanBar, x: aBar.x, c: aBar.c }
              ]
            }
          ]
        })
    })
  }
