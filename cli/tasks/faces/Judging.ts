/**
 * What judging a training of faces runs, beside what is read in all images.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as O from 'fp-ts/lib/Option.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { erase } from 'halforder/lens/Erase'
import * as L from 'halforder/lens/Lens'
import type { NumbersDescription } from 'halforder/network/Description'
import { decoder as latentDecoder, encoder } from 'halforder/network/Latent'
import * as Key from 'halforder/random/Key'
import type { Trained as TaskTrained } from 'halforder/task/Task'
import * as Build from 'halforder/tensor/Build'
import { batchAt, type Dropout } from 'halforder/training/Batches'
import { meanLoss } from 'halforder/training/Pretrain'
import { applying, type Judged, only, type Reading } from '../Reading.js'
import type { PretrainData } from './Data.js'
import * as Faces from './Faces.js'
import * as Metrics from './Metrics.js'
import type { Network } from './Network.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A training that is done, with what it was of.
 *
 * @category model
 * @since 0.1.0
 */
export interface Trained extends TaskTrained {
  readonly network: Network
  readonly data: PretrainData
}

// -------------------------------------------------------------------------------------
// losses
// -------------------------------------------------------------------------------------

/** How many batches the loss is averaged over, and of how many rows each. */
const lossBatches = { count: 8, rows: 256 } as const

/**
 * The mean loss on held-out faces.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const heldOutLoss = ({ network, target, data, parameters, key }: Trained, dropout: Dropout): Judged<number> =>
  pipe(
    meanLoss({
      ...lossBatches,
      objective: network.objective(),
      target,
      batches: batchAt(network.source(data.heldOut), lossBatches.rows, dropout, Key.foldInString(key, 'loss')),
      parameters
    }),
    TE.mapLeft(Build.showError)
  )

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/**
 * Images after the way through an autoencoder's latents; nothing where a denoiser has none.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const reconstructing = (
  { target, parameters }: Pick<Trained, 'target' | 'parameters'>,
  description: NumbersDescription
): O.Option<Reading> =>
  description.kind === 'latent'
    ? O.some(
        applying(
          target,
          erase(L.compose(L.at('encoder', encoder(description)), L.at('decoder', latentDecoder(description)))),
          description.size.reduce((n, d) => n * d, 1),
          { ...only('encoder', parameters), ...only('decoder', parameters) }
        )
      )
    : O.none

/**
 * The share of attributes, over all of them, that a reader finds as labelled.
 *
 * @category utils
 * @since 0.1.0
 */
export const overall = (accuracy: Readonly<Record<Faces.AttributeName, number>>): number =>
  Metrics.mean(Faces.attributeNames.map((name) => accuracy[name]))
