/**
 * Numbers of rows, what they hear and what their credit programs gave, as the arrays of a message.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Heard, Numbers } from 'halforder/estimator/apart/Apart'
import type { Outs } from 'halforder/estimator/apart/Hand'
import type { Values } from 'halforder/tensor/Program'
import { size, type Tensor } from 'halforder/tensor/Tensor'
import type * as t from 'io-ts'
import type * as Parcel from './Parcel.js'
import type { Lists, Shaped } from './Wire.js'

type Lists = t.TypeOf<typeof Lists>
type Shaped = t.TypeOf<typeof Shaped>
type Cells = Numbers['cells']

/**
 * The head of some lists, and their numbers one after another.
 *
 * @category model
 * @since 0.1.0
 */
export interface Packed {
  readonly lists: Lists
  readonly numbers: Float64Array
}

// -------------------------------------------------------------------------------------
// lists
// -------------------------------------------------------------------------------------

const same = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): boolean =>
  a.length === b.length && a.every((x, i) => Object.is(x, b[i]))

/** The lists of cells from numbers, `rows` each, from a place on. */
const cellsFrom = (counts: ReadonlyArray<number>, rows: number, numbers: Parcel.Numbers, from: number): Cells => {
  let at = from
  return counts.map((count) =>
    Array.from({ length: count }, () => {
      const own = Array.from(numbers.subarray(at, at + rows))
      at += rows
      return own
    })
  )
}

/** Are the rows that are named those of a block? */
const within = (named: ReadonlyArray<number>, rows: number): boolean =>
  named.every((at, i) => at < rows && at > (named[i - 1] ?? -1))

/**
 * What rows tell, as numbers. Returns that are rewards, where nothing is paid on the way, are not sent twice.
 *
 * @category combinators
 * @since 0.1.0
 */
export const packNumbers = ({ rewards, stepRewards, returns, cells, unusable }: Numbers): Packed => {
  const plain = same(rewards, returns) && stepRewards.every((paid) => Object.is(paid, 0))
  return {
    lists: { cells: cells.map((lists) => lists.length), rows: unusable, plain },
    numbers: Float64Array.from([rewards, ...(plain ? [] : [stepRewards, returns]), ...cells.flat()].flat())
  }
}

/**
 * What some rows told. Left: not so many numbers.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unpackNumbers =
  (rows: number) =>
  ({ cells, plain, rows: unusable }: Lists, numbers: Parcel.Numbers | undefined): E.Either<string, Numbers> => {
    const own = plain ? 1 : 3
    const total = cells.reduce((n, count) => n + count, own)
    if (numbers === undefined || numbers.length !== total * rows || !within(unusable, rows)) {
      return E.left(`expected ${total} lists of ${rows} numbers, got ${numbers?.length ?? 0} numbers`)
    }
    const list = (i: number): ReadonlyArray<number> => Array.from(numbers.subarray(i * rows, (i + 1) * rows))
    return E.right({
      rewards: list(0),
      stepRewards: plain ? new Array<number>(rows).fill(0) : list(1),
      returns: list(plain ? 0 : 2),
      cells: cellsFrom(cells, rows, numbers, own * rows),
      unusable
    })
  }

/**
 * What rows hear, as numbers.
 *
 * @category combinators
 * @since 0.1.0
 */
export const packHeard = ({ advantages, cells, skipped, state }: Heard): Packed => ({
  lists: { cells: cells.map((lists) => lists.length), rows: [...skipped].sort((a, b) => a - b), plain: false },
  numbers: Float64Array.from([state, ...advantages, ...cells.flat(2)])
})

/**
 * What some rows heard. Left: not so many numbers.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unpackHeard =
  (rows: number) =>
  ({ cells, rows: skipped }: Lists, numbers: Parcel.Numbers | undefined): E.Either<string, Heard> => {
    const total = 1 + rows * cells.reduce((n, count) => n + count, 1)
    if (numbers?.length !== total || !within(skipped, rows)) {
      return E.left(`expected ${total} numbers that were heard, got ${numbers?.length ?? 0}`)
    }
    return E.right({
      state: numbers[0] ?? 0,
      advantages: Array.from(numbers.subarray(1, 1 + rows)),
      cells: cellsFrom(cells, rows, numbers, 1 + rows),
      skipped: new Set(skipped)
    })
  }

// -------------------------------------------------------------------------------------
// tensors
// -------------------------------------------------------------------------------------

/**
 * Tensors by name as the arrays of a message, from number `from` on.
 *
 * @category combinators
 * @since 0.1.0
 */
export const packTensors = (
  values: Values,
  from = 0
): { readonly shaped: ReadonlyArray<Shaped>; readonly arrays: ReadonlyArray<Parcel.Numbers> } => {
  const entries = Object.entries(values)
  return {
    shaped: entries.map(([name, { shape }], i) => [name, shape, from + i]),
    arrays: entries.map(([, { data }]) => data)
  }
}

/**
 * The tensors of a message. Left: an array that is not there, or does not fill its shape.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unpackTensors = (
  shaped: ReadonlyArray<Shaped>,
  arrays: ReadonlyArray<Parcel.Numbers>
): E.Either<string, Values> => {
  const found: Array<readonly [string, Tensor]> = []
  for (const [name, shape, at] of shaped) {
    const data = arrays[at]
    if (data === undefined || data.length !== size(shape)) {
      return E.left(`${name}: expected the numbers of the shape ${shape.join(' x ')}, got ${data?.length ?? 0}`)
    }
    found.push([name, { shape, data }])
  }
  return E.right(Object.fromEntries(found))
}

/** Of each block, of each cell, of each of its runs: tensors. */
type Blocks = ReadonlyArray<ReadonlyArray<ReadonlyArray<ReadonlyArray<Shaped>>>>

/**
 * What the credit programs of some blocks gave, as the arrays of a message.
 *
 * @category combinators
 * @since 0.1.0
 */
export const packOuts = (
  outs: ReadonlyArray<Outs>
): { readonly blocks: Blocks; readonly arrays: ReadonlyArray<Parcel.Numbers> } => {
  const arrays: Array<Parcel.Numbers> = []
  const blocks = outs.map((cells) =>
    cells.map((runs) =>
      runs.map((values) => {
        const { shaped, arrays: own } = packTensors(values, arrays.length)
        arrays.push(...own)
        return shaped
      })
    )
  )
  return { blocks, arrays }
}

/**
 * What the credit programs of some blocks gave. Left: an array that is not there, or does not fill its shape.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unpackOuts = (
  blocks: Blocks,
  arrays: ReadonlyArray<Parcel.Numbers>
): E.Either<string, ReadonlyArray<Outs>> =>
  E.traverseArray((cells: Blocks[number]) =>
    E.traverseArray((runs: Blocks[number][number]) =>
      E.traverseArray((shaped: ReadonlyArray<Shaped>) => unpackTensors(shaped, arrays))(runs)
    )(cells)
  )(blocks)
