/**
 * Convolutions of signals, images and clips, channels last.
 *
 * A convolution is a contraction over sliding windows of the padded argument; windows are views, so that no window is
 * ever copied. Its two adjoints are contractions over windows too: of the argument with the cotangent, and of the
 * cotangent with the weight in opposite order. With a stride `s` the latter splits into one small convolution for each of
 * the `s` phases of the positions along an axis, so that no zero is multiplied (the transposed convolution by parts).
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as I from '../../tensor/Indexing.js'
import * as Need from '../../tensor/Need.js'
import type { Shape } from '../../tensor/Shape.js'
import * as L from '../Lens.js'
import type { Lens } from '../Lens.js'
import { gathered, spread } from '../Spread.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A batch of images: height, width, channels.
 *
 * @category model
 * @since 0.1.0
 */
export type Images<C extends number> = Expr<readonly ['batch', number, number, C]>

/**
 * A batch of signals: length, channels.
 *
 * @category model
 * @since 0.1.0
 */
export type Signals<C extends number> = Expr<readonly ['batch', number, C]>

/**
 * A batch of clips: frames, height, width, channels.
 *
 * @category model
 * @since 0.1.0
 */
export type Clips<C extends number> = Expr<readonly ['batch', number, number, number, C]>

/**
 * The parameters of a convolution: a weight `[...window, inputs, outputs]` and a bias `[outputs]`.
 *
 * @category model
 * @since 0.1.0
 */
export type Convolution<W extends Shape, O extends number> = {
  readonly weight: Expr<W>
  readonly bias: Expr<readonly [O]>
}

/**
 * How a window moves, one number for all axes or one an axis.
 *
 * - `size`: entries of a window. Default: 3.
 * - `stride`: entries between windows. Default: 1.
 * - `padding`: zeros before and after. Default: half the size, rounded down, so that an odd window with stride 1 keeps
 *   the size of the axis.
 * - `gain`: scales the initial standard deviation `gain / sqrt(entries of a window times inputs)`. Default: 1.
 *
 * @category model
 * @since 0.1.0
 */
export interface Options {
  readonly size?: number | ReadonlyArray<number>
  readonly stride?: number | ReadonlyArray<number>
  readonly padding?: number | ReadonlyArray<number>
  readonly gain?: number
}

/**
 * The window along one axis: its entries, the entries between windows, and the zeros before and after.
 *
 * @category model
 * @since 0.1.0
 */
export interface Axis {
  readonly size: number
  readonly stride: number
  readonly padding: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The convolution of a batch of signals, `[batch, length, inputs] -> [batch, positions, outputs]`, where an axis of `d`
 * entries has `floor((d + 2 padding - size) / stride) + 1` positions.
 *
 * @category constructors
 * @since 0.1.0
 */
export const conv1d = <I extends number, O extends number>(
  inputs: I,
  outputs: O,
  options: Options = {}
): Lens<Convolution<readonly [number, I, O], O>, Signals<I>, Signals<O>> => convolution(1, inputs, outputs, options)

/**
 * The convolution of a batch of images, `[batch, height, width, inputs] -> [batch, ..., outputs]`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const conv2d = <I extends number, O extends number>(
  inputs: I,
  outputs: O,
  options: Options = {}
): Lens<Convolution<readonly [number, number, I, O], O>, Images<I>, Images<O>> =>
  convolution(2, inputs, outputs, options)

/**
 * The convolution of a batch of clips, `[batch, frames, height, width, inputs] -> [batch, ..., outputs]`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const conv3d = <I extends number, O extends number>(
  inputs: I,
  outputs: O,
  options: Options = {}
): Lens<Convolution<readonly [number, number, number, I, O], O>, Clips<I>, Clips<O>> =>
  convolution(3, inputs, outputs, options)

const convolution = <W extends Shape, O extends number, A extends Expr, B extends Expr>(
  rank: number,
  inputs: number,
  outputs: O,
  options: Options
): Lens<Convolution<W, O>, A, B> => {
  const faults = faultsOf(rank, options)
  const axes = axesOf(rank, faults.length === 0 ? options : {})
  const window = axes.map(({ size }) => size)
  const deviation = (options.gain ?? 1) / Math.sqrt(window.reduce((n, d) => n * d, inputs))
  const shape = [...window, inputs, outputs]
  const parameters = { weight: L.parameter(shape, deviation), bias: L.parameter([outputs]) }
  const lens = L.make<Convolution<W, O>, A, B>(parameters, ({ weight, bias }, x) => {
    const { y, back } = convolve(x, weight, axes)
    // the ranks and channels of `W`, `A` and `B` are those that `conv1d` to `conv3d` declare
    const value = X.add<Shape, Shape>(y, spread(bias, y.shape)) as B
    return [
      value,
      (bar) => {
        const bars = back(bar)
        // it has the shape of `x`, whatever that is
        return [{ weight: X.retype(bars.weight, weight.shape), bias: gathered(bar, bias.shape) }, bars.x as A]
      }
    ]
  })
  return L.refused(faults)(lens)
}

/**
 * A convolution of `x`, `[batch, ...places, inputs]`, with a weight `[...window, inputs, outputs]`, one `Axis` for each axis of
 * places, whatever their number; and from a cotangent of the value to those of weight and argument.
 *
 * @category combinators
 * @since 0.1.0
 */
export const convolve = (
  x: Expr,
  weight: Expr,
  axes: ReadonlyArray<Axis>
): { readonly y: Expr; readonly back: (bar: Expr) => { readonly weight: Expr; readonly x: Expr } } => {
  const windows = windowsOf(x, axes)
  const labels = labelsOf(axes.length)
  return {
    y: contract(labels.forward, windows, weight),
    back: (bar) => ({
      weight: contract(labels.weight, windows, bar),
      x: X.retype(transposed(bar, weight, x.shape, axes), x.shape)
    })
  }
}

// -------------------------------------------------------------------------------------
// windows
// -------------------------------------------------------------------------------------

/** What is wrong with the window: each number is whole, and there is one for all axes or one for each. */
const faultsOf = (rank: number, { size = 3, stride = 1, padding = 0, gain = 1 }: Options): Need.Faults => {
  const name = `conv${rank}d`
  const each = (of: string, option: number | ReadonlyArray<number>, least: number): Need.Faults =>
    (typeof option === 'number' ? [option] : option).flatMap((value) => Need.whole(name, of, value, least))
  return [
    ...Need.perAxis(name, 'size', size, rank),
    ...each('size', size, 1),
    ...Need.perAxis(name, 'stride', stride, rank),
    ...each('stride', stride, 1),
    ...Need.perAxis(name, 'padding', padding, rank),
    ...each('padding', padding, 0),
    ...Need.finite(name, 'gain', gain)
  ]
}

const axesOf = (rank: number, { size = 3, stride = 1, padding }: Options): ReadonlyArray<Axis> =>
  Array.from({ length: rank }, (_, i) => {
    const at = (option: number | ReadonlyArray<number>): number =>
      typeof option === 'number' ? option : (option[i] ?? 1)
    return { size: at(size), stride: at(stride), padding: at(padding ?? Math.floor(at(size) / 2)) }
  })

/** The labels of a convolution and of its two adjoints, where `b` is the batch, `x` the inputs and `y` the outputs. */
const labelsOf = (rank: number): { readonly forward: string; readonly weight: string; readonly argument: string } => {
  const [positions, places] = ['pqr'.slice(0, rank), 'klm'.slice(0, rank)]
  const windows = [...positions].map((position, i) => `${position}${places[i] ?? ''}`).join('')
  return {
    forward: `b${windows}x,${places}xy->b${positions}y`,
    weight: `b${windows}x,b${positions}y->${places}xy`,
    argument: `b${windows}y,${places}yx->b${positions}x`
  }
}

const contract = (labels: string, a: Expr, b: Expr): Expr => X.einsum<string, Shape, Shape>(labels, a, b)

const length = (shape: Shape, axis: number): number => {
  const d = shape[axis]
  return typeof d === 'number' ? d : 0
}

/** All windows of the padded argument. The last axis is windowed first, so that the others keep their places. */
const windowsOf = (x: Expr, axes: ReadonlyArray<Axis>): Expr =>
  axes.reduceRight<Expr>(
    (windows, { size, stride, padding }, i) => {
      const positions = Math.floor((length(x.shape, i + 1) + 2 * padding - size) / stride) + 1
      return X.window<Shape, number, number, number>(windows, i + 1, positions, size, { stride })
    },
    axes.reduce<Expr>(
      (padded, { padding }, i) =>
        I.shift<Shape, number, number>(padded, i + 1, padding, length(x.shape, i + 1) + 2 * padding),
      x
    )
  )

/**
 * The adjoint of a convolution in its argument, of the given shape. Entry `s i + r` of the padded axis takes from position
 * `i - t` its cotangent times the weight at place `r + s t`: for each phase `r`, windows of the cotangent against every
 * `s`-th place in opposite order.
 */
const transposed = (bar: Expr, weight: Expr, shape: Shape, axes: ReadonlyArray<Axis>): Expr => {
  const phases = (i: number, windows: Expr, part: Expr): Expr => {
    const axis = axes[axes.length - 1 - i]
    if (axis === undefined) return contract(labelsOf(axes.length).argument, windows, part)
    // the last axis first, as in `windowsOf`
    const at = axes.length - i
    const { size, stride, padding } = axis
    const entries = length(shape, at)
    const first = Math.floor(padding / stride)
    const positions = Math.ceil((padding + entries) / stride) - first
    const each = Array.from({ length: stride }, (_, phase): Expr => {
      const taps = Math.ceil((size - phase) / stride)
      if (taps <= 0) return X.zeros(shape.map((d, j) => (j < at ? d : (positionsAt(j) ?? d))))
      const moved = I.shift<Shape, number, number>(windows, at, taps - 1 - first, positions + taps - 1)
      const places = Array.from({ length: taps }, (__, u) => phase + stride * (taps - 1 - u))
      return phases(
        i + 1,
        X.window<Shape, number, number, number>(moved, at, positions, taps),
        I.pick<Shape, number>(part, at - 1, places)
      )
    })
    return I.shift<Shape, number, number>(interleave(each, at), at, first * stride - padding, entries)
  }
  const positionsAt = (j: number): number | undefined => {
    const axis = axes[j - 1]
    return axis && Math.ceil((axis.padding + length(shape, j)) / axis.stride) - Math.floor(axis.padding / axis.stride)
  }
  return phases(0, bar, X.permute<Shape, ReadonlyArray<number>>(weight, swapped(axes.length)))
}

/** The permutation that swaps the last two axes of a weight. */
const swapped = (rank: number): ReadonlyArray<number> => [...Array(rank).keys(), rank + 1, rank]

/** Entry `i` of phase `r` becomes entry `phases i + r`. */
const interleave = (phases: ReadonlyArray<Expr>, axis: number): Expr => {
  const [first] = phases
  if (first === undefined || phases.length === 1) return first ?? X.scalar(0)
  const [before, d, after] = [first.shape.slice(0, axis), length(first.shape, axis), first.shape.slice(axis + 1)]
  const raised = phases.map((phase): Expr => X.reshape(phase, [...before, d, 1, ...after]))
  const joined: Expr = X.concat<Shape, number>(raised, axis + 1)
  return X.reshape(joined, [...before, d * phases.length, ...after])
}
