/**
 * Which fine-tune a run is.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Checkpoint from 'halforder/training/Checkpoint'
import type * as Config from 'halforder/training/Config'
import type * as Setup from 'halforder/training/Setup'
import { broken, type Failure } from '../../edge/Failure.js'
import { sha256 } from './RunFolder.js'

/**
 * Which run it is: what a checkpoint must be of.
 *
 * @category constructors
 * @since 0.1.0
 */
export const identityOf = (
  config: Config.Config,
  { initial, problem: { reward } }: Setup.Setup
): E.Either<Failure, Checkpoint.Identity> =>
  pipe(
    E.Do,
    E.bind('model', () => Checkpoint.digestOf(sha256)(initial)),
    E.bind('judge', () => Checkpoint.digestOf(sha256)(reward._tag === 'BlackBox' ? {} : reward.parameters)),
    E.bimap(
      (error) => broken(Checkpoint.showError(error)),
      ({ model, judge }) => ({
        kind: 'finetune',
        config: JSON.stringify(config),
        'base model (SHA-256)': model,
        'network of the reward (SHA-256)': judge
      })
    )
  )
