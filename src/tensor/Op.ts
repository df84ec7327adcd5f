/**
 * The primitives of the tensor language: what a node of an expression does to its arguments, and, for elementwise
 * operations, one row each of meaning, kernel text and forward error.
 *
 * @since 0.1.0
 */
import type { Shape, ShapeError } from './Shape.js'
import type { Tensor } from './Tensor.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * The names of the elementwise operations. Comparisons answer 1 or 0; `select(c, a, b)` is `a` where `c` is not 0.
 *
 * @category model
 * @since 0.1.0
 */
export type MapName =
  | 'neg'
  | 'abs'
  | 'exp'
  | 'log'
  | 'tanh'
  | 'sigmoid'
  | 'erf'
  | 'sqrt'
  | 'sin'
  | 'cos'
  | 'add'
  | 'sub'
  | 'mul'
  | 'div'
  | 'max'
  | 'min'
  | 'less'
  | 'equal'
  | 'select'

/**
 * How a reduction combines the elements along its axes.
 *
 * @category model
 * @since 0.1.0
 */
export type ReduceName = 'sum' | 'max' | 'min'

/**
 * What one node does. Its arguments and its shape are kept beside it, in the node.
 *
 * - `Input`: a named input of the program. `Scalar`: a literal. `Constant`: a literal tensor. `Size`: the bound size of
 *   a named dimension, as a scalar.
 * - `Map`: an elementwise operation on arguments of equal shape. `Reduce`: over axes, which disappear.
 * - `Contract`: a sum of products over the labels that the result lacks, e.g. `['ij', 'jk', 'ik']`.
 * - `Reshape`, `Permute`, `Broadcast`, `Slice` (of one axis; its length is the node's), `Pad` (with zeros): views.
 * - `Window`: the axis becomes two, position and place in the window: entry `(p, s)` is entry `p stride + s dilation`.
 * - `Take`: one entry along an axis, by a run-time index. `Concat`: along an axis.
 * - `Invalid`: a node that could not be built; the error comes out when the program is closed.
 *
 * @category model
 * @since 0.1.0
 */
export type Op =
  | { readonly _tag: 'Input'; readonly name: string }
  | { readonly _tag: 'Scalar'; readonly value: number }
  | { readonly _tag: 'Constant'; readonly value: Tensor }
  | { readonly _tag: 'Size'; readonly dim: string }
  | { readonly _tag: 'Map'; readonly name: MapName }
  | { readonly _tag: 'Reduce'; readonly name: ReduceName; readonly axes: ReadonlyArray<number> }
  | { readonly _tag: 'Contract'; readonly labels: readonly [string, string, string] }
  | { readonly _tag: 'Reshape' }
  | { readonly _tag: 'Permute'; readonly permutation: ReadonlyArray<number> }
  | { readonly _tag: 'Broadcast' }
  | { readonly _tag: 'Slice'; readonly axis: number; readonly start: number }
  | { readonly _tag: 'Pad'; readonly axis: number; readonly before: number; readonly after: number }
  | { readonly _tag: 'Window'; readonly axis: number; readonly stride: number; readonly dilation: number }
  | { readonly _tag: 'Take'; readonly axis: number }
  | { readonly _tag: 'Concat'; readonly axis: number }
  | { readonly _tag: 'Invalid'; readonly error: ShapeError }

/**
 * One elementwise operation.
 *
 * - `meaning`: its value in f64.
 * - `source`: its text in the JavaScript subset that gpu.js compiles.
 * - `bound`: how far an f32 device's value may lie from the exact one, given the argument values, how far each of
 *   them may be off, and the exact value. Forward error analysis (Higham, *Accuracy and Stability of Numerical
 *   Algorithms*, 2002, chapter 3), with the error of the device's own function in `functionError`.
 *
 * @category model
 * @since 0.1.0
 */
export interface MapRow {
  readonly arity: 1 | 2 | 3
  readonly meaning: (a: number, b: number, c: number) => number
  readonly source: (a: string, b: string, c: string) => string
  readonly bound: (args: Triple, errors: Triple, value: number) => number
}

/**
 * Three numbers; unused ones are 0.
 *
 * @category model
 * @since 0.1.0
 */
export type Triple = readonly [number, number, number]

/**
 * A node with the shape it was built with. Kept apart from the typed expression so that interpreters need no types.
 *
 * @category model
 * @since 0.1.0
 */
export interface Node {
  readonly op: Op
  readonly args: ReadonlyArray<Node>
  readonly shape: Shape
}

// -------------------------------------------------------------------------------------
// constants
// -------------------------------------------------------------------------------------

/**
 * Half a unit in the last place of f32: the relative error of one rounding.
 *
 * @category constants
 * @since 0.1.0
 */
export const unitRoundoff: number = 2 ** -24

/**
 * The largest relative error allowed to a device's exp, log, tanh, sigmoid, erf, sin or cos at an exact argument, in
 * units of `unitRoundoff`. The polynomials of the webasm target stay within it; tests measure them.
 *
 * @category constants
 * @since 0.1.0
 */
export const functionError = 8

// below the normal range f32 loses relative precision, so every operation may also be off by this much
const underflow = 2 ** -126

const rounded = (error: number, value: number, units = 1): number =>
  error + units * unitRoundoff * (Math.abs(value) + error) + underflow

// -------------------------------------------------------------------------------------
// the table
// -------------------------------------------------------------------------------------

/**
 * The error function to f64 precision: the Maclaurin series for small arguments, a continued fraction for large ones
 * (Abramowitz and Stegun, 7.1.5 and 7.1.14).
 *
 * @category utils
 * @since 0.1.0
 */
export const erf = (x: number): number => {
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  if (z < 2.5) {
    let term = z
    let total = z
    for (let n = 1; n < 80; n++) {
      term *= (-z * z) / n
      total += term / (2 * n + 1)
    }
    return (Math.sign(x) * 2 * total) / Math.sqrt(Math.PI)
  }
  let fraction = 0
  for (let k = 100; k >= 1; k--) fraction = k / 2 / (z + fraction)
  return Math.sign(x) * (1 - Math.exp(-z * z) / (Math.sqrt(Math.PI) * (z + fraction)))
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

const unary = (
  meaning: (a: number) => number,
  source: (a: string) => string,
  bound: (a: number, error: number, value: number) => number
): MapRow => ({
  arity: 1,
  meaning: (a) => meaning(a),
  source: (a) => source(a),
  bound: ([a], [e], value) => bound(a, e, value)
})

const binary = (
  meaning: (a: number, b: number) => number,
  source: (a: string, b: string) => string,
  bound: (a: number, b: number, ea: number, eb: number, value: number) => number
): MapRow => ({
  arity: 2,
  meaning: (a, b) => meaning(a, b),
  source: (a, b) => source(a, b),
  bound: ([a, b], [ea, eb], value) => bound(a, b, ea, eb, value)
})

/** A call of one of the functions that gpu.js maps on every mode. */
const call =
  (name: string) =>
  (a: string): string =>
    `Math.${name}(${a})`

/** The text of erf by Abramowitz and Stegun 7.1.26, whose absolute error is 1.5e-7. */
const erfSource = (a: string): string => {
  const t = `(1.0 / (1.0 + 0.3275911 * Math.abs(${a})))`
  const p = `((((1.061405429 * ${t} - 1.453152027) * ${t} + 1.421413741) * ${t} - 0.284496736) * ${t} + 0.254829592)`
  const tail = `${p} * ${t} * Math.exp(-(${a}) * (${a}))`
  return `(${a} < 0.0 ? ${tail} - 1.0 : 1.0 - ${tail})`
}

/**
 * Every elementwise operation, one row each.
 *
 * @category the table
 * @since 0.1.0
 */
export const maps: Readonly<Record<MapName, MapRow>> = {
  neg: unary(
    (a) => -a,
    (a) => `(-(${a}))`,
    (_a, e) => e
  ),
  abs: unary(Math.abs, call('abs'), (_a, e) => e),
  exp: unary(Math.exp, call('exp'), (a, e, v) => rounded(v * Math.expm1(e), v, functionError + Math.abs(a))),
  log: unary(Math.log, call('log'), (a, e, v) =>
    rounded(e >= a ? Infinity : -Math.log1p(-e / a), Math.max(Math.abs(v), 1), functionError)
  ),
  tanh: unary(Math.tanh, call('tanh'), (_a, e, v) => rounded(Math.min(e, 2), v, functionError)),
  sigmoid: unary(
    sigmoid,
    (a) => `(1.0 / (1.0 + Math.exp(-(${a}))))`,
    (a, e, v) => rounded(Math.min(e / 4, 1), v, functionError + Math.abs(a))
  ),
  erf: unary(erf, erfSource, (_a, e, v) => rounded(Math.min(1.1283791670955126 * e + 1.5e-7, 2), v, functionError)),
  sqrt: unary(Math.sqrt, call('sqrt'), (a, e, v) =>
    rounded(e === 0 ? 0 : Math.max(v - Math.sqrt(Math.max(a - e, 0)), Math.sqrt(a + e) - v), v, 3)
  ),
  // device sine and cosine are accurate to an absolute, not a relative, error, which grows with the argument
  sin: unary(Math.sin, call('sin'), (a, e) => rounded(Math.min(e, 2), Math.max(1, Math.abs(a)), functionError)),
  cos: unary(Math.cos, call('cos'), (a, e) => rounded(Math.min(e, 2), Math.max(1, Math.abs(a)), functionError)),
  add: binary(
    (a, b) => a + b,
    (a, b) => `(${a} + ${b})`,
    (_a, _b, ea, eb, v) => rounded(ea + eb, v)
  ),
  sub: binary(
    (a, b) => a - b,
    (a, b) => `(${a} - ${b})`,
    (_a, _b, ea, eb, v) => rounded(ea + eb, v)
  ),
  mul: binary(
    (a, b) => a * b,
    (a, b) => `(${a} * ${b})`,
    (a, b, ea, eb, v) => rounded(Math.abs(a) * eb + Math.abs(b) * ea + ea * eb, v)
  ),
  div: binary(
    (a, b) => a / b,
    (a, b) => `(${a} / ${b})`,
    (_a, b, ea, eb, v) => rounded(eb >= Math.abs(b) ? Infinity : (ea + Math.abs(v) * eb) / (Math.abs(b) - eb), v, 3)
  ),
  max: binary(
    Math.max,
    (a, b) => `Math.max(${a}, ${b})`,
    (_a, _b, ea, eb) => Math.max(ea, eb)
  ),
  min: binary(
    Math.min,
    (a, b) => `Math.min(${a}, ${b})`,
    (_a, _b, ea, eb) => Math.max(ea, eb)
  ),
  less: binary(
    (a, b) => (a < b ? 1 : 0),
    (a, b) => `(${a} < ${b} ? 1.0 : 0.0)`,
    (a, b, ea, eb) => (Math.abs(a - b) <= ea + eb && ea + eb > 0 ? 1 : 0)
  ),
  equal: binary(
    (a, b) => (a === b ? 1 : 0),
    (a, b) => `(${a} === ${b} ? 1.0 : 0.0)`,
    (a, b, ea, eb) => (Math.abs(a - b) <= ea + eb && ea + eb > 0 ? 1 : 0)
  ),
  select: {
    arity: 3,
    meaning: (c, a, b) => (c !== 0 ? a : b),
    source: (c, a, b) => `(${c} !== 0.0 ? ${a} : ${b})`,
    bound: ([c, a, b], [ec, ea, eb]) => (ec === 0 ? (c !== 0 ? ea : eb) : Math.abs(a - b) + Math.max(ea, eb))
  }
}
