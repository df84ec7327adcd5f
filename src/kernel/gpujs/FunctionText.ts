/**
 * Elementwise operations as text of the JavaScript subset that gpu.js compiles on every mode.
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

/** Horner's rule. */
const polynomial = (coefficients: ReadonlyArray<number>, x: string): string =>
  coefficients.reduceRight((rest, c) => (rest === '' ? float(c) : `(${rest} * ${x} + ${float(c)})`), '')

// -------------------------------------------------------------------------------------
// functions
// -------------------------------------------------------------------------------------

const signed = (magnitude: string, sign: string): string => `(${sign} < 0.0 ? -(${magnitude}) : ${magnitude})`

/** An odd polynomial near 0, else 1 - 2 / (e^2|x| + 1) with the sign of x; 1 in f32 from 10 on. */
const tanh = (define: Define, x: string): string => {
  const size = define(`Math.abs(${x})`)
  const square = define(`${x} * ${x}`)
  const near = define(`${x} + ${x} * ${square} * ${polynomial(tanhTail, square)}`)
  const growth = define(`Math.exp(Math.min(${size}, 10.0) * 2.0)`)
  const far = define(`1.0 - 2.0 / (${growth} + 1.0)`)
  return `(${size} < ${float(tanhNear)} ? ${near} : ${signed(far, x)})`
}

/** x P(x^2) up to 1, else 1 - e^-Q(|x|) with the sign of x. */
const erf = (define: Define, x: string): string => {
  const size = define(`Math.min(Math.abs(${x}), 4.0)`)
  const square = define(`${size} * ${size}`)
  const near = define(`${x} * ${polynomial(erfNear, square)}`)
  const far = define(`1.0 - Math.exp(-${polynomial(erfFar, size)})`)
  return `(${size} < 1.0 ? ${near} : ${signed(far, x)})`
}

/** The sine of `x + quarters * pi / 2`: reduced to |r| <= pi / 4, then the quadrant picks polynomial and sign. */
const sine = (define: Define, x: string, quarters: 0 | 1): string => {
  const whole = define(`Math.floor(${x} * ${float(2 / Math.PI)} + 0.5)`)
  const reduced = halfPi.reduce((rest, part) => define(`${rest} - ${whole} * ${float(part)}`), x)
  // where the argument is so large that nothing is left of the reduction, the value still lies in [-1, 1]
  const r = define(`Math.max(Math.min(${reduced}, 0.79), (-0.79))`)
  const square = define(`${r} * ${r}`)
  const odd = define(`${r} + ${r} * ${square} * ${polynomial(sinTail, square)}`)
  const even = define(`1.0 - ${square} * 0.5 + ${square} * ${square} * ${polynomial(cosTail, square)}`)
  const quadrant = quarters === 0 ? whole : define(`${whole} + ${quarters}`)
  const pairs = define(`Math.floor(${quadrant} * 0.5)`)
  const swap = define(`${quadrant} - ${pairs} * 2`)
  const turns = define(`Math.floor(${pairs} * 0.5)`)
  const negative = define(`${pairs} - ${turns} * 2`)
  const value = define(`(${swap} > 0.5 ? ${even} : ${odd})`)
  return `(${negative} > 0.5 ? -(${value}) : ${value})`
}

// -------------------------------------------------------------------------------------
// instances
// -------------------------------------------------------------------------------------

type Operation = (define: Define, a: string, b: string, c: string) => string

const call =
  (name: string): Operation =>
  (_define, a) =>
    `Math.${name}(${a})`

const infix =
  (operator: string): Operation =>
  (_define, a, b) =>
    `(${a} ${operator} ${b})`

const truth =
  (operator: string): Operation =>
  (_define, a, b) =>
    `(${a} ${operator} ${b} ? 1.0 : 0.0)`

/**
 * The text of each elementwise operation, given those of its arguments, which are names or literals.
 *
 * @category instances
 * @since 0.1.0
 */
export const functionText: Readonly<Record<MapName, Operation>> = {
  neg: (_define, a) => `(-(${a}))`,
  abs: call('abs'),
  exp: call('exp'),
  log: call('log'),
  tanh,
  sigmoid: (_define, a) => `(1.0 / (1.0 + Math.exp(-(${a}))))`,
  erf,
  sqrt: call('sqrt'),
  sin: (define, a) => sine(define, a, 0),
  cos: (define, a) => sine(define, a, 1),
  add: infix('+'),
  sub: infix('-'),
  mul: infix('*'),
  div: infix('/'),
  max: (_define, a, b) => `Math.max(${a}, ${b})`,
  min: (_define, a, b) => `Math.min(${a}, ${b})`,
  less: truth('<'),
  equal: truth('==='),
  select: (_define, c, a, b) => `(${c} !== 0.0 ? ${a} : ${b})`
}
