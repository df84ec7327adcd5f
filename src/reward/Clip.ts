/**
 * Rewards of clips, whose rows are frames one after the other: `[batch, frames * size]`, with `size` numbers in a frame.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import * as L from '../lens/Lens.js'
import type { None, Params } from '../lens/Lens.js'
import type { PerRow } from '../lens/layer/Loss.js'
import * as X from '../tensor/Expr.js'
import * as Tree from '../tensor/Tree.js'
import type { Exprs } from '../tensor/Tree.js'
import { conditional, differentiable, jumpingAs, type Differentiable } from './Reward.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How rows are divided into frames.
 *
 * @category model
 * @since 0.1.0
 */
export interface Frames {
  readonly frames: number
  readonly size: number
}

/**
 * Eight frames of 16 x 16 RGB pixels.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultFrames: Frames = { frames: 8, size: 768 }

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The difference in time of the given order, 0 for no difference: `x[t + 1] - x[t]`, that of that, and so on, with its
 * pullback. `frames` must be greater than the order.
 */
const differences = (
  x: Rows<number>,
  { frames, size }: Frames,
  order: number
): readonly [value: Rows<number>, pullback: (bar: Rows<number>) => Rows<number>] => {
  if (order === 0) return [x, (bar) => bar]
  const [before, back] = differences(x, { frames, size }, order - 1)
  const whole = (frames - order + 1) * size
  const kept = whole - size
  const value = X.sub(X.slice(before, 1, size, kept), X.slice(before, 1, 0, kept))
  return [
    X.retype(value, ['batch', kept]),
    (bar) => back(X.retype(X.sub(X.pad(bar, 1, size, whole), X.pad(bar, 1, 0, whole)), ['batch', whole]))
  ]
}

/** The mean over a row of an elementwise function of the differences, with the function's derivative. */
const meanOf = (
  name: string,
  clip: Frames,
  order: number,
  f: (d: Rows<number>) => Rows<number>,
  derivative: (d: Rows<number>) => Rows<number>
): Differentiable<None, readonly ['batch', number], Exprs> => {
  const width = Math.max(clip.frames - order, 0) * clip.size
  // a clip of no more frames than the order has no differences: its mean is 0
  if (width === 0) {
    return differentiable<None, readonly ['batch', number]>(
      name,
      L.pure((x) => [X.zeros(['batch']), () => X.zeros(x.shape)])
    )
  }
  return differentiable<None, readonly ['batch', number]>(
    name,
    L.pure((rows) => {
      const x = X.retype(rows, ['batch', clip.frames * clip.size])
      const [d, back] = differences(x, clip, order)
      const value = X.scale(X.sum<readonly ['batch', number], [1]>(f(d), [1]), 1 / width)
      return [
        X.retype(value, ['batch']),
        (bar) => back(X.mul(X.broadcastTo(X.reshape(X.scale(bar, 1 / width), ['batch', 1]), d.shape), derivative(d)))
      ]
    })
  )
}

/**
 * Smoothness of motion: minus the mean over pixels of the squared second difference in time, `x[t + 1] - 2 x[t] + x[t - 1]`. 0
 * for what stands still or moves evenly in the space of pixels, below 0 for what jerks.
 *
 * @category constructors
 * @since 0.1.0
 */
export const smoothness = (clip: Frames = defaultFrames): Differentiable<None, readonly ['batch', number], Exprs> =>
  meanOf(
    'smoothness of motion',
    clip,
    2,
    (d) => X.neg(X.mul(d, d)),
    (d) => X.scale(d, -2)
  )

/**
 * Dynamic degree: the mean over pixels of the absolute first difference in time, 0 for a still. It is what smoothness alone
 * would remove. Its derivative is 0 where a pixel does not change.
 *
 * @category constructors
 * @since 0.1.0
 */
export const dynamicDegree = (clip: Frames = defaultFrames): Differentiable<None, readonly ['batch', number], Exprs> =>
  meanOf(
    'dynamic degree',
    clip,
    1,
    (d) => X.abs(d),
    (d) => {
      const zero = X.zeros(d.shape)
      return X.sub(X.less(zero, d), X.less(d, zero))
    }
  )

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The mean over a clip's frames of a reward of images.
 *
 * @category combinators
 * @since 0.1.0
 */
export const meanOverFrames = <P extends Params, C extends Exprs>(
  { frames, size }: Frames,
  reward: Differentiable<P, readonly ['batch', number], C>
): Differentiable<P, readonly ['batch', number], C> =>
  jumpingAs([reward])(
    conditional<P, readonly ['batch', number], C>(
      `mean over frames of ${reward.name}`,
      (condition) => {
        const lens = reward.lens(condition)
        return L.make(reward.shapes, (p, clip) => {
          const x = X.retype(clip, ['batch', frames * size])
          const first = lens.run(p, X.retype(X.slice(x, 1, 0, size), ['batch', size]))
          const rest = Array.from({ length: frames - 1 }, (_, i) =>
            lens.run(p, X.retype(X.slice(x, 1, (i + 1) * size, size), ['batch', size]))
          )
          const value = rest.reduce<PerRow>((sum, [one]) => X.add(sum, one), first[0])
          return [
            X.scale(value, 1 / frames),
            (bar) => {
              const scaled = X.scale(bar, 1 / frames)
              const [firstP, firstX] = first[1](scaled)
              const backs = rest.map(([, back]) => back(scaled))
              return [
                backs.reduce<P>((sum, [pBar]) => Tree.add(sum, pBar), firstP),
                X.retype(X.concat([firstX, ...backs.map(([, xBar]) => xBar)], 1), ['batch', frames * size])
              ]
            }
          ]
        })
      },
      reward.shapes,
      reward.parameters
    )
  )
