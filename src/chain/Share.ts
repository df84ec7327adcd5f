/**
 * How much of an image is left at a time, as expressions: the schedules of the chains, inside of a program.
 *
 * @since 0.1.0
 */
import type { Rows } from '../lens/Rows.js'
import * as X from '../tensor/Expr.js'
import * as Schedule from './Schedule.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * How much of the data is left at each time: a schedule by name. `flow` is the straight path of flow matching,
 * `(1 - s) x_0 + s noise`, rescaled to unit variance.
 *
 * @category model
 * @since 0.1.0
 */
export type ShareName = 'cosine' | 'linear' | 'flow'

/**
 * The share of the data's variance and the share of the noise's, one number a row. They add to one; the noise's share
 * has its own formula, because one minus the data's share loses its digits near time 0.
 *
 * @category model
 * @since 0.1.0
 */
export interface Shares {
  readonly data: Rows<1>
  readonly noise: Rows<1>
}

// A noise share of 1e-6 belongs to a time below 0.001, before the first step of any chain of fewer than a thousand steps.
const leastNoise = 1e-6

/** Holds the noise's share above its least. */
const limit = (data: Rows<1>, noise: Rows<1>): Shares => ({
  data: X.min(data, X.scalar(1 - leastNoise)),
  noise: X.max(noise, X.scalar(leastNoise))
})

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * The shares of the cosine schedule at times in [0, 1], as in `Schedule.cosineShare`. With
 * `a = (u + s) / (1 + s) pi / 2` and `b` its value at 0, the data's share is `cos^2 a / cos^2 b` and the noise's is
 * `sin(a - b) sin(a + b) / cos^2 b`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const cosine = (time: Rows<1>): Shares => {
  const rate = Math.PI / 2 / 1.008
  const offset = 0.008 * rate
  const norm = 1 / Math.cos(offset) ** 2
  const angle = X.scale(time, rate)
  const cosA = X.cos(X.add(angle, X.scalar(offset)))
  const noise = X.scale(X.mul(X.sin(angle), X.sin(X.add(angle, X.scalar(2 * offset)))), norm)
  // `Schedule.leastShare`
  const least = X.add(X.scale(time, -1e-4), X.scalar(2e-4))
  return limit(
    X.max(X.scale(X.mul(cosA, cosA), norm), least),
    X.min(noise, X.sub(X.broadcastTo(X.scalar(1), time.shape), least))
  )
}

/**
 * The shares of the linear-beta schedule at times in [0, 1], as in `Schedule.linearShare`: with `b` the integral of
 * beta, `exp(-b)` for the data and, for the noise, `1 - exp(-b) = 2 h / (1 + h)` with `h = tanh(b / 2)`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const linear = (time: Rows<1>): Shares => {
  const half = X.scale(X.add(X.scale(time, 0.1), X.scale(X.mul(time, time), 19.9 / 2)), 0.5)
  const h = X.tanh(half)
  return limit(X.exp(X.scale(half, -2)), X.div(X.scale(h, 2), X.add(h, X.scalar(1))))
}

/**
 * The shares on the straight path of flow matching (Lipman et al., arXiv 2210.02747; Liu et al., arXiv 2209.03003) at times
 * in [0, 1]: of `(1 - s) x_0 + s noise`, rescaled to unit variance, `(1 - s)^2 / ((1 - s)^2 + s^2)` and
 * `s^2 / ((1 - s)^2 + s^2)`, at least `Schedule.leastShare` for the data.
 *
 * @category constructors
 * @since 0.1.0
 */
export const flow = (time: Rows<1>): Shares => {
  const one = X.broadcastTo(X.scalar(1), time.shape)
  const rest = X.sub(one, time)
  const data = X.mul(rest, rest)
  const noise = X.mul(time, time)
  const total = X.add(data, noise)
  const least = X.add(X.scale(time, -1e-4), X.scalar(2e-4))
  return limit(X.max(X.div(data, total), least), X.min(X.div(noise, total), X.sub(one, least)))
}

/**
 * The share of the data on the straight path at time `u`, as in `flow`.
 *
 * @category utils
 * @since 0.1.0
 */
export const flowShare = (u: number): number => Math.max((1 - u) ** 2 / ((1 - u) ** 2 + u ** 2), Schedule.leastShare(u))

/**
 * The shares by the name of the schedule.
 *
 * @category constructors
 * @since 0.1.0
 */
export const shares: Readonly<Record<ShareName, (time: Rows<1>) => Shares>> = { cosine, linear, flow }

/**
 * The schedule of `T` steps by the name of its shares: what a chain of a denoiser is given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schedules: Readonly<Record<ShareName, (T: number) => Schedule.Schedule>> = {
  cosine: Schedule.cosine,
  linear: Schedule.linear,
  flow: /*#__PURE__*/ Schedule.fromShare(flowShare)
}
