/**
 * Contractions as text of WGSL: a thread keeps a block of rows by columns in registers and walks along the sum, four steps
 * at a time, with vectors wherever operands lie together.
 *
 * Rows are all axes that the right operand does not move along: a block may span images of a batch. With `split`, the
 * threads of a workgroup share out the sum of fewer blocks, and a tree joins what they have, in an order that the sizes fix.
 *
 * @since 0.1.0
 */
import { size } from '../../tensor/Tensor.js'
import type { Access, ContractionCore } from '../plan/Spec.js'
import * as P from './Position.js'
import type { Position } from './Position.js'
import { type Block, define, element, type Facts, gain, inside, lead } from './TermWgsl.js'
import { groupSize } from './Workgroup.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A block: `rows` by `columns` of the output a thread, the sum in `split` parts, side by side in a workgroup.
 *
 * @category model
 * @since 0.1.0
 */
export interface BlockShape {
  readonly rows: number
  readonly columns: number
  readonly split: number
}

/** How an operand is read: vectors along the sum, vectors along its own axis, or one element at a time. */
type Reading = 'sum' | 'own' | 'single'

/**
 * What a contraction is to this interpreter: axes by what they are to the operands.
 *
 * - `batch`: axes that both operands, or the right one alone, move along. `rows`: others but the columns. `taps`: axes of
 *   the sum but the last, which has `depth` steps.
 */
interface Anatomy {
  readonly batch: ReadonlyArray<number>
  readonly rows: ReadonlyArray<number>
  readonly column: number
  readonly sum: ReadonlyArray<number>
  readonly a: Reading
  readonly b: Reading
}

const anatomy = ({ dims, strides, a, b }: ContractionCore, facts: Facts): Anatomy => {
  const column = strides.length - 1
  const outer = dims.map((_, axis) => axis).slice(0, column)
  const last = dims.length - 1
  const rows = outer.filter((axis) => (b.strides[axis] ?? 0) === 0)
  const row = rows.at(-1)
  const vectors = (access: Access, axis: number | undefined): boolean =>
    axis !== undefined && axis >= 0 && access.strides[axis] === 1 && (gain([access], facts, dims, axis) ?? 0) > 0
  const reading = (access: Access, own: number | undefined): Reading =>
    vectors(access, own) ? 'own' : last > column && vectors(access, last) ? 'sum' : 'single'
  return {
    batch: outer.filter((axis) => (b.strides[axis] ?? 0) !== 0),
    rows,
    column,
    sum: dims.map((_, axis) => axis).slice(column + 1),
    a: reading(a, row === column - 1 ? row : undefined),
    b: reading(b, column)
  }
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

const pick = (values: ReadonlyArray<number>, axes: ReadonlyArray<number>): ReadonlyArray<number> =>
  axes.map((axis) => values[axis] ?? 0)

/** How many blocks lie along the columns, along the rows and in the batch. */
const counts = (
  core: ContractionCore,
  { batch, rows, column }: Anatomy,
  block: BlockShape
): { readonly across: number; readonly down: number; readonly deep: number } => ({
  across: Math.ceil((core.dims[column] ?? 1) / block.columns),
  down: Math.ceil(size(pick(core.dims, rows)) / block.rows),
  deep: size(pick(core.dims, batch))
})

/**
 * What an adapter wants of blocks: the most sums that a thread keeps, and the fewest workgroups that leave none of its cores idle.
 *
 * A subgroup of four is a processor that plays a GPU: it keeps sums in its caches anyway, and has few cores. There, a product of
 * matrices of side 512 took 374 ms of the processor in blocks of 8 x 8, and 282 in those of 16 x 16.
 */
interface Grain {
  readonly sums: number
  readonly groups: number
}

const grainOf = ({ subgroup }: Facts): Grain => (subgroup <= 4 ? { sums: 256, groups: 2 } : { sums: 64, groups: 32 })

/**
 * A block of 8 x 8 is a sixth faster than one of half its size, and takes twice as long to compile: below so many operations
 * a run it does not pay.
 */
const worthLarge = 2 ** 28
const large = 64

/**
 * The blocks that are open to a contraction, the one to take first: the largest that leaves threads enough.
 *
 * @category utils
 * @since 0.1.0
 */
export const contractionWays = (core: ContractionCore, facts: Facts): ReadonlyArray<BlockShape> => {
  const parts = anatomy(core, facts)
  const m = size(pick(core.dims, parts.rows))
  const n = core.dims[parts.column] ?? 1
  const wide = n % 4 === 0
  const grain = grainOf(facts)
  const side = Math.sqrt(grain.sums)
  const sides = [16, 8, 4, 2, 1].filter((one) => one <= side)
  const heights = sides.filter((rows) => rows === 1 || (rows < 2 * m && (parts.a !== 'own' || rows % 4 === 0)))
  const widths = (wide ? sides.filter((one) => one >= 4) : sides).filter((columns) => columns <= 4 || columns < 2 * n)
  const shapes = heights
    .filter((rows) => parts.a !== 'own' || rows >= 4)
    .flatMap((rows) =>
      widths.filter((columns) => wide || columns < 2 * n).map((columns) => ({ rows, columns, split: 1 }))
    )
    // what is far from a square reads more than it computes
    .filter(({ rows, columns }) => rows <= 4 * columns && columns <= 4 * rows)
    .sort((x, y) => y.rows * y.columns - x.rows * x.columns)
  const groups = (block: BlockShape): number => {
    const { across, down, deep } = counts(core, parts, block)
    return Math.ceil((across * down * deep) / groupSize)
  }
  const steps = size(pick(core.dims, parts.sum))
  const work = 2 * size(core.dims) * facts.calls
  const first = shapes.find(
    (block) => groups(block) >= grain.groups && (block.rows * block.columns < large || work >= worthLarge)
  ) ??
    shapes.at(-1) ?? { rows: 1, columns: 1, split: 1 }
  const whole = [first, ...shapes.filter((one) => one !== first)]
  const divided = steps >= manySteps ? [8, groupSize].map((split) => ({ ...first, split })) : []
  return groups(first) < grain.groups ? [...divided, ...whole] : [...whole, ...divided]
}

/**
 * The workgroups of a contraction.
 *
 * @category utils
 * @since 0.1.0
 */
export const contractionGroups = (core: ContractionCore, facts: Facts, block: BlockShape): number => {
  const { across, down, deep } = counts(core, anatomy(core, facts), block)
  const { width, height } = tile(across, block)
  return Math.ceil(across / width) * Math.ceil(down / height) * deep
}

/** The blocks of a workgroup along the columns and along the rows. */
const tile = (across: number, { split }: BlockShape): { readonly width: number; readonly height: number } => {
  const blocks = groupSize / split
  let width = 1
  while (width < 8 && width < across && width < blocks) width *= 2
  return { width, height: blocks / width }
}

/** The steps of a sum that is worth sharing out. */
const manySteps = 256

const letters = ['x', 'y', 'z', 'w'] as const
const range = (n: number): ReadonlyArray<number> => Array.from({ length: n }, (_, i) => i)

// -------------------------------------------------------------------------------------
// interpreters
// -------------------------------------------------------------------------------------

/**
 * Computes a block and hands on what it found: `store(inner, position, value, wide)` for each group of one or four columns.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const contracted = (
  block: Block,
  facts: Facts,
  core: ContractionCore,
  shape: BlockShape,
  store: (inner: Block, position: Position, value: string, wide: boolean) => void
): ReadonlyArray<string> => {
  const parts = anatomy(core, facts)
  const { dims, strides, a, b } = core
  const { across, down, deep } = counts(core, parts, shape)
  const { width, height } = tile(across, shape)
  const { split } = shape
  const name = (value: string): string => define(block, value)
  const m = size(pick(dims, parts.rows))
  const n = dims[parts.column] ?? 1
  const depth = parts.sum.length === 0 ? 1 : (dims.at(-1) ?? 1)
  const last = dims.length - 1
  const even = n % shape.columns === 0
  const level = m % shape.rows === 0

  // which block: tiles of workgroups, row by row
  const tiles = Math.ceil(across / width)
  const stacks = Math.ceil(down / height)
  const slot = split === 1 ? 'lid' : name(`lid / ${split}u`)
  const share = split === 1 ? '' : name(`lid % ${split}u`)
  const bx = name(`(wg % ${tiles}u) * ${width}u + ${slot} % ${width}u`)
  const by = name(`(wg / ${tiles}u % ${stacks}u) * ${height}u + ${slot} / ${width}u`)
  const bz = deep === 1 ? '0u' : name(`wg / ${tiles * stacks}u`)
  const ragged = [
    ...(across % width === 0 ? [] : [`${bx} >= ${across}u`]),
    ...(down % height === 0 ? [] : [`${by} >= ${down}u`])
  ]
  const out = ragged.length === 0 ? undefined : name(ragged.join(' || '))
  // threads of a workgroup meet at barriers where they share sums: none may leave
  if (out !== undefined && split === 1) block.lines.push(`if (${out}) { return; }`)

  // positions of rows: an element past the end is the last one again, and is not written
  const batchIndex = P.indices(name, pick(dims, parts.batch), P.multiple(bz, deep))
  const rowIndex = range(shape.rows).map((r): Position => {
    const start = P.multiple(by, down, shape.rows)
    const whole = P.sum([start, P.at(r)])
    if (level && (split === 1 || ragged.length === 0)) return whole
    if (parts.a !== 'own') return P.multiple(name(`min(${P.text(whole)}, ${m - 1}u)`), m)
    // four rows stay together: four divides m
    const four = P.divided(P.sum([start, P.at(r - (r % 4))]), 4)
    return P.sum([P.multiple(name(`min(${P.text(four)}, ${m / 4 - 1}u)`), m / 4, 4), P.at(r % 4)])
  })
  const rowDims = pick(dims, parts.rows)
  /** Rows of a block that lie in one row of the last axis keep their distance. */
  const near = level && (rowDims.at(-1) ?? 1) % shape.rows === 0
  const rowsAt = (walk: ReadonlyArray<number>): ReadonlyArray<Position> => {
    const steps = pick(walk, parts.rows)
    const [first] = rowIndex
    if (near && first !== undefined && (split === 1 || ragged.length === 0)) {
      const start = P.along(name, rowDims, steps, P.multiple(by, down, shape.rows))
      return range(shape.rows).map((r) => P.sum([start, P.at(r * (steps.at(-1) ?? 0))]))
    }
    return rowIndex.map((index) => P.along(name, rowDims, steps, index))
  }
  const batchAt = (walk: ReadonlyArray<number>): Position =>
    P.sum(batchIndex.map((index, i) => P.scale(index, pick(walk, parts.batch)[i] ?? 0)))

  const aStart = P.sum([lead(block, facts, a, []), batchAt(a.strides)])
  const bStart = P.sum([lead(block, facts, b, []), batchAt(b.strides)])
  const aRows = rowsAt(a.strides).map((row) => named(name, P.sum([aStart, row])))
  const columnStride = b.strides[parts.column] ?? 0
  const vectors = parts.b === 'own'
  const columnAt = range(shape.columns).map((c): Position => {
    const start = P.multiple(bx, across, shape.columns)
    const whole = P.sum([start, P.at(c)])
    if (even && (split === 1 || across % width === 0)) return whole
    if (!vectors) return P.multiple(name(`min(${P.text(whole)}, ${n - 1}u)`), n)
    // four columns stay together: four divides n
    if (c % 4 !== 0) return P.at(0)
    return P.multiple(name(`min(${P.text(P.divided(whole, 4))}, ${n / 4 - 1}u)`), n / 4, 4)
  })
  const bColumns = columnAt.map((column) => named(name, P.sum([bStart, P.scale(column, columnStride)])))

  // what is summed
  const groups = vectors ? shape.columns / 4 : shape.columns
  const sums = range(shape.rows).map((r) => range(groups).map((c) => `s${r}_${c}`))
  for (const line of sums) for (const one of line) block.lines.push(`var ${one} = ${vectors ? 'vec4f' : 'f32'}();`)

  const aVectors = facts.arrays[a.buffer] === true
  const bVectors = facts.arrays[b.buffer] === true
  const aName = `b${a.buffer}`
  const bName = `b${b.buffer}`
  const vectorAt = (array: string, position: Position): string => `${array}[${P.text(P.divided(position, 4))}]`

  /** `steps` steps of the sum from `walk` on, of which `unrolled` come at once. */
  const body = (inner: Block, walk: ReadonlyArray<Position>, unrolled: number, whole: boolean): void => {
    const own = (value: string): string => define(inner, value)
    const to = (access: Access, k: number): Position =>
      P.sum([
        ...walk.map((index, i) => P.scale(index, access.strides[parts.sum[i] ?? 0] ?? 0)),
        P.at(k * (access.strides[last] ?? 0))
      ])
    const steps = parts.sum.length === 0 ? [0] : range(unrolled)
    // shared by all rows and columns: the way along the sum
    const shift = (access: Access, k: number): Position => named(own, to(access, k))
    const aVectorSum = parts.a === 'sum' && whole
    const bVectorSum = parts.b === 'sum' && whole
    const left = (r: number, k: number): string => {
      const row = aRows[r] ?? P.at(0)
      if (aVectorSum) return `${own(vectorAt(aName, P.sum([row, shift(a, 0)])))}.${letters[k] ?? 'x'}`
      if (parts.a === 'own') {
        const head = aRows[r - (r % 4)] ?? P.at(0)
        return `${own(vectorAt(aName, P.sum([head, shift(a, k)])))}.${letters[r % 4] ?? 'x'}`
      }
      return own(element(aName, aVectors, P.sum([row, shift(a, k)])))
    }
    const rightOf = (c: number, k: number): string => {
      if (vectors) return own(vectorAt(bName, P.sum([bColumns[4 * c] ?? P.at(0), shift(b, k)])))
      const column = bColumns[c] ?? P.at(0)
      if (bVectorSum) return `${own(vectorAt(bName, P.sum([column, shift(b, 0)])))}.${letters[k] ?? 'x'}`
      return own(element(bName, bVectors, P.sum([column, shift(b, k)])))
    }
    // all steps of a sum at once, so that what it was is read and what it becomes is written once
    const right = steps.map((k) => range(groups).map((c) => rightOf(c, k)))
    sums.forEach((line, r) => {
      const values = steps.map((k) => left(r, k))
      line.forEach((one, c) => {
        const products = values.map((value, i) => `${value} * ${right[i]?.[c] ?? ''}`)
        inner.lines.push(`${one} = ${[one, ...products].join(' + ')};`)
      })
    })
  }

  const taps = pick(dims, parts.sum.slice(0, -1))
  const counters = taps.map((_, i) => `t${i}`)
  const tapIndex = taps.map((bound, i) => P.multiple(counters[i] ?? '', bound))
  const quarters = Math.floor(depth / 4)
  const rest = depth % 4
  const inner = inside(block, (each) => {
    if (quarters > 0) {
      const text = inside(each, (deepest) => body(deepest, [...tapIndex, P.multiple('k', quarters, 4)], 4, true))
      const [from, by4] = split === 1 ? ['0u', '1u'] : [share, `${split}u`]
      each.lines.push(`for (var k = ${from}; k < ${quarters}u; k += ${by4}) {\n${text}\n}`)
    }
    if (rest > 0) {
      const text = inside(each, (deepest) => body(deepest, [...tapIndex, P.at(4 * quarters)], rest, false))
      each.lines.push(split === 1 ? `{\n${text}\n}` : `if (${share} == 0u) {\n${text}\n}`)
    }
  })
  block.lines.push(
    counters.reduceRight(
      (text, counter, i) => `for (var ${counter} = 0u; ${counter} < ${taps[i] ?? 1}u; ${counter}++) {\n${text}\n}`,
      inner
    )
  )

  if (split > 1) joinShares(block, sums.flat(), split, out)

  // the output, row by row: one text for all rows is compiled once
  const wide = n % 4 === 0 && shape.columns % 4 === 0 && strides[parts.column] === 1
  const type = vectors ? 'vec4f' : 'f32'
  block.lines.push(`var sums = array<${type}, ${shape.rows * groups}>(${sums.flat().join(', ')});`)
  const sum = (c: number): string => `sums[${groups === 1 ? 'row' : `row * ${groups}u + ${c}u`}]`
  const valueAt = (c: number): string => {
    if (!wide) return vectors ? `${sum(Math.floor(c / 4))}.${letters[c % 4] ?? 'x'}` : sum(c)
    return vectors
      ? sum(c)
      : `vec4f(${range(4)
          .map((i) => sum(4 * c + i))
          .join(', ')})`
  }
  const rows = inside(block, (each) => {
    const own = (value: string): string => define(each, value)
    const start = P.multiple(by, down, shape.rows)
    const row = P.multiple('row', shape.rows)
    if (!level) each.lines.push(`if (${P.text(P.sum([start, row]))} >= ${m}u) { continue; }`)
    const steps = pick(strides, parts.rows)
    const known = level ? P.sum([start, row]) : P.multiple(own(P.text(P.sum([start, row]))), m)
    const place = near
      ? P.sum([P.along(own, rowDims, steps, start), P.scale(row, steps.at(-1) ?? 0)])
      : P.along(own, rowDims, steps, known)
    const unit = wide ? 4 : 1
    for (const c of range(shape.columns / unit)) {
      const column = P.sum([P.multiple(bx, across, shape.columns), P.at(c * unit)])
      const text = inside(each, (guarded) => {
        const within = even ? column : P.multiple(define(guarded, P.text(P.divided(column, unit))), n / unit, unit)
        const position = P.sum([batchAt(strides), place, P.scale(within, strides[parts.column] ?? 1)])
        store(guarded, position, valueAt(c), wide)
      })
      each.lines.push(even ? `{\n${text}\n}` : `if (${P.text(column)} < ${n}u) {\n${text}\n}`)
    }
  })
  block.lines.push(`for (var row = 0u; row < ${shape.rows}u; row++) {\n${rows}\n}`)
  return split > 1 ? [`var<workgroup> shares : array<${vectors ? 'vec4f' : 'f32'}, ${groupSize}>;`] : []
}

/** A position whose run-time part is computed here, once, and not where it is used. */
const named = (name: P.Name, position: Position): Position => {
  const moving = { ...position, offset: 0 }
  const unit = P.divides(4, moving) ? 4 : 1
  if (moving.terms.length === 0 || (moving.terms.length === 1 && moving.terms[0]?.factor === unit)) return position
  return P.sum([P.multiple(name(P.text(P.divided(moving, unit))), 2 ** 30, unit), P.at(position.offset)])
}

/** Joins the shares of a sum, one sum after the other, by a tree in workgroup memory; the first thread of each goes on. */
const joinShares = (block: Block, sums: ReadonlyArray<string>, split: number, out: string | undefined): void => {
  for (const one of sums) {
    block.lines.push(
      `shares[lid] = ${one};`,
      'workgroupBarrier();',
      `for (var half = ${split / 2}u; half > 0u; half /= 2u) {`,
      `if (lid % ${split}u < half) { shares[lid] = shares[lid] + shares[lid + half]; }`,
      'workgroupBarrier();',
      '}',
      `${one} = shares[lid];`,
      'workgroupBarrier();'
    )
  }
  const others = `lid % ${split}u != 0u`
  block.lines.push(`if (${out === undefined ? others : `${others} || ${out}`}) { return; }`)
}
