/**
 * What is timed: one piece of work as several libraries do it, side by side in one run.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as Kernel from '../src/kernel/index.js'
import type { Mode } from '../src/kernel/Mode.js'
import type { Program, Values } from '../src/tensor/Program.js'
import type { ShapeError, Sizes } from '../src/tensor/Shape.js'

/**
 * One library's way: `run` gives the result as a flat array, so that the answers can be compared. One that runs elsewhere has a clock
 * of its own: `spent` are the milliseconds of its last run, by the clock and of the processor.
 */
export interface Contender {
  readonly run: () => Promise<ArrayLike<number>>
  readonly dispose: () => Promise<void>
  readonly spent?: () => { readonly ms: number; readonly cpu: number }
  /** The most bytes of intermediate values alive at once, where it is known. */
  readonly bytes?: number
}

/** Those that run in a process of their own. */
export type Native = 'torch' | 'onnxruntime'

/** A work as a script of theirs knows it: by which name, with which settings and arrays. */
export interface Told {
  readonly make: string
  readonly settings: object
  readonly values: Values
}

/**
 * Who may do a piece of work. `torch` is PyTorch and `onnxruntime` onnxruntime-node, native and on one thread; `stock` is gpu.js
 * without this library, `js` plain JavaScript, `limit` WebAssembly written for that one piece of work. `cached` and `run` are parts of
 * what `ours` does: compiling what is compiled already, and running it.
 */
export type Name = 'ours' | Native | 'tfjs' | 'jaxjs' | 'stock' | 'js' | 'limit' | 'cached' | 'run'

/**
 * A piece of work and who does it. Only `ours` uses more than one thread: TensorFlow.js has no threads in Node, and jax-js
 * none at all. `tolerance` is how far answers may differ, relative to the largest value (default 1e-3). Those who are `slow` take
 * one round to warm up and three others.
 */
export interface Work {
  readonly name: string
  readonly about: string
  readonly tolerance?: number
  readonly threads: ReadonlyArray<number>
  readonly slow?: ReadonlyArray<Name>
  readonly contenders: Readonly<Partial<Record<Name, (threads: number, mode?: Mode) => Promise<Contender>>>>
  readonly native?: Readonly<Partial<Record<Native, Told>>>
}

/**
 * Milliseconds of each contender: median, least and most of some interleaved runs, and the least of the processor, of all threads
 * together, which other programs disturb less; and bytes where known.
 */
export interface Timing {
  readonly median: number
  readonly least: number
  readonly most: number
  readonly cpu: number
  readonly bytes: number | undefined
}

/** The right side, or an end: benchmarks are wrong or right, not in between. */
export const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(JSON.stringify(result.left))
  return result.right
}

/** This library on a program, in one of its modes. */
export const ours =
  (program: E.Either<ReadonlyArray<ShapeError>, Program>, sizes: Sizes, values: Values, output: string) =>
  (threads: number, mode: Mode = 'webasm'): Promise<Contender> => {
    const target = Kernel.gpuJs({ mode, ...(threads === 1 ? {} : { threads }) })
    const executable = right(target.compile(right(program), sizes))
    return Promise.resolve({
      bytes: executable.work.peakBytes,
      run: async () => right(await executable.run(values)())[output]?.data ?? new Float32Array(),
      dispose: async () => {
        await executable.dispose()
        await target.dispose()
      }
    })
  }

/** The largest difference of two results, relative to the largest value. */
export const distance = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let difference = 0
  let scale = 0
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)))
    scale = Math.max(scale, Math.abs(a[i] ?? 0))
  }
  return a.length === b.length ? difference / scale : Number.NaN
}

interface Sample {
  readonly ms: number
  readonly cpu: number
}

/** One run, and what it took. */
const timed = async ({ run, spent }: Contender): Promise<readonly [ArrayLike<number>, Sample]> => {
  const [began, before] = [performance.now(), process.cpuUsage()]
  const result = await run()
  const [ms, { user, system }] = [performance.now() - began, process.cpuUsage(before)]
  return [result, spent?.() ?? { ms, cpu: (user + system) / 1e3 }]
}

/**
 * Times a work: three rounds to warm up, then `rounds` in which each contender runs once, in turn, so that a slow moment of
 * the machine hits all of them. A contender whose answer is not the first one's is an error.
 */
export const time = async (work: Work, threads: number, rounds: number): Promise<ReadonlyMap<string, Timing>> => {
  const contenders: Array<readonly [string, Contender, Array<Sample>]> = []
  for (const [name, make] of Object.entries(work.contenders)) contenders.push([name, await make(threads), []])
  let answer: ArrayLike<number> | undefined
  for (let round = -3; round < rounds; round++) {
    for (const [name, contender, samples] of contenders) {
      const slow = work.slow?.some((one) => one === name) ?? false
      if (slow && (round > 2 || round === -2 || round === -1)) continue
      const [result, sample] = await timed(contender)
      answer ??= result
      if (round === -3 && !(distance(answer, result) < (work.tolerance ?? 1e-3))) {
        throw new Error(`${work.name}: ${name} differs by ${distance(answer, result)} of the largest value`)
      }
      if (round >= 0) samples.push(sample)
    }
  }
  for (const [, contender] of contenders) await contender.dispose()
  return new Map(
    contenders.map(([name, { bytes }, samples]) => {
      const sorted = samples.map(({ ms }) => ms).sort((a, b) => a - b)
      const at = (i: number): number => sorted[i] ?? Number.NaN
      const cpu = Math.min(...samples.map((sample) => sample.cpu))
      return [
        name,
        { median: at(Math.floor(sorted.length / 2)), least: at(0), most: at(sorted.length - 1), cpu, bytes }
      ]
    })
  )
}
