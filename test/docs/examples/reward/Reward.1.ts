import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Tensor } from 'halforder/tensor'

const judge = (
  x0: Tensor.Tensor,
  { signal }: { readonly signal: AbortSignal }
): TE.TaskEither<string, ReadonlyArray<number>> => TE.right(Array.from(x0.data, (x) => (signal.aborted ? 0 : x)))

// the example
import { blackBoxTask } from 'halforder/reward'

const asked = blackBoxTask('a judge', (x0, signal) => judge(x0, { signal }), { timeout: 30_000 })
// until here
export const made: unknown = asked
