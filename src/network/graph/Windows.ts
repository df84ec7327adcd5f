/**
 * Windows of images with channels first, as operators of graphs have them: dilated, unequally padded, and in groups.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as I from '../../tensor/Indexing.js'
import type { Shape } from '../../tensor/Shape.js'
import * as A from './Axes.js'
import { type Call, number, numbers, word } from './Operator.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Windows along an axis of `entries`: `positions` of them with `size` entries each, `dilation` apart, one every `stride` entries, on
 * the axis with `before` and `after` more entries at its ends.
 *
 * @category model
 * @since 0.1.0
 */
export interface Windows {
  readonly entries: number
  readonly positions: number
  readonly size: number
  readonly stride: number
  readonly dilation: number
  readonly before: number
  readonly after: number
}

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/** The entries from the first to the last of a window. @category utils @since 0.1.0 */
export const reach = ({ size, dilation }: Pick<Windows, 'size' | 'dilation'>): number => (size - 1) * dilation + 1

/** Entries at both ends that keep the number of positions at `entries / stride`, the odd one at one end. */
const same = (
  entries: number,
  one: Pick<Windows, 'size' | 'dilation' | 'stride'>,
  late: boolean
): readonly [number, number] => {
  const positions = Math.ceil(entries / one.stride)
  const total = Math.max((positions - 1) * one.stride + reach(one) - entries, 0)
  const [less, more] = [Math.floor(total / 2), Math.ceil(total / 2)]
  return late ? [less, more] : [more, less]
}

/**
 * The windows of a node over axes of the given lengths. `whole` takes a last window that only begins inside.
 *
 * @category constructors
 * @since 0.1.0
 */
export const windowsOf = (
  call: Call,
  entries: ReadonlyArray<number>,
  sizes: ReadonlyArray<number>
): ReadonlyArray<Windows> => {
  const mode = word(call, 'auto_pad', 'NOTSET')
  const [pads, strides, dilations] = [numbers(call, 'pads'), numbers(call, 'strides'), numbers(call, 'dilations')]
  const ceil = number(call, 'ceil_mode', 0) === 1
  return entries.map((length, i) => {
    const one = { size: sizes[i] ?? 1, stride: strides?.[i] ?? 1, dilation: dilations?.[i] ?? 1 }
    const [before, after] =
      mode === 'SAME_UPPER' || mode === 'SAME_LOWER'
        ? same(length, one, mode === 'SAME_UPPER')
        : mode === 'VALID'
          ? [0, 0]
          : [pads?.[i] ?? 0, pads?.[entries.length + i] ?? 0]
    const steps = (length + before + after - reach(one)) / one.stride
    const most = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1
    // a window begins inside the axis or before it
    const positions = ceil && (most - 1) * one.stride >= length + before ? most - 1 : most
    return { entries: length, positions, before, after, ...one }
  })
}

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/** How long an axis has to be for its windows. */
const spanOf = ({ positions, stride, ...one }: Windows): number => (positions - 1) * stride + reach(one)

/**
 * The windows of the axes from `first` on: each becomes two, position and place. What is padded is `value`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const unfold = (x: Expr, first: number, windows: ReadonlyArray<Windows>, value = 0): Expr => {
  const padded = windows.reduce((sofar, one, i) => padTo(sofar, first + i, one.before, spanOf(one), value), x)
  return windows.reduceRight<Expr>(
    (sofar, { positions, size, stride, dilation }, i) =>
      X.window<Shape, number, number, number>(sofar, first + i, positions, size, {
        stride: stride,
        dilation: dilation
      }),
    padded
  )
}

const padTo = (x: Expr, axis: number, before: number, length: number, value: number): Expr => {
  if (value === 0) return A.shift(x, axis, before, length)
  const size = A.length(x.shape, axis)
  const after = length - before - size
  const fill = (count: number): ReadonlyArray<Expr> =>
    count > 0
      ? [
          X.fill(
            x.shape.map((d, i) => (i === axis ? count : d)),
            value
          )
        ]
      : []
  const kept = after < 0 ? A.slice(x, axis, 0, size + after) : x
  return A.concat([...fill(before), kept, ...fill(after)], axis)
}

/**
 * Adds windows up where they overlap, and drops what lies in the padding: the adjoint of `unfold`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fold = (bar: Expr, first: number, windows: ReadonlyArray<Windows>): Expr =>
  windows.reduce<Expr>((sofar, one, i) => {
    const { entries, before, stride, dilation } = one
    const whole: Expr = I.overlapAdd<Shape, number>(sofar, first + i, spanOf(one), stride, dilation)
    return A.shift(whole, first + i, -before, entries)
  }, bar)

/** The axes of the places of windows that were unfolded from `first` on. @category utils @since 0.1.0 */
export const placesOf = (first: number, windows: ReadonlyArray<Windows>): ReadonlyArray<number> =>
  windows.map((_, i) => first + 2 * i + 1)
