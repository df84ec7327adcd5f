/**
 * A worker of the platform: a `worker_threads` worker in Node, a Web Worker in a page. Both run the same text.
 *
 * @since 0.1.0
 */
import type { ModuleRun } from '../wasm/ModuleRuns.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a thread is told: to keep an image, to run one, or to drop one.
 *
 * @category model
 * @since 0.1.0
 */
export interface Message {
  readonly image: number
  readonly memory?: WebAssembly.Memory
  readonly steps?: ReadonlyArray<ModuleRun>
  readonly modules?: ReadonlyArray<WebAssembly.Module>
  readonly run?: true
}

/**
 * A worker that has been started.
 *
 * - `post`: a run, which has an `id`, is answered when it is done.
 * - `onMessage`: hears answers, with an error where there was one. `onDeath`: hears, at least once, that the worker is
 *   gone and answers nothing any more.
 * - `hold`: counts what waits for the worker, which keeps the process alive while that is not 0.
 *
 * @category model
 * @since 0.1.0
 */
export interface WorkerHandle {
  readonly post: (message: Message & { readonly id?: number }) => void
  readonly onMessage: (listener: (id: number, error: string | undefined) => void) => void
  readonly onDeath: (listener: (reason: string) => void) => void
  readonly hold: (by: number) => void
  readonly stop: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/** The code of a worker, as text, so that no bundler has to find a file. It depends on nothing. */
const workerText = `
  const images = new Map()
  const load = ({ memory, modules, steps }) => {
    const runs = modules.map((module) => new WebAssembly.Instance(module, { env: { memory } }).exports.run)
    const cells = new Int32Array(memory.buffer)
    return () => {
      for (const { module, at, bits } of steps) {
        for (let i = 0; i < bits.length; i++) cells[at + i] = bits[i]
        runs[module](0, 0, 0)
      }
    }
  }
  const handle = (message, reply) => {
    try {
      if (message.modules) images.set(message.image, load(message))
      else if (message.run) images.get(message.image)()
      else images.delete(message.image)
      if (message.run) reply({ id: message.id })
    } catch (error) {
      // an image that can not be loaded is heard of when it is to run
      if (message.run) reply({ id: message.id, error: String(error) })
      else images.set(message.image, () => { throw error })
    }
  }
  if (typeof require === 'function') {
    const { parentPort } = require('worker_threads')
    parentPort.on('message', (message) => handle(message, (answer) => parentPort.postMessage(answer)))
  } else {
    self.onmessage = (event) => handle(event.data, (answer) => self.postMessage(answer))
  }
`

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Starts a worker. It rejects where the platform allows none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const startWorker = async (): Promise<WorkerHandle> =>
  typeof Worker === 'function' ? webWorker() : nodeWorker()

const nodeWorker = (): WorkerHandle => {
  // not an import: bundlers for pages would look for the module, and warn or fail
  const { Worker: NodeWorker } = process.getBuiltinModule('node:worker_threads')
  const worker = new NodeWorker(workerText, { eval: true })
  let held = 0
  worker.unref()
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.on('message', (message: unknown) => listener(...answer(message))),
    onDeath: (listener) => {
      worker.on('error', (error) => listener(String(error)))
      worker.on('exit', (code) => listener(`it ended with code ${code}`))
    },
    hold: (by) => {
      held += by
      if (held > 0) worker.ref()
      else worker.unref()
    },
    stop: async () => {
      await worker.terminate()
    }
  }
}

const webWorker = (): WorkerHandle => {
  const url = URL.createObjectURL(new Blob([workerText], { type: 'text/javascript' }))
  const worker = new Worker(url)
  const end = (): void => {
    worker.terminate()
    URL.revokeObjectURL(url)
  }
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) =>
      worker.addEventListener('message', (event: MessageEvent<unknown>) => listener(...answer(event.data))),
    onDeath: (listener) =>
      worker.addEventListener('error', (event) => {
        // it may live on after an error, in what state nobody knows
        end()
        listener(event.message || 'the page could not load it')
      }),
    hold: () => undefined,
    stop: async () => end()
  }
}

const answer = (message: unknown): readonly [id: number, error: string | undefined] => {
  if (typeof message !== 'object' || message === null || !('id' in message)) return [-1, undefined]
  return [Number(message.id), 'error' in message ? String(message.error) : undefined]
}
