/**
 * Samples that are kept for several updates, and shares of them.
 *
 * @since 0.1.0
 */
import type { Values } from '../../tensor/Program.js'
import * as T from '../../tensor/Tensor.js'
import type { Tensor } from '../../tensor/Tensor.js'
import type { HalfOrder } from '../Cover.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * One half-order cell's part of what was drawn: the states above its noise, the noises of its steps, the mean that the parameters
 * which drew give, and what multiplies its score, a number a row, each times its weight.
 *
 * @category model
 * @since 0.1.0
 */
export interface Drawn {
  readonly cell: HalfOrder
  readonly x: Tensor
  readonly eps: Tensor
  readonly mean: Tensor
  readonly advantages: ReadonlyArray<number>
}

/**
 * What updates are made from: the parts of the cells, what the samples were asked for, and the weight of each row.
 *
 * @category model
 * @since 0.1.0
 */
export interface Experience {
  readonly condition: Values
  readonly weights: ReadonlyArray<number>
  readonly drawn: ReadonlyArray<Drawn>
}

// -------------------------------------------------------------------------------------
// rows
// -------------------------------------------------------------------------------------

/**
 * All rows, so many at a time.
 *
 * @category rows
 * @since 0.1.0
 */
export const inBlocks = (rows: number, all: number): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: Math.ceil(all / rows) }, (_, i) => Array.from({ length: rows }, (__, n) => i * rows + n))

/** Some rows of a tensor, in a given order, along the axis that has the batch. */
const takeRows =
  (rows: ReadonlyArray<number>, axis: 0 | 1 = 0) =>
  ({ shape, data }: Tensor): Tensor => {
    const batch = shape[axis] ?? 1
    const width = T.size(shape.slice(axis + 1))
    const outer = T.size(shape.slice(0, axis))
    const taken = data.slice(0, outer * rows.length * width)
    for (let i = 0; i < outer; i++)
      rows.forEach((row, n) => {
        const from = (i * batch + row) * width
        taken.set(data.subarray(from, from + width), (i * rows.length + n) * width)
      })
    return { shape: [...shape.slice(0, axis), rows.length, ...shape.slice(axis + 1)], data: taken }
  }

/**
 * Some rows of values, in a given order.
 *
 * @category rows
 * @since 0.1.0
 */
export const takeValues =
  (rows: ReadonlyArray<number>) =>
  (values: Values): Values =>
    Object.fromEntries(Object.entries(values).map(([name, value]) => [name, takeRows(rows)(value)]))

/**
 * Some rows of what was drawn for a cell, whose advantages count so many times.
 *
 * @category rows
 * @since 0.1.0
 */
export const takeDrawn =
  (rows: ReadonlyArray<number>, factor = 1) =>
  ({ cell, x, eps, mean, advantages }: Drawn): Drawn => ({
    cell,
    x: takeRows(rows)(x),
    eps: takeRows(rows, 1)(eps),
    mean: takeRows(rows)(mean),
    advantages: rows.map((row) => factor * (advantages[row] ?? 0))
  })

/**
 * Tensors of equal rows, one below the other, in the number format of the first.
 *
 * @category rows
 * @since 0.1.0
 */
export const joined = (parts: ReadonlyArray<Tensor>): Tensor => {
  const [, ...row] = parts[0]?.shape ?? [0]
  const count = parts.reduce((total, { shape }) => total + (shape[0] ?? 0), 0)
  const length = count * T.size(row)
  const data = parts[0]?.data instanceof Float64Array ? new Float64Array(length) : new Float32Array(length)
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
  }
  return { shape: [count, ...row], data }
}

/**
 * The experience of some rows, in that order, each times a factor: that of a share of a batch, whose mean is to be that of the batch
 * in expectation, is one over the share.
 *
 * @category combinators
 * @since 0.1.0
 */
export const take =
  (rows: ReadonlyArray<number>, factor: number) =>
  ({ condition, weights, drawn }: Experience): Experience => ({
    condition: takeValues(rows)(condition),
    weights: rows.map((row) => factor * (weights[row] ?? 0)),
    drawn: drawn.map(takeDrawn(rows, factor))
  })
