/**
 * Convolutions and their transposes, channels first.
 *
 * @since 0.1.0
 */
import * as Convolution from '../../lens/layer/Convolution.js'
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Sh from '../../tensor/Shape.js'
import type { Shape } from '../../tensor/Shape.js'
import * as A from '../graph/Axes.js'
import { type Call, number, numbers, one, refuse, type Row, shapeAt, word } from '../graph/Operator.js'
import { fold, reach, unfold, type Windows, windowsOf } from '../graph/Windows.js'

type Run = (x: Expr, weight: Expr) => readonly [Expr, (bar: Expr) => readonly [Expr, Expr]]

/** A run with a bias for each channel. */
const biased =
  (run: Run) =>
  (x: Expr, weight: Expr = x, bias?: Expr): readonly [Expr, (bar: Expr) => ReadonlyArray<Expr | undefined>] => {
    const [value, back] = run(x, weight)
    const channels = (vector: Expr): Expr =>
      X.broadcastTo(
        X.reshape<Shape>(
          vector,
          value.shape.map((d, i) => (i === 1 ? d : 1))
        ),
        value.shape
      )
    const summed = (bar: Expr, vector: Expr): Expr =>
      X.reshape<Shape>(
        A.sum(
          bar,
          bar.shape.flatMap((_, i) => (i === 1 ? [] : [i]))
        ),
        vector.shape
      )
    return [
      bias === undefined ? value : X.add(value, channels(bias)),
      (bar) => [...back(bar), bias && summed(bar, bias)]
    ]
  }

const literal = (shape: Shape): ReadonlyArray<number> => shape.filter((d) => typeof d === 'number')

// -------------------------------------------------------------------------------------
// convolution
// -------------------------------------------------------------------------------------

/** Channels last, as the layers of this library are, whose kernels are fast: the orders are views. */
const plain =
  (windows: ReadonlyArray<Windows>): Run =>
  (x, weight) => {
    const rank = windows.length
    const places = A.upTo(rank).map((i) => i + 2)
    const [last, flipped] = [
      [0, ...places, 1],
      [...places, 1, 0]
    ]
    const even = windows.every(({ before, after }) => before === after)
    const axes = windows.map(({ size, stride, before }) => ({ size, stride, padding: even ? before : 0 }))
    const image = even
      ? x
      : windows.reduce((sofar, one, i) => A.shift(sofar, i + 2, one.before, one.entries + one.before + one.after), x)
    const { y, back } = Convolution.convolve(A.permute(image, last), A.permute(weight, flipped), axes)
    return [
      A.unpermute(y, last),
      (bar) => {
        const bars = back(A.permute(bar, last))
        const xBar = A.unpermute(bars.x, last)
        return [
          even ? xBar : windows.reduce((sofar, one, i) => A.shift(sofar, i + 2, -one.before, one.entries), xBar),
          A.unpermute(bars.weight, flipped)
        ]
      }
    ]
  }

/** One letter a position and one a place of a window, for up to three axes. */
const lettersOf = (
  rank: number
): { readonly unfolded: string; readonly positions: string; readonly places: string } => {
  const [positions, places] = ['pqr'.slice(0, rank), 'ijk'.slice(0, rank)]
  return { positions, places, unfolded: [...positions].map((p, i) => `${p}${places[i] ?? ''}`).join('') }
}

/** Channels in groups, each with its own part of the weight, and windows of any dilation. */
const general =
  (windows: ReadonlyArray<Windows>, groups: number): Run =>
  (x, weight) => {
    const { unfolded, positions, places } = lettersOf(windows.length)
    const [n = 1, c, ...image] = x.shape
    const [o, ...kernel] = weight.shape
    const apart: Shape = [n, groups, Number(c) / groups, ...image]
    const w = X.reshape<Shape>(weight, [groups, Number(o) / groups, ...kernel])
    const taken = unfold(X.reshape<Shape>(x, apart), 3, windows)
    const [inside, part, out] = [`bgx${unfolded}`, `gyx${places}`, `bgy${positions}`]
    const value = A.einsum(`${inside},${part}->${out}`, taken, w)
    const result: Shape = [n, o ?? 1, ...windows.map((one) => one.positions)]
    return [
      X.reshape<Shape>(value, result),
      (bar) => {
        const g = X.reshape<Shape>(bar, value.shape)
        const xBar = fold(A.einsum(`${out},${part}->${inside}`, g, w), 3, windows)
        const wBar = A.einsum(`${inside},${out}->${part}`, taken, g)
        return [X.reshape<Shape>(xBar, x.shape), X.reshape<Shape>(wBar, weight.shape)]
      }
    ]
  }

const conv: Row = {
  name: 'Conv',
  build: (call) => {
    const [shape, weight] = [shapeAt(call), shapeAt(call, 1)]
    const [channels, ...places] = literal(shape.slice(1))
    const [, inputs = 0, ...kernel] = literal(weight)
    const groups = number(call, 'group', 1)
    if (channels !== inputs * groups || places.length !== kernel.length || places.length > 3 || places.length === 0) {
      return refuse(
        'channels and one to three axes of literal size, as the weight has',
        `${Sh.show(shape)} and ${Sh.show(weight)} in ${groups} groups`
      )
    }
    const windows = windowsOf(call, places, kernel)
    const small = windows.find(({ positions }) => positions < 1)
    if (small !== undefined) return refuse(`an axis of ${reach(small)} entries`, Sh.show(shape))
    const simple = groups === 1 && windows.every(({ dilation }) => dilation === 1)
    return one(biased(simple ? plain(windows) : general(windows, groups)))
  }
}

// -------------------------------------------------------------------------------------
// transposed convolution
// -------------------------------------------------------------------------------------

/** The windows whose adjoint spreads `entries` numbers: `entries` of the windows' are its result, and its entries are positions. */
const spreading = (
  call: Call,
  positions: ReadonlyArray<number>,
  sizes: ReadonlyArray<number>
): ReadonlyArray<Windows> => {
  const [strides, dilations, more] = [
    numbers(call, 'strides'),
    numbers(call, 'dilations'),
    numbers(call, 'output_padding')
  ]
  const [pads, asked, mode] = [numbers(call, 'pads'), numbers(call, 'output_shape'), word(call, 'auto_pad', 'NOTSET')]
  return positions.map((count, i) => {
    const one = { size: sizes[i] ?? 1, stride: strides?.[i] ?? 1, dilation: dilations?.[i] ?? 1 }
    const whole = (count - 1) * one.stride + reach(one) + (more?.[i] ?? 0)
    const same = mode === 'SAME_UPPER' || mode === 'SAME_LOWER'
    const wanted = asked?.[asked.length - positions.length + i] ?? (same ? count * one.stride : undefined)
    const total = wanted === undefined ? 0 : whole - wanted
    const [less, rest] = [Math.floor(total / 2), Math.ceil(total / 2)]
    const [before, after] =
      wanted === undefined
        ? mode === 'VALID'
          ? [0, 0]
          : [pads?.[i] ?? 0, pads?.[positions.length + i] ?? 0]
        : mode === 'SAME_UPPER'
          ? [less, rest]
          : [rest, less]
    return { entries: whole - before - after, positions: count, before, after, ...one }
  })
}

const convTranspose: Row = {
  name: 'ConvTranspose',
  build: (call) => {
    const [shape, weight] = [shapeAt(call), shapeAt(call, 1)]
    const [channels, ...places] = literal(shape.slice(1))
    const [inputs, outputs = 0, ...kernel] = literal(weight)
    const groups = number(call, 'group', 1)
    if (channels !== inputs || places.length !== kernel.length || places.length > 3 || places.length === 0) {
      return refuse(
        'channels and one to three axes of literal size, as the weight has',
        `${Sh.show(shape)} and ${Sh.show(weight)}`
      )
    }
    const windows = spreading(call, places, kernel)
    const { unfolded, positions, places: inside } = lettersOf(places.length)
    return one(
      biased((x, w) => {
        const [n = 1] = x.shape
        const part: Shape = [groups, (inputs ?? 0) / groups, outputs, ...kernel]
        const input = X.reshape<Shape>(x, [n, groups, (inputs ?? 0) / groups, ...places])
        const weights = X.reshape<Shape>(w, part)
        const [own, of, spread] = [`bgx${positions}`, `gxy${inside}`, `bgy${unfolded}`]
        const value = fold(A.einsum(`${own},${of}->${spread}`, input, weights), 3, windows)
        return [
          X.reshape<Shape>(value, [n, groups * outputs, ...windows.map(({ entries }) => entries)]),
          (bar) => {
            const g = unfold(X.reshape<Shape>(bar, value.shape), 3, windows)
            return [
              X.reshape<Shape>(A.einsum(`${spread},${of}->${own}`, g, weights), x.shape),
              X.reshape<Shape>(A.einsum(`${own},${spread}->${of}`, input, g), w.shape)
            ]
          }
        ]
      })
    )
  }
}

/**
 * The rows of this family.
 *
 * @category rows
 * @since 0.1.0
 */
export const rows: ReadonlyArray<Row> = [conv, convTranspose]
