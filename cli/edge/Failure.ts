/**
 * How a command fails: the caller's mistake or the run's, with one line that says what to do.
 *
 * @since 0.1.0
 */
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { type DocumentError, showError } from 'halforder/document/Document'
import { type EstimatorError, showError as showEstimator } from 'halforder/estimator/Gradient'
import * as Files from './Files.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Why the command ended: `usage` errors are the caller's (exit 2, nothing written), the others the run's (exit 1).
 *
 * @category model
 * @since 0.1.0
 */
export interface Failure {
  readonly kind: 'usage' | 'run'
  readonly message: string
}

/**
 * A stage of the command.
 *
 * @category model
 * @since 0.1.0
 */
export type Step<A> = TE.TaskEither<Failure, A>

/**
 * A failure that is the caller's to mend.
 *
 * @category constructors
 * @since 0.1.0
 */
export const usage = (message: string): Failure => ({ kind: 'usage', message })

/**
 * A failure of the run.
 *
 * @category constructors
 * @since 0.1.0
 */
export const broken = (message: string): Failure => ({ kind: 'run', message })

/**
 * Why a module of the user's did not load, and what to do where a package that it imports is not found: packages are looked for from
 * the folder of the module up.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unloaded = (error: unknown): string => {
  const said = error instanceof Error ? error.message : String(error)
  const missing = /^Cannot find package '([^']+)'/.exec(said)?.[1]
  return missing === undefined
    ? `does not load: ${said}`
    : `does not load: ${said}; npm install ${missing} in the folder of the module, or move it to where that is installed`
}

/**
 * A file operation as a stage.
 *
 * @category constructors
 * @since 0.1.0
 */
export const file = <A>(task: TE.TaskEither<Files.FileError, A>): Step<A> =>
  pipe(
    task,
    TE.mapLeft((error) => broken(Files.showError(error)))
  )

/**
 * The text of a file, where there is one.
 *
 * @category effects
 * @since 0.1.0
 */
export const textIn = (path: string): Step<string | undefined> =>
  pipe(
    file(Files.exists(path)),
    TE.flatMap((there) =>
      there
        ? pipe(
            file(Files.read(path)),
            TE.map((bytes) => new TextDecoder().decode(bytes))
          )
        : TE.right(undefined)
    )
  )

/**
 * Says why a command failed, and gives its exit code: 2 for the caller's mistake, 1 for the run's.
 *
 * @category effects
 * @since 0.1.0
 */
export const fail =
  (command: string) =>
  ({ kind, message }: Failure): number => {
    process.stderr.write(`halforder ${command}: ${message}\n`)
    return kind === 'usage' ? 2 : 1
  }

/**
 * A document that was refused, as the caller's mistake.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refused = (error: DocumentError): Failure => usage(showError(error))

/**
 * What an estimator or its programs said: the caller's mistake, unless the target failed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofEstimator = (error: EstimatorError): Failure =>
  error._tag === 'OnTarget' && error.error._tag !== 'Unsupported'
    ? broken(showEstimator(error))
    : usage(showEstimator(error))
