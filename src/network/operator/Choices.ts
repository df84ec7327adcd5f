/**
 * Comparisons, and choices by them.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Sh from '../../tensor/Shape.js'
import type { Dim, Shape } from '../../tensor/Shape.js'
import { joint } from '../graph/Axes.js'
import { type Call, constant, dimsAt, knownAt, one, refuse, type Row, shapeAt } from '../graph/Operator.js'

const c = X.scalar

/** The number `value` in the shape of `x`. */
const full = (x: Expr, value: number): Expr => X.fill(x.shape, value)

const comparison = (name: string, f: (a: Expr, b: Expr) => Expr): Row => ({
  name,
  build: () => constant(([a = c(0), b = a]) => f(...joint(a, b)), 'bool')
})

const not = (a: Expr): Expr => X.sub(full(a, 1), a)

const comparisons: ReadonlyArray<Row> = [
  comparison('Less', (a, b) => X.less<Shape, Shape>(a, b)),
  comparison('Greater', (a, b) => X.less<Shape, Shape>(b, a)),
  comparison('Equal', (a, b) => X.equal<Shape, Shape>(a, b)),
  // not the opposite of the other comparison: of what is no number neither is true
  comparison('LessOrEqual', (a, b) => X.max(X.less<Shape, Shape>(a, b), X.equal<Shape, Shape>(a, b))),
  comparison('GreaterOrEqual', (a, b) => X.max(X.less<Shape, Shape>(b, a), X.equal<Shape, Shape>(a, b))),
  comparison('And', (a, b) => X.mul(a, b)),
  comparison('Or', (a, b) => X.max(a, b)),
  comparison('Xor', (a, b) => X.abs(X.sub(a, b))),
  { name: 'Not', build: () => constant(([a = c(0)]) => not(a), 'bool') }
]

const where: Row = {
  name: 'Where',
  build: (call) => {
    const shape = [0, 1, 2]
      .map((at) => shapeAt(call, at))
      .reduce<Shape | undefined>((sofar, next) => sofar && Sh.broadcast(sofar, next), [])
    if (shape === undefined)
      return refuse('shapes that broadcast', [0, 1, 2].map((at) => Sh.show(shapeAt(call, at))).join(', '))
    const chosen = chosenDims(call)
    const built = one(
      (condition, a = condition, b = condition) => {
        const wide = X.broadcastTo(condition, shape)
        const zero = X.zeros(shape)
        return [
          X.select(wide, X.broadcastTo(a, shape), X.broadcastTo(b, shape)),
          (bar) => [
            undefined,
            X.sumTo<Shape>(X.select(wide, bar, zero), a.shape),
            X.sumTo<Shape>(X.select(wide, zero, bar), b.shape)
          ]
        ]
      },
      [call.inputs[1]?.kind ?? 'float']
    )
    return E.isRight(built) && chosen !== undefined ? E.right({ ...built.right, dims: chosen }) : built
  }
}

/** A list of sizes chosen entry by entry, by a condition that is known. */
const chosenDims = (call: Call): ReadonlyArray<Dim> | undefined => {
  const [condition, a, b] = [knownAt(call, 0), dimsAt(call, 1), dimsAt(call, 2)]
  if (condition === undefined || a === undefined || b === undefined) return undefined
  if ((call.inputs[1]?.dims ?? call.inputs[2]?.dims) === undefined) return undefined
  const at = (list: ReadonlyArray<Dim>, i: number): ReadonlyArray<Dim> =>
    list.slice(list.length === 1 ? 0 : i).slice(0, 1)
  const count = Math.max(condition.length, a.length, b.length)
  return Array.from({ length: count }, (_, i) =>
    at((condition[condition.length === 1 ? 0 : i] ?? 0) === 0 ? b : a, i)
  ).flat()
}

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [...comparisons, where]
