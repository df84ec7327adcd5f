/**
 * Contractions as WebAssembly: loops over register tiles of the output. Where many rows read the same columns of `b`,
 * these are copied side by side first.
 *
 * @since 0.1.0
 */
import { blocked, columnTiles, farAxes, partAxes, tileColumns, tileRows } from './Blocking.js'
import type { Access, ContractionCore, OutputPart } from '../plan/Spec.js'
import { type Code, code } from './Encoder.js'
import { finishing, nothing } from './Epilogue.js'
import { type Addresses, baseOf, nest, outputBuffer, pushBase } from './TermCode.js'
import { dotsTile, packed, packing, type Product, rowsTile } from './Tile.js'

/**
 * From so many rows on, copying the columns of `b` that a tile reads to neighbouring places pays: early where its lines
 * lie so far apart, in elements, that they take turns in a few places of a cache.
 */
const packedFrom = { near: 100, far: 48 }
const farApart = 512

/**
 * The functions of a contraction, which are the first of their module; the last one takes no arguments and computes
 * everything. `left` is what follows and is still to be done when all has been written.
 *
 * @category model
 * @since 0.1.0
 */
export interface ContractionCode {
  readonly functions: ReadonlyArray<Code>
  readonly left: OutputPart | undefined
}

/**
 * The code of a contraction, and of what follows it where that can be done tile by tile.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const contractionCode = (
  addresses: Addresses,
  whole: ContractionCore,
  epilogue: OutputPart | undefined
): ContractionCode => {
  const core = blocked(whole)
  const { dims, strides, a, b, form } = core
  const { fma } = addresses
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
    a: { base: baseOf(addresses, a).offset + 4 * a.offset, row: a.strides[mAxis] ?? 0, k: a.strides[kAxis] ?? 0 },
    b: { base: baseOf(addresses, b).offset + 4 * b.offset, column: b.strides[nAxis] ?? 0, k: b.strides[kAxis] ?? 0 },
    out: { base: addresses.output.offset, row: strides[mAxis] ?? 0, column: strides[nAxis] ?? 1 },
    adds: parts.length > 0,
    fma
  }
  // a part of a sum is not yet what an epilogue is about
  const fused =
    epilogue === undefined || product.adds
      ? undefined
      : finishing(addresses, epilogue, dims.slice(0, strides.length), strides)
  const { reads, finish } = fused ?? nothing
  const functions: Array<Code> = []
  const known = new Map<string, number>()
  const driver = code()
  const loops = nest(driver, addresses, [a, b, target, ...reads])
  const call = (key: string, make: () => Code, positions: Positions): void => {
    const index = known.get(key) ?? functions.push(make()) - 1
    known.set(key, index)
    for (const access of positions) {
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
  const most = tileColumns(form, fma, m, n)
  const lines = Math.max(product.b.k, ...product.taps.map((tap) => tap.b))
  const manyRows = reuse >= (lines < farApart ? packedFrom.near : packedFrom.far)
  const terms = product.taps.reduce((total, { count }) => total * count, product.k)
  const columnBlock = (columns: ReadonlyArray<number>): void => {
    const width = 4 * columns.length
    const packs = form === 'rows' && manyRows && 4 * width * terms <= addresses.scratchBytes
    const source = packs ? packed(product, addresses.scratch, width) : product
    const tile = {
      columns,
      from: packs ? columns.map((_, i) => 4 * i) : columns,
      lanes: columns.map((column) => Math.min(n - column, 4))
    }
    const block = (rows: number): void =>
      call(
        `${rows}|${columns.join(',')}`,
        () => (form === 'rows' ? rowsTile : dotsTile)(source, { ...tile, rows }, reads.length, finish),
        [a, packs ? undefined : b, target, ...reads]
      )
    const rows = tileRows(fma, columns.length)
    if (packs)
      call(`pack|${columns.join(',')}`, () => packing(product, addresses.scratch, columns), [undefined, b, undefined])
    over(staying, () =>
      loops.enter(mAxis, () => {
        loops.advance(mAxis, Math.floor(m / rows), rows, () => block(rows))
        if (m % rows > 0) block(m % rows)
      })
    )
  }
  if (product.adds) {
    pushBase(driver, addresses.output)
    driver.zeros(4 * dims.slice(0, outer + 2).reduce((total, d) => total * d, 1))
  }
  over(parts, () =>
    over([...moving, ...far], () => {
      for (const { count, columns } of columnTiles(form, fma, most, n)) {
        if (count === 1) columnBlock(columns)
        else loops.enter(nAxis, () => loops.advance(nAxis, count, most, () => columnBlock(columns)))
      }
    })
  )
  return { functions: [...functions, driver], left: fused === undefined ? epilogue : undefined }
}

/**
 * Where in `a`, `b`, the output and what a tile's epilogue reads a function starts; undefined where it does not read there,
 * or from the start.
 */
type Positions = readonly [
  a: Access | undefined,
  b: Access | undefined,
  out: Access | undefined,
  ...more: ReadonlyArray<Access>
]
