/**
 * What numbers that are no dimensions must be: strides, factors, groups, heads. Each says what is wrong, or nothing.
 *
 * @since 0.1.0
 */
import type { Shape, ShapeError } from './Shape.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * What is wrong with the numbers that an operation or a layer was given; nothing is wrong if there is none.
 *
 * @category model
 * @since 0.1.0
 */
export type Faults = ReadonlyArray<ShapeError>

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * One fault, in the words of every shape error: which operation, what it needed, what it got, what to do.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fault = (operation: string, expected: string, got: string, remedy: string): Faults => [
  { _tag: 'ShapeError', operation, expected, got, remedy }
]

/**
 * A number must be whole and at least `least`, 1 by default.
 *
 * @category constructors
 * @since 0.1.0
 */
export const whole = (operation: string, name: string, value: number, least = 1): Faults =>
  Number.isSafeInteger(value) && value >= least
    ? []
    : fault(operation, `${name}: a whole number of at least ${least}`, String(value), 'take such a number')

/**
 * A number must be whole, of either sign.
 *
 * @category constructors
 * @since 0.1.0
 */
export const integer = (operation: string, name: string, value: number): Faults =>
  Number.isSafeInteger(value) ? [] : fault(operation, `${name}: a whole number`, String(value), 'round it')

/**
 * A number must be finite.
 *
 * @category constructors
 * @since 0.1.0
 */
export const finite = (operation: string, name: string, value: number): Faults =>
  Number.isFinite(value) ? [] : fault(operation, `${name}: a finite number`, String(value), 'take such a number')

// the largest finite number of f32
const largest = (2 - 2 ** -23) * 2 ** 127

/**
 * A number must be finite, in f32 too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const single = (operation: string, name: string, value: number): Faults =>
  Math.abs(value) <= largest
    ? []
    : fault(operation, `${name}: a finite number in f32`, String(value), 'take such a number')

/**
 * A number, infinite or not, must be at least another.
 *
 * @category constructors
 * @since 0.1.0
 */
export const atLeast = (operation: string, name: string, value: number, least: number): Faults =>
  value >= least ? [] : fault(operation, `${name}: a number of at least ${least}`, String(value), 'take such a number')

/**
 * A number must be at least one and at most another.
 *
 * @category constructors
 * @since 0.1.0
 */
export const between = (operation: string, name: string, value: number, least: number, most: number): Faults =>
  value >= least && value <= most
    ? []
    : fault(operation, `${name}: a number from ${least} to ${most}`, String(value), 'take such a number')

/**
 * Numbers at places must be finite, in f32 too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const finiteAt = (
  operation: string,
  name: string,
  values: ReadonlyArray<number>,
  remedy: string,
  from = 0
): Faults => {
  const at = values.findIndex((value, i) => i >= from && !(Math.abs(value) <= largest))
  return at < 0 ? [] : fault(operation, `${name} that are finite in f32`, `${values[at]} at step ${at}`, remedy)
}

/**
 * A number must be at least 0 and below 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fraction = (operation: string, name: string, value: number): Faults =>
  value >= 0 && value < 1
    ? []
    : fault(operation, `${name}: a number of at least 0 and below 1`, String(value), 'take such a number')

/**
 * A number must be whole, at least 1, and divide another: the groups divide the channels.
 *
 * @category constructors
 * @since 0.1.0
 */
export const divisor = (operation: string, name: string, value: number, what: string, total: number): Faults => {
  const faults = whole(operation, name, value)
  return faults.length > 0 || total % value === 0
    ? faults
    : fault(operation, `${name}: a divisor of the ${total} ${what}`, String(value), divisorsOf(total))
}

const divisorsOf = (total: number): string => {
  const few = Array.from({ length: 1024 }, (_, i) => i + 1).filter((n) => n <= total && total % n === 0)
  return few.length === 0 || few.length > 12 ? 'take a divisor' : `take one of ${few.join(', ')}`
}

/**
 * An option must be one number for all axes, or one for each.
 *
 * @category constructors
 * @since 0.1.0
 */
export const perAxis = (
  operation: string,
  name: string,
  option: number | ReadonlyArray<number>,
  rank: number
): Faults =>
  typeof option === 'number' || option.length === rank
    ? []
    : fault(
        operation,
        `${name}: one number, or ${rank}, one for each axis`,
        `[${option.join(', ')}]`,
        'give as many as there are axes of places'
      )

/**
 * An axis must be there and have a literal size that a factor divides.
 *
 * @category constructors
 * @since 0.1.0
 */
export const divided = (operation: string, name: string, value: number, shape: Shape, axis: number): Faults => {
  const faults = [...whole(operation, name, value), ...literal(operation, shape, axis)]
  const size = shape[axis]
  if (faults.length > 0 || typeof size !== 'number') return faults
  return divisor(operation, name, value, `entries of axis ${axis}`, size)
}

/**
 * An axis must be there and have a literal size.
 *
 * @category constructors
 * @since 0.1.0
 */
export const literal = (operation: string, shape: Shape, axis: number): Faults =>
  typeof shape[axis] === 'number'
    ? []
    : fault(
        operation,
        `an axis ${axis} of literal size`,
        `[${shape.join(', ')}]`,
        'count axes from 0, and give the size as a number'
      )
