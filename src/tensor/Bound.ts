/**
 * How far an f32 device may be from the exact value, where numbers leave the range of f32 too: a bound is `Infinity` where a
 * device may give infinities, or no number, and 0 where it gives the infinity that it should.
 *
 * @since 0.1.0
 */
import { type Accuracy, type MapName, maps, type Triple, underflow, unitRoundoff } from './Op.js'

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/** From here on numbers round to infinity: half a unit past the largest of f32. */
const overflow = (2 - 2 ** -24) * 2 ** 127

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * The distance of two numbers; none between equal infinities.
 *
 * @category utils
 * @since 0.1.0
 */
export const apart = (a: number, b: number): number => (Object.is(a, b) || a === b ? 0 : Math.abs(a - b))

/** An error that stands where a device can be trusted to have a number at all. */
const fit = (value: number, error: number): number => (Math.abs(value) + error < overflow ? error : Infinity)

// -------------------------------------------------------------------------------------
// bounds
// -------------------------------------------------------------------------------------

/**
 * Of a number that is given: it is rounded to f32, and below the normal range it may be lost.
 *
 * @category bounds
 * @since 0.1.0
 */
export const ofGiven = (x: number): number =>
  Math.max(apart(x, Math.fround(x)), Math.abs(x) < underflow ? Math.abs(x) : 0)

/**
 * Of an elementwise operation, from its arguments, their bounds, and its exact value.
 *
 * @category bounds
 * @since 0.1.0
 */
export const ofMap = (name: MapName, x: Triple, e: Triple, value: number, accuracy: Accuracy): number => {
  const { arity, bound } = maps[name]
  const error = bound(x, e, value, accuracy)
  // what chooses or moves a number gives the infinities that it is given
  if (passing.has(name)) return Number.isNaN(error) ? Infinity : error
  const [ex, ey] = e
  if (ex === Infinity || (arity > 1 && ey === Infinity) || Number.isNaN(value)) return Infinity
  const infinite = Math.abs(value) === Infinity || x.some((one, i) => i < arity && Math.abs(one) === Infinity)
  return infinite ? (certain(name, x, e) ? 0 : Infinity) : fit(value, error)
}

const passing: ReadonlySet<MapName> = new Set(['neg', 'abs', 'max', 'min', 'less', 'equal', 'select'])

/** Does an operation with an infinity in it come out the same, wherever its arguments are within their bounds? */
const certain = (name: MapName, [a, b]: Triple, [ea, eb]: Triple): boolean => {
  if (ea === 0 && eb === 0) return true
  const sure = (x: number, error: number): boolean => Math.abs(x) < Infinity || error === 0
  if (!sure(a, ea) || !sure(b, eb)) return false
  // one of the two is infinite, and the other finite
  if (name === 'add' || name === 'sub') return Math.abs(a) === Infinity || Math.abs(b) === Infinity
  if (name === 'mul') return Math.abs(a) > ea && Math.abs(b) > eb
  return name === 'div' && (Math.abs(b) === Infinity || (Math.abs(a) === Infinity && Math.abs(b) > eb))
}

/**
 * Of a sum of `n` terms in any order, each a product of two where it is that of a contraction: `value`, the sum of the
 * absolute terms that are finite, and the sum of what the terms may be off by.
 *
 * @category bounds
 * @since 0.1.0
 */
export const ofSum = (n: number, value: number, magnitude: number, carried: number, { rounding }: Accuracy): number => {
  const units = (n + 1) * rounding * unitRoundoff
  const error = carried + (units / (1 - units)) * (magnitude + carried) + n * underflow
  const held = fit(magnitude, error)
  if (Number.isFinite(value)) return held
  // an infinite term makes the sum so, if the others can not
  return Number.isNaN(value) || held === Infinity ? Infinity : 0
}
