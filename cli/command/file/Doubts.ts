/**
 * What of the record beside a model cannot be so.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { gpuJs } from 'halforder/kernel'
import { doubts, measured } from 'halforder/network/Consistent'
import { broken, type Failure, type Step } from '../../edge/Failure.js'
import type { Found } from '../ForeignModel.js'
import { recordOf } from './FileModel.js'

/**
 * Whether there is a record, and what of it the model's numbers speak against, by its fields.
 *
 * @category model
 * @since 0.1.0
 */
export interface Doubts {
  readonly said: boolean
  readonly doubted: ReadonlyArray<string>
}

const none: Doubts = { said: false, doubted: [] }

/**
 * The doubts of what was found. A record that is none is a doubt too; weights alone have none.
 *
 * @category effects
 * @since 0.1.0
 */
export const doubtsOf = (found: Found): Step<Doubts> => {
  if (found._tag === 'Weights') return TE.right(none)
  const target = gpuJs()
  return pipe(
    recordOf(found),
    TE.flatMap((meaning) =>
      meaning === undefined
        ? TE.right(none)
        : pipe(
            measured(target)(found.model, meaning),
            TE.bimap(broken, (seen): Doubts => ({ said: true, doubted: doubts(meaning, seen) }))
          )
    ),
    TE.orElse(({ message }) => TE.right<Failure, Doubts>({ said: true, doubted: [message] })),
    TE.chainFirstTaskK(() => () => target.dispose())
  )
}
