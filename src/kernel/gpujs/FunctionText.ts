/**
 * Elementwise operations as text: of the JavaScript subset that gpu.js compiles on every mode, and of WGSL, for one
 * number or for a vector of them.
 *
 * The shading languages promise relative errors for sums, products, quotients, square roots, exp and log, but only
 * absolute ones for tanh, sin and cos: those, and erf, are computed from the former.
 *
 * @since 0.1.0
 */
import type { MapName } from '../../tensor/Op.js'
import { cosTail, erfFar, erfNear, halfPi, sinTail, tanhNear, tanhTail } from '../plan/Coefficients.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * Names a value, so that it is computed once.
 *
 * @category model
 * @since 0.1.0
 */
export type Define = (value: string) => string

/**
 * How a language writes what languages write differently: a known number, a call of a function that all have, a
 * comparison, and one of two values.
 *
 * @category model
 * @since 0.1.0
 */
export interface Dialect {
  readonly number: (value: number) => string
  readonly call: (name: CommonName, ...args: ReadonlyArray<string>) => string
  readonly compare: (a: string, operator: '<' | '>' | '=' | '!=', b: string) => string
  readonly choose: (condition: string, yes: string, no: string) => string
}

/**
 * The functions that all languages have under these names.
 *
 * @category model
 * @since 0.1.0
 */
export type CommonName = 'abs' | 'exp' | 'log' | 'sqrt' | 'floor' | 'max' | 'min'

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * A finite number as the text of a float. Rounded to f32 here, since compilers of shaders may round either way.
 *
 * @category utils
 * @since 0.1.0
 */
export const float = (value: number): string => {
  const rounded = Math.fround(value)
  const text = String(Math.abs(rounded))
  const positive = /[.e]/.test(text) ? text : `${text}.0`
  return rounded < 0 ? `(-${positive})` : positive
}

// -------------------------------------------------------------------------------------
// functions
// -------------------------------------------------------------------------------------

type Operation = (define: Define, a: string, b: string, c: string) => string

/**
 * The text of each elementwise operation in a language, given those of its arguments, which are names or literals.
 *
 * @category constructors
 * @since 0.1.0
 */
export const functionsIn = ({ number, call, compare, choose }: Dialect): Readonly<Record<MapName, Operation>> => {
  /** Horner's rule. */
  const polynomial = (coefficients: ReadonlyArray<number>, x: string): string =>
    coefficients.reduceRight((rest, c) => (rest === '' ? number(c) : `(${rest} * ${x} + ${number(c)})`), '')

  const signed = (magnitude: string, sign: string): string =>
    choose(compare(sign, '<', number(0)), `-(${magnitude})`, magnitude)

  /** An odd polynomial near 0, else 1 - 2 / (e^2|x| + 1) with the sign of x; 1 in f32 from 10 on. */
  const tanh: Operation = (define, x) => {
    const size = define(call('abs', x))
    const square = define(`${x} * ${x}`)
    const near = define(`${x} + ${x} * ${square} * ${polynomial(tanhTail, square)}`)
    const growth = define(call('exp', `${call('min', size, number(10))} * ${number(2)}`))
    const far = define(`${number(1)} - ${number(2)} / (${growth} + ${number(1)})`)
    return choose(compare(size, '<', number(tanhNear)), near, signed(far, x))
  }

  /** x P(x^2) up to 1, else 1 - e^-Q(|x|) with the sign of x. */
  const erf: Operation = (define, x) => {
    const size = define(call('min', call('abs', x), number(4)))
    const square = define(`${size} * ${size}`)
    const near = define(`${x} * ${polynomial(erfNear, square)}`)
    const far = define(`${number(1)} - ${call('exp', `-${polynomial(erfFar, size)}`)}`)
    return choose(compare(size, '<', number(1)), near, signed(far, x))
  }

  /** The sine of `x + quarters * pi / 2`: reduced to |r| <= pi / 4, then the quadrant picks polynomial and sign. */
  const sine = (define: Define, x: string, quarters: 0 | 1): string => {
    const half = number(0.5)
    const whole = define(call('floor', `${x} * ${number(2 / Math.PI)} + ${half}`))
    const reduced = halfPi.reduce((rest, part) => define(`${rest} - ${whole} * ${number(part)}`), x)
    // where the argument is so large that nothing is left of the reduction, the value still lies in [-1, 1]
    const r = define(call('max', call('min', reduced, number(0.79)), number(-0.79)))
    const square = define(`${r} * ${r}`)
    const odd = define(`${r} + ${r} * ${square} * ${polynomial(sinTail, square)}`)
    const even = define(`${number(1)} - ${square} * ${half} + ${square} * ${square} * ${polynomial(cosTail, square)}`)
    const quadrant = quarters === 0 ? whole : define(`${whole} + ${number(quarters)}`)
    const pairs = define(call('floor', `${quadrant} * ${half}`))
    const swap = define(`${quadrant} - ${pairs} * ${number(2)}`)
    const turns = define(call('floor', `${pairs} * ${half}`))
    const negative = define(`${pairs} - ${turns} * ${number(2)}`)
    const value = define(choose(compare(swap, '>', half), even, odd))
    return choose(compare(negative, '>', half), `-(${value})`, value)
  }

  const common =
    (name: CommonName): Operation =>
    (_define, a) =>
      call(name, a)

  const infix =
    (operator: string): Operation =>
    (_define, a, b) =>
      `(${a} ${operator} ${b})`

  const truth =
    (operator: '<' | '='): Operation =>
    (_define, a, b) =>
      choose(compare(a, operator, b), number(1), number(0))

  return {
    neg: (_define, a) => `(-(${a}))`,
    abs: common('abs'),
    exp: common('exp'),
    log: common('log'),
    tanh,
    sigmoid: (_define, a) => `(${number(1)} / (${number(1)} + ${call('exp', `-(${a})`)}))`,
    erf,
    sqrt: common('sqrt'),
    sin: (define, a) => sine(define, a, 0),
    cos: (define, a) => sine(define, a, 1),
    add: infix('+'),
    sub: infix('-'),
    mul: infix('*'),
    div: infix('/'),
    max: (_define, a, b) => call('max', a, b),
    min: (_define, a, b) => call('min', a, b),
    less: truth('<'),
    equal: truth('='),
    select: (_define, c, a, b) => choose(compare(c, '!=', number(0)), a, b)
  }
}

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

const operators = { '<': '<', '>': '>', '=': '===', '!=': '!==' } as const

/**
 * The operations in JavaScript.
 *
 * @category instances
 * @since 0.1.0
 */
export const functionText: Readonly<Record<MapName, Operation>> = /*#__PURE__*/ functionsIn({
  number: float,
  call: (name, ...args) => `Math.${name}(${args.join(', ')})`,
  compare: (a, operator, b) => `${a} ${operators[operator]} ${b}`,
  choose: (condition, yes, no) => `(${condition} ? ${yes} : ${no})`
})
