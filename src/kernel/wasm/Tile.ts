/**
 * Register tiles of a contraction as WebAssembly: a few rows by a few vectors of the output, accumulated over a sum.
 *
 * A tile of the `rows` form multiplies scalars of `a` by contiguous vectors of `b`; one of the `dots` form multiplies
 * vectors along the sum and adds up their lanes at the end.
 *
 * @since 0.1.0
 */
import { type Code, code, type ValueType } from './Encoder.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What a tile needs to know; strides in elements, bases in bytes. `adds`: does it add to what is in the output? `fma`:
 * are products added without being rounded?
 *
 * @category model
 * @since 0.1.0
 */
export interface Product {
  readonly form: 'rows' | 'dots'
  readonly k: number
  readonly taps: ReadonlyArray<{ readonly count: number; readonly a: number; readonly b: number }>
  readonly a: { readonly base: number; readonly row: number; readonly k: number }
  readonly b: { readonly base: number; readonly column: number; readonly k: number }
  readonly out: { readonly base: number; readonly row: number; readonly column: number }
  readonly adds: boolean
  readonly fma: boolean
}

/**
 * The rows of a tile, and the first columns of its vectors, in the output and in `b`. Of each vector `lanes` are
 * written: fewer than 4 where the columns end, and what is computed beside them is dropped.
 *
 * @category model
 * @since 0.1.0
 */
export interface Tile {
  readonly rows: number
  readonly columns: ReadonlyArray<number>
  readonly from: ReadonlyArray<number>
  readonly lanes: ReadonlyArray<number>
}

/**
 * Appends what makes the final value of a vector of sums, and leaves it in its local: that of row `row` of a tile whose
 * first column is `column`, both from where the tile starts.
 *
 * @category model
 * @since 0.1.0
 */
export type Finish = (out: Code, row: number, column: number, sum: number) => void

// -------------------------------------------------------------------------------------
// packing
// -------------------------------------------------------------------------------------

/**
 * The product whose `b` has been packed: `width` columns of every term, side by side.
 *
 * @category combinators
 * @since 0.1.0
 */
export const packed = (product: Product, scratch: number, width: number): Product => {
  let stride = width * product.k
  const taps = product.taps
    .toReversed()
    .map((tap) => {
      const own = { ...tap, b: stride }
      stride *= tap.count
      return own
    })
    .toReversed()
  return { ...product, taps, b: { base: scratch, column: 1, k: width } }
}

/**
 * Copies some columns of `b` to the scratch space.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const packing = (product: Product, scratch: number, columns: ReadonlyArray<number>): Code => {
  const out = code(['i32', 'i32', 'i32'])
  overTaps(out, { ...product, a: { ...product.a, k: 0 }, taps: product.taps.map((tap) => ({ ...tap, a: 0 })) }, () =>
    out.repeat(product.k, () => {
      columns.forEach((column, i) => {
        out.get(atOut)
        out.get(atB)
        out.load(product.b.base + 4 * column * product.b.column)
        out.store(scratch + 16 * i)
      })
      move(out, atB, product.b.k)
      move(out, atOut, 4 * columns.length)
    })
  )
  return out
}

// -------------------------------------------------------------------------------------
// tiles
// -------------------------------------------------------------------------------------

const [atA, atB, atOut] = [0, 1, 2]

const grid = (out: Code, tile: Tile): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: tile.rows }, () => tile.columns.map(() => out.local('v128')))

const move = (out: Code, position: number, elements: number): void => {
  if (elements === 0) return
  out.get(position)
  out.integer(4 * elements)
  out.addInteger()
  out.set(position)
}

/** Repeats what walks the innermost axis of the sum for every tap. */
const overTaps = (out: Code, { taps, k, a, b }: Product, body: () => void): void => {
  const loop = (depth: number): void => {
    const tap = taps[depth]
    if (tap === undefined) return body()
    const next = taps[depth + 1] ?? { count: k, a: a.k, b: b.k }
    out.repeat(tap.count, () => {
      loop(depth + 1)
      move(out, atA, tap.a - next.count * next.a)
      move(out, atB, tap.b - next.count * next.b)
    })
  }
  loop(0)
}

const multiplyAdd = (out: Code, fma: boolean, sum: number, a: number, b: number): void => {
  if (fma) {
    out.get(a)
    out.get(b)
    out.get(sum)
    out.vector('f32x4.relaxed_madd')
  } else {
    out.get(sum)
    out.get(a)
    out.get(b)
    out.vector('f32x4.mul')
    out.vector('f32x4.add')
  }
  out.set(sum)
}

/** Parameters: where in `a`, `b` and the output a function starts, and in `more` arrays that what follows reads. */
const positions = (more: number): ReadonlyArray<ValueType> => Array.from({ length: 3 + more }, () => 'i32')

/**
 * A tile of the `rows` form. Like the other functions, it takes where in `a`, `b` and the output it starts, in bytes.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const rowsTile = (product: Product, tile: Tile, more: number, finish: Finish): Code => {
  const out = code(positions(more))
  const sums = grid(out, tile)
  const columns = tile.columns.map(() => out.local('v128'))
  const scalar = out.local('v128')
  overTaps(out, product, () =>
    // one term at a time: with more, V8 loads the operands of all first, and has no registers for them
    out.repeat(product.k, () => {
      columns.forEach((local, q) => {
        out.get(atB)
        out.load(product.b.base + 4 * (tile.from[q] ?? 0) * product.b.column)
        out.set(local)
      })
      sums.forEach((row, r) => {
        out.get(atA)
        out.loadSplat(product.a.base + 4 * r * product.a.row)
        out.set(scalar)
        row.forEach((sum, q) => multiplyAdd(out, product.fma, sum, scalar, columns[q] ?? 0))
      })
      move(out, atA, product.a.k)
      move(out, atB, product.b.k)
    })
  )
  sums.forEach((row, r) =>
    row.forEach((sum, q) => {
      const offset = product.out.base + 4 * (r * product.out.row + (tile.columns[q] ?? 0) * product.out.column)
      if (product.adds) {
        out.get(sum)
        out.get(atOut)
        out.load(offset)
        out.vector('f32x4.add')
        out.set(sum)
      }
      finish(out, r, tile.columns[q] ?? 0, sum)
      const lanes = tile.lanes[q] ?? 4
      for (let lane = 0; lane < (lanes === 4 ? 1 : lanes); lane++) {
        out.get(atOut)
        out.get(sum)
        if (lanes === 4) out.store(offset)
        else out.storeLane(offset + 4 * lane, lane)
      }
    })
  )
  return out
}

/**
 * A tile of the `dots` form.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const dotsTile = (product: Product, tile: Tile, more: number, finish: Finish): Code => {
  const out = code(positions(more))
  const sums = grid(out, tile)
  const columns = tile.columns.map(() => out.local('v128'))
  const left = out.local('v128')
  const terms = (count: number, by: 1 | 4): void =>
    out.repeat(count, () => {
      const load = (offset: number): void => (by === 4 ? out.load(offset) : out.loadZero(offset))
      columns.forEach((local, q) => {
        out.get(atB)
        load(product.b.base + 4 * (tile.columns[q] ?? 0) * product.b.column)
        out.set(local)
      })
      sums.forEach((row, r) => {
        out.get(atA)
        load(product.a.base + 4 * r * product.a.row)
        out.set(left)
        row.forEach((sum, q) => multiplyAdd(out, product.fma, sum, left, columns[q] ?? 0))
      })
      move(out, atA, by)
      move(out, atB, by)
    })
  overTaps(out, product, () => {
    terms(Math.floor(product.k / 4), 4)
    terms(product.k % 4, 1)
  })
  sums.forEach((row, r) => {
    const [first = 0, second = first, third = first, fourth = first] = row
    addPairs(out, first, second)
    out.set(left)
    addPairs(out, third, fourth)
    out.set(first)
    interleave(out, left, first, [0, 1, 4, 5], [2, 3, 6, 7])
    const offset = (q: number): number =>
      product.out.base + 4 * (r * product.out.row + (tile.columns[q] ?? 0) * product.out.column)
    out.set(left)
    finish(out, r, tile.columns[0] ?? 0, left)
    if (row.length === 4) {
      out.get(atOut)
      out.get(left)
      out.store(offset(0))
      return
    }
    row.forEach((_, q) => {
      out.get(atOut)
      out.get(left)
      out.storeLane(offset(q), q)
    })
  })
  return out
}

const interleave = (out: Code, x: number, y: number, low: ReadonlyArray<number>, high: ReadonlyArray<number>): void => {
  for (const lanes of [low, high]) {
    out.get(x)
    out.get(y)
    out.shuffle(lanes)
  }
  out.vector('f32x4.add')
}

/** The lanes of two vectors added in pairs: `[x0 + x2, y0 + y2, x1 + x3, y1 + y3]`. */
const addPairs = (out: Code, x: number, y: number): void => interleave(out, x, y, [0, 4, 1, 5], [2, 6, 3, 7])
