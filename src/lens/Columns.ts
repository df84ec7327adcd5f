/**
 * Picking features out of rows.
 *
 * @since 0.1.0
 */
import * as X from '../tensor/Expr.js'
import type { Rows } from './Dense.js'
import * as L from './Lens.js'
import type { Lens, None } from './Lens.js'

/**
 * The columns `indices` of rows of `from` features, in the given order; an index may occur more than once. The pullback
 * puts each column's cotangent back where it came from and adds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const columns = (from: number, indices: ReadonlyArray<number>): Lens<None, Rows<number>, Rows<number>> =>
  L.pure((x) => [
    X.retype(X.concat(indices.map((index) => column(x, index)), 1), ['batch', indices.length]),
    (bar) =>
      indices
        .map((index, i) => X.pad(column(bar, i), 1, index, from))
        .reduce<Rows<number>>((total, part) => X.add(total, part), X.zeros(['batch', from]))
  ])

const column = (x: Rows<number>, index: number): Rows<number> => X.slice(x, 1, index, 1)
