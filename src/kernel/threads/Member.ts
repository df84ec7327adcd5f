/**
 * A thread of a pool: this one, or a worker that is started when something is first run on it and replaced when it
 * died.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Message, WorkerHandle } from './WorkerHandle.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Why an image did not run.
 *
 * - `NotStarted`: the platform allows no worker. `Ended`: the worker died meanwhile, or was stopped because it did not
 *   answer; the next run starts another one.
 * - `Threw`: it could not load or run the image. `Stopped`: the pool has been disposed of.
 *
 * @category model
 * @since 0.1.0
 */
export type WorkerFault =
  | { readonly _tag: 'NotStarted'; readonly reason: string }
  | { readonly _tag: 'Ended'; readonly reason: string }
  | { readonly _tag: 'Threw'; readonly reason: string }
  | { readonly _tag: 'Stopped' }

/**
 * A thread: `send` tells it to keep or to drop an image, `run` runs one, and always settles.
 *
 * @category model
 * @since 0.1.0
 */
export interface Member {
  readonly send: (message: Message) => void
  readonly run: (image: number) => Promise<E.Either<WorkerFault, void>>
  readonly stop: () => Promise<void>
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const stoppedFault: E.Either<WorkerFault, never> = /*#__PURE__*/ E.left({ _tag: 'Stopped' })

// -------------------------------------------------------------------------------------
// this thread
// -------------------------------------------------------------------------------------

/** A turn of the event loop: messages to workers leave, and answers arrive. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') return void setImmediate(resolve)
    // a page has no `setImmediate`, and makes timers wait
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })

/**
 * This thread. It does what the text of a worker says.
 *
 * @category constructors
 * @since 0.1.0
 */
export const here = (): Member => {
  const images = new Map<number, () => void>()
  let stopped = false
  return {
    send: ({ image, memory, steps, modules }) => {
      if (memory === undefined || steps === undefined || modules === undefined) return void images.delete(image)
      const cells = new Int32Array(memory.buffer)
      const runs = modules.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports['run'])
      images.set(image, () => {
        for (const { module, at, bits } of steps) {
          cells.set(bits, at)
          const run = runs[module]
          if (typeof run === 'function') Reflect.apply(run, undefined, [0, 0, 0])
        }
      })
    },
    run: async (image) => {
      await turn()
      if (stopped) return stoppedFault
      return E.tryCatch(
        () => images.get(image)?.(),
        (error): WorkerFault => ({ _tag: 'Threw', reason: reasonOf(error) })
      )
    },
    stop: async () => {
      stopped = true
      images.clear()
    }
  }
}

// -------------------------------------------------------------------------------------
// another one
// -------------------------------------------------------------------------------------

type Settle = (result: E.Either<WorkerFault, void>) => void

/** A worker that answers, until it is dead. */
interface Live {
  readonly handle: WorkerHandle
  readonly waiting: Map<number, Settle>
  dead: boolean
  /** Gives it up: what waits for it ends with this reason. */
  end: (reason: string) => void
}

/**
 * A worker, which knows the images that it was sent, so that one in its place can be told. One that has not answered a run
 * within `patience` milliseconds hangs, and is stopped; `Infinity` waits for ever.
 *
 * @category constructors
 * @since 0.1.0
 */
export const another = (start: () => Promise<WorkerHandle>, patience: number): Member => {
  const images = new Map<number, Message>()
  let current: Live | undefined
  let starting: Promise<E.Either<WorkerFault, Live>> | undefined
  let next = 0
  let stopped = false

  const begin = async (): Promise<E.Either<WorkerFault, Live>> => {
    try {
      const live: Live = { handle: await start(), waiting: new Map(), dead: false, end: () => undefined }
      listen(live, () => {
        if (current !== live) return
        current = undefined
        starting = undefined
      })
      current = live
      images.forEach((message) => live.handle.post(message))
      return E.right(live)
    } catch (error) {
      starting = undefined
      return E.left({ _tag: 'NotStarted', reason: reasonOf(error) })
    }
  }

  return {
    send: (message) => {
      if (stopped) return
      if (message.modules === undefined) images.delete(message.image)
      else images.set(message.image, message)
      current?.handle.post(message)
    },
    run: async (image) => {
      if (stopped) return stoppedFault
      const live = await (starting ??= begin())
      if (stopped) return stoppedFault
      return E.isLeft(live) ? live : await ask(live.right, next++, image, patience)
    },
    stop: async () => {
      stopped = true
      images.clear()
      const live = await starting
      if (live === undefined || E.isLeft(live)) return
      await live.right.handle.stop()
      settleAll(live.right, stoppedFault)
    }
  }
}

/** Hands answers to those who wait for them, and its death to all of them. */
const listen = (live: Live, onDeath: () => void): void => {
  live.handle.onMessage((id, error) => {
    const settle = live.waiting.get(id)
    if (settle === undefined) return
    live.waiting.delete(id)
    live.handle.hold(-1)
    settle(error === undefined ? E.right(undefined) : E.left({ _tag: 'Threw', reason: error }))
  })
  live.end = (reason) => {
    live.dead = true
    onDeath()
    settleAll(live, E.left({ _tag: 'Ended', reason }))
  }
  live.handle.onDeath((reason) => live.end(reason))
}

const settleAll = ({ waiting }: Live, result: E.Either<WorkerFault, void>): void => {
  const all = [...waiting.values()]
  waiting.clear()
  all.forEach((settle) => settle(result))
}

/** Longer delays than this many milliseconds are none to a timer. */
const longest = 2 ** 31 - 1

const ask = (live: Live, id: number, image: number, patience: number): Promise<E.Either<WorkerFault, void>> =>
  new Promise((resolve) => {
    if (live.dead) return resolve(E.left({ _tag: 'Ended', reason: 'it was gone' }))
    const giveUp = async (): Promise<void> => {
      // this thread may have been busy itself, with the answer waiting to be heard
      await turn()
      if (!live.waiting.has(id)) return
      live.end(`it did not answer within ${patience} ms`)
      await live.handle.stop()
    }
    const timer = patience <= longest ? setTimeout(() => void giveUp(), patience) : undefined
    live.waiting.set(id, (result) => {
      clearTimeout(timer)
      resolve(result)
    })
    live.handle.hold(1)
    try {
      live.handle.post({ image, run: true, id })
    } catch (error) {
      live.waiting.delete(id)
      live.handle.hold(-1)
      clearTimeout(timer)
      resolve(E.left({ _tag: 'Threw', reason: reasonOf(error) }))
    }
  })
