/**
 * In which order a contraction is walked, so that what is read often stays near: long sums are added up in parts, many
 * rows are walked in blocks, and the columns are cut into tiles.
 *
 * Source: Goto and van de Geijn, *Anatomy of high-performance matrix multiplication*, ACM TOMS 34 (2008).
 *
 * @since 0.1.0
 */
import type { Access, ContractionCore } from '../plan/Spec.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Tiles side by side: `count` of them, the first of which has these columns.
 *
 * @category model
 * @since 0.1.0
 */
export interface ColumnTiles {
  readonly count: number
  readonly columns: ReadonlyArray<number>
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * The vector registers that a tile may use: SSE and AVX have 16, and V8 keeps one of them. A tile that needs more reads
 * and writes its sums in memory, at half the speed.
 */
const registers = 15

/** Columns that a tile of the `dots` form adds up side by side. */
const dotColumns = 4

/**
 * The most rows of a tile of so many vectors, or of so many columns in the `dots` form: the sums, a vector of each
 * column, a scalar of each row, and a product that is not yet added where there is no fused multiply-add are in
 * registers at the same time, because V8 moves all loads of a loop's body to its start.
 *
 * @category utils
 * @since 0.1.0
 */
export const tileRows = (fma: boolean, vectors: number): number =>
  Math.max(1, Math.floor((registers - vectors - (fma ? 0 : 1)) / (vectors + 1)))

/**
 * The columns of a full tile over `m` rows and `n` columns: the widest tile that has as many rows, of which 4 are enough to be
 * limited by arithmetic and not by loads. Where such a tile has two vectors, as it has over many rows, one of three by three
 * waits less for its own sums, and is taken where what it leaves at the edges takes no longer.
 *
 * @category utils
 * @since 0.1.0
 */
export const tileColumns = (form: 'rows' | 'dots', fma: boolean, m: number, n: number): number => {
  if (form === 'dots') return dotColumns
  const widest = [8, 7, 6, 5, 4, 3].find((vectors) => tileRows(fma, vectors) >= Math.min(m, 4))
  const wider = tileRows(fma, 3) === 3 && cycles(fma, 3, m, n) < cycles(fma, 2, m, n)
  return 4 * (widest ?? (wider ? 3 : 2))
}

/** About how many cycles tiles of so many vectors take over `m` rows and `n` columns for each term of the sum. */
const cycles = (fma: boolean, vectors: number, m: number, n: number): number => {
  // two sums are added to in a cycle, and each again four cycles later at the earliest
  const tile = (rows: number, width: number): number => Math.max(rows * width > 8 ? 4 : 4.1, (rows * width) / 2)
  const block = (width: number): number => {
    const rows = tileRows(fma, width)
    return Math.floor(m / rows) * tile(rows, width) + (m % rows === 0 ? 0 : tile(m % rows, width))
  }
  const all = Math.ceil(n / 4)
  return Math.floor(all / vectors) * block(vectors) + (all % vectors === 0 ? 0 : block(all % vectors))
}

/** Longer sums are added up in parts, so that the columns of `b` that a tile reads stay in the nearest cache. */
const longestSum = 768

/** More of `a`, in elements, than stays in the second cache is not walked anew for each block of columns. */
const nearest = 2 ** 16

/** Fewer rows than these are not walked apart: `b` would be packed too often. */
const fewestRows = 64

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The same contraction with a long sum along one axis as one along two, and many rows as blocks of rows.
 *
 * @category combinators
 * @since 0.1.0
 */
export const blocked = (core: ContractionCore): ContractionCore => inRows(divided(core))

/** A long sum along one axis as one along two. */
const divided = (core: ContractionCore): ContractionCore => {
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
const inRows = (core: ContractionCore): ContractionCore => {
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

/**
 * Those of the axes along which `b` stays, outermost first, that are walked outside of the columns.
 *
 * @category utils
 * @since 0.1.0
 */
export const farAxes = (core: ContractionCore, staying: ReadonlyArray<number>): ReadonlyArray<number> => {
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
const extent = (core: ContractionCore, rows: ReadonlyArray<number>): number => {
  const sum = core.dims.map((_, axis) => axis).slice(core.strides.length + partAxes(core).length)
  const axes = [...rows, ...sum]
  const reach = axes.reduce((n, axis) => n + ((core.dims[axis] ?? 1) - 1) * (core.a.strides[axis] ?? 0), 1)
  return Math.min(
    reach,
    axes.reduce((n, axis) => n * (core.dims[axis] ?? 1), 1)
  )
}

/**
 * The outermost axes of a sum that is too long, which are walked outside of everything else.
 *
 * @category utils
 * @since 0.1.0
 */
export const partAxes = ({ dims, strides, form }: ContractionCore): ReadonlyArray<number> => {
  let terms = dims.slice(strides.length).reduce((total, d) => total * d, 1)
  const parts: Array<number> = []
  for (let axis = strides.length; form === 'rows' && axis < dims.length - 1 && terms > longestSum; axis++) {
    parts.push(axis)
    terms /= dims[axis] ?? 1
  }
  return parts
}

/**
 * Tiles that cover `n` columns: full ones of `most` columns, and what they leave.
 *
 * @category utils
 * @since 0.1.0
 */
export const columnTiles = (
  form: 'rows' | 'dots',
  fma: boolean,
  most: number,
  n: number
): ReadonlyArray<ColumnTiles> => {
  const step = form === 'rows' ? 4 : 1
  const first = (from: number, count: number): ReadonlyArray<number> =>
    Array.from({ length: count }, (_, i) => from + i * step)
  // one tile of three vectors is better than one of two and one of one, where three rows of it fit
  const joined = form === 'rows' && most === 8 && tileRows(fma, 3) === 3 && n > most && n % most > 0 && n % most <= 4
  const full = Math.floor(n / most) - (joined ? 1 : 0)
  const rest = n - full * most
  const left =
    form === 'dots' ? first(Math.max(n - most, 0), Math.min(most, n)) : first(full * most, Math.ceil(rest / 4))
  return [
    ...(full > 0 ? [{ count: full, columns: first(0, most / step) }] : []),
    ...(rest > 0 ? [{ count: 1, columns: left }] : [])
  ]
}
