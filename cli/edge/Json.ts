/**
 * JSON files that are named on the command line.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type Step, usage } from './Failure.js'
import * as Files from './Files.js'

/**
 * What a file has. Left: one that can not be read, or is no JSON.
 *
 * @category effects
 * @since 0.1.0
 */
export const readJson = (path: string): Step<unknown> =>
  pipe(
    Files.read(path),
    TE.mapLeft((error) => usage(Files.showError(error))),
    TE.flatMapEither((bytes) =>
      E.tryCatch(
        (): unknown => JSON.parse(new TextDecoder().decode(bytes)),
        (error) => usage(`${path}: expected JSON, got ${error instanceof Error ? error.message : 'something else'}`)
      )
    )
  )
