/**
 * Rewards of latents: a decoder before a reward of outputs.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as L from '../lens/Lens.js'
import type { Lens, Params } from '../lens/Lens.js'
import type { Expr } from '../tensor/Expr.js'
import { under, type Values } from '../tensor/Program.js'
import type { Batched } from '../tensor/Shape.js'
import type { Tensor } from '../tensor/Tensor.js'
import type { Exprs } from '../tensor/Tree.js'
import { type BlackBox, type Differentiable, evaluate, type RewardError } from './Reward.js'

/**
 * A differentiable reward of latents from one of outputs: the decoder, then the reward, and the pullbacks in reverse. The
 * decoder's parameters and the reward's are fixed and lie side by side, as `decoder` and `reward`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decoded =
  <Q extends Params, S extends Batched, O extends Batched>(
    decoder: Lens<Q, Expr<S>, Expr<O>>,
    parameters: Values = {}
  ) =>
  <R extends Params, C extends Exprs>(
    reward: Differentiable<R, O, C>
  ): Differentiable<{ readonly decoder: Q } & { readonly reward: R }, S, C> => ({
    ...reward,
    lens: (condition) => L.compose(L.at('decoder', decoder), L.at('reward', reward.lens(condition))),
    shapes: { decoder: decoder.parameters, reward: reward.shapes },
    parameters: { ...under('decoder', parameters), ...under('reward', reward.parameters) }
  })

/**
 * A black-box reward of latents: they are decoded on the host, or by whatever the function runs. A failure to decode is a failure
 * of the reward.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decodedBlackBox =
  (decode: (latents: Tensor) => TE.TaskEither<RewardError, Tensor>) =>
  (reward: BlackBox): BlackBox => ({
    ...reward,
    evaluate: (latents, asked) =>
      pipe(
        decode(latents),
        TE.flatMap((outputs) => evaluate(reward)(outputs, asked))
      )
  })
