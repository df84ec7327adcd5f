/**
 * `halforder report`: runs and studies on one page, which is a file.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { fail, file, type Step, usage } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import { page } from '../../report/Page.js'
import type { Report, Section } from '../../report/Report.js'
import { ofLines, ofRun, ofStudy } from './Sections.js'

/**
 * The command's options, as they are typed.
 *
 * @category model
 * @since 0.1.0
 */
export interface ReportOptions {
  readonly out?: string
  readonly title?: string
  readonly json?: boolean
}

const sectionOf = (path: string): Step<Section> => {
  if (path.endsWith('.jsonl')) return ofLines(path)
  return pipe(
    TE.Do,
    TE.bind('study', () => file(Files.exists(join(path, 'study.json')))),
    TE.bind('run', () => file(Files.exists(join(path, 'config.json')))),
    TE.flatMap(({ study, run }) => {
      if (study) return ofStudy(path)
      return run
        ? ofRun(path)
        : TE.left(
            usage(
              `expected the folder of a run or of a study, or the lines of a study (*.jsonl), got ${path}; name another`
            )
          )
    })
  )
}

/**
 * The report of some folders and files, in their order.
 *
 * @category effects
 * @since 0.1.0
 */
export const reportOf = (paths: ReadonlyArray<string>, title?: string): Step<Report> =>
  pipe(
    paths,
    RA.traverse(TE.ApplicativeSeq)(sectionOf),
    TE.map((sections) => ({ format: 1, title: title ?? sections[0]?.title ?? 'halforder', sections }))
  )

/**
 * Runs the command and gives its exit code: 0, 1 (a file is damaged, or can not be written) or 2 (wrong usage). The name of the page goes
 * to stdout; with `json` the report itself does, and nothing is written.
 *
 * @category effects
 * @since 0.1.0
 */
export const report = async (
  paths: ReadonlyArray<string>,
  { out = 'report.html', title, json }: ReportOptions
): Promise<number> => {
  const result = await pipe(
    reportOf(paths, title),
    TE.flatMap((one) =>
      json === true
        ? TE.right(JSON.stringify(one))
        : pipe(
            file(Files.write(out, page(one))),
            TE.map(() => out)
          )
    )
  )()
  if (E.isLeft(result)) return fail('report')(result.left)
  process.stdout.write(`${result.right}\n`)
  return 0
}
