/**
 * Operators that sum, or find the largest, over axes; and softmax.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import type { Shape } from '../../tensor/Shape.js'
import * as A from '../graph/Axes.js'
import { axesOf, type Call, number, one, type Row, shapeAt } from '../graph/Operator.js'

type Reduce = (x: Expr, axes: ReadonlyArray<number>) => readonly [Expr, (bar: Expr) => Expr]

/** A reduction, whose adjoint is given the cotangent at every place. */
const reduction = (name: string, reduce: Reduce, ofNone = 0): Row => ({
  name,
  fixed: [1],
  build: (call) => {
    const shape = shapeAt(call)
    const given = axesOf(call, 1)
    const none = given === undefined || given.length === 0
    if (none && number(call, 'noop_with_empty_axes', 0) === 1) return one((x) => [x, (bar) => [bar]])
    const axes = none ? A.upTo(shape.length) : given.map((axis) => A.axisOf(axis, shape.length))
    const result = number(call, 'keepdims', 1) === 1 ? A.kept(shape, axes) : shape.filter((_, i) => !axes.includes(i))
    // of no numbers the reduction is its neutral element
    if (axes.some((axis) => shape[axis] === 0)) return one((x) => [X.fill(result, ofNone), () => [X.zeros(x.shape)]])
    return one((x) => {
      const [value, back] = reduce(x, axes)
      return [X.reshape<Shape>(value, result), (bar) => [back(A.spread(bar, shape, axes))]]
    })
  }
})

/** The cotangent goes to the entries that are the largest, in equal shares. */
const extreme =
  (find: (x: Expr, axes: ReadonlyArray<number>) => Expr): Reduce =>
  (x, axes) => {
    const value = find(x, axes)
    const hit = X.equal<Shape, Shape>(x, A.spread(value, x.shape, axes))
    const shares = A.spread(A.sum(hit, axes), x.shape, axes)
    return [value, (bar) => X.div(X.weigh(bar, hit), shares)]
  }

const sums: ReadonlyArray<Row> = [
  reduction('ReduceSum', (x, axes) => [A.sum(x, axes), (bar) => bar]),
  reduction('ReduceMean', (x, axes) => [A.mean(x, axes), (bar) => A.perEntry(bar, x.shape, axes)]),
  reduction('ReduceSumSquare', (x, axes) => [A.sum(X.mul(x, x), axes), (bar) => X.scale(X.mul(bar, x), 2)]),
  reduction('ReduceL1', (x, axes) => [
    A.sum(X.abs(x), axes),
    (bar) => X.mul(bar, X.sub(X.less<Shape, Shape>(X.zeros(x.shape), x), X.less<Shape, Shape>(x, X.zeros(x.shape))))
  ]),
  reduction('ReduceL2', (x, axes) => {
    const y = X.sqrt(A.sum(X.mul(x, x), axes))
    return [y, (bar) => X.div(X.mul(bar, x), A.spread(y, x.shape, axes))]
  }),
  reduction('ReduceMax', extreme(A.maximum), -Infinity),
  reduction('ReduceMin', extreme(A.minimum), Infinity),
  reduction('ReduceLogSumExp', (x, axes) => {
    const top = A.maximum(x, axes)
    const powers = X.exp(X.sub(x, A.spread(top, x.shape, axes)))
    const total = A.sum(powers, axes)
    const value = X.add(X.log(total), top)
    return [value, (bar) => X.mul(bar, X.div(powers, A.spread(total, x.shape, axes)))]
  })
]

// -------------------------------------------------------------------------------------
// softmax
// -------------------------------------------------------------------------------------

/** Before version 13 all axes from the given one on were one. */
const softAxes = (call: Call): ReadonlyArray<number> => {
  const rank = shapeAt(call).length
  const axis = A.axisOf(number(call, 'axis', call.opset < 13 ? 1 : -1), rank)
  return call.opset < 13 ? A.upTo(rank).slice(axis) : [axis]
}

/** Powers and their sums, after the largest was subtracted so that nothing overflows. */
const powersOf = (
  x: Expr,
  axes: ReadonlyArray<number>
): { readonly shifted: Expr; readonly powers: Expr; readonly total: Expr } => {
  const shifted = X.sub(x, A.spread(A.maximum(x, axes), x.shape, axes))
  const powers = X.exp(shifted)
  return { shifted, powers, total: A.spread(A.sum(powers, axes), x.shape, axes) }
}

const softmaxes: ReadonlyArray<Row> = [
  {
    name: 'Softmax',
    build: (call) => {
      const axes = softAxes(call)
      return one((x) => {
        const { powers, total } = powersOf(x, axes)
        const y = X.div(powers, total)
        return [y, (bar) => [X.mul(y, X.sub(bar, A.spread(A.sum(X.mul(bar, y), axes), x.shape, axes)))]]
      })
    }
  },
  {
    name: 'LogSoftmax',
    build: (call) => {
      const axes = softAxes(call)
      return one((x) => {
        const { shifted, powers, total } = powersOf(x, axes)
        return [
          X.sub(shifted, X.log(total)),
          (bar) => [X.sub(bar, X.mul(X.div(powers, total), A.spread(A.sum(bar, axes), x.shape, axes)))]
        ]
      })
    }
  }
]

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [...sums, ...softmaxes]
