/**
 * The chains that `halforder sample` knows by name.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { RowChain } from '../finetune/Chains.js'
import * as Config from '../finetune/Config.js'
import * as Setup from '../finetune/Setup.js'
import type { Model } from '../model/Model.js'
import { usage, type Failure } from './FinetuneRun.js'

/**
 * A chain of rows that is told a code.
 *
 * @category model
 * @since 0.1.0
 */
export type Rolling = RowChain

/**
 * The names of the chains: those of a fine-tune, and `ode` for the deterministic limit of `ddim`.
 *
 * @category constants
 * @since 0.1.0
 */
export const chainNames: ReadonlyArray<ChainName> = ['ode', ...Config.chainNames]

/**
 * The name of a chain.
 *
 * @category model
 * @since 0.1.0
 */
export type ChainName = 'ode' | Config.ChainName

/**
 * The chain of a name on a model, with `T` steps, on the levels of the model's own schedule where the chain has none. Left: a
 * chain that the model cannot serve.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rolling = (
  name: ChainName,
  model: Model,
  options: { readonly T: number; readonly guidance: number }
): E.Either<Failure, Rolling> =>
  pipe(
    Setup.chain(
      {
        ...Config.defaults.chain,
        ...options,
        ...(name === 'ode' ? { kind: 'ddim', eta: 0 } : { kind: name }),
        schedule: model.description.share
      },
      model
    ),
    E.mapLeft((error) => usage(Config.showError(error)))
  )
