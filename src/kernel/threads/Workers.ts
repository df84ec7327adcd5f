/**
 * Threads that run images. Each image has a memory of its own in each thread, shared with this one, which writes inputs
 * and reads outputs there.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Data } from '../../tensor/Tensor.js'
import { type Pages, pageBytes } from '../wasm/Pages.js'
import { another, here, type WorkerFault } from './Member.js'
import type { MemoryImage } from './MemoryImage.js'
import { startWorker } from './WorkerHandle.js'

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
 * An image in a thread. `run` writes the inputs that are given, runs all steps and gives the memory, whose outputs are
 * to be read before the next run.
 *
 * @category model
 * @since 0.1.0
 */
export interface LoadedImage {
  readonly run: (inputs: ReadonlyArray<Given | undefined>) => Promise<E.Either<WorkerFault, Float32Array>>
  readonly drop: () => void
}

/**
 * Some threads: this one, which is the last, and workers, started when they are first needed. They keep a process alive
 * only while they run something.
 *
 * @category model
 * @since 0.1.0
 */
export interface Pool {
  readonly size: number
  readonly load: (thread: number, image: MemoryImage) => LoadedImage
  readonly dispose: () => Promise<void>
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * The most threads that can be asked for.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostThreads = 256

/**
 * How many milliseconds a worker may take for a block by default: ten minutes. Most take some milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const usualPatience = 600_000

/** How many memories a thread keeps for later images. */
const mostLeft = 8

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Why no memory can be shared between threads here, or `undefined` where it can. A page must be isolated from other
 * origins for that.
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
 * A pool of so many threads, 1 to `mostThreads`; a worker that takes more than `patience` milliseconds for a block hangs, and
 * is replaced. This one computes too: a scheduler may put two workers that are woken
 * at once on one core, and leaves them there for longer than most blocks take.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pool = (size: number, { patience = usualPatience }: { readonly patience?: number } = {}): Pool => {
  const members = Array.from({ length: size }, (_, i) => ({
    ...(i === size - 1 ? here() : another(startWorker, patience)),
    ...memories()
  }))
  const last = members.length - 1
  let images = 0
  return {
    size,
    load: (thread, image) => {
      const own = members[thread] ?? members[last] ?? { ...here(), ...memories() }
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
          image.inputs.forEach(({ at, size: length }, i) => {
            const given = inputs[i]
            const before = known[i]
            // tensors are immutable: the same array holds the same numbers, which are still there
            if (given === undefined || (before?.data === given.data && before.block === given.block)) return
            given.write(cells.subarray(at, at + length))
            known[i] = given
          })
          const ran = await own.run(number)
          return E.isLeft(ran) ? ran : E.right(cells)
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

/** Where a thread takes memories from, and leaves them. */
interface Memories {
  readonly memory: (pages: Pages) => WebAssembly.Memory
  readonly free: (memory: WebAssembly.Memory, maximum: number) => void
}

/**
 * Memories that images have left are used again: those of a worker are freed late, because its garbage collector does
 * not see how large they are.
 */
const memories = (): Memories => {
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
