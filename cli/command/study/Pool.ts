/**
 * Several things at once, but not all.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { type Failure, broken, type Step } from '../../edge/Failure.js'

/**
 * Runs steps, at most `jobs` at a time, and gives their results in their order. The first that fails is the left, once those under way
 * have ended; none is begun after it, nor after the signal. `tell` hears how many are done.
 *
 * @category combinators
 * @since 0.1.0
 */
export const pooled =
  (jobs: number, stop: AbortSignal, tell: (done: number) => void) =>
  <A>(steps: ReadonlyArray<Step<A>>): Step<ReadonlyArray<A>> =>
  async () => {
    const results: Array<A> = []
    const queue = steps.map((step, i) => ({ step, i }))
    let done = 0
    let failure: Failure | undefined
    const worker = async (): Promise<void> => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        if (failure !== undefined || stop.aborted) return
        const result = await next.step()
        if (E.isLeft(result)) failure ??= result.left
        else {
          results[next.i] = result.right
          tell(++done)
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(jobs, steps.length) }, worker))
    if (failure !== undefined) return E.left(failure)
    return stop.aborted ? E.left(broken('interrupted')) : E.right(results)
  }
