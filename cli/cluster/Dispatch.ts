/**
 * Jobs that are given out until each has a result: again where a worker is gone or late, elsewhere where a result is not to be used.
 *
 * A job is a pure function of its bytes, by whose digest it is known, so that the first result will do, however many there are.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Parcel from './Parcel.js'
import { connected, keys, lifetime, type Line, type Open, reasonOf } from './Redis.js'
import { Result, says } from './Wire.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A job: its message, whom to ask first, and what its result has to be.
 *
 * @category model
 * @since 0.1.0
 */
export interface Job<A> {
  readonly message: Uint8Array
  readonly first: string | undefined
  readonly accept: (result: Result, arrays: ReadonlyArray<Parcel.Numbers>) => E.Either<string, A>
}

/**
 * A result that will do, and whose it is.
 *
 * @category model
 * @since 0.1.0
 */
export interface Done<A> {
  readonly value: A
  readonly worker: string
  readonly seconds: number
}

/**
 * What has been counted: jobs that were given out and given out again, results that were refused, bytes to and from workers.
 *
 * @category model
 * @since 0.1.0
 */
export interface Tally {
  jobs: number
  again: number
  refused: number
  sent: number
  received: number
}

/**
 * How results are waited for. `line` is the queue of all workers, `own` that of one, and `others` are those who have one; `supply` puts
 * parts that a worker lacks where it finds them. `patience`: so many milliseconds without any result, and it is given up. `tell` hears what a person may want to know.
 *
 * @category model
 * @since 0.1.0
 */
export interface Ways {
  readonly open: Open
  readonly leader: string
  readonly line: Line
  readonly own: (worker: string) => Line
  readonly others: () => Promise<ReadonlyArray<string>>
  readonly supply: (parts: ReadonlyArray<string>) => Promise<boolean>
  readonly patience: number
  readonly tell: (line: string) => void
}

/**
 * Gives jobs out. `all` ends when each has a result, in their order, or with a left.
 *
 * @category model
 * @since 0.1.0
 */
export interface Dispatch {
  readonly all: <A>(jobs: ReadonlyArray<Job<A>>) => Promise<E.Either<string, ReadonlyArray<Done<A>>>>
  readonly tally: Tally
  readonly withdraw: () => Promise<void>
}

/** How often is looked after what nobody said, in milliseconds, and how long one may be late in all. */
const every = { look: 250, tend: 1000, late: 2000 } as const

/** How many times the usual patience one is waited for who is there and does not answer. */
const mostPatient = 24

/** A result that is not to be used so often is given up. */
const mostRefused = 3

/** Parts are brought so often for one job: Redis may forget them when it is restarted. */
const mostSupplied = 16

// -------------------------------------------------------------------------------------
// giving out
// -------------------------------------------------------------------------------------

/** The name of who says `self`. */
const nameOf = (self: string): string => self.split(' ')[0] ?? ''

/** A job under way. */
interface Under<A> {
  readonly job: Job<A>
  readonly digest: string
  readonly refusedBy: Array<string>
  /** Who was asked last, where it was one of them. */
  asked: string | undefined
  copies: number
  supplied: number
  posted: number
  done: Done<A> | undefined
}

/**
 * Opens the way to workers: hears of results on a channel of the leader's own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dispatch = async (ways: Ways): Promise<Dispatch> => {
  const { open, leader, line, own, others, supply, patience, tell } = ways
  const tally: Tally = { jobs: 0, again: 0, refused: 0, sent: 0, received: 0 }
  const listeners = new Set<(digest: string) => void>()
  const out = new Map<string, Line>()
  // what workers said of themselves
  const selves = new Map<string, string>()
  let durations: ReadonlyArray<number> = []
  let stopped = false
  await open.channel(keys.done(leader), (digest) => listeners.forEach((listener) => listener(digest)))

  const post = async <A>(some: ReadonlyArray<Under<A>>, asked: string | undefined): Promise<void> => {
    const to = asked === undefined ? line : own(asked)
    const messages = some.map((under) => {
      under.posted = performance.now()
      under.asked = asked
      const { digest, job } = under
      const id = `${digest}-${leader}-${under.copies++}`
      out.set(id, to)
      tally.sent += job.message.length
      return [id, job.message] as const
    })
    await to.post(messages)
  }

  /** Each to whom it is to be asked of first. */
  const postAll = async <A>(some: ReadonlyArray<Under<A>>): Promise<void> => {
    const groups = new Map<string | undefined, Array<Under<A>>>()
    for (const one of some) groups.set(one.job.first, [...(groups.get(one.job.first) ?? []), one])
    await Promise.all([...groups].map(([asked, group]) => post(group, asked)))
  }

  const again = async <A>(under: Under<A>, asked?: string): Promise<void> => {
    tally.again += 1
    await post([under], asked)
  }

  /** Again, by somebody else where there is one: who can not do it is quick to say so, and would take it again. */
  const elsewhere = async <A>(under: Under<A>): Promise<void> => {
    const all = await others()
    const there = await connected(open, all)
    const left = all.filter((id) => there.has(id) && !under.refusedBy.includes(id))
    await again(under, left[tally.again % Math.max(1, left.length)])
  }

  const known = (name: string | undefined): ReadonlyArray<string> =>
    name === undefined ? [] : [selves.get(name) ?? name]

  /** Looks whether results of jobs are there. */
  const collect = async <A>(some: ReadonlyArray<Under<A>>): Promise<E.Either<string, boolean>> => {
    if (some.length === 0) return E.right(false)
    const found = await open.redis.mgetBuffer(...some.map(({ digest }) => keys.result(digest)))
    let any = false
    const there = some.flatMap(({ digest }, i) => (found[i] === null ? [] : [keys.result(digest)]))
    // what is asked next on this connection comes after it
    if (there.length > 0) void open.redis.del(...there).catch(() => undefined)
    for (const [i, under] of some.entries()) {
      const bytes = found[i]
      if (under.done !== undefined || bytes === undefined || bytes === null) continue
      const taken = await take(under, bytes)
      if (E.isLeft(taken)) return taken
      any ||= taken.right
    }
    return E.right(any)
  }

  const take = async <A>(under: Under<A>, bytes: Uint8Array): Promise<E.Either<string, boolean>> => {
    tally.received += bytes.length
    const read = pipe(
      Parcel.decode(bytes),
      E.bindTo('parcel'),
      E.bind('result', ({ parcel }) => says(Result)(parcel.head)),
      E.filterOrElse(
        ({ result }) => result.job === under.digest,
        () => 'it is of another job'
      )
    )
    const lacks = E.isRight(read) && read.right.result.of._tag === 'Missing' ? read.right.result.of.parts : undefined
    if (lacks !== undefined && under.supplied < mostSupplied && (await supply(lacks))) {
      under.supplied += 1
      await again(under)
      return E.right(true)
    }
    const value = pipe(
      read,
      E.filterOrElse(
        () => lacks === undefined,
        () => 'it asks for parts that are not of this run, or has asked for them too often'
      ),
      E.flatMap(({ result, parcel }) => under.job.accept(result, parcel.arrays))
    )
    if (E.isRight(value) && E.isRight(read)) {
      const { worker, seconds } = read.right.result
      under.done = { value: value.right, worker, seconds }
      durations = [...durations.slice(-63), performance.now() - under.posted]
      return E.right(true)
    }
    const reason = E.isLeft(value) ? value.left : ''
    tally.refused += 1
    under.refusedBy.push(E.isRight(read) ? read.right.result.worker : 'one that is not known')
    if (under.refusedBy.length >= mostRefused) {
      return E.left(
        `a result was refused ${mostRefused} times, of ${under.refusedBy.join(', ')}: ${reason}; end those workers, or correct what they run`
      )
    }
    tell(`a result of ${under.refusedBy.at(-1) ?? ''} is refused, and asked for again: ${reason}`)
    await elsewhere(under)
    return E.right(true)
  }

  /** Gives out again what nobody has, whose worker is gone, or who is late while others have nothing to do. */
  const tend = async <A>(some: ReadonlyArray<Under<A>>, lively: () => void): Promise<void> => {
    const old = some.filter(({ posted }) => performance.now() - posted > every.tend)
    if (old.length === 0) return
    const [held, waiting] = await Promise.all([
      open.redis.mget(...old.map(({ digest }) => keys.holder(digest))),
      line.waiting()
    ])
    const asked = old.flatMap((under, i) => held[i] ?? known(under.asked))
    const there = await connected(open, [...new Set(asked)])
    for (const self of held) if (typeof self === 'string') selves.set(nameOf(self), self)
    const sorted = [...durations].sort((a, b) => a - b)
    const usual = Math.max(every.late, 3 * (sorted[Math.floor(sorted.length / 2)] ?? Number.POSITIVE_INFINITY))
    for (const [i, under] of old.entries()) {
      const holder = held[i]
      if (typeof holder === 'string') {
        const gone = !there.has(nameOf(holder))
        // who is at it is waited for, but not for ever
        if (!gone && performance.now() - under.posted < mostPatient * patience) lively()
        const late = waiting === 0 && under.copies < 2 && performance.now() - under.posted > usual
        if (gone) await open.redis.del(keys.holder(under.digest))
        if (gone || late) await again(under)
      } else {
        const { asked, copies, digest } = under
        const to = asked === undefined ? line : own(asked)
        const where = await to.where(`${digest}-${leader}-${copies - 1}`)
        const nobody = where === 'nowhere' || (asked !== undefined && !there.has(asked))
        // who took it says so at once, unless it is gone
        const lost = where === 'taken' && performance.now() - under.posted > every.late
        if (nobody || lost) await again(under)
      }
    }
  }

  const all = async <A>(jobs: ReadonlyArray<Job<A>>): Promise<E.Either<string, ReadonlyArray<Done<A>>>> => {
    const under = jobs.map(
      (job): Under<A> => ({
        job,
        digest: Parcel.digestOf(job.message),
        refusedBy: [],
        asked: job.first,
        copies: 0,
        supplied: 0,
        posted: performance.now(),
        done: undefined
      })
    )
    tally.jobs += jobs.length
    let wake: () => void = () => undefined
    const said = new Set<string>()
    const listener = (digest: string): void => {
      said.add(digest)
      wake()
    }
    listeners.add(listener)
    let last = performance.now()
    let tended = last
    let looked = last
    let silent = last
    try {
      await guarded(() => postAll(under))
      for (;;) {
        const rest = under.filter(({ done }) => done === undefined)
        if (rest.length === 0) break
        if (stopped) return E.left('interrupted')
        const now = performance.now()
        const look = now - looked > every.look
        if (look) looked = now
        const ready = look ? rest : rest.filter(({ digest }) => said.has(digest))
        ready.forEach(({ digest }) => said.delete(digest))
        const found = await guarded(() => collect(ready))
        if (found !== undefined && E.isLeft(found)) return found
        if (found?.right === true) last = silent = performance.now()
        if (performance.now() - tended > every.tend) {
          tended = performance.now()
          await guarded(() =>
            tend(
              under.filter(({ done }) => done === undefined),
              () => (last = performance.now())
            )
          )
        }
        if (performance.now() - last > patience) {
          return E.left(
            `no result for ${Math.round(patience / 1000)} s, of ${rest.length} blocks; ` +
              `start workers with: halforder worker --redis URL (${open.address.shown})`
          )
        }
        if (performance.now() - silent > 10_000) {
          silent = performance.now()
          tell(`waiting for workers at ${open.address.shown}: ${rest.length} blocks have no result yet`)
        }
        if (said.size === 0 && under.some(({ done }) => done === undefined)) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, every.look)
            wake = () => {
              clearTimeout(timer)
              resolve()
            }
          })
        }
      }
      return E.right(under.flatMap(({ done }) => (done === undefined ? [] : [done])))
    } finally {
      listeners.delete(listener)
      const left = under.flatMap(({ digest, copies }) =>
        Array.from({ length: copies }, (_, k) => `${digest}-${leader}-${k}`)
      )
      // what was given out twice is not wanted any more; Redis forgets it by itself where it does not answer
      void withdrawn(left)
    }
  }

  /** Something of Redis that is tried again when one looks next. */
  const guarded = async <A>(task: () => Promise<A>): Promise<A | undefined> => {
    let timer: NodeJS.Timeout | undefined
    try {
      return await Promise.race([
        task(),
        new Promise<undefined>((resolve) => {
          timer = setTimeout(() => resolve(undefined), 15_000)
        })
      ])
    } catch (error) {
      tell(`Redis at ${open.address.shown}: ${reasonOf(error)}`)
      await new Promise((resolve) => setTimeout(resolve, every.look))
      return undefined
    } finally {
      clearTimeout(timer)
    }
  }

  const withdrawn = async (ids: ReadonlyArray<string>): Promise<void> => {
    for (const id of ids) {
      const to = out.get(id)
      out.delete(id)
      const copies = id.endsWith('-0') && !ids.some((other) => other !== id && other.startsWith(id.slice(0, -1)))
      if (to !== undefined && (!copies || stopped)) await to.withdraw(id).catch(() => undefined)
    }
  }

  return {
    all,
    tally,
    withdraw: async () => {
      stopped = true
      await withdrawn([...out.keys()])
    }
  }
}

/**
 * Keeps a result where the leader of its job looks, and says so. A name of a job ends with that of the leader and with which copy it is.
 *
 * @category effects
 * @since 0.1.0
 */
export const deliver = async ({ redis }: Open, id: string, result: Uint8Array): Promise<void> => {
  const [digest = '', leader = ''] = id.split('-')
  const { buffer, byteLength, byteOffset } = result
  // on one connection, which keeps their order
  await Promise.all([
    redis.set(keys.result(digest), Buffer.from(buffer, byteOffset, byteLength), 'EX', lifetime.result),
    redis.del(keys.holder(digest)),
    redis.publish(keys.done(leader), digest)
  ])
}
