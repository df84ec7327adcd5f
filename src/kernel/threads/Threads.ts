/**
 * Programs run block by block of a batch, on this thread or on several. What has rows is split among the threads; sums over
 * rows are defined over blocks of a fixed size, on one thread as on many, so that the bits are the same.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { identity, pipe } from 'fp-ts/lib/function.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as Program from '../../tensor/Program.js'
import type { BoundProgram, Values } from '../../tensor/Program.js'
import type { Sizes } from '../../tensor/Shape.js'
import { describe, type Executable, type Report, type TargetError } from '../../tensor/Target.js'
import * as Blocks from './RowBlocks.js'
import type { Block } from './RowBlocks.js'
import { type Image, image } from './Image.js'
import { type Plan, plan, report } from '../plan/Plan.js'
import * as Rows from '../plan/RowKinds.js'
import { type Loaded, obstacle, type Pool } from './Workers.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What compiling for threads needs.
 *
 * - `name`: of the target. `pool`: its workers. `fused`: do kernels multiply and add in one instruction? `alone`: compiles
 *   for this thread.
 *
 * @category model
 * @since 0.1.0
 */
export interface Context {
  readonly name: string
  readonly pool: Pool
  readonly fused: boolean
  readonly alone: (program: Program.Program, sizes: Sizes) => E.Either<TargetError, Executable>
}

/** The batch axis of every program. */
const batch = 'batch'

/**
 * Sending a block to a worker and waiting for it takes about as long as this many floating-point operations; less work
 * stays on this thread. A byte that a kernel moves counts as `perByte` operations.
 */
const worthwhile = 2.5e7
const perByte = 6

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * An executable that splits the batch. A program that mixes rows, or has no batch, runs whole and on this thread.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const compile = (
  context: Context,
  program: Program.Program,
  sizes: Sizes
): E.Either<TargetError, Executable> => {
  const rows = sizes[batch]
  const split = Rows.split(program, batch)
  const { size } = context.pool
  const alone = (why: string): E.Either<TargetError, Executable> =>
    pipe(context.alone(program, sizes), size > 1 ? E.map(saying(`on one thread: ${why}`)) : E.map(identity))
  if (split === undefined || rows === undefined) return alone('there are no rows that are independent of each other')
  const sums = Object.values(split.outputs).some(({ kind }) => kind === 'Sum')
  const blocks = sums ? Blocks.forSums(rows) : Blocks.forRows(rows, size)
  if (blocks.length < 2) return alone(`${rows} rows are too few to share`)
  return pipe(
    E.Do,
    E.bind('whole', () => bind(program, sizes)),
    E.let('block', () => Rows.ofBlock(program, batch, rows)),
    E.bind('plans', ({ block }) => plansOf(block, sizes, blocks)),
    E.flatMap(({ whole, block, plans }) => {
      const first = plans.get(length(blocks[0]))
      const work = first === undefined ? 0 : first.work.flops + perByte * first.work.bytesMoved
      const why = work < worthwhile ? 'handing a block over takes longer than computing it' : obstacle()
      if (size > 1 && why === undefined) return E.right(threaded(context, whole, split, blocks, plans))
      if (!sums) return alone(why ?? '')
      const made = inTurn(context, whole, split, blocks, plans, block, sizes)
      return why === undefined || size < 2 ? made : pipe(made, E.map(saying(`on one thread: ${why}`)))
    })
  )
}

/** An executable whose report says something of threads. */
const saying =
  (threads: string) =>
  (executable: Executable): Executable => ({ ...executable, report: () => ({ ...describe(executable), threads }) })

const length = (block: Block | undefined): number => (block === undefined ? 0 : block.to - block.from)

const bind = (program: Program.Program, sizes: Sizes): E.Either<TargetError, BoundProgram> =>
  pipe(
    Program.bind(program, sizes),
    E.mapLeft((errors): TargetError => ({ _tag: 'Misshapen', errors }))
  )

/** The plans of the blocks by their lengths, of which there are at most two. */
const plansOf = (
  program: Program.Program,
  sizes: Sizes,
  blocks: ReadonlyArray<Block>
): E.Either<TargetError, ReadonlyMap<number, Plan>> =>
  pipe(
    [...new Set(blocks.map(length))],
    E.traverseArray((rows) =>
      pipe(
        bind(program, { ...sizes, [batch]: rows }),
        E.map((bound) => [rows, plan(bound)] as const)
      )
    ),
    E.map((pairs) => new Map(pairs))
  )

/** What all blocks do. Blocks of different lengths have kernels of their own. */
const reportOf = (
  plans: ReadonlyMap<number, Plan>,
  blocks: ReadonlyArray<Block>,
  work: Executable['work']
): Report => ({
  kernels: [...plans].flatMap(([rows, one]) => {
    const count = blocks.filter((block) => length(block) === rows).length
    return report(one).kernels.map(({ name, calls, flops, bytesMoved }) => ({
      name,
      calls: count * calls,
      flops: count * flops,
      bytesMoved: count * bytesMoved
    }))
  }),
  work
})

const workOf = (
  plans: ReadonlyMap<number, Plan>,
  blocks: ReadonlyArray<Block>,
  together: number
): Executable['work'] => {
  const works = blocks.flatMap((block) => plans.get(length(block))?.work ?? [])
  return {
    flops: works.reduce((n, { flops }) => n + flops, 0),
    bytesMoved: works.reduce((n, { bytesMoved }) => n + bytesMoved, 0),
    peakBytes: together * Math.max(...works.map(({ peakBytes }) => peakBytes))
  }
}

/** Checks inputs, and one run at a time. */
const queued = (
  name: string,
  program: BoundProgram,
  run: (values: Values) => Promise<Values>
): Pick<Executable, 'run'> & { readonly end: () => Promise<void> } => {
  let disposed = false
  let tail: Promise<unknown> = Promise.resolve()
  return {
    run: (values) => async () => {
      if (disposed) return E.left<TargetError>({ _tag: 'Disposed', target: name })
      const checked = Program.checkValues(program, values)
      if (E.isLeft(checked)) return E.left<TargetError>({ _tag: 'Misshapen', errors: checked.left })
      const result = tail.then(() => run(values))
      tail = result.catch(() => undefined)
      return TE.tryCatch(
        () => result,
        (error): TargetError =>
          disposed
            ? { _tag: 'Disposed', target: name }
            : { _tag: 'Failed', target: name, reason: error instanceof Error ? error.message : String(error) }
      )()
    },
    end: async () => {
      disposed = true
      await tail
    }
  }
}

// -------------------------------------------------------------------------------------
// on one thread
// -------------------------------------------------------------------------------------

const inTurn = (
  { name, alone }: Context,
  whole: BoundProgram,
  split: Rows.Split,
  blocks: ReadonlyArray<Block>,
  plans: ReadonlyMap<number, Plan>,
  program: Program.Program,
  sizes: Sizes
): E.Either<TargetError, Executable> =>
  pipe(
    [...plans.keys()],
    E.traverseArray((rows) =>
      pipe(
        alone(program, { ...sizes, [batch]: rows }),
        E.map((executable) => [rows, executable] as const)
      )
    ),
    E.map((pairs) => {
      const executables = new Map(pairs)
      const work = workOf(plans, blocks, 1)
      const { run, end } = queued(name, whole, async (values) => {
        const collector = Blocks.collector(whole, split)
        for (const [i, block] of blocks.entries()) {
          const executable = executables.get(length(block))
          if (executable === undefined) continue
          const result = await executable.run(Blocks.inputs(split, values, block))()
          if (E.isLeft(result)) throw new Error(result.left._tag)
          collector.add(i, block, (output) => result.right[output]?.data ?? new Float32Array(0))
        }
        return collector.values()
      })
      return {
        program: whole,
        work,
        report: () => reportOf(plans, blocks, work),
        run,
        dispose: async () => {
          await end()
          await Promise.all([...executables.values()].map((executable) => executable.dispose()))
        }
      }
    })
  )

// -------------------------------------------------------------------------------------
// on several threads
// -------------------------------------------------------------------------------------

const threaded = (
  { name, pool, fused }: Context,
  whole: BoundProgram,
  split: Rows.Split,
  blocks: ReadonlyArray<Block>,
  plans: ReadonlyMap<number, Plan>
): Executable => {
  const total = workOf(plans, blocks, Math.min(pool.size, blocks.length))
  const images = new Map([...plans].map(([rows, one]) => [rows, image(one, fused)]))
  const loaded = new Map<string, Loaded>()
  const load = (worker: number, rows: number, one: Image): Loaded => {
    const key = `${worker}|${rows}`
    const known = loaded.get(key) ?? pool.load(worker, one)
    loaded.set(key, known)
    return known
  }
  const { run, end } = queued(name, whole, async (values) => {
    const collector = Blocks.collector(whole, split)
    let next = 0
    const work = async (worker: number): Promise<void> => {
      for (let i = next++; i < blocks.length; i = next++) {
        const block = blocks[i]
        const one = images.get(length(block))
        if (block === undefined || one === undefined) continue
        const given = one.inputs.map(({ name: input }) => {
          const value = values[input]
          const axis = split.inputs[input]
          return (
            value && {
              data: value.data,
              block: axis === undefined ? 0 : i,
              write: (to: Float32Array) => Blocks.write(value, axis, block, to)
            }
          )
        })
        const cells = await load(worker, length(block), one).run(given)
        const sources = new Map(one.outputs.map((output) => [output.name, output]))
        collector.add(i, block, (output) => {
          const from = sources.get(output)
          if (from === undefined) return new Float32Array(0)
          return from.source._tag === 'Fill'
            ? new Float32Array(from.size).fill(from.source.value)
            : cells.subarray(from.source.at, from.source.at + from.size)
        })
      }
    }
    await Promise.all(Array.from({ length: Math.min(pool.size, blocks.length) }, (_, worker) => work(worker)))
    return collector.values()
  })
  return {
    program: whole,
    work: total,
    report: () => ({
      ...reportOf(plans, blocks, total),
      threads: `on ${Math.min(pool.size, blocks.length)} threads, in ${blocks.length} blocks of rows`
    }),
    run,
    dispose: async () => {
      await end()
      loaded.forEach((one) => one.drop())
      loaded.clear()
    }
  }
}
