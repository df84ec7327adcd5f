/**
 * Files at the edge: written whole or not at all, with failures that say what to do.
 *
 * @since 0.1.0
 */
import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { access, constants, mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as TE from 'fp-ts/lib/TaskEither.js'

/**
 * A file that could not be read or written. `code` is the system's, such as `ENOSPC`; empty where it gave none.
 *
 * @category model
 * @since 0.1.0
 */
export interface FileError {
  readonly _tag: 'FileError'
  readonly path: string
  readonly doing: string
  readonly code: string
  readonly reason: string
}

const reasons: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'permission was denied'],
  ['EPERM', 'permission was denied'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'the disk is full; free some space'],
  ['EDQUOT', 'the disk quota is used up; free some space'],
  ['EFBIG', 'it would be larger than files may be here; raise the limit (ulimit -f)'],
  ['EIO', 'the disk failed'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['EISDIR', 'it is a folder'],
  ['ENOTDIR', 'a part of the path is no folder'],
  ['EEXIST', 'a part of the path is no folder'],
  ['EINVAL', 'it is no name for a file']
])

/**
 * The system's code of an error, such as `ENOENT`; empty where it has none.
 *
 * @category utils
 * @since 0.1.0
 */
export const codeOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''

const because = (doing: string, error: unknown): string => {
  const code = codeOf(error)
  if (code === 'ENOENT')
    return ['read', 'look into', 'take the folder'].includes(doing) ? 'it does not exist' : 'its folder does not exist'
  return reasons.get(code) ?? (error instanceof Error ? error.message : String(error))
}

/**
 * A file operation whose failure says what was being done.
 *
 * @category constructors
 * @since 0.1.0
 */
export const attempt = <A>(path: string, doing: string, run: () => Promise<A>): TE.TaskEither<FileError, A> =>
  TE.tryCatch(
    run,
    (error): FileError => ({ _tag: 'FileError', path, doing, code: codeOf(error), reason: because(doing, error) })
  )

/**
 * Reads a whole file.
 *
 * @category effects
 * @since 0.1.0
 */
export const read = (path: string): TE.TaskEither<FileError, Uint8Array> => attempt(path, 'read', () => readFile(path))

/**
 * What the name of a file that is being written ends with.
 *
 * @category constants
 * @since 0.1.0
 */
export const unfinished = '.part'

/**
 * Writes a whole file: to a name of its own beside it, flushed, then renamed, and the folder flushed, so that neither a reader nor a
 * crash ever meets half of it, nor two writers each other.
 *
 * @category effects
 * @since 0.1.0
 */
export const write = (path: string, content: Uint8Array | string): TE.TaskEither<FileError, void> =>
  attempt(path, 'write', async () => {
    const temporary = `${path}.${process.pid}-${randomUUID().slice(0, 8)}${unfinished}`
    try {
      const file = await open(temporary, 'wx')
      try {
        await file.writeFile(content)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined)
      throw error
    }
    await syncFolder(dirname(path))
  })

/** A rename is kept by the folder: until that is flushed, a power cut may undo it. Some systems have no such thing. */
const syncFolder = async (folder: string): Promise<void> => {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (!['EPERM', 'EACCES', 'EISDIR', 'EINVAL', 'ENOTSUP'].includes(codeOf(error))) throw error
  }
}

/**
 * The name of a file that was not finished when its process ended?
 *
 * @category utils
 * @since 0.1.0
 */
export const isUnfinished = (name: string): boolean => name.endsWith(unfinished)

/**
 * Makes a folder and its parents.
 *
 * @category effects
 * @since 0.1.0
 */
export const makeFolder = (path: string): TE.TaskEither<FileError, void> =>
  attempt(path, 'make the folder', () => makeFolders(path))

/** As `mkdir` with `recursive`, which never ends where a parent is there but takes no folders (`/proc`, a folder that was removed). */
const makeFolders = async (path: string): Promise<void> => {
  const above = dirname(path)
  try {
    await mkdir(path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' && above !== path && !existsSync(above)) {
      await makeFolders(above)
      return mkdir(path)
    }
    // a root that is there may be read-only: what is there need not be made
    if (!existsSync(path) || !(await stat(path)).isDirectory()) throw error
  }
}

/**
 * Makes a folder that was not there, and its parents. False: it was there.
 *
 * @category effects
 * @since 0.1.0
 */
export const makeNewFolder = (path: string): TE.TaskEither<FileError, boolean> =>
  attempt(path, 'make the folder', async () => {
    await makeFolders(dirname(path))
    try {
      await mkdir(path)
      return true
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      return false
    }
  })

/**
 * Removes a file; it is no error if there is none.
 *
 * @category effects
 * @since 0.1.0
 */
export const remove = (path: string): TE.TaskEither<FileError, void> =>
  attempt(path, 'remove', () => rm(path, { force: true }))

/**
 * Is there a file or a folder of that name?
 *
 * @category effects
 * @since 0.1.0
 */
export const exists = (path: string): TE.TaskEither<FileError, boolean> =>
  attempt(path, 'look into', async () => existsSync(path))

/**
 * Makes sure that a file can be written, before the work that it is to hold is done: the folder is made if it is not there.
 *
 * @category effects
 * @since 0.1.0
 */
export const prepare = (path: string): TE.TaskEither<FileError, void> =>
  attempt(path, 'write', async () => {
    const folder = dirname(path)
    await makeFolders(folder)
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
