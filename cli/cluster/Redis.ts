/**
 * Redis and its queues, as far as they are used here: both libraries are loaded when something is to be sent, and not before.
 *
 * @since 0.1.0
 */
import type { Redis } from 'ioredis'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { broken, type Failure, type Step, usage } from '../edge/Failure.js'
import type { Address } from './Address.js'
import { digestOf } from './Parcel.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Where a message is: nobody has it yet, somebody has taken it, or it is not there.
 *
 * @category model
 * @since 0.1.0
 */
export type Place = 'waiting' | 'taken' | 'nowhere'

/**
 * A queue of messages, by their names: one that is there already is not added again.
 *
 * @category model
 * @since 0.1.0
 */
export interface Line {
  readonly post: (messages: ReadonlyArray<readonly [id: string, message: Uint8Array]>) => Promise<void>
  readonly where: (id: string) => Promise<Place>
  readonly withdraw: (id: string) => Promise<void>
  readonly waiting: () => Promise<number>
}

/**
 * What is open to Redis: a connection for what is kept there, and queues. `serve` takes messages from a queue, one at a time; `channel` hears
 * what is said on one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Open {
  readonly address: Address
  /** The process and its connection now: what `connected` finds it by. */
  readonly self: () => string
  readonly redis: Redis
  readonly line: (name: string) => Line
  readonly serve: (name: string, process: (message: Uint8Array, id: string) => Promise<void>) => void
  readonly channel: (name: string, heard: (message: string) => void) => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * How long what is kept in Redis stays there, in seconds, where nobody asks for it. Redis holds nothing that could not be made again.
 *
 * @category constants
 * @since 0.1.0
 */
export const lifetime = { result: 3600, holder: 86_400, part: 86_400, worker: 30 } as const

/**
 * Names of what is kept.
 *
 * @category constants
 * @since 0.1.0
 */
export const keys = {
  part: (digest: string): string => `halforder:part:${digest}`,
  result: (job: string): string => `halforder:result:${job}`,
  holder: (job: string): string => `halforder:holder:${job}`,
  done: (leader: string): string => `halforder:done:${leader}`,
  worker: (id: string): string => `halforder:worker:${id}`,
  run: (run: string): string => `halforder:run:${run}`,
  probe: (digest: string): string => `halforder:probe:${digest}`
} as const

const prefix = 'halforder'

/** Names of connections: Redis knows which are there, also of a process that was killed. */
const connectionName = (id: string): string => `halforder-${id}`

// -------------------------------------------------------------------------------------
// connecting
// -------------------------------------------------------------------------------------

const missing = (name: string): Failure =>
  usage(`--redis: expected the package ${name} beside halforder-cli, got none; npm install bullmq ioredis`)

/**
 * What an error says.
 *
 * @category utils
 * @since 0.1.0
 */
export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const connectOptions = ({ host, port, db, username, password, tls }: Address) => ({
  host,
  port,
  db,
  ...(username === undefined ? {} : { username }),
  ...(password === undefined ? {} : { password }),
  ...(tls ? { tls: { servername: host } } : {}),
  maxRetriesPerRequest: null,
  enableReadyCheck: true,
  keepAlive: 10_000,
  retryStrategy: (times: number) => Math.min(50 * 2 ** Math.min(times, 6), 2000)
})

/**
 * Connects. `id` names the process, so that others see that it is there. Left: a library that is not installed, or a Redis that does
 * not answer within thirty seconds, or refuses.
 *
 * @category effects
 * @since 0.1.0
 */
export const open = (address: Address, id: string): Step<Open> =>
  pipe(
    TE.Do,
    TE.bind('bull', () =>
      TE.tryCatch(
        () => import('bullmq'),
        () => missing('bullmq')
      )
    ),
    TE.bind('io', () =>
      TE.tryCatch(
        () => import('ioredis'),
        () => missing('ioredis')
      )
    ),
    TE.flatMap(({ bull, io }) => {
      const options = connectOptions(address)
      let last = ''
      const connect = (name: string): Redis => {
        const made = new io.Redis({ ...options, connectionName: connectionName(name), lazyConnect: true })
        // an error that nobody hears would end the process; those that last are seen as silence
        made.on('error', ({ message }: Error) => (last = message))
        return made
      }
      const redis = connect(id)
      let connection: unknown = ''
      redis.on('ready', () => {
        void redis.client('ID').then(
          (found) => (connection = found),
          () => undefined
        )
      })
      const lines = new Map<string, Line>()
      const closing: Array<() => Promise<unknown>> = []
      const opened: Open = {
        address,
        self: () => `${id} ${String(connection)}`,
        redis,
        line: (name) => {
          const known = lines.get(name)
          if (known !== undefined) return known
          const queue = new bull.Queue(name, { connection: options, prefix, skipMetasUpdate: true })
          queue.on('error', () => undefined)
          closing.push(() => queue.close())
          const made: Line = {
            post: async (messages) => {
              await queue.addBulk(
                messages.map(([jobId, message]) => ({
                  name: 'm',
                  data: Buffer.from(message).toString('base64'),
                  opts: { jobId, removeOnComplete: true, removeOnFail: true }
                }))
              )
            },
            where: async (jobId) => {
              const state = await queue.getJobState(jobId)
              if (state === 'active') return 'taken'
              return state === 'unknown' || state === 'failed' || state === 'completed' ? 'nowhere' : 'waiting'
            },
            withdraw: async (jobId) => {
              await queue.remove(jobId)
            },
            waiting: () => queue.getWaitingCount()
          }
          lines.set(name, made)
          return made
        },
        serve: (name, process) => {
          const worker = new bull.Worker(
            name,
            async ({ data, id: job }) => {
              const text: unknown = data
              await process(Buffer.from(typeof text === 'string' ? text : '', 'base64'), job ?? '')
            },
            {
              connection: options,
              prefix,
              concurrency: 1,
              // a block is computed without a pause: who is gone is seen by whoever waits for it
              lockDuration: 120_000,
              stalledInterval: 30_000,
              maxStalledCount: 1000,
              skipVersionCheck: true
            }
          )
          worker.on('error', () => undefined)
          worker.on('failed', () => undefined)
          closing.push(() => worker.close(true))
        },
        channel: async (name, heard) => {
          const own = connect(`${id}-hears`)
          own.on('message', (_, message: string) => heard(message))
          await own.subscribe(name)
          closing.push(async () => {
            own.disconnect()
          })
        },
        close: async () => {
          await Promise.race([
            Promise.allSettled(closing.map((end) => end())),
            new Promise((resolve) => setTimeout(resolve, 2000).unref())
          ])
          redis.disconnect()
        }
      }
      return pipe(
        TE.tryCatch(
          // one that is being restarted is waited for; one that refuses is not
          () => Promise.race([within(30_000, redis.ping()), refusal(redis)]),
          (error) => {
            redis.disconnect()
            const reason = last === '' ? reasonOf(error) : last
            return broken(`no answer from Redis at ${address.shown}: ${reason}; start it, or correct --redis`)
          }
        ),
        TE.map(() => opened)
      )
    })
  )

/** Rejects once Redis says that it does not let one in: to try again is no use. */
const refusal = (redis: Redis): Promise<never> =>
  new Promise((_, reject) => {
    redis.on('error', (error: Error) => {
      if (/WRONGPASS|NOAUTH|NOPERM|ENOTFOUND|certificate|wrong version number/i.test(error.message)) reject(error)
    })
  })

/** Rejects where something takes longer than so many milliseconds. */
const within = <A>(patience: number, task: Promise<A>): Promise<A> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it took more than ${patience / 1000} s`)), patience)
  })
  return Promise.race([task, late]).finally(() => clearTimeout(timer))
}

/**
 * Something of Redis as a stage. Left: what went wrong, or that it took longer than `patience` milliseconds.
 *
 * @category effects
 * @since 0.1.0
 */
export const asked = <A>({ address }: Pick<Open, 'address'>, patience: number, task: () => Promise<A>): Step<A> =>
  TE.tryCatch(
    () => within(patience, task()),
    (error) => broken(`Redis at ${address.shown}: ${reasonOf(error)}`)
  )

// -------------------------------------------------------------------------------------
// parts
// -------------------------------------------------------------------------------------

/**
 * Keeps parts by their digests. Rejects where Redis does not take one of them.
 *
 * @category effects
 * @since 0.1.0
 */
export const put = async ({ redis }: Pick<Open, 'redis'>, parts: ReadonlyMap<string, Uint8Array>): Promise<void> => {
  // one after another and not as one, which would copy all of them once more
  await Promise.all(
    [...parts].map(([digest, { buffer, byteLength, byteOffset }]) =>
      redis.set(keys.part(digest), Buffer.from(buffer, byteOffset, byteLength), 'EX', lifetime.part)
    )
  )
}

/**
 * Forgets what one said of itself, if Redis is there to hear it.
 *
 * @category effects
 * @since 0.1.0
 */
export const forget = async ({ redis }: Pick<Open, 'redis'>, key: string): Promise<void> => {
  await attempted(() => within(1000, redis.del(key)))
}

/**
 * As `put`, again and again while Redis is gone, for so many milliseconds.
 *
 * @category effects
 * @since 0.1.0
 */
export const putPatiently =
  (opened: Pick<Open, 'redis'>, patience: number) =>
  async (parts: ReadonlyMap<string, Uint8Array>): Promise<void> => {
    const began = performance.now()
    for (;;) {
      const tried = await attempted(() => within(15_000, put(opened, parts)))
      if (E.isRight(tried)) return
      if (performance.now() - began > patience) throw new Error(tried.left)
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }

/**
 * The parts of some digests, those that are there and are what their digests say.
 *
 * @category effects
 * @since 0.1.0
 */
export const get = async (
  { redis }: Pick<Open, 'redis'>,
  digests: ReadonlyArray<string>
): Promise<ReadonlyMap<string, Uint8Array>> => {
  if (digests.length === 0) return new Map()
  const found = await redis.mgetBuffer(...digests.map(keys.part))
  return new Map(
    digests.flatMap((digest, i) => {
      const bytes = found[i]
      return bytes !== undefined && bytes !== null && digestOf(bytes) === digest ? [[digest, bytes] as const] : []
    })
  )
}

const named = (list: unknown): ReadonlyArray<string> =>
  [...String(list).matchAll(/ name=halforder-(\S+)/g)].map(([, name]) => name ?? '')

/**
 * Which of some processes, as they say of themselves by `self`, are connected. All connections are looked through where one is not found
 * by its number: it may have another one since.
 *
 * @category effects
 * @since 0.1.0
 */
export const connected = async (
  { redis }: Pick<Open, 'redis'>,
  selves: ReadonlyArray<string>
): Promise<ReadonlySet<string>> => {
  if (selves.length === 0) return new Set()
  const numbers = selves.map((self) => self.split(' ')[1] ?? '')
  const known = numbers.every((one) => /^\d+$/.test(one))
  const some = new Set(known ? named(await redis.client('LIST', 'ID', ...numbers.map(Number))) : [])
  const names = selves.map((self) => self.split(' ')[0] ?? '')
  if (names.every((name) => some.has(name))) return some
  return new Set(named(await redis.client('LIST')))
}

/**
 * Whether what was attempted is a left of its own.
 *
 * @category utils
 * @since 0.1.0
 */
export const attempted = async <A>(task: () => Promise<A>): Promise<E.Either<string, A>> => {
  try {
    return E.right(await task())
  } catch (error) {
    return E.left(reasonOf(error))
  }
}
