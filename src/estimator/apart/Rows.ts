/**
 * Some rows of a request, what they tell put together with what others tell, and what they hear.
 *
 * @since 0.1.0
 */
import type { Chain } from '../../chain/Chain.js'
import type { Values } from '../../tensor/Program.js'
import { type RowBlock, rowsOf as tensorRows } from '../../tensor/rows/RowBlocks.js'
import type { Batched, Shape } from '../../tensor/Shape.js'
import * as Tree from '../../tensor/Tree.js'
import type { Params } from '../../lens/Lens.js'
import type { Exprs, Shapes } from '../../tensor/Tree.js'
import * as C from '../Cover.js'
import type { Request } from '../Problem.js'
import { directionShapes, trainedShapes } from '../program/Programs.js'
import type { Heard, Numbers } from '../stage/Exchange.js'

// -------------------------------------------------------------------------------------
// requests
// -------------------------------------------------------------------------------------

/** Where rows are in the values of these shapes; those of none have no rows. */
const within =
  (shapes: ReadonlyMap<string, Shape>, block: RowBlock) =>
  (values: Values): Values =>
    Object.fromEntries(
      Object.entries(values).map(([path, value]) => {
        const axis = shapes.get(path)?.indexOf('batch') ?? -1
        return [path, axis < 0 ? value : tensorRows(value, axis, block)]
      })
    )

const shapesIn = (prefix: string, shapes: Shapes): ReadonlyMap<string, Shape> =>
  new Map(Tree.leaves(Tree.isShape, shapes, prefix))

/**
 * The request of some rows of a batch, with the weights that they have in it. Groups of rows are known to the whole batch alone.
 *
 * @category combinators
 * @since 0.1.0
 */
export const requestOf =
  <P extends Params, S extends Batched, C extends Exprs>(chain: Chain<P, S, C>, block: RowBlock) =>
  (request: Request): Request => {
    const { cover, fresh, groups: _, moreXi, weights, ...others } = request
    const parameters = trainedShapes(chain.parameters, () => true)
    const zeroth = C.zerothOrderCell(cover)
    const towards = within(
      new Map(
        zeroth === undefined
          ? []
          : Object.entries(directionShapes(chain.parameters, () => true, zeroth.perturbation, chain.T))
      ),
      block
    )
    return {
      ...others,
      cover,
      params: within(new Map(parameters), block)(request.params),
      condition: within(shapesIn('c', chain.condition), block)(request.condition),
      xT: tensorRows(request.xT, 0, block),
      eps: tensorRows(request.eps, 1, block),
      xi: towards(request.xi),
      ...(moreXi === undefined ? {} : { moreXi: moreXi.map(towards) }),
      weights: weights.slice(block.from, block.to),
      ...(fresh === undefined ? {} : { fresh: (at, k) => tensorRows(fresh(at, k), 1, block) })
    }
  }

// -------------------------------------------------------------------------------------
// numbers
// -------------------------------------------------------------------------------------

/**
 * What all rows tell, of blocks in their order.
 *
 * @category combinators
 * @since 0.1.0
 */
export const joined = (parts: ReadonlyArray<{ readonly block: RowBlock; readonly numbers: Numbers }>): Numbers => {
  const all = (of: (numbers: Numbers) => ReadonlyArray<number>): ReadonlyArray<number> =>
    parts.flatMap(({ numbers }) => of(numbers))
  return {
    rewards: all(({ rewards }) => rewards),
    stepRewards: all(({ stepRewards }) => stepRewards),
    returns: all(({ returns }) => returns),
    cells: (parts[0]?.numbers.cells ?? []).map((lists, i) =>
      lists.map((_, k) => all(({ cells }) => cells[i]?.[k] ?? []))
    ),
    unusable: parts.flatMap(({ block, numbers }) => numbers.unusable.map((row) => block.from + row))
  }
}

/**
 * What some rows told of what all did.
 *
 * @category combinators
 * @since 0.1.0
 */
export const rowsOf = (
  { rewards, stepRewards, returns, cells, unusable }: Numbers,
  { from, to }: RowBlock
): Numbers => {
  const own = (list: ReadonlyArray<number>): ReadonlyArray<number> => list.slice(from, to)
  return {
    rewards: own(rewards),
    stepRewards: own(stepRewards),
    returns: own(returns),
    cells: cells.map((lists) => lists.map(own)),
    unusable: unusable.flatMap((row) => (row >= from && row < to ? [row - from] : []))
  }
}

/**
 * What some rows hear of what the whole batch hears.
 *
 * @category combinators
 * @since 0.1.0
 */
export const heardBy =
  ({ from, to }: RowBlock) =>
  ({ advantages, cells, skipped, state }: Heard): Heard => ({
    advantages: advantages.slice(from, to),
    cells: cells.map((lists) => lists.map((list) => list.slice(from, to))),
    skipped: new Set([...skipped].flatMap((row) => (row >= from && row < to ? [row - from] : []))),
    state
  })
