/**
 * One run a folder: a file that only one process can create says who holds it, and one that was left by a dead process
 * is taken over.
 *
 * @since 0.1.0
 */
import { createHash } from 'node:crypto'
import { readFileSync, unlinkSync } from 'node:fs'
import { link, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { broken, type Failure, file, type Step, usage } from './Failure.js'
import * as Files from './Files.js'
import { codeOf } from './Files.js'
import { Holder, type Life, lifeOf, self } from './Process.js'

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

/**
 * A folder that this process holds. `mine` is left once it no longer does: every write asks first. `release` gives it
 * back.
 *
 * @category model
 * @since 0.1.0
 */
export interface Held {
  readonly folder: string
  readonly mine: Step<void>
  readonly release: () => Promise<void>
}

/** A holder shows that it is alive this often, in milliseconds. */
const beat = 10_000

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

/** The holder's text and the file's age, or nothing where there is no such file. */
const found = async (path: string): Promise<{ readonly text: string; readonly age: number } | undefined> => {
  try {
    const text = await readFile(path, 'utf8')
    return { text, age: Date.now() - (await stat(path)).mtimeMs }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const writeNew = async (path: string, text: string): Promise<void> => {
  const handle = await open(path, 'wx')
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Creates a file with a text that is whole from the first moment on, unless there is one. `draft` is a file with that
 * text.
 */
const create = async (draft: string, path: string, text: string): Promise<boolean> => {
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    // some disks have no links: there the text comes a moment later
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(codeOf(error))) throw error
  }
  try {
    await writeNew(path, text)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/**
 * A file without a holder is looked at again for so many times, so many milliseconds apart: its creator may be about to
 * write it.
 */
const looks = 10
const between = 20

type Seen =
  | { readonly _tag: 'None' }
  | { readonly _tag: Life; readonly text: string; readonly holder: Holder | undefined }

/** Who holds a file, and whether they live. One without a holder was left by someone who died in the act. */
const look = async (path: string): Promise<Seen> => {
  for (let n = 1; ; n++) {
    const there = await found(path)
    if (there === undefined) return { _tag: 'None' }
    const holder = holderIn(there.text)
    if (holder !== undefined) return { _tag: await lifeOf(holder, there.age), text: there.text, holder }
    if (n === looks) return { _tag: 'dead', text: there.text, holder }
    await pause(between)
  }
}

const refusal = (folder: string, { pid }: Holder, life: Life): Failure =>
  usage(
    life === 'alive'
      ? `${folder}: expected a folder that no run is in, got one that process ${pid} holds; wait for it, or choose another folder`
      : `${folder}: expected a folder that no run is in, got one that a process of another machine, container or boot held a moment ago; ` +
          `if that one has ended, remove ${join(folder, lockName)}`
  )

/**
 * A dead one's file is replaced, never removed, so that no third process finds none; and only by whoever claims to do
 * so, by a file of its own, so that no one replaces the new one by mistake.
 */
const acquire = async (folder: string): Promise<E.Either<Failure, Holder>> => {
  const path = join(folder, lockName)
  const own = await self()
  const text = `${JSON.stringify(own)}\n`
  const draft = `${path}.${own.token.slice(0, 8)}${Files.unfinished}`
  try {
    await writeNew(draft, text)
    for (;;) {
      if (await create(draft, path, text)) return E.right(own)
      const seen = await look(path)
      if (seen._tag === 'None') continue
      if (seen._tag !== 'dead' && seen.holder !== undefined) return E.left(refusal(folder, seen.holder, seen._tag))
      if (await replaced(path, seen.text, draft, text)) return E.right(own)
    }
  } finally {
    // a disk that is gone has said so above
    await rm(draft, { force: true }).catch(() => undefined)
  }
}

/** Puts a file in place of a dead one's, unless someone else does. */
const replaced = async (path: string, dead: string, draft: string, text: string): Promise<boolean> => {
  const claim = `${path}.${createHash('sha256').update(dead).digest('hex').slice(0, 8)}${Files.unfinished}`
  if (!(await create(draft, claim, text))) {
    const other = await look(claim)
    if (other._tag === 'dead') await rm(claim, { force: true })
    else await pause(between)
    return false
  }
  try {
    if ((await found(path))?.text !== dead) return false
    await rename(draft, path)
    return true
  } finally {
    await rm(claim, { force: true })
  }
}

// -------------------------------------------------------------------------------------
// effects
// -------------------------------------------------------------------------------------

/**
 * Takes a folder that is there for this process, until it is released or the process ends. What a dead run left
 * unfinished in it is removed. Left: another process has it.
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

/**
 * What dead processes left: files that they were about to rename, drafts of their locks. Others may be drafting theirs.
 */
const tidy = (folder: string): Step<void> =>
  pipe(
    Files.list(folder),
    TE.flatMap((names) =>
      pipe(
        names.filter(Files.isUnfinished).map((name) => join(folder, name)),
        TE.traverseSeqArray((path) =>
          pipe(
            Files.attempt(path, 'look into', async () => !isDraft(path) || (await look(path))._tag === 'dead'),
            TE.flatMap((left) => (left ? Files.remove(path) : TE.right(undefined)))
          )
        )
      )
    ),
    file,
    TE.map(() => undefined)
  )

const isDraft = (path: string): boolean => basename(path).startsWith(lockName)

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
