/**
 * Files at the edge: written whole or not at all, with failures that say what to do.
 *
 * @since 0.1.0
 */
import { existsSync } from 'node:fs'
import { access, constants, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as TE from 'fp-ts/lib/TaskEither.js'

/**
 * A file that could not be read or written.
 *
 * @category model
 * @since 0.1.0
 */
export interface FileError {
  readonly _tag: 'FileError'
  readonly path: string
  readonly doing: string
  readonly reason: string
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission was denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full: free some space and resume',
  EDQUOT: 'the disk quota is used up: free some space and resume',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of the path is no folder',
  EEXIST: 'a part of the path is no folder'
}

const because = (error: unknown): string => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
  return reasons[code] ?? (error instanceof Error ? error.message : String(error))
}

const attempt = <A>(path: string, doing: string, run: () => Promise<A>): TE.TaskEither<FileError, A> =>
  TE.tryCatch(run, (error): FileError => ({ _tag: 'FileError', path, doing, reason: because(error) }))

/**
 * Reads a whole file.
 *
 * @category effects
 * @since 0.1.0
 */
export const read = (path: string): TE.TaskEither<FileError, Uint8Array> => attempt(path, 'read', () => readFile(path))

/**
 * Writes a whole file: to a temporary name beside it, flushed, then renamed, so that a reader or a crash never meets half
 * of it.
 *
 * @category effects
 * @since 0.1.0
 */
export const write = (path: string, content: Uint8Array | string): TE.TaskEither<FileError, void> =>
  attempt(path, 'write', async () => {
    const temporary = `${path}.part`
    try {
      const file = await open(temporary, 'w')
      try {
        await file.writeFile(content)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  })

/**
 * Makes a folder and its parents.
 *
 * @category effects
 * @since 0.1.0
 */
export const makeFolder = (path: string): TE.TaskEither<FileError, void> =>
  attempt(path, 'make the folder', async () => {
    await mkdir(path, { recursive: true })
  })

/**
 * Is there nothing of that name, or an empty folder?
 *
 * @category effects
 * @since 0.1.0
 */
export const isFree = (path: string): TE.TaskEither<FileError, boolean> =>
  attempt(path, 'look into', async () => !existsSync(path) || (await readdir(path)).length === 0)

/**
 * Makes sure that a file can be written, before the work that it is to hold is done: the folder is made if it is not there.
 *
 * @category effects
 * @since 0.1.0
 */
export const prepare = (path: string): TE.TaskEither<FileError, void> =>
  attempt(path, 'write', async () => {
    const folder = dirname(path)
    await mkdir(folder, { recursive: true })
    await access(folder, constants.W_OK)
    if (existsSync(path) && (await stat(path)).isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
  })

/**
 * The names of the files in a folder, in order.
 *
 * @category effects
 * @since 0.1.0
 */
export const list = (folder: string): TE.TaskEither<FileError, ReadonlyArray<string>> =>
  attempt(folder, 'look into', async () => (await readdir(folder)).sort())

/**
 * The folder of the installed package, found upwards from this file: `assets/` lies there.
 *
 * @category effects
 * @since 0.1.0
 */
export const packageFolder = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}

/**
 * The path of a file that ships.
 *
 * @category effects
 * @since 0.1.0
 */
export const asset = (name: string): string => join(packageFolder(), 'assets', name)

/**
 * One line for a person.
 *
 * @category utils
 * @since 0.1.0
 */
export const showError = ({ path, doing, reason }: FileError): string => `could not ${doing} ${path}: ${reason}`
