/**
 * Contractions as WebAssembly: register tiles of the output, accumulated over the whole sum.
 *
 * A tile of the `rows` form multiplies scalars of `a` by contiguous vectors of `b`; one of the `dots` form multiplies
 * vectors along the sum and adds up their lanes at the end. What is walked often is kept near: the columns of `b` that a
 * tile reads are copied side by side where many rows read them, long sums are added up in parts, and many rows are walked
 * in blocks.
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
  /** does a tile add to what is there? */
  readonly adds: boolean
}

/**
 * The rows of a tile, and the first columns of its vectors, in the output and in `b`. Of each vector `lanes` are written:
 * fewer than 4 where the columns end, and what is computed beside them is dropped.
 */
interface Tile {
  readonly rows: number
  readonly columns: ReadonlyArray<number>
  readonly from: ReadonlyArray<number>
  readonly lanes: ReadonlyArray<number>
}

/** Tiles side by side: `count` of them, the first of which has these columns. */
interface Block {
  readonly count: number
  readonly columns: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

// A tile of 4 rows by 3 vectors needs 12 accumulators, 3 vectors of `b` and a scalar of `a`: the 16 registers of SSE
// and AVX; so does one of 6 by 2. Larger and smaller tiles were measured to be slower, as were loops unrolled more or
// less often.
const wide = { rows: 12, dots: 4 } as const
const tileRows = (form: 'rows' | 'dots', vectors: number): number =>
  form === 'dots' || vectors >= 3 ? 4 : vectors === 2 ? 6 : 8
const unrolled = 2

/** From so many rows on, copying the columns of `b` that a tile reads to neighbouring places pays. */
const packedFrom = 48

/** Longer sums are added up in parts, so that the columns of `b` that a tile reads stay in the nearest cache. */
const longestSum = 768

/** More of `a`, in elements, than stays in the second cache is not walked anew for each block of columns. */
const nearest = 2 ** 16

/** Fewer rows than these are not walked apart: `b` would be packed too often. */
const fewestRows = 64

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
export const contraction = (memory: Memory, whole: Contraction, first: number): ReadonlyArray<Code> => {
  const core = inRows(divided(whole))
  const { dims, strides, a, b, form } = core
  const outer = strides.length - 2
  const [mAxis, nAxis, kAxis] = [outer, outer + 1, dims.length - 1]
  const [m = 1, n = 1] = dims.slice(outer)
  const target: Access = { buffer: outputBuffer, offset: 0, strides, moves: [] }
  const parts = partAxes(core)
  const tapAxes = dims.map((_, axis) => axis).slice(outer + 2 + parts.length, kAxis)
  const product: Product = {
    form,
    k: dims[kAxis] ?? 1,
    taps: tapAxes.map((axis) => ({ count: dims[axis] ?? 1, a: a.strides[axis] ?? 0, b: b.strides[axis] ?? 0 })),
    a: { base: memory.buffer(a.buffer) + 4 * a.offset, row: a.strides[mAxis] ?? 0, k: a.strides[kAxis] ?? 0 },
    b: { base: memory.buffer(b.buffer) + 4 * b.offset, column: b.strides[nAxis] ?? 0, k: b.strides[kAxis] ?? 0 },
    out: { base: memory.output, row: strides[mAxis] ?? 0, column: strides[nAxis] ?? 1 },
    adds: parts.length > 0
  }
  const functions: Array<Code> = []
  const known = new Map<string, number>()
  const driver = code()
  const loops = nest(driver, memory, [a, b, target])
  const call = (key: string, make: () => Code, [x, y, z]: Positions): void => {
    const index = known.get(key) ?? first + functions.push(make()) - 1
    known.set(key, index)
    for (const access of [x, y, z]) {
      if (access === undefined) driver.integer(0)
      else loops.push(access)
    }
    driver.call(index)
  }
  const over = ([axis, ...rest]: ReadonlyArray<number>, body: () => void): void => {
    if (axis === undefined) return body()
    loops.enter(axis, () => loops.advance(axis, dims[axis] ?? 1, 1, () => over(rest, body)))
  }
  // the axes along which `b` stays are walked inside of its columns, so that these are read, or packed, once
  const axes = dims.slice(0, outer).map((_, axis) => axis)
  const moving = axes.filter((axis) => b.strides[axis] !== 0)
  const fixed = axes.filter((axis) => b.strides[axis] === 0)
  const far = farAxes(core, fixed)
  const staying = fixed.slice(far.length)
  const reuse = staying.reduce((rows, axis) => rows * (dims[axis] ?? 1), m)
  const terms = product.taps.reduce((total, { count }) => total * count, product.k)
  const columnBlock = (columns: ReadonlyArray<number>): void => {
    const width = 4 * columns.length
    const packs = form === 'rows' && reuse >= packedFrom && 4 * width * terms <= memory.scratchBytes
    const source = packs ? packed(product, memory.scratch, width) : product
    const tile = {
      columns,
      from: packs ? columns.map((_, i) => 4 * i) : columns,
      lanes: columns.map((column) => Math.min(n - column, 4))
    }
    const block = (rows: number): void =>
      call(`${rows}|${columns.join(',')}`, () => (form === 'rows' ? rowsTile : dotsTile)(source, { ...tile, rows }), [
        a,
        packs ? undefined : b,
        target
      ])
    const rows = tileRows(form, columns.length)
    if (packs)
      call(`pack|${columns.join(',')}`, () => packing(product, memory.scratch, columns), [undefined, b, undefined])
    over(staying, () =>
      loops.enter(mAxis, () => {
        loops.advance(mAxis, Math.floor(m / rows), rows, () => block(rows))
        if (m % rows > 0) block(m % rows)
      })
    )
  }
  if (product.adds) driver.zeros(memory.output, 4 * dims.slice(0, outer + 2).reduce((total, d) => total * d, 1))
  over(parts, () =>
    over([...moving, ...far], () => {
      for (const { count, columns } of blocksOf(form, n)) {
        if (count === 1) columnBlock(columns)
        else loops.enter(nAxis, () => loops.advance(nAxis, count, wide[form], () => columnBlock(columns)))
      }
    })
  )
  return [...functions, driver]
}

/** Where in `a`, `b` and the output a function starts; undefined where it does not read there, or from the start. */
type Positions = readonly [a: Access | undefined, b: Access | undefined, out: Access | undefined]

/** A long sum along one axis as one along two. */
const divided = (core: Contraction): Contraction => {
  const { dims, strides, a, b, form } = core
  const k = dims.at(-1) ?? 1
  if (form === 'dots' || dims.length > strides.length + 1 || k <= longestSum) return core
  let part = longestSum
  while (k % part !== 0) part--
  if (part < longestSum / 6) return core
  const split = (access: Access): Access => {
    const stride = access.strides.at(-1) ?? 0
    return { ...access, strides: [...access.strides.slice(0, -1), part * stride, stride] }
  }
  return { ...core, dims: [...dims.slice(0, -1), k / part, part], a: split(a), b: split(b) }
}

/** Many rows as blocks of rows. */
const inRows = (core: Contraction): Contraction => {
  const { dims, strides, a, b } = core
  const axis = strides.length - 2
  const m = dims[axis] ?? 1
  if (extent(core, [axis]) <= nearest || m < 2 * fewestRows) return core
  let rows = 2 * fewestRows
  while (m % rows !== 0) rows--
  if (rows < fewestRows) return core
  const insert = (list: ReadonlyArray<number>, outer: number, inner: number): ReadonlyArray<number> => [
    ...list.slice(0, axis),
    outer,
    inner,
    ...list.slice(axis + 1)
  ]
  const split = (list: ReadonlyArray<number>): ReadonlyArray<number> =>
    insert(list, rows * (list[axis] ?? 0), list[axis] ?? 0)
  return {
    ...core,
    dims: insert(dims, m / rows, rows),
    strides: split(strides),
    a: { ...a, strides: split(a.strides) },
    b: { ...b, strides: split(b.strides) }
  }
}

/** Those of the axes along which `b` stays, outermost first, that are walked outside of the columns. */
const farAxes = (core: Contraction, staying: ReadonlyArray<number>): ReadonlyArray<number> => {
  const m = core.strides.length - 2
  const far: Array<number> = []
  const rest = [...staying, m]
  const rows = (axes: ReadonlyArray<number>): number => axes.reduce((n, axis) => n * (core.dims[axis] ?? 1), 1)
  while (extent(core, rest) > nearest && rest.length > 1 && rows(rest.slice(1)) >= fewestRows) {
    far.push(...rest.splice(0, 1))
  }
  return far
}

/** How many elements of `a` are read for the rows of some axes and one part of the sum. */
const extent = (core: Contraction, rows: ReadonlyArray<number>): number => {
  const sum = core.dims.map((_, axis) => axis).slice(core.strides.length + partAxes(core).length)
  const axes = [...rows, ...sum]
  const reach = axes.reduce((n, axis) => n + ((core.dims[axis] ?? 1) - 1) * (core.a.strides[axis] ?? 0), 1)
  return Math.min(
    reach,
    axes.reduce((n, axis) => n * (core.dims[axis] ?? 1), 1)
  )
}

/** The outermost axes of a sum that is too long, which are walked outside of everything else. */
const partAxes = ({ dims, strides, form }: Contraction): ReadonlyArray<number> => {
  let terms = dims.slice(strides.length).reduce((total, d) => total * d, 1)
  const parts: Array<number> = []
  for (let axis = strides.length; form === 'rows' && axis < dims.length - 1 && terms > longestSum; axis++) {
    parts.push(axis)
    terms /= dims[axis] ?? 1
  }
  return parts
}

/** Tiles that cover `n` columns: full ones, and what they leave. */
const blocksOf = (form: 'rows' | 'dots', n: number): ReadonlyArray<Block> => {
  const step = form === 'rows' ? 4 : 1
  const most = wide[form]
  // two tiles of two vectors are better than one of three and one of one
  const full = Math.floor(n / most) - (form === 'rows' && n > most && n % most > 0 && n % most <= 4 ? 1 : 0)
  const main: Block = { count: full, columns: [0, 1, 2, 3].slice(0, most / step).map((i) => i * step) }
  const rest = n - full * most
  const vectors = (from: number, count: number): Block => ({
    count: 1,
    columns: Array.from({ length: count }, (_, i) => from + 4 * i)
  })
  const left = ((): ReadonlyArray<Block> => {
    if (rest === 0) return []
    if (form === 'dots') return [{ count: 1, columns: [0, 1, 2, 3].slice(0, n).map((i) => Math.max(n - 4, 0) + i) }]
    if (rest > most) return [vectors(full * most, 2), vectors(full * most + 8, 2)]
    return [vectors(full * most, Math.ceil(rest / 4))]
  })()
  return [...(full > 0 ? [main] : []), ...left]
}

// -------------------------------------------------------------------------------------
// packing
// -------------------------------------------------------------------------------------

/** The product whose `b` has been packed: `width` columns of every term, side by side. */
const packed = (product: Product, scratch: number, width: number): Product => {
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

/** Copies some columns of `b` to the scratch space. */
const packing = (product: Product, scratch: number, columns: ReadonlyArray<number>): Code => {
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
      out.load(product.b.base + 4 * (at * product.b.k + (tile.from[q] ?? 0) * product.b.column))
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
      const offset = product.out.base + 4 * (r * product.out.row + (tile.columns[q] ?? 0) * product.out.column)
      if (product.adds) {
        out.get(sum)
        out.get(atOut)
        out.load(offset)
        out.vector('f32x4.add')
        out.set(sum)
      }
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
