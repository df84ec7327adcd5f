/**
 * `halforder fetch`: brings the data of a task, which do not ship, to where its trainings read them.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { broken, fail, usage } from '../edge/Failure.js'
import { find } from '../tasks/Find.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface FetchOptions {
  readonly task: string
}

/**
 * Runs the command and gives its exit code: 0, 1 (the data cannot be had) or 2 (wrong usage: the task has none to fetch).
 *
 * @category effects
 * @since 0.1.0
 */
export const fetchData = async ({ task: name }: FetchOptions): Promise<number> => {
  const result = await pipe(
    find(name),
    TE.flatMap(({ fetch, name: task }) =>
      fetch === undefined
        ? TE.left(usage(`--task: ${task} has nothing to fetch: its examples are drawn by itself; choose another`))
        : pipe(fetch, TE.mapLeft(broken))
    )
  )()
  if (E.isLeft(result)) return fail('fetch')(result.left)
  process.stdout.write(`${result.right}\n`)
  return 0
}
