/**
 * One run a folder: a file that only one process can create says who holds it, and one that was left by a dead process is taken over.
 *
 * @since 0.1.0
 */
import { randomUUID } from 'node:crypto'
import { readFileSync, unlinkSync } from 'node:fs'
import { open, readFile, readlink, rename, rm, stat, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as t from 'io-ts'
import { broken, type Failure, file, type Step, usage } from './Failure.js'
import * as Files from './Files.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The name of the file.
 *
 * @category model
 * @since 0.1.0
 */
export const lockName = 'run.lock'

const Holder = t.type({ pid: t.number, place: t.string, started: t.string, token: t.string })

/**
 * Who holds a folder. `place` and `started` tell two processes of one number apart: the boot and the space of process numbers that it
 * is in, and when it started, counted from that boot; both are empty where the system does not say. `token` is its own.
 *
 * @category model
 * @since 0.1.0
 */
export type Holder = t.TypeOf<typeof Holder>

/**
 * A folder that this process holds. `mine` is left once it no longer does: every write asks first. `release` gives it back.
 *
 * @category model
 * @since 0.1.0
 */
export interface Held {
  readonly folder: string
  readonly mine: Step<void>
  readonly release: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// processes
// -------------------------------------------------------------------------------------

/** What the system says of a process: nothing where it says nothing of any. */
type Trace =
  | { readonly _tag: 'Unsaid' }
  | { readonly _tag: 'Gone' }
  | { readonly _tag: 'Running'; readonly started: string }

const trace = async (pid: number): Promise<Trace> => {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    // after the name, which may have spaces and brackets: the state is field 3 of `proc(5)`, the start field 22
    const [state = '', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return 'ZX'.includes(state) ? { _tag: 'Gone' } : { _tag: 'Running', started: fields[18] ?? '' }
  } catch {
    return { _tag: 'Unsaid' }
  }
}

const place = async (): Promise<string> => {
  try {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    return `${boot.trim()} ${await readlink('/proc/self/ns/pid')}`
  } catch {
    return ''
  }
}

const self = async (): Promise<Holder> => {
  const own = await trace(process.pid)
  return {
    pid: process.pid,
    place: await place(),
    started: own._tag === 'Running' ? own.started : '',
    token: randomUUID()
  }
}

/** Is there a process of this number? One of another user's is there, too. */
const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EPERM'
  }
}

/** A holder shows that it is alive this often, in milliseconds. */
const beat = 10_000

/** One that can not be looked up is dead when it has not shown itself for so long. */
const silence = 10 * 60_000

type Life = 'alive' | 'dead' | 'unknown'

/** Does the holder of a lock live? A process of another machine or container can not be looked up: its lock's age tells. */
const lifeOf = async ({ pid, place: where, started }: Holder, age: number): Promise<Life> => {
  if (where !== (await place())) return age > silence ? 'dead' : 'unknown'
  if (!isThere(pid)) return 'dead'
  const found = await trace(pid)
  return found._tag === 'Gone' || (found._tag === 'Running' && found.started !== started) ? 'dead' : 'alive'
}

// -------------------------------------------------------------------------------------
// the file
// -------------------------------------------------------------------------------------

const holderIn = (text: string): Holder | undefined =>
  pipe(
    E.tryCatch(
      (): unknown => JSON.parse(text),
      () => undefined
    ),
    E.flatMap((given) => Holder.decode(given)),
    E.match(
      () => undefined,
      (holder) => holder
    )
  )

const isMissing = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'code' in error && error.code === 'ENOENT'

/** The holder's text and the file's age, or nothing where there is no such file. */
const found = async (path: string): Promise<{ readonly text: string; readonly age: number } | undefined> => {
  try {
    const text = await readFile(path, 'utf8')
    return { text, age: Date.now() - (await stat(path)).mtimeMs }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

/** Creates the file, unless there is one. */
const create = async (path: string, holder: Holder): Promise<boolean> => {
  try {
    const handle = await open(path, 'wx')
    try {
      await handle.writeFile(`${JSON.stringify(holder)}\n`)
      await handle.sync()
      return true
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      await handle.close()
    }
  } catch (error) {
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/**
 * Takes a dead holder's file out of the way. Two may try at once: whoever took the new file of the other by mistake puts it back.
 */
const bury = async (path: string, text: string): Promise<void> => {
  const aside = `${path}.${randomUUID().slice(0, 8)}.part`
  try {
    await rename(path, aside)
  } catch (error) {
    if (isMissing(error)) return
    throw error
  }
  if ((await found(aside))?.text !== text) await rename(aside, path)
  else await rm(aside, { force: true })
}

/** How often a file without a holder is looked at again: its creator is about to write it. */
const looks = 10

const refusal = (folder: string, holder: Holder, life: Life): Failure =>
  usage(
    life === 'alive'
      ? `${folder}: expected a folder that no run is in, got one that process ${holder.pid} holds; wait for it, or choose another folder`
      : `${folder}: expected a folder that no run is in, got one that a process of another machine, container or boot held a moment ago; ` +
          `if that one has ended, remove ${join(folder, lockName)}`
  )

const acquire = async (folder: string): Promise<E.Either<Failure, Holder>> => {
  const path = join(folder, lockName)
  const holder = await self()
  for (let look = 0; ; ) {
    if (await create(path, holder)) return E.right(holder)
    const there = await found(path)
    if (there === undefined) continue
    const other = holderIn(there.text)
    if (other === undefined && ++look < looks) {
      await pause(20)
      continue
    }
    const life = other === undefined ? 'dead' : await lifeOf(other, there.age)
    if (other !== undefined && life !== 'dead') return E.left(refusal(folder, other, life))
    await bury(path, there.text)
  }
}

// -------------------------------------------------------------------------------------
// effects
// -------------------------------------------------------------------------------------

/**
 * Takes a folder that is there for this process, until it is released or the process ends. What a dead run left unfinished in it is
 * removed. Left: another process has it.
 *
 * @category effects
 * @since 0.1.0
 */
export const take = (folder: string): Step<Held> =>
  pipe(
    Files.attempt(folder, 'take the folder', () => acquire(folder)),
    file,
    TE.flatMapEither((holder) => holder),
    TE.map((holder) => held(folder, holder)),
    TE.chainFirst(({ release }) =>
      pipe(
        tidy(folder),
        TE.orElseFirstTaskK(() => release)
      )
    )
  )

/** The files that a write was about to rename: no one else writes here now. */
const tidy = (folder: string): Step<void> =>
  pipe(
    Files.list(folder),
    TE.flatMap((names) =>
      pipe(
        names.filter(Files.isUnfinished),
        TE.traverseSeqArray((name) => Files.remove(join(folder, name)))
      )
    ),
    file,
    TE.map(() => undefined)
  )

const held = (folder: string, { token }: Holder): Held => {
  const path = join(folder, lockName)
  const isMine = (text: string): boolean => holderIn(text)?.token === token
  const alive = setInterval(() => {
    const now = new Date()
    // a folder that is gone is found by the next write
    utimes(path, now, now).catch(() => undefined)
  }, beat)
  alive.unref()
  // signals that end the process at once leave no time for more than this
  const onExit = (): void => {
    try {
      if (isMine(readFileSync(path, 'utf8'))) unlinkSync(path)
    } catch {
      // a lock that stays is a dead one's, which the next run takes over
    }
  }
  process.once('exit', onExit)
  return {
    folder,
    mine: pipe(
      Files.read(path),
      TE.mapLeft(({ reason }) =>
        broken(`${folder}: expected this run's ${lockName} in it, got none (${reason}); it stops`)
      ),
      TE.filterOrElse(
        (bytes) => isMine(new TextDecoder().decode(bytes)),
        () => broken(`${folder}: expected this run's ${lockName} in it, got another's; it stops`)
      ),
      TE.map(() => undefined)
    ),
    release: async () => {
      clearInterval(alive)
      process.off('exit', onExit)
      onExit()
    }
  }
}
