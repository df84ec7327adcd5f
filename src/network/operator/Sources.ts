/**
 * Operators that make numbers of shapes and attributes, and that look entries up.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as I from '../../tensor/Indexing.js'
import * as Sh from '../../tensor/Shape.js'
import type { Dim, Shape } from '../../tensor/Shape.js'
import { tabulate, type Tensor } from '../../tensor/Tensor.js'
import * as A from '../graph/Axes.js'
import {
  constant,
  dimsAt,
  type Kind,
  knownAt,
  number,
  numbers,
  one,
  refuse,
  type Row,
  shapeAt,
  tensor
} from '../graph/Operator.js'

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/** What numbers of a format are. */
const kindOf = (dtype: string): Kind => (dtype === 'BOOL' ? 'bool' : /^(?:F|BF)/.test(dtype) ? 'float' : 'int')

const literal = (value: Tensor, kind: Kind): ReturnType<Row['build']> =>
  E.right({
    apply: () => ({ values: [X.constant(value, value.shape)], back: () => [] }),
    kinds: [kind],
    known: value
  })

const constantRow: Row = {
  name: 'Constant',
  build: (call) => {
    const value = tensor(call, 'value')
    if (value !== undefined) return literal(value.tensor, kindOf(value.dtype))
    const { value_float: float, value_int: int } = call.attributes
    const [floats, ints] = [numbers(call, 'value_floats'), numbers(call, 'value_ints')]
    if (typeof float === 'number') return literal({ shape: [], data: Float64Array.of(float) }, 'float')
    if (typeof int === 'number') return literal({ shape: [], data: Float64Array.of(int) }, 'int')
    const list = floats ?? ints
    return list === undefined
      ? refuse('numbers', `a constant of ${Object.keys(call.attributes).join(', ')}`)
      : literal({ shape: [list.length], data: Float64Array.from(list) }, floats === undefined ? 'int' : 'float')
  }
}

/** A small file may ask for a large table. */
const mostLiteral = 2 ** 20

const constantOfShape: Row = {
  name: 'ConstantOfShape',
  fixed: [0],
  build: (call) => {
    const [shape, given] = [dimsAt(call, 0), tensor(call, 'value')]
    if (shape === undefined) return refuse('a shape that is known', 'one that is computed from data')
    const value = given?.tensor.data[0] ?? 0
    const kind = given === undefined ? 'float' : kindOf(given.dtype)
    const numbers = shape.reduce<number>((n, d) => (typeof d === 'number' ? n * d : Infinity), 1)
    if (!(numbers <= mostLiteral)) return constant(() => X.fill(shape, value), kind)
    return literal(
      tabulate(shape.map(Number), () => value),
      kind
    )
  }
}

const range: Row = {
  name: 'Range',
  fixed: [0, 1, 2],
  build: (call) => {
    const [start, limit, step] = [0, 1, 2].map((at) => knownAt(call, at)?.[0])
    if (start === undefined || limit === undefined || step === undefined) return refuse('ends that are known', 'others')
    const count = Math.max(Math.ceil((limit - start) / step), 0)
    if (!(count <= mostLiteral)) return refuse(`at most ${mostLiteral} numbers`, `${count}`)
    return literal(
      tabulate([count], (i) => start + i * step),
      call.inputs[0]?.kind ?? 'int'
    )
  }
}

// -------------------------------------------------------------------------------------
// sizes
// -------------------------------------------------------------------------------------

/** Sizes as a list of numbers, which the program knows where they have names. */
const sizes = (dims: ReadonlyArray<Dim>): Expr =>
  dims.length === 0
    ? X.zeros([0])
    : A.concat(
        dims.map((d) => X.reshape(X.size(d), [1])),
        0
      )

const shape: Row = {
  name: 'Shape',
  build: (call) => {
    const all = shapeAt(call)
    const held = (at: number): number => Math.min(Math.max(at < 0 ? at + all.length : at, 0), all.length)
    const dims = all.slice(held(number(call, 'start', 0)), held(number(call, 'end', all.length)))
    return dims.every((d) => typeof d === 'number')
      ? literal({ shape: [dims.length], data: Float64Array.from(dims) }, 'int')
      : constant(() => sizes(dims), 'int', dims)
  }
}

const sizeRow: Row = {
  name: 'Size',
  build: (call) => {
    const all = Sh.product(shapeAt(call))
    return typeof all === 'number'
      ? literal({ shape: [], data: Float64Array.of(all) }, 'int')
      : constant(() => X.size(all), 'int', [all])
  }
}

const casts: Readonly<Record<number, Kind>> = { 1: 'float', 9: 'bool', 10: 'float', 11: 'float', 16: 'float' }

const cast: Row = {
  name: 'Cast',
  build: (call) => {
    const [from, to] = [call.inputs[0]?.kind ?? 'float', casts[number(call, 'to', 1)] ?? 'int']
    const known = call.inputs[0]?.known
    if (to === 'bool' && from !== 'bool') {
      return constant(
        ([x = X.scalar(0)]) => X.sub(X.fill(x.shape, 1), X.equal<Shape, Shape>(x, X.zeros(x.shape))),
        'bool'
      )
    }
    if (to === 'int' && from === 'float') {
      // a whole number stays as it is, and others are cut where they are known
      return known === undefined
        ? refuse('floats, or numbers that are known', 'a cast of floats to whole numbers')
        : literal({ shape: known.shape, data: known.data.map(Math.trunc) }, 'int')
    }
    return E.right({
      apply: ([x = X.scalar(0)]) => ({ values: [x], back: ([bar = x]) => [from === 'float' ? bar : undefined] }),
      kinds: [to],
      dims: call.inputs[0]?.dims
    })
  }
}

// -------------------------------------------------------------------------------------
// looking up
// -------------------------------------------------------------------------------------

const gather: Row = {
  name: 'Gather',
  build: (call) => {
    const [from, at] = [shapeAt(call), shapeAt(call, 1)]
    const axis = A.axisOf(number(call, 'axis', 0), from.length)
    const size = A.length(from, axis)
    const places = knownAt(call, 1)?.map((i) => (i < 0 ? i + size : i))
    const result = [...from.slice(0, axis), ...at, ...from.slice(axis + 1)]
    const dims = call.inputs[0]?.dims
    if (typeof from[axis] === 'string') return refuse('an axis of literal size', `entries of ${Sh.show(from)}`)
    if (places !== undefined) {
      const outside = places.find((place) => place < 0 || place >= size)
      if (outside !== undefined) return refuse(`places below ${size}`, `${outside}`)
      const built = one((x) => [
        X.reshape<Shape>(A.pick(x, axis, places), result),
        (bar) => {
          const flat = X.reshape<Shape>(
            bar,
            x.shape.map((d, i) => (i === axis ? places.length : d))
          )
          const [start = 0] = places
          if (places.every((place, i) => place === start + i)) return [A.shift(flat, axis, start, size)]
          const taken = A.upTo(size).map((place) => places.map((one) => (one === place ? 1 : 0)))
          return [A.along(flat, axis, taken)]
        }
      ])
      return E.isRight(built) && dims !== undefined
        ? E.right({ ...built.right, dims: places.flatMap((place) => dims.slice(place, place + 1)) })
        : built
    }
    const count = Sh.product(at)
    return one((x, second = x) => {
      const flat = X.reshape<readonly [Dim]>(second, [count])
      const indices = X.select(X.less(flat, X.scalar(0)), X.add(flat, X.scalar(size)), flat)
      const rows: Expr = I.gather<Shape, number, Dim>(x, axis, indices)
      return [
        X.reshape<Shape>(rows, result),
        (bar) => {
          const spread = X.reshape<Shape>(
            bar,
            x.shape.map((d, i) => (i === axis ? count : d))
          )
          return [I.scatterAdd<Shape, number, Dim, number>(spread, axis, indices, size), undefined]
        }
      ]
    })
  }
}

const oneHot: Row = {
  name: 'OneHot',
  fixed: [1, 2],
  build: (call) => {
    const [at, depth, values] = [shapeAt(call), knownAt(call, 1)?.[0], knownAt(call, 2)]
    const [off = 0, on = 1] = values ?? []
    if (depth === undefined || values === undefined) return refuse('a depth and values that are known', 'others')
    const axis = A.axisOf(number(call, 'axis', -1), at.length + 1)
    const order = A.upTo(at.length + 1).map((i) => (i < axis ? i : i === axis ? at.length : i - 1))
    return constant(([x = X.scalar(0)]) => {
      const flat = X.reshape<readonly [Dim]>(x, [Sh.product(at)])
      const held = X.select(X.less(flat, X.scalar(0)), X.add(flat, X.scalar(depth)), flat)
      const rows: Expr = X.reshape<Shape>(I.oneHot(held, depth), [...at, depth])
      return A.permute(X.add(X.scale(rows, on - off), X.scalar(off)), order)
    }, 'float')
  }
}

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [constantRow, constantOfShape, range, shape, sizeRow, cast, gather, oneHot]
