/**
 * Contractions as WebAssembly: register tiles of the output, accumulated over the whole sum.
 *
 * A tile of the `rows` form multiplies scalars of `a` by contiguous vectors of `b`; one of the `dots` form multiplies
 * vectors along the sum and adds up their lanes at the end. Columns that do not fill a vector are computed by a tile
 * that overlaps its neighbour: the same sums in the same order, so the same bits.
 *
 * Source: Goto and van de Geijn, *Anatomy of high-performance matrix multiplication*, ACM TOMS 34 (2008).
 *
 * @since 0.1.0
 */
import type { Access, Contraction } from './Spec.js'
import { type Code, code } from './Wasm.js'
import { type Memory, nest, outputBuffer } from './WasmTerm.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/** What a tile needs to know; strides in elements, bases in bytes. */
interface Product {
  readonly form: 'rows' | 'dots'
  readonly k: number
  readonly taps: ReadonlyArray<{ readonly count: number; readonly a: number; readonly b: number }>
  readonly a: { readonly base: number; readonly row: number; readonly k: number }
  readonly b: { readonly base: number; readonly column: number; readonly k: number }
  readonly out: { readonly base: number; readonly row: number; readonly column: number }
}

/** The rows of a tile, and the first columns of its vectors; single columns where a matrix is narrower than a vector. */
interface Tile {
  readonly rows: number
  readonly columns: ReadonlyArray<number>
  readonly width: 1 | 4
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

// A tile of 4 rows by 3 vectors needs 12 accumulators, 3 vectors of `b` and a scalar of `a`: the 16 registers of SSE
// and AVX. Larger and smaller tiles were measured to be slower, as were loops unrolled more or less often.
const tileRows = 4
const tileColumns = { rows: 12, dots: 4 } as const
const unrolled = 2

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * The functions of a contraction; the last one takes no arguments and computes everything. `first` is the position that
 * the first of them will have in the module.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const contraction = (memory: Memory, core: Contraction, first: number): ReadonlyArray<Code> => {
  const { dims, strides, a, b, form } = core
  const outer = strides.length - 2
  const [mAxis, nAxis, kAxis] = [outer, outer + 1, dims.length - 1]
  const [m = 1, n = 1] = dims.slice(outer)
  const target: Access = { buffer: outputBuffer, offset: 0, strides, moves: [] }
  const product: Product = {
    form,
    k: dims[kAxis] ?? 1,
    taps: dims.slice(outer + 2, kAxis).map((count, i) => ({
      count,
      a: a.strides[outer + 2 + i] ?? 0,
      b: b.strides[outer + 2 + i] ?? 0
    })),
    a: { base: memory.buffer(a.buffer) + 4 * a.offset, row: a.strides[mAxis] ?? 0, k: a.strides[kAxis] ?? 0 },
    b: { base: memory.buffer(b.buffer) + 4 * b.offset, column: b.strides[nAxis] ?? 0, k: b.strides[kAxis] ?? 0 },
    out: { base: memory.output, row: strides[mAxis] ?? 0, column: strides[nAxis] ?? 1 }
  }
  const functions: Array<Code> = []
  const known = new Map<string, number>()
  const driver = code()
  const loops = nest(driver, memory, [a, b, target])
  const call = (tile: Tile): void => {
    const key = `${tile.rows}|${tile.columns.join(',')}|${tile.width}`
    const index =
      known.get(key) ?? first + functions.push(form === 'rows' ? rowsTile(product, tile) : dotsTile(product, tile)) - 1
    known.set(key, index)
    ;[a, b, target].forEach(loops.push)
    driver.call(index)
  }
  const rowBlocks = (columns: ReadonlyArray<number>, width: 1 | 4): void =>
    loops.enter(mAxis, () => {
      loops.advance(mAxis, Math.floor(m / tileRows), tileRows, () => call({ rows: tileRows, columns, width }))
      if (m % tileRows > 0) call({ rows: m % tileRows, columns, width })
    })
  const columnBlocks = (): void => {
    const wide = tileColumns[form]
    const [main, rest] = columnsOf(form, n, wide)
    if (n >= wide) loops.enter(nAxis, () => loops.advance(nAxis, Math.floor(n / wide), wide, () => rowBlocks(main, 4)))
    if (rest.length > 0) rowBlocks(rest, n < 4 ? 1 : 4)
  }
  const loop = (axis: number): void => {
    if (axis === outer) return columnBlocks()
    loops.enter(axis, () => loops.advance(axis, dims[axis] ?? 1, 1, () => loop(axis + 1)))
  }
  loop(0)
  return [...functions, driver]
}

/** The columns of a full tile, and those of the tile for what full tiles leave. */
const columnsOf = (
  form: 'rows' | 'dots',
  n: number,
  wide: number
): readonly [ReadonlyArray<number>, ReadonlyArray<number>] => {
  const step = form === 'rows' ? 4 : 1
  const main = Array.from({ length: wide / step }, (_, i) => i * step)
  const from = n - (n % wide)
  if (from === n) return [main, []]
  if (n < 4) return [main, Array.from({ length: n }, (_, i) => i)]
  if (form === 'dots') return [main, [0, 1, 2, 3].map((i) => n - 4 + i)]
  return [main, Array.from({ length: Math.ceil((n - from) / 4) }, (_, i) => Math.min(from + 4 * i, n - 4))]
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

const multiplyAdd = (out: Code, sum: number, a: number, b: number): void => {
  out.get(sum)
  out.get(a)
  out.get(b)
  out.vector('f32x4.mul')
  out.vector('f32x4.add')
  out.set(sum)
}

const rowsTile = (product: Product, tile: Tile): Code => {
  const out = code(['i32', 'i32', 'i32'])
  const sums = grid(out, tile)
  const columns = tile.columns.map(() => out.local('v128'))
  const scalar = out.local('v128')
  const term = (at: number): void => {
    columns.forEach((local, q) => {
      out.get(atB)
      const offset = product.b.base + 4 * (at * product.b.k + (tile.columns[q] ?? 0) * product.b.column)
      if (tile.width === 4) out.load(offset)
      else out.loadZero(offset)
      out.set(local)
    })
    sums.forEach((row, r) => {
      out.get(atA)
      out.loadSplat(product.a.base + 4 * (at * product.a.k + r * product.a.row))
      out.set(scalar)
      row.forEach((sum, q) => multiplyAdd(out, sum, scalar, columns[q] ?? 0))
    })
  }
  const terms = (count: number, by: number): void =>
    out.repeat(count, () => {
      for (let at = 0; at < by; at++) term(at)
      move(out, atA, by * product.a.k)
      move(out, atB, by * product.b.k)
    })
  overTaps(out, product, () => {
    terms(Math.floor(product.k / unrolled), unrolled)
    terms(product.k % unrolled, 1)
  })
  sums.forEach((row, r) =>
    row.forEach((sum, q) => {
      out.get(atOut)
      out.get(sum)
      const offset = product.out.base + 4 * (r * product.out.row + (tile.columns[q] ?? 0) * product.out.column)
      if (tile.width === 4) out.store(offset)
      else out.storeLane(offset, 0)
    })
  )
  return out
}

const dotsTile = (product: Product, tile: Tile): Code => {
  const out = code(['i32', 'i32', 'i32'])
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
        row.forEach((sum, q) => multiplyAdd(out, sum, left, columns[q] ?? 0))
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
