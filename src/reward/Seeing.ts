/**
 * Black boxes that see what was asked for: outputs, conditions and prompts, some rows at a time.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Values } from '../tensor/Program.js'
import { rows as rowsOf, type Tensor } from '../tensor/Tensor.js'
import { type Asked, type BlackBox, blackBoxPromise, type Patience, type RewardError } from './Reward.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a reward sees of some samples: their outputs `x0 [rows, ...]`, the conditions by input name (`c [rows, labels]`), the
 * prompts in words, one a row (empty where nothing was asked for, or no one knows the words), and how many rows there are.
 *
 * @category model
 * @since 0.1.0
 */
export interface Seen {
  readonly x0: Tensor
  readonly condition: Values
  readonly prompt: ReadonlyArray<string>
  readonly rows: number
}

/**
 * How a reward is asked: at most `batch` rows at a time (all, by default), one batch after another, and for each how long an answer may
 * take.
 *
 * @category model
 * @since 0.1.0
 */
export interface Asking extends Patience {
  readonly batch?: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A black box from a function of what it sees, which answers at once or with a promise: one number a row. Its `signal` is aborted
 * when its answer is no longer waited for. Left, with the reward's name: what it throws, an answer that is not one number a
 * row, or none in time; a batch that is no number of rows.
 *
 * @example
 * import { seeing } from 'halforder/reward'
 *
 * const asked = seeing('a judge', async ({ x0, prompt }, signal) => judge(x0, prompt, { signal }), {
 *   batch: 16,
 *   timeout: 30_000
 * })
 *
 * @category constructors
 * @since 0.1.0
 */
export const seeing = (
  name: string,
  evaluate: (seen: Seen, signal: AbortSignal) => ReadonlyArray<number> | Promise<ReadonlyArray<number>>,
  { batch = Infinity, ...patience }: Asking = {}
): BlackBox => ({
  _tag: 'BlackBox',
  name,
  evaluate: (x0, asked = { condition: {} }) => {
    const count = x0.shape[0] ?? 0
    if (!(batch === Infinity || (Number.isInteger(batch) && batch >= 1))) {
      return TE.left<RewardError>({
        _tag: 'RewardError',
        reward: name,
        reason: `batch: expected a whole number of rows of at least 1, got ${batch}`
      })
    }
    const size = Math.min(batch, Math.max(count, 1))
    return pipe(
      Array.from({ length: Math.ceil(count / size) }, (_, i) => i * size),
      TE.traverseSeqArray((from) => {
        const seen = part(x0, asked, from, Math.min(from + size, count))
        // a box of its own for each part: each answer is one number a row of it
        return blackBoxPromise(name, async (_, signal) => evaluate(seen, signal), patience).evaluate(seen.x0)
      }),
      TE.map((parts) => parts.flat())
    )
  }
})

/** The rows from one to another of what is seen. */
const part = (x0: Tensor, { condition, prompt }: Asked, from: number, to: number): Seen => ({
  x0: rowsOf(from, to)(x0),
  condition: Object.fromEntries(Object.entries(condition).map(([path, value]) => [path, rowsOf(from, to)(value)])),
  prompt: Array.from({ length: to - from }, (_, i) => prompt?.[from + i] ?? ''),
  rows: to - from
})

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The same reward, told the words of what is asked for, a row each, by a reading of the condition.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inWords =
  (words: (condition: Values, rows: number) => ReadonlyArray<string>) =>
  (reward: BlackBox): BlackBox => ({
    ...reward,
    evaluate: (x0, asked = { condition: {} }) =>
      reward.evaluate(x0, { prompt: words(asked.condition, x0.shape[0] ?? 0), ...asked })
  })
