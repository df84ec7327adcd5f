/**
 * Operators that put numbers in other places.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as X from '../../tensor/Expr.js'
import * as Sh from '../../tensor/Shape.js'
import type { Dim, Shape } from '../../tensor/Shape.js'
import * as A from '../graph/Axes.js'
import {
  axesOf,
  type Built,
  type Call,
  dimsAt,
  knownAt,
  linear,
  number,
  numbers,
  refuse,
  type Refusal,
  type Row,
  shapeAt
} from '../graph/Operator.js'

// -------------------------------------------------------------------------------------
// shapes
// -------------------------------------------------------------------------------------

/** The same numbers in another shape; sizes that are known stay so. */
const reshaped = (call: Call, shape: Shape): E.Either<Refusal, Built> => {
  const built = linear(
    (x) => X.reshape<Shape>(x, shape),
    (bar, x) => X.reshape<Shape>(bar, x.shape)
  )
  return E.isRight(built) ? E.right({ ...built.right, dims: call.inputs[0]?.dims }) : built
}

/** The size that is left for an axis of -1. */
const rest = (from: Shape, others: Shape): Dim | undefined => {
  const [whole, part] = [Sh.factors(Sh.product(from)), Sh.factors(Sh.product(others))]
  const names = [...whole.names]
  for (const name of part.names) {
    const at = names.indexOf(name)
    if (at < 0) return undefined
    names.splice(at, 1)
  }
  return part.count > 0 && whole.count % part.count === 0 ? Sh.product([whole.count / part.count, ...names]) : undefined
}

const reshape: Row = {
  name: 'Reshape',
  fixed: [1],
  build: (call) => {
    const [from, asked] = [shapeAt(call), dimsAt(call, 1)]
    if (asked === undefined) return refuse('a shape that is known', 'one that is computed from data')
    const keepZero = number(call, 'allowzero', 0) === 1
    const shape = asked.map((d, i): Dim => (d === 0 && !keepZero ? (from[i] ?? 0) : d))
    const open = shape.indexOf(-1)
    if (open < 0) return reshaped(call, shape)
    const size = rest(
      from,
      shape.filter((_, i) => i !== open)
    )
    return size === undefined
      ? refuse(`a shape of as many numbers as ${Sh.show(from)}`, Sh.show(shape))
      : reshaped(call, [...shape.slice(0, open), size, ...shape.slice(open + 1)])
  }
}

const flatten: Row = {
  name: 'Flatten',
  build: (call) => {
    const shape = shapeAt(call)
    const axis = A.axisOf(number(call, 'axis', 1), shape.length)
    return reshaped(call, [Sh.product(shape.slice(0, axis)), Sh.product(shape.slice(axis))])
  }
}

const squeeze: Row = {
  name: 'Squeeze',
  fixed: [1],
  build: (call) => {
    const shape = shapeAt(call)
    const axes = axesOf(call, 1)?.map((axis) => A.axisOf(axis, shape.length))
    const left = shape.filter((d, i) => (axes === undefined ? d !== 1 : !axes.includes(i)))
    return reshaped(call, left)
  }
}

const unsqueeze: Row = {
  name: 'Unsqueeze',
  fixed: [1],
  build: (call) => {
    const axes = axesOf(call, 1)
    if (axes === undefined) return refuse('axes that are known', 'others')
    const [shape, rank] = [[...shapeAt(call)], shapeAt(call).length + axes.length]
    const at = axes.map((axis) => A.axisOf(axis, rank))
    return reshaped(
      call,
      A.upTo(rank).map((i): Dim => (at.includes(i) ? 1 : (shape.shift() ?? 1)))
    )
  }
}

const transpose: Row = {
  name: 'Transpose',
  build: (call) => {
    const order = numbers(call, 'perm') ?? A.upTo(shapeAt(call).length).toReversed()
    return linear(
      (x) => A.permute(x, order),
      (bar) => A.unpermute(bar, order)
    )
  }
}

const expand: Row = {
  name: 'Expand',
  fixed: [1],
  build: (call) => {
    const [from, asked] = [shapeAt(call), dimsAt(call, 1)]
    const shape = asked === undefined ? undefined : Sh.broadcast(from, asked)
    return shape === undefined
      ? refuse(`a shape that ${Sh.show(from)} broadcasts with`, asked === undefined ? 'an unknown one' : Sh.show(asked))
      : linear(
          (x) => X.broadcastTo(x, shape),
          (bar, x) => X.sumTo<Shape>(bar, x.shape)
        )
  }
}

const identity = (name: string): Row => ({
  name,
  build: (call) =>
    E.right({
      apply: ([x = X.scalar(0)]) => ({ values: [x], back: ([bar = x]) => [bar] }),
      dims: call.inputs[0]?.dims
    })
})

const dropout: Row = {
  name: 'Dropout',
  fixed: [1, 2],
  build: (call) => {
    const dropping = (knownAt(call, 2)?.[0] ?? 0) !== 0 && (knownAt(call, 1)?.[0] ?? 0.5) !== 0
    if (dropping) return refuse('no training mode', 'one that drops numbers by chance')
    return E.right({
      apply: ([x = X.scalar(0)]) => ({ values: [x, X.fill(x.shape, 1)], back: ([bar = x]) => [bar] }),
      kinds: ['float', 'bool']
    })
  }
}

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [
  reshape,
  flatten,
  squeeze,
  unsqueeze,
  transpose,
  expand,
  identity('Identity'),
  dropout
]
