/**
 * Latent chains: a chain of latents and a decoder to outputs (Rombach et al., arXiv 2112.10752).
 *
 * Nothing in a latent chain is new: it is a chain. The decoder comes after it, and its pullback is part of the reward's, so that an
 * estimator sees a reward of latents: `decoded` in `halforder/reward` makes one from a reward of outputs.
 *
 * @since 0.1.0
 */
import type { Lens, Params } from '../lens/Lens.js'
import * as X from '../tensor/Expr.js'
import type { Expr } from '../tensor/Expr.js'
import type { Batched } from '../tensor/Shape.js'
import type { Exprs } from '../tensor/Tree.js'
import { rollout, type Chain, type Noises } from './Chain.js'

/**
 * A chain of latents of shape `S` and a decoder, a lens to outputs of shape `O`.
 *
 * @category model
 * @since 0.1.0
 */
export interface LatentChain<
  P extends Params,
  S extends Batched,
  C extends Exprs,
  Q extends Params,
  O extends Batched
> {
  readonly chain: Chain<P, S, C>
  readonly decoder: Lens<Q, Expr<S>, Expr<O>>
}

/**
 * The outputs of a latent chain: a rollout, decoded.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const outputs =
  <P extends Params, S extends Batched, C extends Exprs, Q extends Params, O extends Batched>({
    chain,
    decoder
  }: LatentChain<P, S, C, Q, O>) =>
  (p: P, q: Q, xT: Expr<S>, eps: Noises<S>, c: C): Expr<O> =>
    decoder.forward(q, rollout(chain)(() => p, xT, eps, c)[0] ?? X.zeros(chain.state))
