/**
 * Operators that join, cut and pad.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Sh from '../../tensor/Shape.js'
import type { Shape } from '../../tensor/Shape.js'
import * as A from '../graph/Axes.js'
import { dimsAt, knownAt, linear, number, numbers, one, refuse, type Row, shapeAt } from '../graph/Operator.js'

const concat: Row = {
  name: 'Concat',
  build: (call) => {
    const axis = A.axisOf(number(call, 'axis', 0), shapeAt(call).length)
    const lists = call.inputs.map((_, at) => dimsAt(call, at))
    const named = call.inputs.some((value) => value?.dims !== undefined)
    const dims = named ? lists.flatMap((list) => list ?? []) : undefined
    const built = one((x, ...more) => {
      const parts = [x, ...more.filter((part) => part !== undefined)]
      return [
        A.concat(parts, axis),
        (bar) => {
          let start = 0
          return parts.map((part) => {
            const size = A.length(part.shape, axis)
            start += size
            return A.slice(bar, axis, start - size, size)
          })
        }
      ]
    })
    return E.isRight(built) ? E.right({ ...built.right, dims }) : built
  }
}

const split: Row = {
  name: 'Split',
  fixed: [1],
  build: (call) => {
    const shape = shapeAt(call)
    const axis = A.axisOf(number(call, 'axis', 0), shape.length)
    const whole = A.length(shape, axis)
    const parts = number(call, 'num_outputs', call.outputs)
    const each = Math.ceil(whole / parts)
    const even = A.upTo(parts).map((i) => Math.max(Math.min(each, whole - i * each), 0))
    const sizes = numbers(call, 'split') ?? knownAt(call, 1) ?? even
    const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((n, d) => n + d, 0))
    const part = (x: Expr, i: number): Expr =>
      sizes[i] === 0
        ? X.zeros(x.shape.map((d, j) => (j === axis ? 0 : d)))
        : A.slice(x, axis, starts[i] ?? 0, sizes[i] ?? 0)
    return E.right({
      apply: ([x = X.scalar(0)]) => ({
        values: sizes.map((_, i) => part(x, i)),
        back: (bars) => [
          A.concat(
            bars.filter((_, i) => sizes[i] !== 0),
            axis
          )
        ]
      }),
      kinds: sizes.map(() => call.inputs[0]?.kind ?? 'float')
    })
  }
}

/** The places that a slice takes of an axis, by the rules of NumPy. */
const placesOf = (size: number, start: number, end: number, step: number): ReadonlyArray<number> => {
  const held = (at: number, low: number, high: number): number => Math.min(Math.max(at < 0 ? at + size : at, low), high)
  const [first, last] =
    step > 0 ? [held(start, 0, size), held(end, 0, size)] : [held(start, -1, size - 1), held(end, -1, size - 1)]
  return A.upTo(Math.max(Math.ceil((last - first) / step), 0)).map((i) => first + i * step)
}

/** Entries of an axis, and the adjoint: each bar goes back to the place that it came from. */
const picked = (x: Expr, axis: number, places: ReadonlyArray<number>): Expr =>
  places.length === 0 ? X.zeros(x.shape.map((d, i) => (i === axis ? 0 : d))) : A.pick(x, axis, places)

const unpicked = (bar: Expr, axis: number, places: ReadonlyArray<number>, shape: Shape): Expr => {
  const size = A.length(shape, axis)
  const [start = 0] = places
  if (places.length === 0) return X.zeros(shape)
  return places.every((place, i) => place === start + i)
    ? A.shift(bar, axis, start, size)
    : A.along(
        bar,
        axis,
        A.upTo(size).map((place) => places.map((taken) => (taken === place ? 1 : 0)))
      )
}

const slice: Row = {
  name: 'Slice',
  fixed: [1, 2, 3, 4],
  build: (call) => {
    const shape = shapeAt(call)
    const starts = numbers(call, 'starts') ?? knownAt(call, 1)
    const ends = numbers(call, 'ends') ?? knownAt(call, 2)
    if (starts === undefined || ends === undefined) return refuse('starts and ends that are known', 'others')
    const axes = (numbers(call, 'axes') ?? knownAt(call, 3) ?? A.upTo(starts.length)).map((axis) =>
      A.axisOf(axis, shape.length)
    )
    const steps = knownAt(call, 4) ?? starts.map(() => 1)
    const named = axes.find((axis) => typeof shape[axis] === 'string')
    const whole = (i: number): boolean =>
      starts[i] === 0 && steps[i] === 1 && (ends[i] ?? 0) >= 2 ** 31 - 1 && typeof shape[axes[i] ?? 0] === 'string'
    const parts = axes.flatMap((axis, i) =>
      whole(i) ? [] : [{ axis, places: placesOf(A.length(shape, axis), starts[i] ?? 0, ends[i] ?? 0, steps[i] ?? 1) }]
    )
    if (named !== undefined && parts.some(({ axis }) => axis === named)) {
      return refuse('all of an axis whose size has a name', `a part of ${Sh.show(shape)}, axis ${named}`)
    }
    const [first] = parts
    const dims = call.inputs[0]?.dims
    const built = linear(
      (x) => parts.reduce<Expr>((sofar, { axis, places }) => picked(sofar, axis, places), x),
      (bar, x) =>
        parts.reduceRight<Expr>((sofar, { axis, places }, i) => {
          // the shape that the axis had before it was cut: later ones are still as they were
          const before = x.shape.map((d, j) =>
            parts.slice(0, i).some((part) => part.axis === j)
              ? (sofar.shape[j] ?? d)
              : j === axis
                ? d
                : (sofar.shape[j] ?? d)
          )
          return unpicked(sofar, axis, places, before)
        }, bar)
    )
    return E.isRight(built) && dims !== undefined && first !== undefined
      ? E.right({ ...built.right, dims: first.places.flatMap((place) => dims.slice(place, place + 1)) })
      : built
  }
}

const tile: Row = {
  name: 'Tile',
  fixed: [1],
  build: (call) => {
    const [shape, repeats] = [shapeAt(call), knownAt(call, 1)]
    if (repeats === undefined) return refuse('repeats that are known', 'others')
    const times = shape.map((_, i) => repeats[i] ?? 1)
    const raised = shape.flatMap((d): Shape => [1, d])
    const repeated = shape.flatMap((d, i): Shape => [times[i] ?? 1, d])
    const result = shape.map((d, i) => Sh.product([d, times[i] ?? 1]))
    return linear(
      (x) => X.reshape<Shape>(X.broadcastTo(X.reshape<Shape>(x, raised), repeated), result),
      (bar, x) =>
        X.reshape<Shape>(
          A.sum(
            X.reshape<Shape>(bar, repeated),
            shape.map((_, i) => 2 * i)
          ),
          x.shape
        )
    )
  }
}

// -------------------------------------------------------------------------------------
// padding
// -------------------------------------------------------------------------------------

/** The place of the argument that each place of a padded axis is a copy of. */
const mirrored = (mode: string, size: number, before: number, after: number): ReadonlyArray<number> =>
  A.upTo(size + before + after).map((i) => {
    const at = i - before
    if (mode === 'edge') return Math.min(Math.max(at, 0), size - 1)
    if (mode === 'wrap') return ((at % size) + size) % size
    const period = Math.max(2 * size - 2, 1)
    const place = ((at % period) + period) % period
    return place < size ? place : period - place
  })

const pad: Row = {
  name: 'Pad',
  fixed: [1, 2, 3],
  build: (call) => {
    const shape = shapeAt(call)
    const pads = numbers(call, 'pads') ?? knownAt(call, 1)
    if (pads === undefined) return refuse('paddings that are known', 'others')
    const axes = knownAt(call, 3)?.map((axis) => A.axisOf(axis, shape.length)) ?? A.upTo(shape.length)
    const mode = typeof call.attributes['mode'] === 'string' ? call.attributes['mode'] : 'constant'
    const value = knownAt(call, 2)?.[0] ?? number(call, 'value', 0)
    const each = axes
      .map((axis, i) => ({ axis, before: pads[i] ?? 0, after: pads[axes.length + i] ?? 0 }))
      .filter(({ before, after }) => before !== 0 || after !== 0)
    if (each.some(({ axis }) => typeof shape[axis] === 'string')) {
      return refuse('axes of literal size', `a padding of ${Sh.show(shape)}`)
    }
    const large = each.find(({ axis, before, after }) => !(A.length(shape, axis) + before + after <= 2 ** 20))
    if (large !== undefined)
      return refuse('at most 2^20 entries of an axis', `paddings of ${large.before} and ${large.after}`)
    const filled = (x: Expr, axis: number, count: number): ReadonlyArray<Expr> =>
      count <= 0
        ? []
        : [
            X.fill(
              x.shape.map((d, i) => (i === axis ? count : d)),
              value
            )
          ]
    const padded = (x: Expr, { axis, before, after }: (typeof each)[number]): Expr => {
      const size = A.length(x.shape, axis)
      if (mode !== 'constant') return A.pick(x, axis, mirrored(mode, size, before, after))
      if (value === 0) return A.shift(x, axis, before, size + before + after)
      const kept = A.slice(x, axis, Math.max(-before, 0), size + Math.min(before, 0) + Math.min(after, 0))
      return A.concat([...filled(x, axis, before), kept, ...filled(x, axis, after)], axis)
    }
    const back = (bar: Expr, { axis, before, after }: (typeof each)[number]): Expr => {
      const size = A.length(bar.shape, axis) - before - after
      if (mode === 'constant') return A.shift(bar, axis, -before, size)
      const places = mirrored(mode, size, before, after)
      return A.along(
        bar,
        axis,
        A.upTo(size).map((place) => places.map((from) => (from === place ? 1 : 0)))
      )
    }
    return linear(
      (x) => each.reduce(padded, x),
      (bar) => each.reduceRight(back, bar)
    )
  }
}

const spaceToDepth: Row = {
  name: 'SpaceToDepth',
  build: (call) => {
    const [n = 1, c = 1, h, w] = shapeAt(call)
    const block = number(call, 'blocksize', 1)
    if (typeof h !== 'number' || typeof w !== 'number') return refuse('images of literal size', Sh.show(shapeAt(call)))
    const apart: Shape = [n, c, h / block, block, w / block, block]
    const order = [0, 3, 5, 1, 2, 4]
    const result: Shape = [n, Sh.product([c, block * block]), h / block, w / block]
    return linear(
      (x) => X.reshape<Shape>(A.permute(X.reshape<Shape>(x, apart), order), result),
      (bar, x) =>
        X.reshape<Shape>(
          A.unpermute(
            X.reshape<Shape>(
              bar,
              order.map((axis) => apart[axis] ?? 1)
            ),
            order
          ),
          x.shape
        )
    )
  }
}

const depthToSpace: Row = {
  name: 'DepthToSpace',
  build: (call) => {
    const [n = 1, c, h = 1, w = 1] = shapeAt(call)
    const block = number(call, 'blocksize', 1)
    if (typeof c !== 'number') return refuse('channels of literal size', Sh.show(shapeAt(call)))
    const inner = c / (block * block)
    const columnFirst = call.attributes['mode'] === 'CRD'
    const apart: Shape = columnFirst ? [n, inner, block, block, h, w] : [n, block, block, inner, h, w]
    const order = columnFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]
    const result: Shape = [n, inner, Sh.product([h, block]), Sh.product([w, block])]
    return linear(
      (x) => X.reshape<Shape>(A.permute(X.reshape<Shape>(x, apart), order), result),
      (bar, x) =>
        X.reshape<Shape>(
          A.unpermute(
            X.reshape<Shape>(
              bar,
              order.map((axis) => apart[axis] ?? 1)
            ),
            order
          ),
          x.shape
        )
    )
  }
}

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [concat, split, slice, tile, pad, spaceToDepth, depthToSpace]
