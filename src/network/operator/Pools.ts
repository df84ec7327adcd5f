/**
 * Means and largest numbers of windows, channels first.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Sh from '../../tensor/Shape.js'
import type { Shape } from '../../tensor/Shape.js'
import { tabulate } from '../../tensor/Tensor.js'
import * as A from '../graph/Axes.js'
import { type Call, number, numbers, one, refuse, type Refusal, type Row, shapeAt } from '../graph/Operator.js'
import { fold, placesOf, unfold, type Windows, windowsOf } from '../graph/Windows.js'

/** The windows of a pool, on axes of literal size. */
const pooled = (call: Call): E.Either<Refusal, ReadonlyArray<Windows>> => {
  const shape = shapeAt(call)
  const places = shape.slice(2).filter((d) => typeof d === 'number')
  const kernel = numbers(call, 'kernel_shape') ?? []
  return places.length === shape.length - 2 && places.length === kernel.length
    ? E.right(windowsOf(call, places, kernel))
    : refuse('axes of literal size, as the window has', Sh.show(shape))
}

/** A vector of literal numbers for each axis, multiplied at each position. */
const weights = (x: Shape, windows: ReadonlyArray<Windows>, of: (one: Windows, position: number) => number): Expr => {
  const shape = [...x.slice(0, 2), ...windows.map(({ positions }) => positions)]
  return windows.reduce<Expr>(
    (product, one, i) => {
      const vector = X.constant(
        tabulate([one.positions], (position) => of(one, position)),
        [one.positions]
      )
      const column = X.reshape<Shape>(
        vector,
        shape.map((d, j) => (j === i + 2 ? d : 1))
      )
      return X.mul(product, X.broadcastTo(column, shape))
    },
    X.fill(shape, 1)
  )
}

/** How many entries of a window count: those inside, or those of the padding too. */
const counted =
  (padding: boolean) =>
  ({ entries, size, stride, dilation, before, after }: Windows, position: number): number => {
    const [low, high] = padding ? [-before, entries + after] : [0, entries]
    return A.upTo(size).filter((place) => {
      const at = position * stride - before + place * dilation
      return at >= low && at < high
    }).length
  }

const averagePool: Row = {
  name: 'AveragePool',
  build: (call) => {
    const windows = pooled(call)
    if (E.isLeft(windows)) return windows
    const all = windows.right
    const count = counted(number(call, 'count_include_pad', 0) === 1)
    return one((x) => {
      const inverse = weights(x.shape, all, (one, position) => 1 / count(one, position))
      const taken = unfold(x, 2, all)
      const places = placesOf(2, all)
      return [
        X.mul(A.sum(taken, places), inverse),
        (bar) => [fold(A.spread(X.mul(bar, inverse), taken.shape, places), 2, all)]
      ]
    })
  }
}

/** Every place of a window as one index an axis, the last first. */
const everyPlace = (windows: ReadonlyArray<Windows>): ReadonlyArray<ReadonlyArray<number>> =>
  windows.reduce<ReadonlyArray<ReadonlyArray<number>>>(
    (sofar, { size }) => sofar.flatMap((place) => A.upTo(size).map((i) => [...place, i])),
    [[]]
  )

/** One place of all windows, whose axes keep a size of 1. */
const placeOf = (taken: Expr, place: ReadonlyArray<number>): Expr =>
  place.reduce((sofar, at, i) => A.slice(sofar, 2 * i + 3, at, 1), taken)

/** What one place of all windows adds to what they are windows of. */
const unplaced = (bar: Expr, place: ReadonlyArray<number>, windows: ReadonlyArray<Windows>): Expr =>
  fold(
    bar,
    2,
    windows.map((one, i) => ({ ...one, size: 1, before: one.before - (place[i] ?? 0) * one.dilation }))
  )

/** The first of the places of each window that has the largest number: 1 there, 0 elsewhere, one expression a place. */
const firsts = (taken: Expr, value: Expr, windows: ReadonlyArray<Windows>): ReadonlyArray<Expr> => {
  const places = placesOf(2, windows)
  const top = X.reshape<Shape>(value, A.kept(taken.shape, places))
  let seen = X.zeros(top.shape)
  return everyPlace(windows).map((place) => {
    const hit = X.equal<Shape, Shape>(placeOf(taken, place), top)
    const first = X.mul(hit, X.sub(X.fill(top.shape, 1), seen))
    seen = X.max(seen, hit)
    return first
  })
}

/** The flat index, in the whole argument, of one place of all windows. */
const indexOf = (
  shape: ReadonlyArray<number>,
  columns: boolean,
  windows: ReadonlyArray<Windows>,
  place: ReadonlyArray<number>
): Expr => {
  const before = (i: number): ReadonlyArray<number> => (columns && i >= 2 ? shape.slice(2, i) : shape.slice(i + 1))
  const strides = shape.map((_, i) => before(i).reduce((n, d) => n * d, 1))
  const sizes = [...shape.slice(0, 2), ...windows.flatMap(({ positions }) => [positions, 1])]
  return X.constant(
    tabulate(sizes, (flat) => {
      let rest = flat
      return windows
        .toReversed()
        .map(({ positions, stride, dilation, before }, j) => {
          const i = windows.length - 1 - j
          const position = rest % positions
          rest = Math.floor(rest / positions)
          return (position * stride - before + (place[i] ?? 0) * dilation) * (strides[i + 2] ?? 1)
        })
        .concat([(rest % (shape[1] ?? 1)) * (strides[1] ?? 1), Math.floor(rest / (shape[1] ?? 1)) * (strides[0] ?? 1)])
        .reduce((n, d) => n + d, 0)
    }),
    sizes
  )
}

const maxPool: Row = {
  name: 'MaxPool',
  build: (call) => {
    const windows = pooled(call)
    if (E.isLeft(windows)) return windows
    const all = windows.right
    const sizes = shapeAt(call).filter((d) => typeof d === 'number')
    const indexed = call.outputs > 1
    if (indexed && sizes.length !== shapeAt(call).length) {
      return refuse('one output, or indices in a literal shape', `${call.outputs} outputs`)
    }
    return E.right({
      apply: ([x = X.scalar(0)]) => {
        const taken = unfold(x, 2, all, -Infinity)
        const value = A.maximum(taken, placesOf(2, all))
        const indices = (): Expr =>
          firsts(taken, value, all)
            .map((first, i) =>
              X.mul(first, indexOf(sizes, number(call, 'storage_order', 0) === 1, all, everyPlace(all)[i] ?? []))
            )
            .reduce((sum, part) => X.add(sum, part))
        return {
          values: [value, ...(indexed ? [X.reshape<Shape>(indices(), value.shape)] : [])],
          back: ([bar = value]) => {
            const spread = X.reshape<Shape>(bar, A.kept(taken.shape, placesOf(2, all)))
            return [
              firsts(taken, value, all)
                .map((first, i) => unplaced(X.weigh(spread, first), everyPlace(all)[i] ?? [], all))
                .reduce((sum, part) => X.add(sum, part))
            ]
          }
        }
      },
      kinds: ['float', 'int']
    })
  }
}

/** A pool over all places. */
const global = (
  name: string,
  find: (x: Expr, axes: ReadonlyArray<number>) => readonly [Expr, (bar: Expr) => Expr]
): Row => ({
  name,
  build: (call) => {
    const shape = shapeAt(call)
    const axes = A.upTo(shape.length).slice(2)
    return one((x) => {
      const [value, back] = find(x, axes)
      return [X.reshape<Shape>(value, A.kept(shape, axes)), (bar) => [back(X.broadcastTo(bar, shape))]]
    })
  }
})

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [
  averagePool,
  maxPool,
  global('GlobalAveragePool', (x, axes) => [A.mean(x, axes), (bar) => A.perEntry(bar, x.shape, axes)]),
  global('GlobalMaxPool', (x, axes) => {
    const value = A.maximum(x, axes)
    const hit = X.equal<Shape, Shape>(x, A.spread(value, x.shape, axes))
    return [value, (bar) => X.div(X.weigh(bar, hit), A.spread(A.sum(hit, axes), x.shape, axes))]
  })
]
