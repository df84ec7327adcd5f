/**
 * Programs run block by block of a batch, on this thread or on several. What has rows is split among the threads; sums
 * over rows are defined over blocks of a fixed size, on one thread as on many, so that the bits are the same.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { identity, pipe } from 'fp-ts/lib/function.js'
import * as Program from '../../tensor/Program.js'
import type { BoundProgram } from '../../tensor/Program.js'
import type { Sizes } from '../../tensor/Shape.js'
import { describe, type Executable, type TargetError } from '../../tensor/Target.js'
import { type Plan, plan } from '../plan/Plan.js'
import { host, memoryExcess, planExcess } from '../plan/Reach.js'
import * as Rows from '../../tensor/rows/RowKinds.js'
import { addressable, pageBytes, pagesFor } from '../wasm/Pages.js'
import { inTurn, sideBySide } from './BlockRuns.js'
import { type Divided, workOf } from './Divided.js'
import { imageBytes } from './MemoryImage.js'
import * as Blocks from '../../tensor/rows/RowBlocks.js'
import { obstacle, type Pool } from './Workers.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What compiling for threads needs.
 *
 * - `name`: of the target. `pool`: its workers. `fma`: do kernels multiply and add in one instruction? `alone`:
 *   compiles for this thread.
 *
 * @category model
 * @since 0.1.0
 */
export interface ThreadContext {
  readonly name: string
  readonly pool: Pool
  readonly fma: boolean
  readonly alone: (program: BoundProgram) => E.Either<TargetError, Executable>
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
  context: ThreadContext,
  program: Program.Program,
  sizes: Sizes
): E.Either<TargetError, Executable> =>
  pipe(
    bind(program, sizes),
    E.flatMap((whole) => {
      const { name, pool, fma } = context
      const several = pool.size > 1
      const alone = (why: string): E.Either<TargetError, Executable> =>
        pipe(context.alone(whole), several ? E.map(saying(`on one thread: ${why}`)) : E.map(identity))
      const rows = sizes[batch]
      const split = Rows.split(program, batch)
      if (split === undefined || rows === undefined)
        return alone('there are no rows that are independent of each other')
      const sums = Object.values(split.outputs).some(({ kind }) => kind === 'Sum')
      const blocks = sums ? Blocks.forSums(rows) : Blocks.forRows(rows, pool.size)
      if (blocks.count < 2) return alone(`${rows} rows are too few to share`)
      const block = Rows.ofBlock(program, batch, rows)
      const ofRows = (count: number): E.Either<TargetError, BoundProgram> => bind(block, { ...sizes, [batch]: count })
      return pipe(
        plansOf(blocks, ofRows),
        E.flatMap((plans) => {
          const divided: Divided = { whole, split, blocks, plans }
          const work = plans.get(Blocks.lengthOf(blocks.at(0)))?.work ?? workOf(divided, 1)
          const small = work.flops + perByte * work.bytesMoved < worthwhile
          const why = small ? 'handing a block over takes longer than computing it' : obstacle()
          if (several && why === undefined) {
            return pipe(
              within(name, plans),
              E.map(() => sideBySide(name, pool, fma, divided))
            )
          }
          if (!sums) return alone(why ?? '')
          const made = inTurn(name, divided, (count) => pipe(ofRows(count), E.flatMap(context.alone)))
          return why === undefined || !several ? made : pipe(made, E.map(saying(`on one thread: ${why}`)))
        })
      )
    })
  )

/** An executable whose report says something of threads. */
const saying =
  (threads: string) =>
  (executable: Executable): Executable => ({ ...executable, report: () => ({ ...describe(executable), threads }) })

const bind = (program: Program.Program, sizes: Sizes): E.Either<TargetError, BoundProgram> =>
  pipe(
    Program.bind(program, sizes),
    E.mapLeft((errors): TargetError => ({ _tag: 'Misshapen', errors }))
  )

const plansOf = (
  { lengths }: Blocks.Division,
  ofRows: (rows: number) => E.Either<TargetError, BoundProgram>
): E.Either<TargetError, ReadonlyMap<number, Plan>> =>
  pipe(
    lengths,
    E.traverseArray(([rows]) =>
      pipe(
        ofRows(rows),
        E.map((bound) => [rows, plan(bound)] as const)
      )
    ),
    E.map((pairs) => new Map(pairs))
  )

/** Plans, unless one of them is too large for a memory of its own. */
const within = (target: string, plans: ReadonlyMap<number, Plan>): E.Either<TargetError, ReadonlyMap<number, Plan>> => {
  const bytes = (one: Plan): number => pageBytes * pagesFor(imageBytes(one)).initial
  const [excess] = [...plans.values()].flatMap(
    (one) => planExcess(one, host) ?? memoryExcess(bytes(one), addressable) ?? []
  )
  return excess === undefined
    ? E.right(plans)
    : E.left({ _tag: 'Unsupported', target, reason: excess, remedy: 'use a smaller batch, or more threads' })
}
