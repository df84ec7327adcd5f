/**
 * The blocks of a batch run one after the other on this thread, or side by side on several.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as Program from '../../tensor/Program.js'
import type { BoundProgram, Values } from '../../tensor/Program.js'
import type { Executable, TargetError } from '../../tensor/Target.js'
import { type Divided, reportOf, workOf } from './Divided.js'
import type { WorkerFault } from './Member.js'
import { type MemoryImage, memoryImage } from './MemoryImage.js'
import * as Blocks from '../../tensor/rows/RowBlocks.js'
import type { RowBlock } from '../../tensor/rows/RowBlocks.js'
import { pageBytes } from '../wasm/Pages.js'
import type { Given, LoadedImage, Pool } from './Workers.js'

const nothing = new Float32Array(0)

// -------------------------------------------------------------------------------------
// one run at a time
// -------------------------------------------------------------------------------------

type Result = E.Either<TargetError, Values>

/** What checks its inputs and runs one after the other; `free` is called when the last of them is done. */
const queued = (
  target: string,
  program: BoundProgram,
  run: (values: Values) => Promise<Result>,
  free: () => Promise<void>
): Pick<Executable, 'run' | 'dispose'> => {
  let disposed = false
  let tail: Promise<unknown> = Promise.resolve()
  const settled = async (values: Values): Promise<Result> => {
    try {
      return await run(values)
    } catch (error) {
      return E.left({ _tag: 'Failed', target, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  return {
    run: (values) => async () => {
      if (disposed) return E.left({ _tag: 'Disposed', target })
      const checked = Program.checkValues(program, values)
      if (E.isLeft(checked)) return E.left({ _tag: 'Misshapen', errors: checked.left })
      const result = tail.then(() => settled(values))
      tail = result
      return await result
    },
    dispose: async () => {
      if (disposed) return
      disposed = true
      await tail
      await free()
    }
  }
}

// -------------------------------------------------------------------------------------
// on one thread
// -------------------------------------------------------------------------------------

/**
 * An executable that runs the blocks one after the other. `compile` compiles for blocks of so many rows, on this
 * thread.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const inTurn = (
  target: string,
  divided: Divided,
  compile: (rows: number) => E.Either<TargetError, Executable>
): E.Either<TargetError, Executable> =>
  pipe(
    [...divided.plans.keys()],
    compileAll(compile),
    E.map((executables) => {
      const { whole, split, blocks } = divided
      const work = workOf(divided, 1)
      const run = async (values: Values): Promise<Result> => {
        const collector = Blocks.collector(whole, split)
        for (let i = 0; i < blocks.count; i++) {
          const block = blocks.at(i)
          const executable = executables.get(Blocks.lengthOf(block))
          if (executable === undefined) continue
          const result = await executable.run(Blocks.inputsOf(split, values, block))()
          if (E.isLeft(result)) return result
          collector.add(i, block, (output) => result.right[output]?.data ?? nothing)
        }
        return E.right(collector.values())
      }
      const free = async (): Promise<void> => {
        await Promise.all([...executables.values()].map((executable) => executable.dispose()))
      }
      return { program: whole, work, report: () => reportOf(divided, work), ...queued(target, whole, run, free) }
    })
  )

/** Compiles for each length. What has been compiled before one that can not be is freed. */
const compileAll =
  (compile: (rows: number) => E.Either<TargetError, Executable>) =>
  (lengths: ReadonlyArray<number>): E.Either<TargetError, ReadonlyMap<number, Executable>> => {
    const executables = new Map<number, Executable>()
    for (const rows of lengths) {
      const made = compile(rows)
      if (E.isLeft(made)) {
        executables.forEach((executable) => void executable.dispose())
        return made
      }
      executables.set(rows, made.right)
    }
    return E.right(executables)
  }

// -------------------------------------------------------------------------------------
// on several threads
// -------------------------------------------------------------------------------------

/**
 * An executable that hands the blocks to the threads of a pool, each the next one when it is ready.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const sideBySide = (target: string, pool: Pool, fma: boolean, divided: Divided): Executable => {
  const { whole, split, blocks, plans } = divided
  const threads = Math.min(pool.size, blocks.count)
  const work = workOf(divided, threads)
  const images = new Map([...plans].map(([rows, one]) => [rows, memoryImage(one, fma)]))
  const loaded = new Map<string, LoadedImage>()
  const load = (thread: number, rows: number, image: MemoryImage): LoadedImage => {
    const key = `${thread}|${rows}`
    const known = loaded.get(key) ?? pool.load(thread, image)
    loaded.set(key, known)
    return known
  }
  const run = async (values: Values): Promise<Result> => {
    // a thread that gets one block only writes over its outputs in the next run
    const collector = Blocks.collector(whole, split, blocks.count <= threads)
    let next = 0
    const onThread = async (thread: number): Promise<E.Either<WorkerFault, void>> => {
      for (let i = next++; i < blocks.count; i = next++) {
        const block = blocks.at(i)
        const image = images.get(Blocks.lengthOf(block))
        if (image === undefined) continue
        const ran = await load(thread, Blocks.lengthOf(block), image).run(givenTo(image, divided, values, block, i))
        if (E.isLeft(ran)) {
          // what the others have begun they end, and no more is handed out
          next = blocks.count
          return ran
        }
        collector.add(i, block, (output) => readOutput(image, ran.right, output))
      }
      return E.right(undefined)
    }
    // all of them end before the next run writes to their memories
    const ended = await Promise.allSettled(Array.from({ length: threads }, (_, thread) => onThread(thread)))
    for (const one of ended) {
      if (one.status === 'rejected') throw one.reason
      if (E.isLeft(one.value)) return E.left(ofFault(target, one.value.left))
    }
    return E.right(collector.values())
  }
  const free = async (): Promise<void> => {
    loaded.forEach((one) => one.drop())
    loaded.clear()
  }
  return {
    program: whole,
    work,
    // a thread that takes a block has a memory for its length, with the weights in it
    memory: () => {
      const made = blocks.lengths.flatMap(([rows, count]) => {
        const image = images.get(rows)
        return image === undefined ? [] : [{ image, times: Math.min(threads, count) }]
      })
      return {
        bytes: made.reduce((sum, { image, times }) => sum + times * pageBytes * image.pages.initial, 0),
        modules: made.reduce((sum, { image, times }) => sum + times * image.modules.length, 0)
      }
    },
    report: () => ({
      ...reportOf(divided, work),
      threads: `on ${threads} threads, in ${blocks.count} blocks of rows`
    }),
    ...queued(target, whole, run, free)
  }
}

/** What to write into the inputs of an image for a block. */
const givenTo = (
  image: MemoryImage,
  { split }: Divided,
  values: Values,
  block: RowBlock,
  i: number
): ReadonlyArray<Given | undefined> =>
  image.inputs.map(({ name }) => {
    const value = values[name]
    const axis = split.inputs[name]
    return (
      value && {
        data: value.data,
        block: axis === undefined ? 0 : i,
        write: (to) => Blocks.writeRows(value, axis, block, to)
      }
    )
  })

const readOutput = (image: MemoryImage, cells: Float32Array, name: string): Float32Array => {
  const from = image.outputs.find((output) => output.name === name)
  if (from === undefined) return nothing
  return from.source._tag === 'Fill'
    ? new Float32Array(from.size).fill(from.source.value)
    : cells.subarray(from.source.at, from.source.at + from.size)
}

const ofFault = (target: string, fault: WorkerFault): TargetError => {
  switch (fault._tag) {
    case 'NotStarted':
      return {
        _tag: 'Unsupported',
        target,
        reason: `a worker could not be started (${fault.reason})`,
        remedy: 'allow workers (Node with --permission: --allow-worker), or leave `threads` out'
      }
    case 'Ended':
      return { _tag: 'Failed', target, reason: `a worker died (${fault.reason}); running again starts another one` }
    case 'Threw':
      return { _tag: 'Failed', target, reason: fault.reason }
    case 'Stopped':
      return { _tag: 'Disposed', target }
  }
}
