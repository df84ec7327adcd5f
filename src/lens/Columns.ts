/**
 * Picking features out of rows.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Rows } from './Rows.js'
import * as L from './Lens.js'
import type { Lens, None } from './Lens.js'

/**
 * Neighbouring columns that belong together, such as the values of one attribute in a one-hot code: the first one and how many
 * they are.
 *
 * @category model
 * @since 0.1.0
 */
export interface Span {
  readonly offset: number
  readonly width: number
}

/**
 * The columns `indices` of rows of `from` features, in the given order; an index may occur more than once. The pullback
 * puts each column's cotangent back where it came from and adds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const columns = (from: number, indices: ReadonlyArray<number>): Lens<None, Rows<number>, Rows<number>> => {
  const parts = runs(indices)
  return L.pure((x) => [
    X.retype(
      X.concat(
        parts.map(({ start, length }) => X.slice(x, 1, start, length)),
        1
      ),
      ['batch', indices.length]
    ),
    (bar) =>
      parts
        .map(({ start, length, at }) => X.pad(X.slice(bar, 1, at, length), 1, start, from))
        .reduce<Rows<number>>((total, part) => X.add(total, part), X.zeros(['batch', from]))
  ])
}

/** Neighbouring columns, which one slice takes: `length` columns from `start` on, put at column `at`. */
interface Run {
  readonly start: number
  readonly length: number
  readonly at: number
}

const runs = (indices: ReadonlyArray<number>): ReadonlyArray<Run> =>
  indices.reduce<ReadonlyArray<Run>>((found, index, at) => {
    const last = found.at(-1)
    return last !== undefined && index === last.start + last.length
      ? [...found.slice(0, -1), { ...last, length: last.length + 1 }]
      : [...found, { start: index, length: 1, at }]
  }, [])
