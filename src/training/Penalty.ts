/**
 * What it costs a fine-tune to leave its base model: the divergence of each step of the chain from the base's.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Chain } from '../chain/Chain.js'
import { type DocumentError, fault } from '../document/Document.js'
import type { Params } from '../lens/Lens.js'
import * as Kl from '../reward/Kl.js'
import type { StepLens } from '../reward/StepReward.js'
import type { Values } from '../tensor/Program.js'
import type { Batched } from '../tensor/Shape.js'
import type { Exprs } from '../tensor/Tree.js'
import type { Config } from './Config.js'

/**
 * A price, how steps without noise are counted, and which part likelihood ratios have of it (the whole objective, by default).
 *
 * @category model
 * @since 0.1.0
 */
export type Priced = Pick<Config['kl'], 'beta' | 'floor'> & Partial<Pick<Config['kl'], 'as'>>

/**
 * The penalty of a configuration on states of so many `elements`: where log-densities are means over them, so are divergences.
 *
 * @category readings
 * @since 0.1.0
 */
export const priced = ({ kl, policy }: Pick<Config, 'kl' | 'policy'>, elements: number): Config['kl'] =>
  policy.density === 'mean' ? { ...kl, beta: kl.beta / elements } : kl

/**
 * The step rewards of a penalty: one, or none where its price is 0. `reference` are the values of the chain's parameters at which
 * the base model is; with an adapter, those at which the adapter does nothing. Left: a chain whose noise has no divergence in
 * closed form, or none of whose steps has noise, where no floor is given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const penalty =
  ({ beta, floor, as = 'objective' }: Priced, reference: Values) =>
  <P extends Params, S extends Batched, C extends Exprs>(
    chain: Chain<P, S, C>
  ): E.Either<DocumentError, ReadonlyArray<StepLens<P, S, C>>> =>
    beta === 0
      ? E.right([])
      : pipe(
          chain,
          Kl.klTo(reference, { beta, floor }),
          E.filterOrElse(
            () => Kl.leftOut(chain.sigma, { beta, floor }).length < chain.T,
            (): DocumentError => ({
              ...fault('kl.beta', 'a chain that has noise at some step', undefined, 'set kl.floor, or raise chain.eta'),
              got: `${beta} on ${chain.name}, whose steps have no divergence from the base's, or an infinite one`
            })
          ),
          E.map((one) => [as === 'objective' ? one : { ...one, only: as === 'loss' ? 'differentiated' : 'scored' }])
        )

/**
 * The divergence of a chain from its base, as the reward `-KL` of each step, for measuring; none where it has no meaning.
 *
 * @category constructors
 * @since 0.1.0
 */
export const divergence =
  ({ floor }: Priced, reference: Values) =>
  <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>): ReadonlyArray<StepLens<P, S, C>> =>
    pipe(
      chain,
      penalty({ beta: 1, floor }, reference),
      E.getOrElse((): ReadonlyArray<StepLens<P, S, C>> => [])
    )
