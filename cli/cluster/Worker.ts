/**
 * A worker: joins those who work at a Redis, and does what is to be done until it is told to stop.
 *
 * @since 0.1.0
 */
import { randomUUID } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Step } from '../edge/Failure.js'
import type { Address } from './Address.js'
import { bench } from './Bench.js'
import { deliver } from './Dispatch.js'
import * as Parcel from './Parcel.js'
import type { Probe } from './Probe.js'
import { type Card, cellLine, lineOf, ownLine, showCard } from './Kind.js'
import { asked, forget, get, keys, lifetime, open, type Open } from './Redis.js'
import type { Shop } from './Shop.js'

// -------------------------------------------------------------------------------------
// working
// -------------------------------------------------------------------------------------

/**
 * What a worker is made of. `shop` opens the shop of a recipe, if it is of what the worker was started for; `part` brings a part, such as the
 * file of a model.
 *
 * @category model
 * @since 0.1.0
 */
export interface Crafts {
  readonly address: Address
  readonly version: string
  readonly probe: Probe
  readonly tolerant: boolean
  readonly tasks: ReadonlyArray<string>
  readonly shop: (
    recipe: Uint8Array,
    part: (digest: string) => Promise<Uint8Array | undefined>
  ) => Promise<E.Either<string, Shop>>
  /** Runs a cell, from its bytes to those of its result, with its job's digest and the worker's name. */
  readonly cell?: (opened: Open, message: Uint8Array, job: string, worker: string) => Promise<Uint8Array>
}

/**
 * A worker at work.
 *
 * @category model
 * @since 0.1.0
 */
export interface Working {
  readonly id: string
  readonly open: Open
  readonly card: () => Card
  readonly stop: () => Promise<void>
}

/** One after another. */
const oneByOne = (): (<A>(task: () => Promise<A>) => Promise<A>) => {
  let tail: Promise<unknown> = Promise.resolve()
  return (task) => {
    const next = tail.then(task, task)
    tail = next.catch(() => undefined)
    return next
  }
}

/**
 * Joins. Left: a Redis that is not there.
 *
 * @category effects
 * @since 0.1.0
 */
export const join = ({ address, version, probe, tolerant, tasks, shop, cell }: Crafts): Step<Working> => {
  const id = randomUUID()
  return pipe(
    open(address, id),
    TE.flatMap((opened) =>
      pipe(
        asked(opened, 30_000, async () => {
          const counts = { jobs: 0, failures: 0, received: 0, sent: 0, seconds: 0 }
          const card = (): Card => ({
            id,
            version,
            probe: probe.digest,
            tolerant,
            tasks,
            ...counts,
            seconds: Math.round(counts.seconds)
          })
          const show = (): Promise<void> => showCard(opened, keys.worker(id), card(), probe.numbers)
          await show()
          const beat = setInterval(() => void show().catch(() => undefined), 2000)
          beat.unref()
          const part = async (digest: string): Promise<Uint8Array | undefined> =>
            (await get(opened, [digest])).get(digest)
          const own = bench({
            id,
            depot: { get: (digests) => get(opened, digests) },
            shop: (recipe) => shop(recipe, part)
          })
          const alone = oneByOne()
          const serve = (
            name: string,
            work: (message: Uint8Array, digest: string) => Promise<Uint8Array | undefined>
          ): void =>
            opened.serve(name, async (message, job) => {
              const [digest = ''] = job.split('-')
              const { redis } = opened
              counts.received += message.length
              if (digest !== Parcel.digestOf(message)) {
                counts.failures += 1
                return
              }
              // who has it says so before its turn comes
              await redis.set(keys.holder(digest), opened.self(), 'EX', lifetime.holder)
              await alone(async () => {
                // one that has been done is not done again
                const there = await redis.exists(keys.result(digest))
                const began = performance.now()
                const result = there === 1 ? undefined : await work(message, digest)
                counts.seconds += (performance.now() - began) / 1000
                if (result === undefined) {
                  counts.failures += there === 1 ? 0 : 1
                  await redis.del(keys.holder(digest))
                } else {
                  counts.jobs += 1
                  counts.sent += result.length
                  await deliver(opened, job, result)
                }
              })
            })
          const blocks = async (message: Uint8Array): Promise<Uint8Array | undefined> => {
            const result = await own.work(message)
            return E.isLeft(result) ? undefined : result.right
          }
          serve(lineOf(version, probe.digest, tolerant), blocks)
          serve(ownLine(id), blocks)
          if (cell !== undefined) {
            serve(cellLine(version, probe.digest, tolerant), (message, digest) => cell(opened, message, digest, id))
          }
          return {
            id,
            open: opened,
            card,
            stop: async () => {
              clearInterval(beat)
              await forget(opened, keys.worker(id))
              await opened.close()
              await own.dispose()
            }
          }
        }),
        TE.mapLeft((failure) => {
          void opened.close()
          return failure
        })
      )
    )
  )
}
