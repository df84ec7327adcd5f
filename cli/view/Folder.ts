/**
 * What is in the folder of a run, or in one of several, as a viewer shows it: whole or not, and while a run goes on.
 *
 * @since 0.1.0
 */
import { type Dirent } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord } from 'halforder/document/Document'
import * as Files from '../edge/Files.js'
import { lockName } from '../edge/Lock.js'
import { type Metrics, readMetrics } from '../edge/Metrics.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A file of a folder: its name, bytes, and when it was last written, in milliseconds since 1970.
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
 * A run: `config` and `summary` as they are written, none where the file is not there yet or is no object; its steps so far; its
 * files; whether a process is in it; and what could not be read.
 *
 * @category model
 * @since 0.1.0
 */
export interface SeenRun {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>> | undefined
  readonly summary: Readonly<Record<string, unknown>> | undefined
  readonly metrics: ReadonlyArray<Metrics>
  readonly files: ReadonlyArray<SeenFile>
  readonly going: boolean
  readonly faults: ReadonlyArray<string>
}

/**
 * What a folder is: that of a run; one of runs, by their names below it, the latest first; or one that has a page to show.
 *
 * @category model
 * @since 0.1.0
 */
export type Seen =
  | { readonly _tag: 'Run'; readonly run: SeenRun }
  | { readonly _tag: 'Runs'; readonly names: ReadonlyArray<string> }
  | { readonly _tag: 'Page'; readonly file: string }

// -------------------------------------------------------------------------------------
// reading
// -------------------------------------------------------------------------------------

/** A process that is in a folder says so every ten seconds. */
const breath = 30_000

/** Names that pages of folders have. */
const pages = ['report.html', 'index.html']

/** What makes a folder that of a run. */
const marks = ['config.json', 'metrics.jsonl', 'checkpoint.safetensors']

const textAt = async (path: string): Promise<string | undefined> => {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (Files.codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const entries = async (folder: string): Promise<ReadonlyArray<Dirent>> => readdir(folder, { withFileTypes: true })

/** A file as it is now; none where it went away meanwhile. */
const fileAt = async (folder: string, name: string): Promise<ReadonlyArray<SeenFile>> => {
  try {
    const { size, mtimeMs } = await stat(join(folder, name))
    return [{ name, bytes: size, written: mtimeMs }]
  } catch (error) {
    if (Files.codeOf(error) === 'ENOENT') return []
    throw error
  }
}

const filesOf = async (folder: string): Promise<ReadonlyArray<SeenFile>> => {
  const names = (await entries(folder)).filter((one) => one.isFile()).map(({ name }) => name)
  const found = await Promise.all(names.filter((name) => !Files.isUnfinished(name)).map((name) => fileAt(folder, name)))
  return found.flat().sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** A record in a file. Left: what is wrong with it. */
const recordAt = async (
  folder: string,
  name: string
): Promise<E.Either<string, Readonly<Record<string, unknown>> | undefined>> => {
  const text = await textAt(join(folder, name))
  if (text === undefined) return E.right(undefined)
  return pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => undefined
    ),
    E.filterOrElse(isRecord, () => undefined),
    E.mapLeft(() => `${name}: expected a JSON object`)
  )
}

const runAt = async (folder: string): Promise<SeenRun> => {
  const files = await filesOf(folder)
  const config = await recordAt(folder, 'config.json')
  const summary = await recordAt(folder, 'summary.json')
  const log = await textAt(join(folder, 'metrics.jsonl'))
  const metrics = readMetrics(log ?? '')
  const lock = files.find(({ name }) => name === lockName)
  return {
    name: basename(folder),
    config: E.isRight(config) ? config.right : undefined,
    summary: E.isRight(summary) ? summary.right : undefined,
    metrics: E.isRight(metrics) ? metrics.right : [],
    files: files.filter(({ name }) => name !== lockName),
    going: lock !== undefined && Date.now() - lock.written < breath,
    faults: [config, summary, metrics].flatMap((one) => (E.isLeft(one) ? [one.left] : []))
  }
}

const isRun = async (folder: string): Promise<boolean> => {
  const names = (await entries(folder)).map(({ name }) => name)
  return marks.some((mark) => names.includes(mark))
}

const runsIn = async (folder: string): Promise<ReadonlyArray<string>> => {
  const found: Array<SeenFile> = []
  for (const one of await entries(folder)) {
    if (!one.isDirectory() || !(await isRun(join(folder, one.name)))) continue
    found.push(...(await fileAt(folder, one.name)))
  }
  return found.sort((a, b) => b.written - a.written).map(({ name }) => name)
}

/**
 * Looks at a folder. Left: it is not there, can not be read, or has neither a run nor a page.
 *
 * @category effects
 * @since 0.1.0
 */
export const look = (path: string): TE.TaskEither<string, Seen> =>
  pipe(
    Files.attempt(path, 'look at', async (): Promise<Seen | undefined> => {
      if ((await stat(path)).isFile()) return extname(path) === '.html' ? { _tag: 'Page', file: path } : undefined
      if (await isRun(path)) return { _tag: 'Run', run: await runAt(path) }
      const names = (await entries(path)).map(({ name }) => name)
      const page = pages.find((name) => names.includes(name))
      if (page !== undefined) return { _tag: 'Page', file: join(path, page) }
      const runs = await runsIn(path)
      return runs.length === 0 ? undefined : { _tag: 'Runs', names: runs }
    }),
    TE.mapLeft(Files.showError),
    TE.flatMapEither(
      E.fromNullable(
        `expected the folder of a run, one of such folders, or a page *.html, got ${path}; give what finetune --out or report wrote`
      )
    )
  )
