/**
 * `halforder study --claims`: the table of claims, from the lines of studies in a folder.
 *
 * @since 0.1.0
 */
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { fail, file, type Step } from '../../edge/Failure.js'
import * as Files from '../../edge/Files.js'
import { claims } from '../../study/catalogue/Claims.js'
import { page } from '../../study/Claims.js'
import type { Lines } from '../../study/Reading.js'
import { jsonLines, linesOf, namedBy } from './Lines.js'

const foundIn = (folder: string): Step<ReadonlyMap<string, Lines>> =>
  pipe(
    file(Files.list(folder)),
    TE.map(RA.filter((name) => namedBy(name) !== undefined)),
    TE.flatMap(
      RA.traverse(TE.ApplicativeSeq)((name) =>
        pipe(
          jsonLines(join(folder, name)),
          TE.map((values) => [name.replace(/\.jsonl$/, ''), linesOf(values)] as const)
        )
      )
    ),
    TE.map((all) => new Map(all))
  )

/**
 * Prints the page of claims and gives the exit code: 0, or 1 where a file can not be read. A claim whose study is not in the folder is
 * said not to be run.
 *
 * @category effects
 * @since 0.1.0
 */
export const claimed = async (folder: string): Promise<number> => {
  const result = await foundIn(folder)()
  if (E.isLeft(result)) return fail('study')(result.left)
  process.stdout.write(page(claims, result.right))
  return 0
}
