/**
 * Positions in flat arrays as sums of whole numbers, so that what is known of them is used before any text is written:
 * which divisions are exact, and which positions begin a vector.
 *
 * @since 0.1.0
 */
import { strides as contiguous } from '../../tensor/Strides.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * `factor` times a whole number with a name, which is below `bound`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Multiple {
  readonly name: string
  readonly factor: number
  readonly bound: number
}

/**
 * `offset` and some multiples, none of them negative.
 *
 * @category model
 * @since 0.1.0
 */
export interface Position {
  readonly offset: number
  readonly terms: ReadonlyArray<Multiple>
}

/**
 * Names a whole number, so that it is computed once.
 *
 * @category model
 * @since 0.1.0
 */
export type Name = (value: string) => string

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A known position.
 *
 * @category constructors
 * @since 0.1.0
 */
export const at = (offset: number): Position => ({ offset, terms: [] })

/**
 * `factor` times a named number below `bound`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const multiple = (name: string, bound: number, factor = 1): Position => ({
  offset: 0,
  terms: bound <= 1 || factor === 0 ? [] : [{ name, factor, bound }]
})

// -------------------------------------------------------------------------------------
// combinators
// -------------------------------------------------------------------------------------

/**
 * The sum of positions.
 *
 * @category combinators
 * @since 0.1.0
 */
export const sum = (parts: ReadonlyArray<Position>): Position => {
  const terms = new Map<string, Multiple>()
  for (const term of parts.flatMap((part) => part.terms)) {
    const before = terms.get(term.name)
    terms.set(term.name, before === undefined ? term : { ...term, factor: term.factor + before.factor })
  }
  return { offset: parts.reduce((n, { offset }) => n + offset, 0), terms: [...terms.values()] }
}

/**
 * A position times a whole number that is not negative.
 *
 * @category combinators
 * @since 0.1.0
 */
export const scale = (position: Position, by: number): Position =>
  by === 0
    ? at(0)
    : {
        offset: position.offset * by,
        terms: position.terms.map((term) => ({ ...term, factor: term.factor * by }))
      }

/**
 * Do whole numbers of `by` lie below every value of the position?
 *
 * @category predicates
 * @since 0.1.0
 */
export const divides = (by: number, { offset, terms }: Position): boolean =>
  offset % by === 0 && terms.every(({ factor }) => factor % by === 0)

/**
 * The largest value of a position.
 *
 * @category utils
 * @since 0.1.0
 */
export const largest = ({ offset, terms }: Position): number =>
  terms.reduce((n, { factor, bound }) => n + factor * (bound - 1), offset)

/**
 * The whole part of a position by `by`, and what is left. Terms that `by` divides, and rests that are known to be less,
 * need no division at run time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const divide = (name: Name, position: Position, by: number): readonly [whole: Position, rest: Position] => {
  if (by === 1) return [position, at(0)]
  const whole = position.terms.filter(({ factor }) => factor % by === 0)
  const rest: Position = {
    offset: position.offset % by,
    terms: position.terms.filter(({ factor }) => factor % by !== 0)
  }
  const exact: Position = {
    offset: Math.floor(position.offset / by),
    terms: whole.map((term) => ({ ...term, factor: term.factor / by }))
  }
  if (largest(rest) < by) return [exact, rest]
  // by what divides all of them: a multiple of it stays known as one
  const unit = rest.terms.reduce((n, { factor }) => common(n, factor), by)
  const below = at(rest.offset % unit)
  const left = name(text(divided(sum([rest, at(-below.offset)]), unit)))
  const quotient = multiple(name(`${left} / ${by / unit}u`), Math.floor(largest(rest) / by) + 1)
  return [sum([exact, quotient]), sum([below, multiple(name(`${left} % ${by / unit}u`), by / unit, unit)])]
}

/** The largest number that divides both. */
const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b))

/**
 * A position that `by` divides, divided by it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const divided = ({ offset, terms }: Position, by: number): Position => ({
  offset: offset / by,
  terms: terms.map((term) => ({ ...term, factor: term.factor / by }))
})

/**
 * The indices over `dims` of a row-major position.
 *
 * @category combinators
 * @since 0.1.0
 */
export const indices = (name: Name, dims: ReadonlyArray<number>, position: Position): ReadonlyArray<Position> => {
  let rest = position
  return contiguous(dims).map((stride) => {
    const [index, left] = divide(name, rest, stride)
    rest = left
    return index
  })
}

/**
 * The position at which strides lead to from indices over `dims` that are themselves a row-major position: axes that lie
 * in memory as one are walked as one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const along = (
  name: Name,
  dims: ReadonlyArray<number>,
  strides: ReadonlyArray<number>,
  position: Position
): Position => {
  const runs: Array<{ size: number; stride: number }> = []
  dims.forEach((size, axis) => {
    if (size === 1) return
    const stride = strides[axis] ?? 0
    const last = runs.at(-1)
    if (last !== undefined && last.stride === stride * size) {
      last.size *= size
      last.stride = stride
    } else runs.push({ size, stride })
  })
  const found = indices(
    name,
    runs.map(({ size }) => size),
    position
  )
  return sum(found.map((index, i) => scale(index, runs[i]?.stride ?? 0)))
}

// -------------------------------------------------------------------------------------
// text
// -------------------------------------------------------------------------------------

/**
 * A position as an expression of WGSL.
 *
 * @category utils
 * @since 0.1.0
 */
export const text = ({ offset, terms }: Position): string => {
  const parts = terms.map(({ name, factor }) => (factor === 1 ? name : `${name} * ${factor}u`))
  const all = offset === 0 && parts.length > 0 ? parts : [...parts, `${offset}u`]
  const [only = '0u'] = all
  return all.length === 1 && !only.includes(' ') ? only : `(${all.join(' + ')})`
}
