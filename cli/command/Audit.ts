/**
 * `halforder audit`: what the gradients of another program pay of each step's term, from a trace of its run.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { showError as showDocument } from 'halforder/document/Document'
import * as Npz from 'halforder/format/Npz'
import * as Audit from 'halforder/laws/audit/Audit'
import * as Trace from 'halforder/laws/audit/Trace'
import { fail, file, type Step, usage } from '../edge/Failure.js'
import * as Files from '../edge/Files.js'

/**
 * The command's options.
 *
 * @category model
 * @since 0.1.0
 */
export interface AuditOptions {
  readonly json?: boolean
}

/**
 * The findings of a trace's file. Left: a file that can not be read, is no archive of arrays, or arrays that are no trace.
 *
 * @category effects
 * @since 0.1.0
 */
export const auditOf = (path: string): Step<Audit.Audit> =>
  pipe(
    file(Files.read(path)),
    TE.flatMapEither((bytes) =>
      pipe(
        Npz.decode(bytes),
        E.mapLeft(Npz.showError),
        E.flatMap((arrays) => pipe(Trace.decode(arrays), E.mapLeft(showDocument))),
        E.bimap((reason) => usage(`${path}: ${reason}`), Audit.audit)
      )
    )
  )

/**
 * Runs the command and gives its exit code: 0 (unbiased, as far as the trace tells), 1 (scaled, biased or undecided), or 2 (no
 * trace). The findings go to stdout, or with `json` one object.
 *
 * @category effects
 * @since 0.1.0
 */
export const audit = async (path: string, options: AuditOptions): Promise<number> => {
  const result = await auditOf(path)()
  if (E.isLeft(result)) return fail('audit')(result.left)
  process.stdout.write(`${options.json === true ? JSON.stringify(result.right) : Audit.show(result.right)}\n`)
  return result.right.verdict === 'unbiased' ? 0 : 1
}
