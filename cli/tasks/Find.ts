/**
 * Tasks by the name of one that ships, or from a module of the user's.
 *
 * @since 0.1.0
 */
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { isRecord } from 'halforder/document/Document'
import { near } from 'halforder/document/Nearest'
import { fromModule, type Task } from 'halforder/task/Task'
import { type Step, usage, unloaded } from '../edge/Failure.js'

const folder = dirname(fileURLToPath(import.meta.url))

/** The module of a task that ships: a folder here is a task. */
const moduleOf = (name: string): string | undefined =>
  ['index.js', 'index.ts'].map((file) => join(folder, name, file)).find((path) => existsSync(path))

/**
 * The names of the tasks that ship.
 *
 * @category effects
 * @since 0.1.0
 */
export const names = (): ReadonlyArray<string> =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && moduleOf(entry.name) !== undefined)
    .map((entry) => entry.name)
    .sort()

/** A name has neither a dot nor a slash; anything else is a file. */
const isFile = (name: string): boolean => /[./\\]/.test(name)

/**
 * The task of a name or of a module. Left: a name that is none, with those that are; a module that does not load, or exports no
 * task.
 *
 * @category effects
 * @since 0.1.0
 */
export const find = (name: string): Step<Task> => {
  if (isFile(name))
    return pipe(
      absolute(name),
      TE.flatMap((path) => load(path, name))
    )
  const known = names()
  const path = known.includes(name) ? moduleOf(name) : undefined
  const close = near(name, known)
  return path === undefined
    ? TE.left(
        usage(
          `--task: expected one of ${known.join(', ')}, or a module such as ./${/^[\w-]+$/.test(name) ? name : 'task'}.mjs, got ${JSON.stringify(name)}` +
            (close.length > 0 ? `; near it is ${close.join(', ')}` : '')
        )
      )
    : load(path, name)
}

/** A working folder that was removed has no path. */
const absolute = (name: string): Step<string> =>
  TE.fromEither(
    E.tryCatch(
      () => resolve(name),
      () => usage(`--task: ${name} is a path in the working folder, which does not exist; go to another`)
    )
  )

const load = (path: string, name: string): Step<Task> =>
  existsSync(path)
    ? pipe(
        TE.tryCatch(
          (): Promise<unknown> => import(pathToFileURL(path).href),
          (error) => usage(`--task: ${name} ${unloaded(error)}`)
        ),
        TE.flatMapEither((loaded) =>
          pipe(
            fromModule(isRecord(loaded) ? (loaded['default'] ?? loaded['task']) : undefined),
            E.mapLeft((reason) => usage(`--task: ${name}: ${reason}`))
          )
        )
      )
    : TE.left(usage(`--task: ${name} does not exist; name a module, or one of ${names().join(', ')}`))
