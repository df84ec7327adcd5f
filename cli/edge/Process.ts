/**
 * Which process it is, and whether another one still lives.
 *
 * @since 0.1.0
 */
import { randomUUID } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import * as t from 'io-ts'
import { codeOf } from './Files.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The form of a holder.
 *
 * @category codecs
 * @since 0.1.0
 */
export const Holder = t.type({ pid: t.number, place: t.string, started: t.string, token: t.string })

/**
 * Who holds a folder. `place` and `started` tell two processes of one number apart: the boot and the space of process numbers that it
 * is in, and when it started, counted from that boot; both are empty where the system does not say. `token` is its own.
 *
 * @category model
 * @since 0.1.0
 */
export type Holder = t.TypeOf<typeof Holder>

// -------------------------------------------------------------------------------------
// effects
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
    return state === 'Z' || state === 'X' ? { _tag: 'Gone' } : { _tag: 'Running', started: fields[18] ?? '' }
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

/**
 * This process, with a token that no other call gives.
 *
 * @category effects
 * @since 0.1.0
 */
export const self = async (): Promise<Holder> => {
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
    return codeOf(error) === 'EPERM'
  }
}

/** A process that can not be looked up is dead when it has not shown itself for so long. */
const silence = 10 * 60_000

/**
 * What is known of a process.
 *
 * @category model
 * @since 0.1.0
 */
export type Life = 'alive' | 'dead' | 'unknown'

/**
 * Does a process live that showed itself so many milliseconds ago? One of another machine, container or boot can not be looked up: it
 * is dead when it has not shown itself for ten minutes.
 *
 * @category effects
 * @since 0.1.0
 */
export const lifeOf = async ({ pid, place: where, started }: Holder, age: number): Promise<Life> => {
  if (where !== (await place())) return age > silence ? 'dead' : 'unknown'
  if (!isThere(pid)) return 'dead'
  const found = await trace(pid)
  return found._tag === 'Gone' || (found._tag === 'Running' && found.started !== started) ? 'dead' : 'alive'
}
