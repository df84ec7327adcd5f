/**
 * A batch in blocks of rows: which blocks, a block of the inputs, and the outputs from those of the blocks. Sums over
 * rows are added up in the order of the blocks, which depend on the size of the batch alone: so their bits do not
 * depend on how many threads ran them, nor when.
 *
 * @since 0.1.0
 */
import type { BoundProgram, Values } from '../Program.js'
import { size, type Data, type Tensor, toFloat32 } from '../Tensor.js'
import type { Split } from './RowKinds.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Rows `from` (included) to `to` (excluded).
 *
 * @category model
 * @since 0.1.0
 */
export interface RowBlock {
  readonly from: number
  readonly to: number
}

/**
 * A batch in blocks: how many, the `i`-th of them, and how many there are of each length. Batches may have more blocks
 * than would fit in a list.
 *
 * @category model
 * @since 0.1.0
 */
export interface Division {
  readonly count: number
  readonly at: (i: number) => RowBlock
  readonly lengths: ReadonlyArray<readonly [rows: number, blocks: number]>
}

/**
 * Collects the outputs of blocks, which may come in any order.
 *
 * @category model
 * @since 0.1.0
 */
export interface Collector {
  readonly add: (index: number, block: RowBlock, read: (name: string) => Data) => void
  readonly values: () => Values
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The blocks over which sums are defined: 32 rows, or the largest power of two that gives a smaller batch at least two
 * blocks of 8 rows; a batch below 16 is one block.
 *
 * @category constructors
 * @since 0.1.0
 */
export const forSums = (batch: number): Division => {
  const rows = batch < 16 ? batch : Math.min(32, 2 ** Math.floor(Math.log2(batch / 2)))
  const count = Math.ceil(batch / rows)
  const rest = batch - (count - 1) * rows
  return {
    count,
    at: (i) => ({ from: i * rows, to: Math.min((i + 1) * rows, batch) }),
    lengths:
      rest === rows
        ? [[rows, count]]
        : [
            [rows, count - 1],
            [rest, 1]
          ]
  }
}

/**
 * As many blocks as there are threads, of equal size as far as possible and of at least 4 rows each.
 *
 * @category constructors
 * @since 0.1.0
 */
export const forRows = (batch: number, threads: number): Division => {
  const count = Math.max(1, Math.min(threads, Math.floor(batch / 4)))
  const short = Math.floor(batch / count)
  const longer = batch - short * count
  return {
    count,
    at: (i) => ({ from: Math.floor((i * batch) / count), to: Math.floor(((i + 1) * batch) / count) }),
    lengths:
      longer === 0
        ? [[short, count]]
        : [
            [short, count - longer],
            [short + 1, longer]
          ]
  }
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * How many rows a block has.
 *
 * @category utils
 * @since 0.1.0
 */
export const lengthOf = ({ from, to }: RowBlock): number => to - from

/**
 * The rows of a block of a tensor, sharing its memory where they lie together.
 *
 * @category combinators
 * @since 0.1.0
 */
export const rowsOf = ({ shape, data }: Tensor, axis: number | undefined, { from, to }: RowBlock): Tensor => {
  if (axis === undefined) return { shape, data }
  const inner = size(shape.slice(axis + 1))
  const outer = size(shape.slice(0, axis))
  const part = shape.map((d, i) => (i === axis ? to - from : d))
  if (outer === 1) return { shape: part, data: data.subarray(from * inner, to * inner) }
  const out = new Float32Array(outer * (to - from) * inner)
  writeRows({ shape, data }, axis, { from, to }, out)
  return { shape: part, data: out }
}

/**
 * Writes the rows of a block of a tensor.
 *
 * @category combinators
 * @since 0.1.0
 */
export const writeRows = (
  { shape, data }: Tensor,
  axis: number | undefined,
  { from, to }: RowBlock,
  target: Float32Array
): void => {
  if (axis === undefined) return target.set(data)
  const inner = size(shape.slice(axis + 1))
  const outer = size(shape.slice(0, axis))
  const run = (to - from) * inner
  const whole = (shape[axis] ?? 1) * inner
  for (let i = 0; i < outer; i++) target.set(data.subarray(i * whole + from * inner, i * whole + to * inner), i * run)
}

/**
 * The inputs of one block.
 *
 * @category combinators
 * @since 0.1.0
 */
export const inputsOf = (split: Split, values: Values, block: RowBlock): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rowsOf(value, split.inputs[name], block)]))

/**
 * A collector for the outputs of a program. `lasting`: what is read of a block stays as it is until the values are asked
 * for, so that no copies are kept of it. Default: false.
 *
 * @category constructors
 * @since 0.1.0
 */
export const collector = (program: BoundProgram, split: Split, lasting = false): Collector => {
  const parts = program.outputs.map((output) => ({
    ...output,
    ...part(output.shape, split.outputs[output.name]?.axis, lasting)
  }))
  const waiting = new Map<number, ReadonlyArray<Data>>()
  let next = 0
  return {
    add: (index, block, read) => {
      waiting.set(
        index,
        parts.map(({ name, put }) => put(read(name), block))
      )
      for (let ready = waiting.get(next); ready !== undefined; ready = waiting.get(next)) {
        const first = next === 0
        parts.forEach(({ name, total }, i) => {
          if (total !== undefined && (first || split.outputs[name]?.kind === 'Sum')) total.add(ready[i] ?? nothing)
        })
        waiting.delete(next++)
      }
    },
    values: () =>
      Object.fromEntries(
        parts.map(({ name, shape, total, rowwise }) => [
          name,
          toFloat32({ shape, data: rowwise ?? total?.value() ?? nothing })
        ])
      )
  }
}

interface Collected {
  /** the output, where it has rows */
  readonly rowwise: Float32Array | undefined
  /** what is added up, where it has none */
  readonly total: Total | undefined
  /** takes what a block gave: what is to be kept of it until it is its turn where order matters */
  readonly put: (data: Data, block: RowBlock) => Data
}

const nothing = new Float32Array(0)

const part = (shape: ReadonlyArray<number>, axis: number | undefined, lasting: boolean): Collected => {
  if (axis === undefined) {
    return lasting
      ? { rowwise: undefined, total: emptyTotal((one) => one.slice()), put: (data) => data }
      : { rowwise: undefined, total: emptyTotal((one) => one), put: (data) => data.slice() }
  }
  const inner = size(shape.slice(axis + 1))
  const outer = size(shape.slice(0, axis))
  const whole = (shape[axis] ?? 1) * inner
  const rowwise = new Float32Array(outer * whole)
  return {
    rowwise,
    total: undefined,
    put: (data, { from, to }) => {
      const run = (to - from) * inner
      for (let i = 0; i < outer; i++) rowwise.set(data.subarray(i * run, (i + 1) * run), i * whole + from * inner)
      return nothing
    }
  }
}

/** A sum of arrays, each of which it keeps, in f64 and rounded once; one alone is given as `alone` makes it. */
interface Total {
  readonly add: (data: Data) => void
  readonly value: () => Data
}

/** Of two, f64 has nothing to add: their sum in f32 is the same, and takes half the time. */
const emptyTotal = (alone: (one: Data) => Data): Total => {
  let first: Data | undefined
  let second: Data | undefined
  let rest: Float64Array | undefined
  return {
    add: (data) => {
      if (first === undefined) first = data
      else if (second === undefined) second = data
      else {
        rest ??= plus(first, second, new Float64Array(data.length))
        plus(rest, data, rest)
      }
    },
    value: () => {
      if (first === undefined || second === undefined) return first === undefined ? nothing : alone(first)
      return rest ?? plus(first, second, new Float32Array(first.length))
    }
  }
}

const plus = <Out extends Data>(a: Data, b: Data, out: Out): Out => {
  for (let i = 0; i < out.length; i++) out[i] = (a[i] ?? 0) + (b[i] ?? 0)
  return out
}
