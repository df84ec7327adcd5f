/**
 * A program and the blocks in which it runs, with the plan of a block of each length, of which there are at most two.
 *
 * @since 0.1.0
 */
import type { BoundProgram } from '../../tensor/Program.js'
import type { Report, Work } from '../../tensor/Target.js'
import { type Plan, report } from '../plan/Plan.js'
import type { Split } from '../../tensor/rows/RowKinds.js'
import type { Division } from '../../tensor/rows/RowBlocks.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * - `whole`: the program for the whole batch, and `split`, where its rows are. `plans`: of the blocks, by their
 *   lengths.
 *
 * @category model
 * @since 0.1.0
 */
export interface Divided {
  readonly whole: BoundProgram
  readonly split: Split
  readonly blocks: Division
  readonly plans: ReadonlyMap<number, Plan>
}

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * What all blocks do, of which so many run at once.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const workOf = ({ plans, blocks }: Divided, together: number): Work => {
  const total = (of: (work: Work) => number): number =>
    blocks.lengths.reduce((sum, [rows, count]) => {
      const work = plans.get(rows)?.work
      return work === undefined ? sum : sum + count * of(work)
    }, 0)
  return {
    flops: total(({ flops }) => flops),
    bytesMoved: total(({ bytesMoved }) => bytesMoved),
    peakBytes: together * Math.max(0, ...[...plans.values()].map(({ work }) => work.peakBytes))
  }
}

/**
 * What all blocks do, by kernel. Blocks of different lengths have kernels of their own.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const reportOf = ({ plans, blocks }: Divided, work: Work): Report => ({
  kernels: blocks.lengths.flatMap(([rows, count]) => {
    const one = plans.get(rows)
    const kernels = one === undefined ? [] : report(one).kernels
    return kernels.map(({ name, calls, flops, bytesMoved }) => ({
      name,
      calls: count * calls,
      flops: count * flops,
      bytesMoved: count * bytesMoved
    }))
  }),
  work
})
