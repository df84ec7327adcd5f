/**
 * What a viewer is given: the folder of a run or of a study, one of several such, or a page; its files; and whether a process is in it.
 *
 * @since 0.1.0
 */
import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Files from '../edge/Files.js'
import { lockName } from '../edge/Lock.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A file of a folder: its name from there, bytes, and when it was last written, in milliseconds since 1970.
 *
 * @category model
 * @since 0.1.0
 */
export interface SeenFile {
  readonly name: string
  readonly bytes: number
  readonly written: number
}

/**
 * The folder of a run or of a study: its name and its files, those of folders in it too, and whether a process is in it.
 *
 * @category model
 * @since 0.1.0
 */
export interface SeenFolder {
  readonly name: string
  readonly files: ReadonlyArray<SeenFile>
  readonly going: boolean
}

/**
 * What is shown: a folder of a run or of a study; several, by their names below a folder, the latest first; or a page.
 *
 * @category model
 * @since 0.1.0
 */
export type Seen =
  | { readonly _tag: 'One'; readonly folder: SeenFolder }
  | { readonly _tag: 'Several'; readonly names: ReadonlyArray<string> }
  | { readonly _tag: 'Page'; readonly file: string }

// -------------------------------------------------------------------------------------
// looking
// -------------------------------------------------------------------------------------

/** A process that is in a folder says so every ten seconds. */
const breath = 30_000

/** Names that pages of folders have. */
const pages = ['report.html', 'index.html']

/** What makes a folder that of a run, or of a study. */
const marks = ['config.json', 'study.json']

/** A file as it is now; none where it went away meanwhile. */
const fileAt = async (folder: string, name: string): Promise<ReadonlyArray<SeenFile>> => {
  try {
    const found = await stat(join(folder, name))
    return found.isFile() ? [{ name, bytes: found.size, written: found.mtimeMs }] : []
  } catch (error) {
    if (Files.codeOf(error) === 'ENOENT') return []
    throw error
  }
}

const folderAt = async (folder: string): Promise<SeenFolder> => {
  const names = (await readdir(folder, { recursive: true })).filter((name) => !Files.isUnfinished(name))
  const files = (await Promise.all(names.map((name) => fileAt(folder, name)))).flat()
  const isLock = ({ name }: SeenFile): boolean => basename(name) === lockName
  return {
    name: basename(folder),
    files: files.filter((one) => !isLock(one)).sort((a, b) => (a.name < b.name ? -1 : 1)),
    going: files.some((one) => isLock(one) && Date.now() - one.written < breath)
  }
}

const isMarked = async (folder: string): Promise<boolean> => {
  const names = await readdir(folder)
  return marks.some((mark) => names.includes(mark))
}

const markedIn = async (folder: string): Promise<ReadonlyArray<string>> => {
  const found: Array<readonly [name: string, written: number]> = []
  for (const one of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, one.name)
    if (one.isDirectory() && (await isMarked(path))) found.push([one.name, (await stat(path)).mtimeMs])
  }
  return found.sort(([, a], [, b]) => b - a).map(([name]) => name)
}

/**
 * Looks at a folder or a page. Left: it is not there, can not be read, or is neither.
 *
 * @category effects
 * @since 0.1.0
 */
export const look = (path: string): TE.TaskEither<string, Seen> =>
  pipe(
    Files.attempt(path, 'look at', async (): Promise<Seen | undefined> => {
      if ((await stat(path)).isFile()) return extname(path) === '.html' ? { _tag: 'Page', file: path } : undefined
      if (await isMarked(path)) return { _tag: 'One', folder: await folderAt(path) }
      const names = await readdir(path)
      const page = pages.find((name) => names.includes(name))
      if (page !== undefined) return { _tag: 'Page', file: join(path, page) }
      const several = await markedIn(path)
      return several.length === 0 ? undefined : { _tag: 'Several', names: several }
    }),
    TE.mapLeft(Files.showError),
    TE.flatMapEither(
      E.fromNullable(
        `expected the folder of a run or of a study, one of such folders, or a page *.html, got ${path}; give what finetune, study or report wrote`
      )
    )
  )
