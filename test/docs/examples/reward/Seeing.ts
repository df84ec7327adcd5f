import type { Tensor } from 'halforder/tensor'

const judge = async (
  x0: Tensor.Tensor,
  _prompt: unknown,
  { signal }: { readonly signal: AbortSignal }
): Promise<ReadonlyArray<number>> => Array.from(x0.data, (x) => (signal.aborted ? 0 : x))

// the example
import { seeing } from 'halforder/reward'

const asked = seeing('a judge', async ({ x0, prompt }, signal) => judge(x0, prompt, { signal }), {
  batch: 16,
  timeout: 30_000
})
// until here
export const made: unknown = asked
