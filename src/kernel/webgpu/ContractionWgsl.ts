/**
 * Contractions as text of WGSL: a thread keeps a block of rows by columns in registers and walks along the sum, four steps
 * at a time, with vectors wherever operands lie together.
 *
 * Rows are all axes that the right operand does not move along: a block may span images of a batch. With `split`, the
 * threads of a workgroup share out the sum of fewer blocks, and a tree joins what they have, in an order that the sizes fix. Where a
 * block is shared, four threads of a subgroup read a quarter each of the right operand and hand it on to each other.
 *
 * @since 0.1.0
 */
import { size } from '../../tensor/Tensor.js'
import type { Access, ContractionCore } from '../plan/Spec.js'
import * as P from './Position.js'
import type { Position } from './Position.js'
import { anatomy, type BlockShape, counts, pick, tile } from './Blocks.js'
import { type Block, define, element, type Facts, inside, lead } from './TermWgsl.js'
import { groupSize } from './Workgroup.js'

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
  const { width, height } = tile({ across, down }, shape)
  const { split, shared } = shape
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
  const slot = shared ? name('lid / 4u') : split === 1 ? 'lid' : name(`lid / ${split}u`)
  const share = split === 1 ? '' : name(`lid % ${split}u`)
  const fourth = shared ? name('lid % 4u') : ''
  const bx = name(`(wg % ${tiles}u) * ${width}u + ${slot} % ${width}u`)
  const low = shared ? `${slot} / ${width}u * 4u + ${fourth}` : `${slot} / ${width}u`
  const by = name(`(wg / ${tiles}u % ${stacks}u) * ${height}u + ${low}`)
  const bz = deep === 1 ? '0u' : name(`wg / ${tiles * stacks}u`)
  const ragged = [
    ...(across % width === 0 ? [] : [`${bx} >= ${across}u`]),
    ...(down % height === 0 ? [] : [`${by} >= ${down}u`])
  ]
  const out = ragged.length === 0 ? undefined : name(ragged.join(' || '))
  // threads meet where they share sums, or what they read: none may leave before
  const meet = split > 1 || shared
  if (out !== undefined && !meet) block.lines.push(`if (${out}) { return; }`)

  // positions of rows: an element past the end is the last one again, and is not written
  const batchIndex = P.indices(name, pick(dims, parts.batch), P.multiple(bz, deep))
  const rowIndex = range(shape.rows).map((r): Position => {
    const start = P.multiple(by, down, shape.rows)
    const whole = P.sum([start, P.at(r)])
    if (level && (!meet || ragged.length === 0)) return whole
    if (parts.a !== 'own') return P.multiple(name(`min(${P.text(whole)}, ${m - 1}u)`), m)
    // four rows stay together: four divides m
    const four = P.divided(P.sum([start, P.at(r - (r % 4))]), 4)
    return P.sum([P.multiple(name(`min(${P.text(four)}, ${m / 4 - 1}u)`), m / 4, 4), P.at(r % 4)])
  })
  const rowDims = pick(dims, parts.rows)
  /** Rows of a block that lie in one row of the last axis keep their distance. */
  const near = level && (rowDims.at(-1) ?? 1) % shape.rows === 0
  /** Where such a block begins, in one text for one block a row and for several: layers of a kind share it. */
  const blockAt = (own: P.Name, steps: ReadonlyArray<number>): Position => {
    const [length = 1, before = 1] = [...rowDims].reverse()
    const [step = 0, stepBefore = 0] = [...steps].reverse()
    if (before === 1 || stepBefore === step * length) {
      return P.along(own, rowDims, steps, P.multiple(by, down, shape.rows))
    }
    const each = length / shape.rows
    const line = P.multiple(own(`${by} / ${each}u`), down / each)
    return P.sum([
      P.along(own, rowDims.slice(0, -1), steps.slice(0, -1), line),
      P.multiple(own(`${by} % ${each}u`), Math.max(2, each), shape.rows * step)
    ])
  }
  const rowsAt = (walk: ReadonlyArray<number>): ReadonlyArray<Position> => {
    const steps = pick(walk, parts.rows)
    const [first] = rowIndex
    if (near && first !== undefined && (!meet || ragged.length === 0)) {
      const start = blockAt(name, steps)
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
  /** The column of a block that is `c`, and as much further as a name says. */
  const columnAt = (c: number, further: Position = P.at(0)): Position => {
    const start = P.multiple(bx, across, shape.columns)
    const whole = P.sum([start, P.at(c), further])
    if (even && (!meet || across % width === 0)) return whole
    if (!vectors) return P.multiple(name(`min(${P.text(whole)}, ${n - 1}u)`), n)
    // four columns stay together: four divides n
    if (c % 4 !== 0) return P.at(0)
    return P.multiple(name(`min(${P.text(P.divided(whole, 4))}, ${n / 4 - 1}u)`), n / 4, 4)
  }
  const bColumn = (column: Position): Position => named(name, P.sum([bStart, P.scale(column, columnStride)]))
  const bColumns = range(shape.columns).map((c) => bColumn(columnAt(c)))
  /** The columns whose vectors along the sum a thread reads for its three neighbours, too. */
  const own4 = P.multiple(fourth, shared ? 4 : 1)
  const bQuarters = shared && !vectors ? range(shape.columns / 4).map((c) => bColumn(columnAt(4 * c, own4))) : []

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
    const handed = (value: string, from: number): string => own(`quadBroadcast(${value}, ${from}u)`)
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
      if (shared && whole) {
        if (vectors) {
          const along = P.sum([shift(b, 0), P.scale(own4, b.strides[last] ?? 0)])
          return handed(own(vectorAt(bName, P.sum([bColumns[4 * c] ?? P.at(0), along]))), k)
        }
        const quarter = own(vectorAt(bName, P.sum([bQuarters[Math.floor(c / 4)] ?? P.at(0), shift(b, 0)])))
        return `${handed(quarter, c % 4)}.${letters[k] ?? 'x'}`
      }
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
  if (shared && out !== undefined) block.lines.push(`if (${out}) { return; }`)

  // the output, row by row: one text for all rows is compiled once
  const wide = n % 4 === 0 && shape.columns % 4 === 0 && strides[parts.column] === 1
  const type = vectors ? 'vec4f' : 'f32'
  block.lines.push(`var sums = array<${type}, ${shape.rows * groups}>(${sums.flat().join(', ')});`)
  const unit = wide ? 4 : 1
  const count = shape.columns / unit
  /** Vectors are written one after the other, too. */
  const loops = wide && count > 1
  const sum = (...at: ReadonlyArray<string>): string =>
    `sums[${[groups === 1 ? 'row' : `row * ${groups}u`, ...(groups === 1 ? [] : at)].join(' + ')}]`
  const valueAt = (c: number): string => {
    if (!wide) return vectors ? `${sum(`${Math.floor(c / 4)}u`)}.${letters[c % 4] ?? 'x'}` : sum(`${c}u`)
    if (vectors) return sum('column')
    return `vec4f(${range(4)
      .map((i) => sum(...(loops ? ['column * 4u'] : []), `${i}u`))
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
      ? P.sum([blockAt(own, steps), P.scale(row, steps.at(-1) ?? 0)])
      : P.along(own, rowDims, steps, known)
    const write = (into: Block, c: Position, value: string): void => {
      const column = P.sum([P.multiple(bx, across, shape.columns), P.scale(c, unit)])
      const text = inside(into, (guarded) => {
        const within = even ? column : P.multiple(define(guarded, P.text(P.divided(column, unit))), n / unit, unit)
        const position = P.sum([batchAt(strides), place, P.scale(within, strides[parts.column] ?? 1)])
        store(guarded, position, value, wide)
      })
      into.lines.push(even ? `{\n${text}\n}` : `if (${P.text(column)} < ${n}u) {\n${text}\n}`)
    }
    if (!loops) return range(count).forEach((c) => write(each, P.at(c), valueAt(c)))
    const text = inside(each, (one) => write(one, P.multiple('column', count), valueAt(0)))
    each.lines.push(`for (var column = 0u; column < ${count}u; column++) {\n${text}\n}`)
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
