/**
 * Average pooling and nearest-neighbour upsampling of signals, images and clips, channels last.
 *
 * @since 0.1.0
 */
import * as X from '../../tensor/Expr.js'
import type { Expr } from '../../tensor/Expr.js'
import * as Need from '../../tensor/Need.js'
import type { Shape } from '../../tensor/Shape.js'
import type { Clips, Images, Signals } from './Convolution.js'
import * as L from '../Lens.js'
import type { Lens, None } from '../Lens.js'

/**
 * One factor for all axes, or one an axis.
 *
 * @category model
 * @since 0.1.0
 */
export type Factor = number | ReadonlyArray<number>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * Means of blocks of `factor` entries, `[batch, length, C] -> [batch, length / factor, C]`; the length must be a multiple.
 *
 * @category constructors
 * @since 0.1.0
 */
export const averagePool1d = <C extends number>(factor: Factor): Lens<None, Signals<C>, Signals<C>> =>
  averagePool(1, factor)

/**
 * Means of blocks of `factor x factor` pixels, each side a multiple of its factor.
 *
 * @category constructors
 * @since 0.1.0
 */
export const averagePool2d = <C extends number>(factor: Factor): Lens<None, Images<C>, Images<C>> =>
  averagePool(2, factor)

/**
 * Means of blocks of frames and pixels, each side a multiple of its factor.
 *
 * @category constructors
 * @since 0.1.0
 */
export const averagePool3d = <C extends number>(factor: Factor): Lens<None, Clips<C>, Clips<C>> =>
  averagePool(3, factor)

/**
 * Each entry `factor` times in a row, `[batch, length, C] -> [batch, length factor, C]`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const upsample1d = <C extends number>(factor: Factor): Lens<None, Signals<C>, Signals<C>> => upsample(1, factor)

/**
 * Each pixel as a block of `factor x factor`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const upsample2d = <C extends number>(factor: Factor): Lens<None, Images<C>, Images<C>> => upsample(2, factor)

/**
 * Each entry as a block of frames and pixels.
 *
 * @category constructors
 * @since 0.1.0
 */
export const upsample3d = <C extends number>(factor: Factor): Lens<None, Clips<C>, Clips<C>> => upsample(3, factor)

// `blocks` and `repeats` keep the rank and the channels, which is all that `A` says: its sizes are not literal
const averagePool = <A extends Expr>(rank: number, factor: Factor): Lens<None, A, A> => {
  const name = `averagePool${rank}d`
  const factors = factorsOf(rank, factor)
  const weight = 1 / factors.reduce((n, d) => n * d, 1)
  return L.pure((x) => {
    const faults = [
      ...Need.perAxis(name, 'factor', factor, rank),
      ...factors.flatMap((one, i) => Need.divided(name, 'factor', one, x.shape, i + 1))
    ]
    return faults.length > 0
      ? [X.ill<Shape>([x], pooled(x.shape, factors), faults) as A, (bar) => X.ill<Shape>([bar], x.shape, faults) as A]
      : [
          X.scale(blocks(x, factors), weight) as A,
          (bar) => X.retype(X.scale(repeats(bar, factors), weight), x.shape) as A
        ]
  })
}

/** The places that would be there, for what comes after. */
const pooled = (shape: Shape, factors: ReadonlyArray<number>): Shape =>
  shape.map((d, i) => (typeof d === 'number' ? Math.floor(d / Math.max(factors[i - 1] ?? 1, 1)) : d))

const upsample = <A extends Expr>(rank: number, factor: Factor): Lens<None, A, A> => {
  const name = `upsample${rank}d`
  const factors = factorsOf(rank, factor)
  return L.pure((x) => {
    const faults = [
      ...Need.perAxis(name, 'factor', factor, rank),
      ...factors.flatMap((one, i) => [...Need.whole(name, 'factor', one), ...Need.literal(name, x.shape, i + 1)])
    ]
    return faults.length > 0
      ? [X.ill<Shape>([x], x.shape, faults) as A, (bar) => X.ill<Shape>([bar], x.shape, faults) as A]
      : [repeats(x, factors) as A, (bar) => X.retype(blocks(bar, factors), x.shape) as A]
  })
}

const factorsOf = (rank: number, factor: Factor): ReadonlyArray<number> =>
  Array.from({ length: rank }, (_, i) => (typeof factor === 'number' ? factor : (factor[i] ?? 1)))

/** Axis `i + 1` in blocks of `factors[i]` entries: `[batch, h / f, f, w / g, g, C]`. */
const blocks = (x: Expr, factors: ReadonlyArray<number>): Expr => {
  const shape = x.shape.flatMap((d, i): Shape => {
    const factor = factors[i - 1]
    return factor === undefined || typeof d !== 'number' ? [d] : [d / factor, factor]
  })
  return X.sum<Shape, ReadonlyArray<number>>(
    X.reshape(x, shape),
    factors.map((_, i) => 2 * i + 2)
  )
}

const repeats = (x: Expr, factors: ReadonlyArray<number>): Expr => {
  const split = (of: (d: number, factor: number) => Shape): Shape =>
    x.shape.flatMap((d, i): Shape => {
      const factor = factors[i - 1]
      return factor === undefined || typeof d !== 'number' ? [d] : of(d, factor)
    })
  const repeated = X.broadcastTo(
    X.reshape(
      x,
      split((d) => [d, 1])
    ),
    split((d, factor) => [d, factor])
  )
  return X.reshape(
    repeated,
    split((d, factor) => [d * factor])
  )
}
