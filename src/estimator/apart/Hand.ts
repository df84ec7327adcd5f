/**
 * What runs blocks of rows of a problem's requests, wherever it is: rollouts first, and credit once the rows have heard of each other.
 *
 * A block is a pure function of the problem, the request and its rows, whoever runs it and how often.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import * as RA from 'fp-ts/lib/ReadonlyArray.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Params } from '../../lens/Lens.js'
import type { Values } from '../../tensor/Program.js'
import { type Division, lengthOf, type RowBlock } from '../../tensor/rows/RowBlocks.js'
import { ofBlock } from '../../tensor/rows/RowKinds.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Target } from '../../tensor/Target.js'
import type { Exprs } from '../../tensor/Tree.js'
import type { Cell } from '../Cover.js'
import { samplesOf, stages } from '../Estimate.js'
import { compile } from '../Gradient.js'
import type { Estimate, EstimatorError, Gradients, Problem, Request } from '../Problem.js'
import type { Heard, Numbers } from '../stage/Exchange.js'
import { requestOf } from './Rows.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What the credit programs of some rows gave: of each cell, of each of its runs, the outputs by name. A cell that is not theirs has none.
 *
 * @category model
 * @since 0.1.0
 */
export type Outs = ReadonlyArray<ReadonlyArray<Values>>

/**
 * What a block of rows tells once it is rolled out: numbers, and its samples.
 *
 * @category model
 * @since 0.1.0
 */
export interface Told extends Pick<Estimate, 'x0' | 'trajectory'> {
  readonly numbers: Numbers
}

/**
 * A block of rows that is rolled out, and waits for what its rows hear.
 *
 * @category model
 * @since 0.1.0
 */
export interface Waiting extends Told {
  readonly credit: (heard: Heard) => TE.TaskEither<EstimatorError, Outs>
}

/**
 * Runs blocks of rows. `walk` takes the request of the whole batch; what is heard is of the block's rows.
 *
 * @category model
 * @since 0.1.0
 */
export interface Hand {
  readonly walk: (request: Request, block: RowBlock) => TE.TaskEither<EstimatorError, Waiting>
  readonly dispose: () => Promise<void>
}

/**
 * Where blocks are run, one at a time, and where a batch that is one block. A target that itself divides rows would divide a block once
 * more: `block` must not, and `whole` divides as that of one machine does.
 *
 * @category model
 * @since 0.1.0
 */
export interface Places {
  readonly block: Target
  readonly whole: Target
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Is a cell's credit a sum over samples that only those who have them can give? That of a zeroth-order cell is of numbers and of
 * directions, which anyone can draw.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isOfSamples = (cell: Cell): boolean => cell._tag !== 'ZerothOrder'

/** A target for blocks of a batch: a program that reads the size of the batch reads that of the whole. */
const blocksOf = (target: Target, rows: number): Target => ({
  ...target,
  compile: (program, sizes) => target.compile(ofBlock(program, 'batch', rows), sizes)
})

/**
 * What runs the blocks of a problem. Programs are compiled for a length of blocks when the first of them comes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hand = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  { count }: Pick<Division, 'count'>,
  places: Places
): Hand => {
  const target = count === 1 ? places.whole : blocksOf(places.block, problem.batch)
  const compiled = new Map<number, E.Either<EstimatorError, Gradients>>()
  const forRows = (rows: number): E.Either<EstimatorError, Gradients> => {
    const known = compiled.get(rows) ?? compile({ ...problem, batch: rows }, target)
    compiled.set(rows, known)
    return known
  }
  return {
    walk: (request, block) =>
      pipe(
        TE.fromEither(forRows(lengthOf(block))),
        TE.flatMap(({ executables }) => {
          const own = requestOf(problem.chain, block)(request)
          const { walk, credit } = stages(problem, executables, own)
          return pipe(
            walk,
            TE.mapLeft(inBatch(block)),
            TE.map(
              (walked): Waiting => ({
                numbers: walked.numbers,
                ...samplesOf(own, walked.seen),
                credit: (heard) =>
                  pipe(
                    own.cover.cells,
                    RA.traverse(TE.ApplicativeSeq)((cell) =>
                      isOfSamples(cell) ? credit(cell, walked, heard) : TE.right([])
                    )
                  )
              })
            )
          )
        })
      ),
    dispose: async () => {
      for (const one of compiled.values()) if (E.isRight(one)) await one.right.dispose()
      compiled.clear()
    }
  }
}

/** An error that names a row names that of the batch. */
const inBatch =
  ({ from }: RowBlock) =>
  (error: EstimatorError): EstimatorError =>
    error._tag === 'NotFiniteRow' ? { ...error, row: error.row + from } : error
