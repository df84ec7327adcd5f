/**
 * What the rows of a batch tell each other between their rollouts and their credit: numbers, and nothing else.
 *
 * Everything before it and everything after it looks at rows one by one, so that rows may be anywhere.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { Params } from '../../lens/Lens.js'
import type { Batched } from '../../tensor/Shape.js'
import type { Exprs } from '../../tensor/Tree.js'
import type { Cell } from '../Cover.js'
import type { EstimatorError, Problem, Request } from '../Problem.js'
import { advantagesOf, rowsToSkip } from '../Returns.js'
import { amongSiblings, weighed } from './Score.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What rows tell: a number each of terminal rewards, sums of the rewards on the way, and whole returns; of each cell its own
 * returns, a list for each sibling (none where it takes the whole ones), or of a zeroth-order cell the gap between the sides of each
 * direction; and the numbers of rows that can not be used.
 *
 * @category model
 * @since 0.1.0
 */
export interface Numbers {
  readonly rewards: ReadonlyArray<number>
  readonly stepRewards: ReadonlyArray<number>
  readonly returns: ReadonlyArray<number>
  readonly cells: ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>
  readonly unusable: ReadonlyArray<number>
}

/**
 * What rows hear: the advantages of whole returns, those of each cell in the lists that it told (its gaps, as they are, where it is of
 * zeroth order), which rows are skipped, and the next state of the advantage.
 *
 * @category model
 * @since 0.1.0
 */
export interface Heard {
  readonly advantages: ReadonlyArray<number>
  readonly cells: ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>
  readonly skipped: ReadonlySet<number>
  readonly state: number
}

// -------------------------------------------------------------------------------------
// exchange
// -------------------------------------------------------------------------------------

/**
 * What the rows of a whole batch hear of each other. Left: all rows are to be skipped.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const exchange = <P extends Params, S extends Batched, C extends Exprs, R extends Params>(
  problem: Problem<P, S, C, R>,
  request: Request,
  numbers: Numbers
): E.Either<EstimatorError, Heard> =>
  pipe(
    rowsToSkip(problem, [numbers], request.weights.length),
    E.map((skipped): Heard => {
      const { advantage } = problem
      const apply = (returns: ReadonlyArray<number>, state: number): ReturnType<typeof advantage.apply> =>
        advantagesOf(advantage, returns, { ...request, advantageState: state }, skipped)
      const { advantages, state } = apply(numbers.returns, request.advantageState)
      const own = (returns: ReadonlyArray<number>, from: number): ReadonlyArray<number> =>
        apply(returns, from).advantages
      const ofCell = (cell: Cell, told: Heard['cells'][number]): Heard['cells'][number] => {
        if (cell._tag !== 'HalfOrder') return told
        if (cell.siblings !== undefined) return amongSiblings(told, (returns) => own(returns, advantage.initial))
        // a value of the state stands in for a mean over earlier batches, which is of whole returns
        const plain = cell.baseline === undefined && cell.control === undefined
        return told.map((returns) => own(returns, plain ? request.advantageState : advantage.initial))
      }
      return {
        advantages,
        cells: request.cover.cells.map((cell, i) => ofCell(cell, numbers.cells[i] ?? [])),
        skipped,
        state
      }
    })
  )

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * The weights of a request's rows, 0 for those that are skipped.
 *
 * @category utils
 * @since 0.1.0
 */
export const weightsOf = ({ weights }: Request, { skipped }: Heard): ReadonlyArray<number> =>
  weights.map((w, n) => (skipped.has(n) ? 0 : w))

/**
 * What multiplies the scores of the `at`-th cell, with the weights of rows: a vector for each run of its credit program, one matrix
 * where siblings share a run, none for cells without a score.
 *
 * @category utils
 * @since 0.1.0
 */
export const advantagesIn = (
  request: Request,
  cell: Cell,
  at: number,
  heard: Heard
): ReadonlyArray<ReadonlyArray<number>> => {
  if (cell._tag !== 'HalfOrder') return []
  const weights = weightsOf(request, heard)
  const told = heard.cells[at] ?? []
  return (told.length === 0 && cell.siblings === undefined ? [heard.advantages] : told).map((own) =>
    weighed(own, weights)
  )
}
