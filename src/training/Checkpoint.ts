/**
 * The state of a run as bytes, and back.
 *
 * A checkpoint is a safetensors file: the model's parameters under their own names, so that it can be loaded as a model; the
 * optimizer's state under `optimizer.`; and what is no tensor in the metadata. Everything is kept in full precision,
 * because a resumed run must give the same bits.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Safetensors from '../format/Safetensors.js'
import { below, under } from '../tensor/Program.js'
import type { State } from './Finetune.js'

// no parameter path of a model starts so
const prefix = 'optimizer'

/**
 * The bytes of a state, with text about it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const encode = (
  state: State,
  metadata: Readonly<Record<string, string>>
): E.Either<Safetensors.SafetensorsError, Uint8Array> =>
  Safetensors.encode('own')({
    tensors: {
      ...state.params,
      ...under(prefix, state.optimizer)
    },
    metadata: { ...metadata, step: String(state.step), advantage: String(state.advantage) }
  })

/**
 * The state in some bytes. Left: no checkpoint, or one without a step.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decode = (bytes: Uint8Array): E.Either<string, State> =>
  pipe(
    Safetensors.decode(bytes),
    E.mapLeft(Safetensors.showError),
    E.flatMap(({ tensors, metadata }) => {
      const step = Number(metadata['step'] ?? 'none')
      const advantage = Number(metadata['advantage'] ?? 'none')
      if (!Number.isInteger(step) || step < 0 || Number.isNaN(advantage)) {
        return E.left('this checkpoint has no step to resume from; pass one that a fine-tune wrote')
      }
      const params = Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.startsWith(`${prefix}.`)))
      return E.right({ step, advantage, params, optimizer: below(prefix, tensors) })
    })
  )
