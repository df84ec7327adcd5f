/**
 * Threads that run images: `worker_threads` in Node, Web Workers in a page. Each image has a memory of its own in each
 * worker, shared with this thread, which writes inputs and reads outputs there.
 *
 * @since 0.1.0
 */
import type { Data } from '../../tensor/Tensor.js'
import type { Image, Step } from './Image.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What to write where an image has an input: the rows of a block of a tensor. The same `data` and `block` hold the same
 * numbers.
 *
 * @category model
 * @since 0.1.0
 */
export interface Given {
  readonly data: Data
  readonly block: number
  readonly write: (to: Float32Array) => void
}

/**
 * An image in a worker. `run` writes the inputs that are given, runs all steps and gives the memory, whose outputs are
 * to be read before the next run.
 *
 * @category model
 * @since 0.1.0
 */
export interface Loaded {
  readonly run: (inputs: ReadonlyArray<Given | undefined>) => Promise<Float32Array>
  readonly drop: () => void
}

/**
 * Some threads: this one, which is the last, and workers, started when they are first needed. They keep a process alive only
 * while they run something.
 *
 * @category model
 * @since 0.1.0
 */
export interface Pool {
  readonly size: number
  readonly load: (worker: number, image: Image) => Loaded
  readonly dispose: () => Promise<void>
}

/** What a Node worker and a Web Worker have in common, after `start`. */
interface Handle {
  readonly post: (message: unknown) => void
  readonly onMessage: (listener: (id: number, error: string | undefined) => void) => void
  readonly onDeath: (listener: (reason: string) => void) => void
  /** counts what waits for the worker: it keeps the process alive while that is not 0 */
  readonly hold: (by: number) => void
  readonly stop: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// the worker
// -------------------------------------------------------------------------------------

/** The code of a worker, as text, so that no bundler has to find a file. It depends on nothing. */
const workerSource = `
  const images = new Map()
  const handle = (message, reply) => {
    try {
      if (message.modules) {
        const imports = { env: { memory: message.memory } }
        const runs = message.modules.map((module) => new WebAssembly.Instance(module, imports).exports.run)
        images.set(message.image, { runs, steps: message.steps, cells: new Int32Array(message.memory.buffer) })
      } else if (message.run) {
        const { runs, steps, cells } = images.get(message.image)
        for (const { module, at, bits } of steps) {
          for (let i = 0; i < bits.length; i++) cells[at + i] = bits[i]
          runs[module](0, 0, 0)
        }
        reply({ id: message.id })
      } else images.delete(message.image)
    } catch (error) {
      reply({ id: message.id, error: String(error) })
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
 * Why no memory can be shared between threads here, or `undefined` where it can. A page must be isolated from other origins
 * for that.
 *
 * @category predicates
 * @since 0.1.0
 */
export const obstacle = (): string | undefined =>
  typeof SharedArrayBuffer === 'function'
    ? undefined
    : 'there is no SharedArrayBuffer; serve the page with the headers Cross-Origin-Opener-Policy: same-origin and ' +
      'Cross-Origin-Embedder-Policy: require-corp'

/**
 * A pool of so many threads. This one computes too: a scheduler may put two workers that are woken at once on one core, and
 * leaves them there for longer than most blocks take.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pool = (size: number): Pool => {
  const members = Array.from({ length: size }, (_, i) => (i === size - 1 ? here() : member()))
  let images = 0
  return {
    size,
    load: (worker, image) => {
      const own = members[worker % size] ?? member()
      const number = images++
      const memory = own.memory(image.pages)
      const cells = new Float32Array(memory.buffer)
      for (const { at, data } of image.constants) cells.set(data, at)
      const known: Array<Given | undefined> = []
      own.send({
        image: number,
        memory,
        steps: image.steps,
        modules: image.modules.map((bytes) => new WebAssembly.Module(bytes))
      })
      return {
        run: async (inputs) => {
          image.inputs.forEach(({ at, size }, i) => {
            const given = inputs[i]
            const before = known[i]
            // tensors are immutable: the same array holds the same numbers, which are still there
            if (given === undefined || (before?.data === given.data && before.block === given.block)) return
            given.write(cells.subarray(at, at + size))
            known[i] = given
          })
          await own.request({ image: number, run: true })
          return cells
        },
        drop: () => {
          own.send({ image: number })
          own.free(memory, image.pages.maximum)
        }
      }
    },
    dispose: async () => {
      await Promise.all(members.map((one) => one.stop()))
    }
  }
}

/** What a thread is told: to keep an image, to run one, or to drop one. */
interface Message {
  readonly image: number
  readonly memory?: WebAssembly.Memory
  readonly steps?: ReadonlyArray<Step>
  readonly modules?: ReadonlyArray<WebAssembly.Module>
  readonly run?: true
}

/** A thread. */
interface Member {
  readonly memory: (pages: Image['pages']) => WebAssembly.Memory
  readonly free: (memory: WebAssembly.Memory, maximum: number) => void
  readonly send: (message: Message) => void
  readonly request: (message: Message) => Promise<void>
  readonly stop: () => Promise<void>
}

const pageBytes = 65536

/** How many memories a thread keeps for later images. */
const mostLeft = 8

/**
 * Memories that images have left are used again: those of a worker are freed late, because its garbage collector does not see
 * how large they are.
 */
const memories = (): Pick<Member, 'memory' | 'free'> => {
  const left: Array<{ readonly memory: WebAssembly.Memory; readonly maximum: number }> = []
  return {
    memory: (pages) => {
      const bytes = pageBytes * pages.initial
      // a module takes no memory that may grow further than it declares
      const fits = ({ memory: { buffer }, maximum }: (typeof left)[number]): boolean =>
        maximum === pages.maximum && buffer.byteLength >= bytes && buffer.byteLength <= 4 * bytes
      const at = left.findIndex(fits)
      const [known] = at < 0 ? [] : left.splice(at, 1)
      return known?.memory ?? new WebAssembly.Memory({ ...pages, shared: true })
    },
    free: (memory, maximum) => {
      left.push({ memory, maximum })
      if (left.length > mostLeft) left.shift()
    }
  }
}

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

/** This thread. It does what the text of a worker says. */
const here = (): Member => {
  const images = new Map<number, () => void>()
  let stopped = false
  return {
    ...memories(),
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
    request: async ({ image }) => {
      await turn()
      if (stopped) throw new Error('the workers have been stopped')
      images.get(image)?.()
    },
    stop: () => {
      stopped = true
      images.clear()
      return Promise.resolve()
    }
  }
}

/** A worker that is started by the first message to it. */
const member = (): Member => {
  const waiting = new Map<number, { readonly resolve: () => void; readonly reject: (error: Error) => void }>()
  let next = 0
  let started: Promise<Handle> | undefined
  let stopped = false
  const settle = (id: number, error: string | undefined): void => {
    const one = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) one?.resolve()
    else one?.reject(new Error(error))
  }
  const handle = (): Promise<Handle> => {
    started ??= start().then((opened) => {
      opened.onMessage((id, error) => {
        opened.hold(-1)
        settle(id, error)
      })
      opened.onDeath((reason) => [...waiting.keys()].forEach((id) => settle(id, reason)))
      return opened
    })
    return started
  }
  return {
    ...memories(),
    send: (message) => {
      if (!stopped) void handle().then((opened) => opened.post(message))
    },
    request: async (message) => {
      if (stopped) throw new Error('the workers have been stopped')
      const opened = await handle()
      const id = next++
      await new Promise<void>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        opened.hold(1)
        opened.post({ ...message, id })
      })
    },
    stop: async () => {
      stopped = true
      if (started === undefined) return
      await (await started).stop()
      for (const id of waiting.keys()) settle(id, 'the workers have been stopped')
    }
  }
}

const start = (): Promise<Handle> => (typeof Worker === 'function' ? Promise.resolve(webWorker()) : nodeWorker())

const nodeWorker = async (): Promise<Handle> => {
  const { Worker: NodeWorker } = await import('node:worker_threads')
  const worker = new NodeWorker(workerSource, { eval: true })
  let held = 0
  worker.unref()
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) => worker.on('message', (message: unknown) => listener(...answer(message))),
    onDeath: (listener) => {
      worker.on('error', (error) => listener(String(error)))
      worker.on('exit', (code) => listener(`a worker ended with code ${code}`))
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

const webWorker = (): Handle => {
  const url = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }))
  const worker = new Worker(url)
  return {
    post: (message) => worker.postMessage(message),
    onMessage: (listener) =>
      worker.addEventListener('message', (event: MessageEvent<unknown>) => listener(...answer(event.data))),
    onDeath: (listener) => worker.addEventListener('error', (event) => listener(event.message)),
    hold: () => undefined,
    stop: async () => {
      worker.terminate()
      URL.revokeObjectURL(url)
    }
  }
}

const answer = (message: unknown): readonly [id: number, error: string | undefined] => {
  if (typeof message !== 'object' || message === null || !('id' in message)) return [-1, undefined]
  return [Number(message.id), 'error' in message ? String(message.error) : undefined]
}
