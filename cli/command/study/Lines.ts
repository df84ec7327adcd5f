/**
 * Lines of studies that were written before.
 *
 * @since 0.1.0
 */
import { basename } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { broken, file, type Step } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import { studies } from '../../study/catalogue/index.js'
import { Computing, Estimate, Point } from '../../study/Line.js'
import type { Lines } from '../../study/Reading.js'
import type { Study } from '../../study/Study.js'

/**
 * Which study on which task a file `NAME-TASK.jsonl` is of.
 *
 * @category readings
 * @since 0.1.0
 */
export const namedBy = (path: string): { readonly study: Study; readonly task: string } | undefined => {
  const stem = basename(path, '.jsonl')
  return studies
    .flatMap((study) => Object.keys(study.on).map((task) => ({ study, task })))
    .find(({ study, task }) => `${study.name}-${task}` === stem)
}

/**
 * Values as lines of a study; what is none is left out.
 *
 * @category readings
 * @since 0.1.0
 */
export const linesOf = (values: ReadonlyArray<unknown>): Lines => ({
  points: values.filter(Point.is),
  estimates: values.filter(Estimate.is),
  computing: values.filter(Computing.is)
})

/**
 * The values of a file of JSON, one a line.
 *
 * @category effects
 * @since 0.1.0
 */
export const jsonLines = (path: string): Step<ReadonlyArray<unknown>> =>
  pipe(
    file(Files.read(path)),
    TE.flatMapEither((bytes) =>
      pipe(
        new TextDecoder()
          .decode(bytes)
          .split('\n')
          .filter((line) => line !== ''),
        RA.traverseWithIndex(E.Applicative)((i, line) =>
          E.tryCatch(
            (): unknown => JSON.parse(line),
            () => broken(`${path}, line ${i + 1}: expected JSON; the file is damaged`)
          )
        )
      )
    )
  )
