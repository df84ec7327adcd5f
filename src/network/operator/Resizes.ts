/**
 * Images in another size: nearest, linear and cubic.
 *
 * Each axis is mapped by itself, by a matrix of literal numbers from its entries to the new ones, whose transpose is the adjoint.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as I from '../../tensor/Indexing.js'
import type { Dim, Shape } from '../../tensor/Shape.js'
import * as Sh from '../../tensor/Shape.js'
import * as A from '../graph/Axes.js'
import {
  type Call,
  dimsAt,
  knownAt,
  linear,
  number,
  numbers,
  one,
  refuse,
  type Row,
  shapeAt,
  word
} from '../graph/Operator.js'

/** An axis: its entries, those of the result, how many times as long it is, and the part that is looked at. */
interface Axis {
  readonly axis: number
  readonly entries: number
  readonly result: number
  readonly scale: number
  readonly from: number
  readonly to: number
}

// -------------------------------------------------------------------------------------
// places
// -------------------------------------------------------------------------------------

/** Where in the argument the entry `i` of the result is. Of an axis that ends between two entries the whole length counts. */
const placeOf = (mode: string, { entries, result, scale, from, to }: Axis, i: number): number => {
  switch (mode) {
    case 'asymmetric':
      return i / scale
    case 'align_corners':
      return result > 1 ? (i * (entries - 1)) / (result - 1) : 0
    case 'pytorch_half_pixel':
      return result > 1 ? (i + 0.5) / scale - 0.5 : 0
    case 'half_pixel_symmetric': {
      const offset = (entries / 2) * (1 - result / (entries * scale))
      return offset + (i + 0.5) / scale - 0.5
    }
    case 'tf_crop_and_resize':
      return result > 1
        ? from * (entries - 1) + (i * (to - from) * (entries - 1)) / (result - 1)
        : 0.5 * (from + to) * (entries - 1)
    default:
      return (i + 0.5) / scale - 0.5
  }
}

const nearest: Readonly<Record<string, (place: number) => number>> = {
  floor: Math.floor,
  ceil: Math.ceil,
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5)
}

const tent = (t: number): number => Math.max(1 - Math.abs(t), 0)

/** The cubic kernel of Keys with the parameter `a`. */
const cubic =
  (a: number) =>
  (t: number): number => {
    const x = Math.abs(t)
    if (x <= 1) return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1
    return x < 2 ? a * (x ** 3 - 5 * x ** 2 + 8 * x - 4) : 0
  }

/** How much of each entry an entry of the result has. */
const rowOf = (call: Call, axis: Axis, place: number): ReadonlyArray<number> => {
  const { entries, scale } = axis
  const row = new Array<number>(entries).fill(0)
  const held = (at: number): number => Math.min(Math.max(at, 0), entries - 1)
  const mode = word(call, 'mode', 'nearest')
  if (mode === 'nearest') {
    const round = nearest[word(call, 'nearest_mode', call.opset < 11 ? 'floor' : 'round_prefer_floor')] ?? Math.floor
    row[held(round(place))] = 1
    return row
  }
  const kernel = mode === 'cubic' ? cubic(number(call, 'cubic_coeff_a', -0.75)) : tent
  // what is made smaller is looked at through a wider kernel, if that is asked for
  const width = number(call, 'antialias', 0) === 1 ? Math.min(scale, 1) : 1
  const radius = Math.ceil((mode === 'cubic' ? 2 : 1) / width) + 1
  const base = Math.floor(place)
  const taps = A.upTo(2 * radius + 1).map((i) => base - radius + i)
  const outside = number(call, 'exclude_outside', 0) === 1
  const shares = taps.map((at) => (outside && (at < 0 || at >= entries) ? 0 : kernel((at - place) * width)))
  const total = shares.reduce((sum, share) => sum + share, 0)
  taps.forEach((at, i) => (row[held(at)] = (row[held(at)] ?? 0) + (shares[i] ?? 0) / total))
  return row
}

// -------------------------------------------------------------------------------------
// resizing
// -------------------------------------------------------------------------------------

/** An upsampling that repeats each entry is one view. */
const factorOf = (matrix: ReadonlyArray<ReadonlyArray<number>>): number | undefined => {
  const factor = matrix.length / (matrix[0]?.length ?? 1)
  return Number.isInteger(factor) && matrix.every((row, i) => row[Math.floor(i / factor)] === 1) ? factor : undefined
}

const axesOf = (call: Call, scales: ReadonlyArray<number> | undefined, sizes: ReadonlyArray<Dim> | undefined) => {
  const shape = shapeAt(call)
  const axes = numbers(call, 'axes')?.map((axis) => A.axisOf(axis, shape.length)) ?? A.upTo(shape.length)
  const roi = knownAt(call, 1) ?? []
  const policy = word(call, 'keep_aspect_ratio_policy', 'stretch')
  const sizeOf = (i: number): number => A.length(sizes ?? [], i)
  // an axis whose size has a name may keep it
  const ratios = axes.map((axis, i) => (sizes?.[i] === shape[axis] ? 1 : sizeOf(i) / A.length(shape, axis)))
  const common = policy === 'not_larger' ? Math.min(...ratios) : Math.max(...ratios)
  return axes.map((axis, i): Axis => {
    const entries = A.length(shape, axis)
    const kept = sizes !== undefined && policy !== 'stretch'
    const scale = scales?.[i] ?? (kept ? common : (ratios[i] ?? 1))
    const result =
      scales !== undefined
        ? Math.floor(entries * scale)
        : kept
          ? Math.round(entries * common)
          : sizes === undefined
            ? entries
            : sizeOf(i)
    return { axis, entries, result, scale, from: roi[i] ?? 0, to: roi[axes.length + i] ?? 1 }
  })
}

/** One for each entry of the result that is outside of the argument, along one axis. */
const outsideOf = (mode: string, axis: Axis): ReadonlyArray<boolean> =>
  A.upTo(axis.result).map((i) => {
    const place = placeOf(mode, axis, i)
    return mode === 'tf_crop_and_resize' && (place < 0 || place > axis.entries - 1)
  })

const resizing = (
  call: Call,
  mode: string,
  scales: ReadonlyArray<number> | undefined,
  sizes: ReadonlyArray<Dim> | undefined
) => {
  const shape = shapeAt(call)
  const all = axesOf(call, scales, sizes).filter((one) => typeof shape[one.axis] !== 'string' || one.scale !== 1)
  const named = all.find((one) => typeof shape[one.axis] === 'string')
  if (named !== undefined)
    return refuse('axes of literal size', `a new size for axis ${named.axis} of ${Sh.show(shape)}`)
  const large = all.find(({ entries, result }) => !(entries * result <= 2 ** 24))
  if (large !== undefined)
    return refuse('at most 2^24 pairs of an old and a new entry', `${large.entries} and ${large.result}`)
  const maps = all
    .map((axis) => ({
      axis: axis.axis,
      outside: outsideOf(mode, axis),
      matrix: A.upTo(axis.result).map((i) => rowOf(call, axis, placeOf(mode, axis, i)))
    }))
    .filter(({ matrix }) => factorOf(matrix) !== 1)
    .map((one) => ({ ...one, factor: factorOf(one.matrix) }))
  const value = number(call, 'extrapolation_value', 0)
  const mask = (x: Expr): Expr | undefined => {
    if (!maps.some(({ outside }) => outside.includes(true))) return undefined
    return maps.reduce<Expr>(
      (inside, { axis, outside }) => {
        const data = Float64Array.from(outside, (out) => (out ? 0 : 1))
        const vector = X.constant({ shape: [data.length], data }, [data.length])
        return X.mul(
          inside,
          X.broadcastTo(
            X.reshape<Shape>(
              vector,
              x.shape.map((d, i) => (i === axis ? d : 1))
            ),
            x.shape
          )
        )
      },
      X.fill(x.shape, 1)
    )
  }
  const up = (x: Expr): Expr =>
    maps.reduce<Expr>(
      (sofar, { axis, matrix, factor }) =>
        factor === undefined ? A.along(sofar, axis, matrix) : I.upsample<Shape, number>(sofar, axis, factor),
      x
    )
  const down = (bar: Expr): Expr =>
    maps.reduceRight<Expr>(
      (sofar, { axis, matrix, factor }) =>
        factor === undefined
          ? A.along(sofar, axis, A.transposed(matrix))
          : I.blockSum<Shape, number>(sofar, axis, factor),
      bar
    )
  if (!maps.some(({ outside }) => outside.includes(true))) return linear(up, down)
  return one((x) => {
    const y = up(x)
    const inside = mask(y) ?? X.fill(y.shape, 1)
    return [X.select(inside, y, X.fill(y.shape, value)), (bar) => [down(X.mul(bar, inside))]]
  })
}

const resize: Row = {
  name: 'Resize',
  fixed: [1, 2, 3],
  build: (call) => {
    const old = call.opset < 11
    const some = <T>(values: ReadonlyArray<T> | undefined): ReadonlyArray<T> | undefined =>
      values === undefined || values.length === 0 ? undefined : values
    const scales = some(knownAt(call, old ? 1 : 2))
    const sizes = old ? undefined : some(dimsAt(call, 3))
    if (scales === undefined && sizes === undefined) return refuse('scales or sizes that are known', 'others')
    return resizing(
      call,
      word(call, 'coordinate_transformation_mode', old ? 'asymmetric' : 'half_pixel'),
      scales,
      sizes
    )
  }
}

const upsample: Row = {
  name: 'Upsample',
  fixed: [1],
  build: (call) => {
    const scales = numbers(call, 'scales') ?? knownAt(call, 1)
    return scales === undefined
      ? refuse('scales that are known', 'others')
      : resizing({ ...call, opset: 9 }, 'asymmetric', scales, undefined)
  }
}

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [resize, upsample]
